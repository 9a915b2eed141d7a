//! The wire messages: one JSON object per WebSocket text frame, shared by client and server.
//!
//! The protocol is that of the first browser pages of this kind, which are still out there; everything added since is an
//! optional field or a type that an old peer ignores. `docs/protocol.md` has the table of messages with their meaning.
//!
//! Reading is lenient where old peers differ (numbers may be floats, `target` may be `null`, unknown fields are dropped,
//! unknown types become [`Message::Unknown`]) and strict where a wrong value could do harm (sizes, shapes of known fields).

use crate::facing::FacingMode;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use uuid::Uuid;

#[path = "message_push.rs"]
mod push;

pub use push::{
    CallPushed, PUSH, PushInfo, PushKeys, PushPlatform, PushRegister, PushRegistered, PushedCall, PushedKind,
};

/// The WebSocket subprotocol both sides name in the opening handshake (RFC 6455 section 1.9).
pub const SUBPROTOCOL: &str = "json";
/// The TCP port a server listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 6503;
/// Longest frame that either side accepts, in bytes.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Longest user name, in Unicode scalar values, after trimming.
pub const MAX_NAME_CHARS: usize = 32;
/// Longest chat line, in Unicode scalar values.
pub const MAX_TEXT_CHARS: usize = 256;

/// The feature of a client that reads `userlist-delta`.
pub const USER_DELTA: &str = "user-delta";

/// The feature of a server that keeps `block`.
pub const BLOCK: &str = "block";

/// What a server says in [`Id::auth`] that lets in only who shows a token.
pub const AUTH_REQUIRED: &str = "required";

/// Names one call from its first offer to its hang-up, so that a late message of an earlier call is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub Uuid);

impl CallId {
    /// A new random identifier (UUID version 4).
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One message, either way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// Server → client, first frame: the session's number.
    Id(Id),
    /// Client → server: log in, or change name.
    Username(Username),
    /// Server → client: the wanted name was taken, this one is yours instead.
    #[serde(rename = "rejectusername")]
    RejectUsername(RejectUsername),
    /// Server → everyone: who is logged in.
    #[serde(rename = "userlist")]
    UserList(UserList),
    /// Server → clients with [`USER_DELTA`]: what has changed in the list of users.
    #[serde(rename = "userlist-delta")]
    UserListDelta(UserListDelta),
    /// Server → client: STUN and TURN servers in place of those it has told before, whose credentials expire.
    #[serde(rename = "ice-servers")]
    IceServers(IceServers),
    /// Client → server: send the whole list again, a delta is missing.
    #[serde(rename = "userlist-request")]
    UserListRequest,
    /// Client → server: no offers and messages from there any more.
    Block(Block),
    /// Client → server: takes [`Message::Block`] back.
    Unblock(Block),
    /// Public chat. Comes back to its sender too.
    #[serde(rename = "message")]
    Chat(Chat),
    /// Invitation to a call, or renegotiation inside one.
    VideoOffer(Description),
    /// The callee accepted, or the answer to a renegotiation.
    VideoAnswer(Description),
    /// Trickle ICE (RFC 8838).
    NewIceCandidate(NewIceCandidate),
    /// The end of a call, or the refusal of one.
    HangUp(HangUp),
    /// Callee → caller: the phone rings here.
    CallRinging(CallRinging),
    /// Either → either: what is on and which way the camera looks.
    MediaState(MediaStateMessage),
    /// Client → server: this device can be rung by push while it is away.
    PushRegister(PushRegister),
    /// Client → server: takes [`Message::PushRegister`] back.
    PushUnregister,
    /// Server → client: what is kept of the two above.
    PushRegistered(PushRegistered),
    /// Server → caller: the callee is away, and a device is being rung by push.
    CallPushed(CallPushed),
    /// Server → client: what it refused and why.
    Error(ErrorMessage),
    /// A type this version does not know: the whole object, so that a server can pass it on.
    #[serde(skip)]
    Unknown(Map<String, Value>),
}

/// `id`: the first frame of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Id {
    /// The session's number.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// STUN and TURN servers to use, in the shape of W3C's `RTCIceServer`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ice_servers: Vec<IceServer>,
    /// An opaque token: shown again after a lost connection it restores name and place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// Who the server is and what it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerInfo>,
    /// Which additions to the protocol the server knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Whether it wants a token: [`AUTH_REQUIRED`], or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// How it can ring devices that are not connected; none if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<Box<PushInfo>>,
}

/// Part of [`Id`]: the server's name, version and limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// Product name.
    pub name: String,
    /// Product version.
    pub version: String,
    /// What the server accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
}

/// What a server accepts from one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Longest frame, in bytes.
    pub frame_bytes: usize,
    /// Longest name, in Unicode scalar values.
    pub name_chars: usize,
    /// Longest chat line, in Unicode scalar values.
    pub text_chars: usize,
    /// Sustained messages per second.
    pub messages_per_second: u32,
}

/// A STUN or TURN server (W3C `RTCIceServer`; URI forms of RFC 7064 and RFC 7065).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URIs. A lone string is read as a list of one.
    #[serde(deserialize_with = "one_or_many")]
    pub urls: Vec<String>,
    /// TURN user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// TURN password; never written to a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credential = self.credential.as_ref().map(|_| "…");
        f.debug_struct("IceServer").field("urls", &self.urls).field("credential", &credential).finish_non_exhaustive()
    }
}

/// `username`: log in, change name, or show a fresh token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Username {
    /// The wanted name.
    pub name: String,
    /// The session's number, as given by [`Id`].
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "number")]
    pub date: u64,
    /// The token of a session that was lost, to take it up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// Which additions to the protocol the client knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Says who it is, where the server wants to know: a JWT (RFC 7519).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Names the installation, the same at each login: 1 to 64 printable ASCII characters, chosen at random once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Username").field("name", &self.name).field("id", &self.id).finish_non_exhaustive()
    }
}

/// `rejectusername`: the name given instead of the wanted one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectUsername {
    /// The session's number.
    #[serde(deserialize_with = "number")]
    pub id: u64,
    /// The name that the session has now.
    pub name: String,
}

/// `userlist`: everyone who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserList {
    /// Names; an old server puts `null` for a connection that has none yet.
    pub users: Vec<Option<String>>,
    /// Who is not here, but can be rung by push; only for clients with [`USER_DELTA`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<String>,
    /// The number of the last delta that is in it already; only for clients with [`USER_DELTA`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// `userlist-delta`: what has changed since the last list or delta. First those who left are taken out, then all names of `renamed` are replaced
/// at once, then those who joined are put at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserListDelta {
    /// Who has come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<String>,
    /// Who has gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// Who can be rung by push from now on, while not being here; until it comes or is among those who have gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<String>,
    /// Old and new names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<(String, String)>,
    /// One more than that of the list or delta before it; after a gap, [`Message::UserListRequest`].
    pub seq: u64,
}

/// `ice-servers`: what [`Id::ice_servers`] was, anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceServers {
    /// All of them.
    pub ice_servers: Vec<IceServer>,
}

/// `block` and `unblock`: whom it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The person's name.
    pub name: String,
}

/// `message`: one line of public chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// What was said.
    pub text: String,
    /// The sender's session number.
    #[serde(default, deserialize_with = "number")]
    pub id: u64,
    /// Milliseconds since 1970, by the sender's clock.
    #[serde(default, deserialize_with = "number")]
    pub date: u64,
    /// Who said it; written by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `video-offer` and `video-answer`: a session description for one other person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Who sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whom it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The description.
    pub sdp: SessionDescription,
    /// The call it belongs to; none from an old peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Description").field("call", &self.call).field("sdp", &self.sdp).finish_non_exhaustive()
    }
}

/// W3C `RTCSessionDescriptionInit`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionDescription {
    /// Offer, answer, …
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The description itself (RFC 8866, JSEP RFC 9429).
    pub sdp: String,
}

impl SessionDescription {
    /// An offer with this text.
    pub fn offer(sdp: impl Into<String>) -> Self {
        Self { kind: SdpType::Offer, sdp: sdp.into() }
    }

    /// An answer with this text.
    pub fn answer(sdp: impl Into<String>) -> Self {
        Self { kind: SdpType::Answer, sdp: sdp.into() }
    }
}

/// Prints the size only: an SDP names addresses and keys and does not belong in a log.
impl fmt::Debug for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} bytes)", self.kind, self.sdp.len())
    }
}

/// W3C `RTCSdpType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// A new proposal.
    Offer,
    /// The final reply to an offer.
    Answer,
    /// A reply that may still change.
    Pranswer,
    /// Takes an own offer back.
    Rollback,
}

/// `new-ice-candidate`: one candidate of the sender's, or the end of them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewIceCandidate {
    /// Who sends it; none from an old peer by way of an old server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whom it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The candidate; `null` means that there are no more.
    #[serde(default)]
    pub candidate: Option<IceCandidate>,
    /// The call it belongs to; none from an old peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

impl fmt::Debug for NewIceCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewIceCandidate").field("call", &self.call).finish_non_exhaustive()
    }
}

/// W3C `RTCIceCandidateInit`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceCandidate {
    /// The `candidate-attribute` of RFC 8839 section 5.1; empty means that there are no more.
    pub candidate: String,
    /// The m-line's identification tag (RFC 8843).
    #[serde(default)]
    pub sdp_mid: Option<String>,
    /// The m-line's index, from 0.
    #[serde(default, rename = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<u16>,
    /// The ICE user name fragment it goes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

impl IceCandidate {
    /// Whether this is the sign that no more candidates follow.
    pub fn is_end(&self) -> bool {
        self.candidate.is_empty()
    }
}

/// Prints no address: a candidate tells where somebody is.
impl fmt::Debug for IceCandidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCandidate").field("sdp_mid", &self.sdp_mid).finish_non_exhaustive()
    }
}

/// `hang-up`: the end of a call, or the refusal of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HangUp {
    /// Who hangs up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whom it is for; `null` from an old page, which clears its target first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Why; none from an old peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<HangUpReason>,
    /// The call that ends; none from an old peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

/// Why somebody hangs up, as told to the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HangUpReason {
    /// The callee does not want the call.
    Declined,
    /// The callee is in another call.
    Busy,
    /// Nobody answered in time.
    Timeout,
    /// The caller gave up before it was answered.
    Cancelled,
    /// An ordinary end.
    Ended,
    /// The connection could not be made or was lost.
    Failed,
    /// The descriptions could not be agreed on.
    NegotiationFailed,
    /// The two sides have no codec in common.
    NoCommonCodec,
    /// The DTLS handshake failed.
    HandshakeFailed,
    /// No camera or microphone could be used.
    MediaError,
    /// Another device of the same person took the call.
    Elsewhere,
    /// A reason this version does not know.
    #[serde(other)]
    Unrecognised,
}

/// `call-ringing`: the phone rings at the callee's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRinging {
    /// Who is being called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The call that rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

/// `media-state`: what one side has on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaStateMessage {
    /// Who tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whom it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The call it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// What is on.
    #[serde(flatten)]
    pub state: MediaState,
}

/// What one side sends at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaState {
    /// Whether its microphone is on.
    #[serde(default = "yes")]
    pub audio: bool,
    /// Whether its camera is on. On the wire also while its screen is shared.
    #[serde(default = "yes")]
    pub video: bool,
    /// Which way its camera looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facing: Option<FacingMode>,
    /// Whether the picture is its screen and not a camera.
    #[serde(default)]
    pub screen: bool,
    /// Whether it has put the call on hold: it neither sends nor plays anything. On the wire `audio` and `video` are false then, for those who do
    /// not know of holds; see [`MediaState::sent`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

impl MediaState {
    /// What really goes out: nothing while the call is on hold, and a picture while a screen is shared though the camera be off.
    #[must_use]
    pub fn sent(self) -> Self {
        let Self { audio, video, screen, held, .. } = self;
        Self { audio: audio && !held, video: (video || screen) && !held, screen: screen && !held, ..self }
    }
}

impl Default for MediaState {
    fn default() -> Self {
        Self { audio: true, video: true, facing: None, screen: false, held: false }
    }
}

/// `error`: what the server refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// What kind of refusal.
    pub code: ErrorCode,
    /// One sentence for a developer.
    pub message: String,
    /// The type of the message it refuses.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub regarding: Option<String>,
    /// The person whom the refused message was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The call that the refused message belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

/// What kind of refusal an [`ErrorMessage`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// Too many messages in too short a time; the message was dropped.
    RateLimited,
    /// The frame, name or text was too long.
    TooLarge,
    /// The message needs a name first.
    NotLoggedIn,
    /// Nobody of that name is logged in.
    NoSuchUser,
    /// No valid JSON object, or a field is missing, wrong or forged.
    BadMessage,
    /// The name is empty or has characters that are not allowed.
    BadName,
    /// The server has no room for another connection.
    Full,
    /// The person whom the message was for wants none from there.
    Blocked,
    /// The server lets in only who shows a token, and this is none that it takes.
    Unauthorized,
    /// The token was good, once: another one is needed.
    TokenExpired,
    /// The server cannot do it at the moment; nothing that it had promised before is lost.
    Unavailable,
    /// A code this version does not know.
    #[serde(other)]
    Unrecognised,
}

/// Why a frame is not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Longer than [`MAX_FRAME_BYTES`].
    #[error("the frame has {0} bytes, more than {MAX_FRAME_BYTES}")]
    TooLarge(usize),
    /// No JSON, or no JSON object with a `type` that is a text.
    #[error("the frame is no JSON object with a type: {0}")]
    NotAnObject(String),
    /// A known type with a missing or wrong field.
    #[error("bad '{kind}' message: {detail}")]
    BadField {
        /// The message's type.
        kind: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl Message {
    /// Reads one text frame.
    ///
    /// # Errors
    /// [`ParseError`] says what is wrong; the connection is still usable.
    pub fn parse(frame: &str) -> Result<Self, ParseError> {
        Self::from_object(Self::parse_object(frame)?)
    }

    /// Reads one text frame as a JSON object without looking at its fields: what a server that relays starts from.
    ///
    /// # Errors
    /// [`ParseError::TooLarge`] or [`ParseError::NotAnObject`].
    pub fn parse_object(frame: &str) -> Result<Map<String, Value>, ParseError> {
        if frame.len() > MAX_FRAME_BYTES {
            return Err(ParseError::TooLarge(frame.len()));
        }
        let object: Map<String, Value> =
            serde_json::from_str(frame).map_err(|e| ParseError::NotAnObject(e.to_string()))?;
        match object.get("type") {
            Some(Value::String(_)) => Ok(object),
            Some(_) => Err(ParseError::NotAnObject("its type is no text".into())),
            None => Err(ParseError::NotAnObject("it has no type".into())),
        }
    }

    /// Reads a JSON object that [`Message::parse_object`] gave.
    ///
    /// # Errors
    /// [`ParseError::BadField`] for a known type with a missing or wrong field.
    pub fn from_object(object: Map<String, Value>) -> Result<Self, ParseError> {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !KNOWN_TYPES.contains(&kind.as_str()) {
            return Ok(Self::Unknown(object));
        }
        serde_json::from_value(Value::Object(object)).map_err(|e| ParseError::BadField { kind, detail: e.to_string() })
    }

    /// The text frame for this message.
    pub fn to_json(&self) -> String {
        match self {
            Self::Unknown(object) => Value::Object(object.clone()).to_string(),
            known => serde_json::to_string(known).unwrap_or_default(),
        }
    }

    /// Whether this version knows messages with this `type`.
    pub fn is_known_type(kind: &str) -> bool {
        KNOWN_TYPES.contains(&kind)
    }

    /// Who sent this message of a call, as the server says, and which call it names.
    #[cfg(feature = "client")]
    pub(crate) fn of_call(&self) -> (Option<&str>, Option<CallId>) {
        match self {
            Self::VideoOffer(m) | Self::VideoAnswer(m) => (m.name.as_deref(), m.call),
            Self::NewIceCandidate(m) => (m.name.as_deref(), m.call),
            Self::HangUp(m) => (m.name.as_deref(), m.call),
            Self::CallRinging(m) => (m.name.as_deref(), m.call),
            Self::MediaState(m) => (m.name.as_deref(), m.call),
            _ => (None, None),
        }
    }

    /// Whether it is one of the messages that two people's call engines exchange.
    #[cfg(feature = "client")]
    pub(crate) fn is_of_call(&self) -> bool {
        use Message as M;
        matches!(
            self,
            M::VideoOffer(_)
                | M::VideoAnswer(_)
                | M::NewIceCandidate(_)
                | M::HangUp(_)
                | M::CallRinging(_)
                | M::MediaState(_)
        )
    }

    /// Whom a message of a call is for.
    #[cfg(feature = "client")]
    pub(crate) fn target(&self) -> Option<&str> {
        match self {
            Self::VideoOffer(m) | Self::VideoAnswer(m) => m.target.as_deref(),
            Self::NewIceCandidate(m) => m.target.as_deref(),
            Self::HangUp(m) => m.target.as_deref(),
            Self::CallRinging(m) => m.target.as_deref(),
            Self::MediaState(m) => m.target.as_deref(),
            _ => None,
        }
    }

    /// Writes into a message of a call who sends it.
    #[cfg(feature = "client")]
    pub(crate) fn set_sender(&mut self, name: &str) {
        let sender = match self {
            Self::VideoOffer(m) | Self::VideoAnswer(m) => &mut m.name,
            Self::NewIceCandidate(m) => &mut m.name,
            Self::HangUp(m) => &mut m.name,
            Self::CallRinging(m) => &mut m.name,
            Self::MediaState(m) => &mut m.name,
            _ => return,
        };
        *sender = Some(name.to_owned());
    }

    /// The `type` on the wire.
    pub fn kind(&self) -> &str {
        match self {
            Self::Id(_) => "id",
            Self::Username(_) => "username",
            Self::RejectUsername(_) => "rejectusername",
            Self::UserList(_) => "userlist",
            Self::UserListDelta(_) => "userlist-delta",
            Self::IceServers(_) => "ice-servers",
            Self::UserListRequest => "userlist-request",
            Self::Block(_) => "block",
            Self::Unblock(_) => "unblock",
            Self::Chat(_) => "message",
            Self::VideoOffer(_) => "video-offer",
            Self::VideoAnswer(_) => "video-answer",
            Self::NewIceCandidate(_) => "new-ice-candidate",
            Self::HangUp(_) => "hang-up",
            Self::CallRinging(_) => "call-ringing",
            Self::MediaState(_) => "media-state",
            Self::PushRegister(_) => "push-register",
            Self::PushUnregister => "push-unregister",
            Self::PushRegistered(_) => "push-registered",
            Self::CallPushed(_) => "call-pushed",
            Self::Error(_) => "error",
            Self::Unknown(object) => object.get("type").and_then(Value::as_str).unwrap_or_default(),
        }
    }
}

const KNOWN_TYPES: [&str; 21] = [
    "id",
    "username",
    "rejectusername",
    "userlist",
    "userlist-delta",
    "userlist-request",
    "ice-servers",
    "block",
    "unblock",
    "message",
    "video-offer",
    "video-answer",
    "new-ice-candidate",
    "hang-up",
    "call-ringing",
    "media-state",
    "push-register",
    "push-unregister",
    "push-registered",
    "call-pushed",
    "error",
];

fn yes() -> bool {
    true
}

/// A whole number that an old peer may have written as a float; negative ones and nonsense are refused.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let float = || number.as_f64().filter(|n| (0.0..9.0e15).contains(n)).map(|n| n as u64);
    number.as_u64().or_else(float).ok_or_else(|| serde::de::Error::custom("expected a number that is not negative"))
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(url) => vec![url],
        OneOrMany::Many(urls) => urls,
    })
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
