//! The façade that an app holds: commands in, events out.
//!
//! ```text
//!  app ── Client ──► Driver ──► CallEngine          (decides)
//!   ▲                 │  ▲ ──► SignalingClient      (server)
//!   └── ClientEvent ──┘  └──── CallTask ─► PeerConnection, camera, microphone, speaker, codecs
//! ```
//!
//! One task, the driver, owns the call engine and the signaling client and feeds one with the other. Each peer connection
//! the engine asks for gets a task of its own, which also holds the devices and codecs of that call; its actions are done in
//! the order in which the engine gave them. Codecs run on their own threads.

mod address_watch;
mod call_audio;
mod call_camera;
mod call_media;
mod call_task;
mod config;
mod device_thread;
mod devices;
mod driver;
mod files;
mod handle;
mod media_watch;
mod options;
mod private_text;
mod quality;
mod report;
mod screen;
mod verification;

pub use config::{ClientConfig, Devices, SendParameters};
pub use handle::CallHandle;
pub use media_watch::{MediaKind, MissingMedia};
pub use options::CallOptions;
pub use quality::{CallQuality, DirectionQuality, QualityLevel, QualityReason};
pub use report::{CallStats, MediaRates};
pub use verification::Verification;

use crate::call::{CallError, CallEvent, CallSnapshot};
use crate::facing::FacingMode;
use crate::files::storage::FileSink;
use crate::files::{FileEnd, FileEvent, FileId, FileOffer, FileToSend, TransferError};
use crate::media::capture::{CameraSettings, CaptureError};
use crate::media::constraints::{ConstraintError, VideoConstraints};
use crate::media::dtmf::{DtmfError, DtmfTone, DtmfTones};
use crate::media::frame::VideoFrame;
use crate::media::screen::{ContentHint, ScreenError, ScreenSource};
use crate::media::video::{DegradationPreference, ThermalState, VideoBounds};
use crate::outage::Outage;
use crate::peer::{DataError, PeerFactory};
use crate::security::RememberedPerson;
use crate::signaling::message::{CallId, PushRegister};
use crate::signaling::{SignalingError, SignalingEvent};
use crate::text::{TextError, TextEvent, TextId};
use config::SendParameter;
use driver::{Driver, Reply, Request};
use files::FileInput;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// What the app is told, in the order in which it happened.
#[derive(Debug)]
pub enum ClientEvent {
    /// Of the connection to the server: logged in, user list, chat, lost, closed.
    Signaling(SignalingEvent),
    /// Of the call.
    Call(CallEvent),
    /// Once a second while a call is connected, and once more right before [`CallEvent::Ended`].
    Stats(Box<CallStats>),
    /// How good the call is changed. Both directions of a call count as good until this is told.
    Quality(CallQuality),
    /// Sound or video of the other side is missing while the call goes on, or comes after it was missing. Told within three seconds, for the
    /// call that is going on.
    Missing {
        /// What is missing.
        kind: MediaKind,
        /// Why; `None` where it comes now, or is not to be expected any more.
        why: Option<MissingMedia>,
    },
    /// A camera was opened: this one, with these settings. Sent at the start of a call, after a flip, and when the camera is
    /// switched on again; [`CameraSettings::mirrors_preview`] says how to show it.
    Camera(CameraSettings),
    /// A device cannot be used, be it that it is refused, busy or gone or that it does not answer. The call goes on without it, and
    /// [`Client::set_camera`] and [`Client::set_microphone`] try it again.
    DeviceFailed {
        /// Which one.
        device: DeviceKind,
        /// Why.
        why: ClientError,
    },
    /// The screen of this call is shared no more, and the camera is sent again. Not told where the app stopped it or the call ended.
    ScreenShareEnded {
        /// Why its pictures were not taken; `None` where the source has ended by itself: the person stopped it in the system's own controls, say.
        why: Option<ScreenError>,
    },
    /// The other side pressed a key of its phone: told when the tone begins.
    Dtmf(DtmfTone),
    /// A message of the other side on the call's data channel.
    Data(bytes::Bytes),
    /// Of the private text of the call ([`crate::text`]). What has no delivery mark when the call ends was not delivered.
    Text(TextEvent),
    /// Of the files of the call ([`crate::files`]). Of what is not done when the call ends nothing is kept.
    File(FileEvent),
    /// What is known of the other end changed: [`crate::security`]. Told within a few seconds after a call is connected, and again where
    /// one of the two people says something about the words.
    Verification(Verification),
    /// This happened in the call that is on hold behind another one ([`crate::call::CallSnapshot::other`]): of its text and files, say.
    /// Only with [`ClientConfig::call_waiting`].
    Behind {
        /// Which call.
        call: CallId,
        /// What.
        event: Box<ClientEvent>,
    },
    /// Both people said that the words are the same. Keep this in the place of what was kept of the same name, and give it to
    /// [`ClientConfig::remembered`] of the next client.
    Remember(RememberedPerson),
}

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// A camera. Black is sent without it.
    Camera,
    /// The microphone. Silence is sent without it.
    Microphone,
    /// The speaker, or whatever sound is heard by.
    Speaker,
}

impl DeviceKind {
    /// A name for programs, e.g. `camera`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
        }
    }
}

/// Why something the app asked for was not done. What was going on goes on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The server cannot be reached or refused the login.
    #[error(transparent)]
    Signaling(#[from] SignalingError),
    /// The call is not in a state for this.
    #[error(transparent)]
    Call(#[from] CallError),
    /// No camera satisfies the constraints.
    #[error(transparent)]
    Constraint(#[from] ConstraintError),
    /// The device cannot be used.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The data channel does not take the message.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Tones cannot be sent.
    #[error(transparent)]
    Dtmf(#[from] DtmfError),
    /// The private text was not taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Something about a file was not done.
    #[error(transparent)]
    File(#[from] TransferError),
    /// The screen is not shared.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// There is no picture yet.
    #[error("there is no picture yet")]
    NoPicture,
    /// There are no words to compare, not yet or not in this call.
    #[error("there are no words to compare")]
    NoWords,
    /// The client was logged out.
    #[error("the client is closed")]
    Closed,
}

/// Which picture to take a photo of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhotoOf {
    /// What the own camera sees.
    Local,
    /// What the other side sends.
    Remote,
}

/// A client that is logged in. Cheap to clone; the last clone that is dropped logs out.
#[derive(Clone, Debug)]
pub struct Client {
    requests: mpsc::Sender<Request>,
    outages: Outages,
}

/// The switches of the configuration.
#[derive(Clone, Debug)]
struct Outages {
    server: Outage,
    calls: Outage,
}

impl Client {
    /// Connects to the server and logs in. Must be called inside a tokio runtime, which then drives the client.
    ///
    /// Events arrive on the returned channel; the first is [`SignalingEvent::LoggedIn`]. An app that does not read them
    /// holds its own client up, nobody else.
    ///
    /// # Errors
    /// [`ClientError::Signaling`] if the server cannot be reached, is none, or refuses the name.
    pub async fn connect(
        config: ClientConfig,
        devices: Devices,
        peers: Arc<dyn PeerFactory>,
    ) -> Result<(Self, mpsc::Receiver<ClientEvent>), ClientError> {
        let (requests, inbox) = mpsc::channel(64);
        let (events, outbox) = mpsc::channel(1024);
        let outages = Outages { server: config.signaling.outage.clone(), calls: config.outage.clone() };
        let driver = Driver::connect(config, devices, peers, events).await?;
        tokio::spawn(driver.run(inbox));
        Ok((Self { requests, outages }, outbox))
    }

    /// Calls somebody of the user list. The call is at its start: events tell how it goes on.
    ///
    /// # Errors
    /// [`CallError`] if it is oneself, a call is going on (but for one on hold, with [`ClientConfig::call_waiting`]), or the server is out of reach.
    pub async fn call(&self, to: &str) -> Result<CallId, ClientError> {
        self.call_with(to, CallOptions::default()).await
    }

    /// As [`Client::call`], with what this call has differently from the configuration.
    ///
    /// # Errors
    /// As there.
    pub async fn call_with(&self, to: &str, options: CallOptions) -> Result<CallId, ClientError> {
        let (to, options) = (to.to_owned(), Box::new(options));
        self.ask(|reply| Request::Call { to, options, reply }).await?
    }

    /// Takes the call that rings here.
    ///
    /// # Errors
    /// [`CallError`] if none rings.
    pub async fn accept(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::Accept { reply }).await?
    }

    /// Refuses the call that rings here, or waits.
    ///
    /// # Errors
    /// [`CallError`] if none rings.
    pub async fn decline(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::Decline { reply }).await?
    }

    /// Ends the call, whatever its state.
    ///
    /// # Errors
    /// [`CallError`] if there is none.
    pub async fn hang_up(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::HangUp { reply }).await?
    }

    /// Microphone on or off; kept for the next call.
    ///
    /// # Errors
    /// [`ClientError::Closed`].
    pub async fn set_microphone(&self, on: bool) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetMicrophone { on, reply }).await?
    }

    /// Camera on or off; kept for the next call. Off closes the device.
    ///
    /// # Errors
    /// [`ClientError::Capture`] or [`ClientError::Constraint`] if it cannot be opened again.
    pub async fn set_camera(&self, on: bool) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetCamera { on, reply }).await?
    }

    /// Takes the call that waits ([`CallEvent::Waiting`]) and puts the other one on hold.
    ///
    /// # Errors
    /// [`CallError`] if none waits or rings.
    pub async fn hold_and_accept(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::HoldAndAccept { reply }).await?
    }

    /// Takes the call that waits ([`CallEvent::Waiting`]) and ends the other one.
    ///
    /// # Errors
    /// [`CallError`] if none waits or rings.
    pub async fn end_and_accept(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::EndAndAccept { reply }).await?
    }

    /// Puts the call in front on hold, and takes up the one behind it.
    ///
    /// # Errors
    /// [`CallError`] if there are not two that were accepted.
    pub async fn swap_calls(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::Swap { reply }).await?
    }

    /// Puts the call on hold, or takes it up again. On hold nothing is sent and nothing played, camera, microphone and speaker are closed, and the
    /// connection stays. The other side is told ([`crate::call::CallSnapshot::remote`], [`MediaState::held`](crate::signaling::message::MediaState::held)).
    ///
    /// # Errors
    /// [`CallError`] if there is no call, or it is not accepted yet.
    pub async fn set_held(&self, on: bool) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetHeld { on, reply }).await?
    }

    /// Sends a screen in place of the camera, without renegotiation: the camera is closed, and opened again after it if it is still on. The other
    /// side is told ([`MediaState::screen`](crate::signaling::message::MediaState::screen)). Done once the source is open. What is larger than
    /// [`MAX_SCREEN_SIDES`](crate::media::screen::MAX_SCREEN_SIDES) is refused, be it here or later ([`ClientEvent::ScreenShareEnded`]); bounds of the
    /// size of pictures ([`Client::set_video_bounds`]) are for cameras alone. Works in a client without cameras, too.
    ///
    /// # Errors
    /// [`CallError`] if there is no call, or it is not accepted yet; [`ClientError::Capture`] if the source cannot be opened;
    /// [`ClientError::Screen`] if it is too large, one is shared already, or this one was stopped meanwhile.
    pub async fn start_screen_share(
        &self,
        source: Arc<dyn ScreenSource>,
        hint: ContentHint,
    ) -> Result<(), ClientError> {
        self.ask(|reply| Request::StartScreenShare { source, hint, reply }).await?
    }

    /// Sends the camera again, or nothing if it is off. Without effect where no screen is shared.
    ///
    /// # Errors
    /// [`CallError`] if there is no call.
    pub async fn stop_screen_share(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::StopScreenShare { reply }).await?
    }

    /// Changes to the camera on the other side, without renegotiation. Returns which way the new one looks. The choice is
    /// kept for the next call. While the camera is off, it stays closed and the choice is for when it is switched on.
    ///
    /// # Errors
    /// [`ClientError::Constraint`] naming `facingMode` if there is no other camera; [`ClientError::Capture`] if it cannot
    /// be opened, in which case the old one is opened again.
    pub async fn flip_camera(&self) -> Result<Option<FacingMode>, ClientError> {
        self.ask(|reply| Request::Flip { reply }).await?
    }

    /// What the camera has to satisfy from now on (W3C `MediaTrackConstraints`); reopens it in a call.
    ///
    /// # Errors
    /// [`ClientError::Constraint`] if no camera satisfies them; the old constraints stay.
    pub async fn set_constraints(&self, constraints: VideoConstraints) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetConstraints { constraints: Box::new(constraints), reply }).await?
    }

    /// What gives way where path or device do not carry the camera's pictures as they are: in the call that is going on and in
    /// later ones.
    ///
    /// # Errors
    /// [`ClientError::Closed`].
    pub async fn set_degradation_preference(&self, preference: DegradationPreference) -> Result<(), ClientError> {
        self.set_parameter(SendParameter::Degradation(preference)).await
    }

    /// Upper bounds of the pictures' size, frame rate and bitrate: in the call that is going on and in later ones.
    ///
    /// # Errors
    /// [`ClientError::Closed`].
    pub async fn set_video_bounds(&self, bounds: VideoBounds) -> Result<(), ClientError> {
        self.set_parameter(SendParameter::Bounds(bounds)).await
    }

    /// How hot the device is, as its system says: a hot one sends smaller or fewer pictures.
    ///
    /// # Errors
    /// [`ClientError::Closed`].
    pub async fn set_thermal_state(&self, state: ThermalState) -> Result<(), ClientError> {
        self.set_parameter(SendParameter::Thermal(state)).await
    }

    async fn set_parameter(&self, parameter: SendParameter) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetSendParameter { parameter, reply }).await?
    }

    /// The newest picture of the call, for a photo: see [`crate::media::photo`].
    ///
    /// # Errors
    /// [`ClientError::NoPicture`] outside a call or before the first picture.
    pub async fn picture(&self, of: PhotoOf) -> Result<VideoFrame, ClientError> {
        self.ask(|reply| Request::Picture { of, reply }).await?
    }

    /// Says something in the public chat.
    ///
    /// # Errors
    /// [`SignalingError`] if the text is empty or too long, or too much waits for the server already. While the server is out of
    /// reach it waits.
    pub async fn say(&self, text: &str) -> Result<(), ClientError> {
        let text = text.to_owned();
        self.ask(|reply| Request::Say { text, reply }).await?
    }

    /// Asks for another name; the answer comes as an event.
    ///
    /// # Errors
    /// [`SignalingError`] if the name is empty or too long, or too much waits for the server already. While the server is out of
    /// reach it waits.
    pub async fn rename(&self, name: &str) -> Result<(), ClientError> {
        let name = name.to_owned();
        self.ask(|reply| Request::Rename { name, reply }).await?
    }

    /// Shows the server this token (a JWT, RFC 7519) from now on: the next one where the last has expired, which
    /// [`SignalingEvent::Refused`] tells, or a fresh one before that.
    ///
    /// # Errors
    /// [`SignalingError`] if too much waits for the server already.
    pub async fn set_token(&self, token: String) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetToken { token, reply }).await?
    }

    /// Takes no calls and chat lines of this person any more: here and at the server, if that one can; also after a lost connection, not after
    /// a logout. 256 people at most.
    ///
    /// # Errors
    /// [`SignalingError`] if that is no name, or too much waits for the server already.
    pub async fn block(&self, name: &str) -> Result<(), ClientError> {
        let name = name.to_owned();
        self.ask(|reply| Request::SetBlocked { name, block: true, reply }).await?
    }

    /// Takes [`Client::block`] back.
    ///
    /// # Errors
    /// As there.
    pub async fn unblock(&self, name: &str) -> Result<(), ClientError> {
        let name = name.to_owned();
        self.ask(|reply| Request::SetBlocked { name, block: false, reply }).await?
    }

    /// Has the server ring this device by push while it is not connected, so that calls come although the app is closed: from now on and after
    /// each login, so an app calls it once, and again when its token is another one. The device needs a name
    /// ([`SignalingConfig::device`](crate::signaling::SignalingConfig::device)) and the person a token of the server's.
    /// [`SignalingEvent::PushRegistered`] tells that the server has written it down, [`SignalingEvent::Refused`] why not.
    ///
    /// # Errors
    /// [`SignalingError`] if too much waits for the server already.
    pub async fn register_push(&self, register: PushRegister) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetPush { register: Some(Box::new(register)), reply }).await?
    }

    /// Takes [`Client::register_push`] back: a device whose user logs out for good must not ring any more.
    ///
    /// # Errors
    /// As there.
    pub async fn unregister_push(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetPush { register: None, reply }).await?
    }

    /// Sends a message of at most 16 KiB on the call's data channel. It arrives whole and in order.
    ///
    /// # Errors
    /// [`DataError`] if no call has an open data channel, if the message is too long, or if 64 wait to be sent already.
    pub async fn send_data(&self, data: bytes::Bytes) -> Result<(), ClientError> {
        self.ask(|reply| Request::SendData { data, reply }).await?
    }

    /// Sends keys of a phone (DTMF, RFC 4733) in place of sound, after those that wait; the other side gets [`ClientEvent::Dtmf`]. At most 256
    /// wait.
    ///
    /// # Errors
    /// [`ClientError::Dtmf`] if the call is not connected, if the other side takes no tones, or if too many wait.
    pub async fn send_dtmf(&self, tones: DtmfTones) -> Result<(), ClientError> {
        self.ask(|reply| Request::SendDtmf { tones, reply }).await?
    }

    /// Sends private text to the other person of the call: between the two devices alone, and not by way of the server. Its delivery is
    /// told ([`TextEvent`]); what is not delivered when the connection breaks is sent again over the next one, within the call.
    ///
    /// # Errors
    /// [`TextError`] if no call is connected or has been or [`ClientConfig::texts`] is off, the text is empty or longer than 2,000 characters, or too many wait.
    pub async fn send_text(&self, text: &str) -> Result<TextId, ClientError> {
        let text = text.to_owned();
        self.ask(|reply| Request::SendText { text, reply }).await?
    }

    /// Tells the other person of the call whether somebody types here. May be called with every key; it counts for 6 s.
    ///
    /// # Errors
    /// [`TextError::NoCall`] if no call is connected or has been.
    pub async fn set_typing(&self, on: bool) -> Result<(), ClientError> {
        self.ask(|reply| Request::SetTyping { on, reply }).await?
    }

    /// Offers a file to the other person of the call; what becomes of it is told ([`FileEvent`]). It goes between the two devices alone, and leaves sound and
    /// pictures what they want of the path. Where the connection breaks it goes on over the next one, within the call.
    ///
    /// # Errors
    /// [`TransferError`] if no call is connected or has been or [`ClientConfig::files`] is off, the file is too large, or too many are under way.
    pub async fn send_file(&self, file: FileToSend) -> Result<FileId, ClientError> {
        let FileToSend { name, size, media_type, source } = file;
        let id = FileId::random();
        let offer = FileOffer { id, name, size, media_type };
        self.ask_file(|reply| FileInput::Send { offer, source, reply }).await.map(|()| id)
    }

    /// Takes a file that the other side offers ([`FileEvent::Offered`]), into this sink, e.g. a [`crate::files::disk::DiskSink`].
    ///
    /// # Errors
    /// [`TransferError::NoFile`] if it is not offered any more.
    pub async fn accept_file(&self, id: FileId, sink: Box<dyn FileSink>) -> Result<(), ClientError> {
        self.ask_file(|reply| FileInput::Accept { id, sink, reply }).await
    }

    /// Has a file wait, or go on, in either direction.
    ///
    /// # Errors
    /// [`TransferError::NoFile`] if it is not under way.
    pub async fn pause_file(&self, id: FileId, on: bool) -> Result<(), ClientError> {
        self.ask_file(|reply| FileInput::Pause { id, on, reply }).await
    }

    /// Ends a file, in either direction: [`FileEnd::Declined`] or [`FileEnd::NotTaken`] is the answer to one that is offered, [`FileEnd::Cancelled`] ends one
    /// that is under way. The other side hears the reason.
    ///
    /// # Errors
    /// [`TransferError::NoFile`] if it is not under way.
    pub async fn end_file(&self, id: FileId, why: FileEnd) -> Result<(), ClientError> {
        self.ask_file(|reply| FileInput::End { id, why, reply }).await
    }

    async fn ask_file(&self, input: impl FnOnce(Reply<()>) -> FileInput) -> Result<(), ClientError> {
        self.ask(|reply| Request::File(input(reply))).await?
    }

    /// Says whether the other person sees the same words ([`ClientEvent::Verification`]): compared by voice, and never by guess.
    ///
    /// # Errors
    /// [`ClientError::NoWords`] if there are none.
    pub async fn confirm_verification(&self, same: bool) -> Result<(), ClientError> {
        self.ask(|reply| Request::ConfirmVerification { same, reply }).await?
    }

    /// Where the call stands now.
    ///
    /// # Errors
    /// [`ClientError::Closed`].
    pub async fn snapshot(&self) -> Result<CallSnapshot, ClientError> {
        self.ask(|reply| Request::Snapshot { reply }).await
    }

    /// The device has another network now: looks for the server again at once and restarts ICE (RFC 8445 section 2.4), so that the
    /// call goes over to the new network without waiting for the old one to be given up.
    ///
    /// # Errors
    /// [`ClientError::Closed`].
    pub async fn network_changed(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::NetworkChanged { reply }).await
    }

    /// The app is in front of a person again, perhaps after a long sleep of the device: looks at once whether the server is still
    /// there. A connection that does not answer within two seconds is made anew.
    ///
    /// # Errors
    /// [`ClientError::Closed`].
    pub async fn foreground(&self) -> Result<(), ClientError> {
        self.ask(|reply| Request::Foreground { reply }).await
    }

    /// While `on`, there is no connection to the server and none can be made, as where a network has no way to it: for trying out
    /// what an app does then.
    pub fn drop_signaling(&self, on: bool) {
        self.outages.server.set(on);
    }

    /// While `on`, no packet of a call leaves or arrives, be it of ICE, DTLS or media: for trying out what an app does then.
    /// Calls become [`crate::call::CallState::Reconnecting`] after a few seconds and end if it lasts.
    pub fn drop_media(&self, on: bool) {
        self.outages.calls.set(on);
    }

    /// Ends a call that may be going on, closes the connection to the server, and waits until devices and sockets are
    /// released.
    pub async fn logout(self) {
        // A driver that is gone already has nothing left to release.
        let _ = self.ask(|reply| Request::Logout { reply }).await;
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, ClientError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| ClientError::Closed)?;
        answer.await.map_err(|_| ClientError::Closed)
    }
}
