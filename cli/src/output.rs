//! What the command prints: lines for people, or one JSON object a line for programs.

use crate::summary::round;
use chamada::call::{CallEvent, CallSnapshot, CallState, NoPath, OtherCall};
use chamada::client::{CallQuality, CallStats, ClientError, ClientEvent, DirectionQuality, MediaKind, MissingMedia};
use chamada::signaling::SignalingEvent;
use chamada::signaling::message::CallId;
use chamada::text::{TextEvent, TextId};
use serde_json::{Value, json};
use std::io::Write;

fn no_path(why: NoPath) -> &'static str {
    match why {
        NoPath::NoNetworkHere => "this machine has no address that a call could use",
        NoPath::NoRelayHere => "no relay has answered",
        NoPath::NothingFromThere => "the other side has told no address",
        NoPath::NoRelay => "nothing gets through, and there is no relay",
        NoPath::Unanswered => "nothing gets through",
    }
}

/// Prints events as they come.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
    /// The call on hold that is spoken of.
    behind: Option<CallId>,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, behind: None }
    }

    /// One event: a JSON line with `event`, or the text for people, if there is one.
    pub(crate) fn event(self, event: &str, mut fields: Value, text: Option<String>) {
        if self.json {
            if let Value::Object(map) = &mut fields {
                map.insert("event".into(), event.into());
                if let Some(call) = self.behind {
                    map.insert("behind".into(), json!(call));
                }
            }
            line(&fields.to_string());
        } else if let Some(text) = text {
            line(&if self.behind.is_some() { format!("(on hold) {text}") } else { text });
        }
    }

    pub(crate) fn client(self, event: &ClientEvent) {
        match event {
            ClientEvent::Signaling(event) => self.signaling(event),
            ClientEvent::Call(event) => self.call(event),
            ClientEvent::Stats(stats) => self.stats(stats),
            ClientEvent::Quality(quality) => self.quality(quality),
            ClientEvent::Camera(camera) => self.event(
                "camera",
                json!({
                    "device": camera.device_id, "facing": camera.facing, "mirrored_preview": camera.mirrors_preview(),
                    "width": camera.width, "height": camera.height, "fps": camera.fps,
                }),
                Some(format!(
                    "camera {} ({}), {}x{} at {} fps",
                    camera.device_id,
                    camera.facing.map_or("unknown facing", |facing| facing.as_str()),
                    camera.width,
                    camera.height,
                    camera.fps
                )),
            ),
            ClientEvent::DeviceFailed { device, why } => self.event(
                "device-failed",
                json!({ "device": device.as_str(), "why": why.to_string() }),
                Some(format!("the {} cannot be used, the call goes on without it: {why}", device.as_str())),
            ),
            ClientEvent::ScreenShareEnded { why } => {
                let words = why.map_or("it ended by itself".to_owned(), |why| why.to_string());
                self.event(
                    "screen-share-ended",
                    json!({ "why": why.map(|why| why.to_string()) }),
                    Some(format!("the screen is not shared any more: {words}")),
                );
            }
            ClientEvent::Missing { kind, why } => {
                let what = if *kind == MediaKind::Video { "pictures" } else { "sound" };
                let text = match why {
                    Some(MissingMedia::NoCommonCodec) => {
                        format!("there is no codec for {what} in common; the call goes on without")
                    }
                    Some(MissingMedia::NoPackets) => format!("no {what} of the other side arrives"),
                    Some(MissingMedia::NotDecodable) => format!("the other side's {what} cannot be decoded"),
                    None => format!("no {what} is missing any more"),
                };
                self.event(
                    "missing",
                    json!({ "kind": kind.as_str(), "why": why.map(MissingMedia::as_str) }),
                    Some(text),
                );
            }
            ClientEvent::Verification(_) | ClientEvent::Remember(_) | ClientEvent::File(_) => {}
            ClientEvent::Dtmf(tone) => {
                self.event("dtmf", json!({ "tone": tone.to_string() }), Some(format!("key {tone}")));
            }
            ClientEvent::Text(event) => self.text(event),
            ClientEvent::Behind { call, event } => Self { behind: Some(*call), ..self }.client(event),
            ClientEvent::Data(data) => self.event("data", json!({ "bytes": data.len() }), None),
        }
    }

    pub(crate) fn flip_failed(self, why: &ClientError) {
        let text = format!("the other camera cannot be used, the call goes on with this one: {why}");
        self.event("flip-failed", json!({ "why": why.to_string() }), Some(text));
    }

    pub(crate) fn no_words(self) {
        self.event("no-words", json!({}), Some("there are no words to compare".into()));
    }

    /// What was typed was not done.
    pub(crate) fn not_done(self, command: &str, why: &ClientError) {
        self.event(
            "not-done",
            json!({ "command": command, "why": why.to_string() }),
            Some(format!("{command}: {why}")),
        );
    }

    /// A private text of this side's is on its way.
    pub(crate) fn text_sent(self, id: TextId, text: &str) {
        let fields = json!({ "state": "sent", "id": id, "text": text });
        self.event("text", fields, Some(format!("(private, to them) {}", printable(text))));
    }

    fn text(self, event: &TextEvent) {
        let (fields, text) = match event {
            TextEvent::Available => (json!({ "state": "available" }), None),
            TextEvent::Received { id, text } => (
                json!({ "state": "received", "id": id, "text": text }),
                Some(format!("(private, from them) {}", printable(text))),
            ),
            TextEvent::Delivered { id } => (json!({ "state": "delivered", "id": id }), None),
            TextEvent::Refused { id, why } => (
                json!({ "state": "refused", "id": id, "why": why.as_str() }),
                Some(format!("the other side did not take a private text: {}", why.as_str())),
            ),
            TextEvent::Typing(on) => (json!({ "state": "typing", "on": on }), None),
        };
        self.event("text", fields, text);
    }

    fn signaling(self, event: &SignalingEvent) {
        match event {
            SignalingEvent::LoggedIn { name, resumed, server, .. } => {
                let server = server.as_ref().map(|server| format!("{} {}", server.name, server.version));
                self.event(
                    "logged-in",
                    json!({ "name": name, "resumed": resumed, "server": server }),
                    Some(format!("logged in as {}", printable(name))),
                );
            }
            SignalingEvent::Renamed { wanted, name } => self.event(
                "renamed",
                json!({ "wanted": wanted, "name": name }),
                Some(format!(
                    "the name {} was not free or not allowed; you are {}",
                    printable(wanted),
                    printable(name)
                )),
            ),
            SignalingEvent::Users(users) => self.event("users", json!({ "users": users }), None),
            SignalingEvent::Away(names) => self.event("away", json!({ "users": names }), None),
            SignalingEvent::PushRegistered(platform) => {
                let platform = platform.map(|platform| platform.name());
                self.event("push-registered", json!({ "platform": platform }), None);
            }
            SignalingEvent::Chat { from, text, date, .. } => {
                let from = from.as_deref().unwrap_or("?");
                self.event(
                    "chat",
                    json!({ "from": from, "text": text, "date": date }),
                    Some(format!("<{}> {}", printable(from), printable(text))),
                );
            }
            SignalingEvent::Refused(error) => self.event(
                "refused",
                json!({ "code": error.code, "message": error.message, "for": error.regarding }),
                Some(format!("the server refused: {}", printable(&error.message))),
            ),
            SignalingEvent::Reconnecting { attempt, after, why } => self.event(
                "reconnecting",
                json!({ "attempt": attempt, "after_ms": after.as_millis() as u64, "why": why.to_string() }),
                Some(format!("the server is out of reach ({}); trying again", printable(&why.to_string()))),
            ),
            SignalingEvent::Closed { why } => {
                let why = why.as_ref().map(ToString::to_string);
                let text =
                    why.as_ref().map(|why| format!("the connection to the server is closed: {}", printable(why)));
                self.event("signaling-closed", json!({ "why": why }), text);
            }
            SignalingEvent::Dropped { kind } => self.event(
                "dropped",
                json!({ "type": kind }),
                Some(format!("too much waited for the server; a message ({}) was dropped", printable(kind))),
            ),
            SignalingEvent::Malformed { total } => self.event("malformed", json!({ "total": total }), None),
            SignalingEvent::IceServers(servers) => self.event("ice-servers", json!({ "count": servers.len() }), None),
            SignalingEvent::Call(_) => {}
        }
    }

    fn call(self, event: &CallEvent) {
        match event {
            CallEvent::Changed(CallSnapshot { state, with, call, local, remote, other }) => {
                let state = state.as_str();
                let held = match (local.held, remote.held) {
                    (false, false) => "",
                    (true, false) => ", on hold",
                    (false, true) => ", put on hold there",
                    (true, true) => ", on hold at both ends",
                };
                let screen = match (local.screen, remote.screen) {
                    (false, false) => "",
                    (true, false) => ", sharing a screen",
                    (false, true) => ", a screen is shared there",
                    (true, true) => ", both share a screen",
                };
                let behind = other.as_ref().map_or_else(String::new, |other| {
                    let waits = other.state == CallState::RingingLocally;
                    format!("; {} {}", printable(&other.with), if waits { "waits" } else { "is on hold" })
                });
                let text = with.as_ref().map(|with| format!("{state} ({}){held}{screen}{behind}", printable(with)));
                let other = other.as_ref().map(|other| {
                    let OtherCall { call, with, state, remote } = other;
                    json!({ "call": call, "with": with, "state": state.as_str(), "remote": remote })
                });
                self.event(
                    "state",
                    json!({ "state": state, "with": with, "call": call, "local": local, "remote": remote, "other": other }),
                    text,
                );
            }
            CallEvent::Incoming { from, call } => self.event(
                "incoming",
                json!({ "from": from, "call": call }),
                Some(format!("{} calls", printable(from))),
            ),
            CallEvent::Waiting { from, call } => self.event(
                "call-waiting",
                json!({ "from": from, "call": call }),
                Some(format!("{} calls; type hold-and-accept, end-and-accept or decline", printable(from))),
            ),
            CallEvent::NoPathYet(search) => self.event(
                "no-path-yet",
                json!({ "why": search.why().as_str(), "local": search.local.names(), "remote": search.remote.names() }),
                Some(format!("no path between the two networks was found yet ({}; {search})", no_path(search.why()))),
            ),
            CallEvent::Ended { with, call, reason } => self.event(
                "ended",
                json!({ "with": with, "call": call, "reason": reason.as_str() }),
                Some(format!("the call with {} ended: {}", printable(with), reason.as_str())),
            ),
        }
    }

    fn quality(self, quality: &CallQuality) {
        let json = |one: &DirectionQuality| {
            json!({
                "level": one.level.to_string(),
                "reason": one.reason.map(|reason| reason.to_string()),
                "audio_only": one.audio_only,
            })
        };
        let text = |one: &DirectionQuality| match one.reason {
            Some(reason) if one.audio_only => format!("{} ({reason}, sound alone)", one.level),
            Some(reason) => format!("{} ({reason})", one.level),
            None => one.level.to_string(),
        };
        let CallQuality { sent, received } = quality;
        self.event(
            "quality",
            json!({ "sent": json(sent), "received": json(received) }),
            Some(format!("quality: sent {}, received {}", text(sent), text(received))),
        );
    }

    fn stats(self, stats: &CallStats) {
        let received = stats.video_received.as_ref();
        let sent = stats.video_sent.as_ref();
        let audio = stats.audio_received.as_ref();
        let rtt_ms = stats.peer.rtt.map(|rtt| rtt.as_secs_f64() * 1e3);
        let kbps = |bps: Option<f64>| bps.map(|bps| round(bps / 1e3));
        self.event(
            "stats",
            json!({
                "sent": sent.map(|s| json!({
                    "frames": s.sent, "width": s.width, "height": s.height, "bytes": s.bytes, "fps": round(s.fps),
                    "kbps": kbps(stats.rates.video_sent_bps),
                    "target_kbps": kbps(Some(s.bitrate_bps.into())),
                    "limited_by": s.limited_by.to_string(),
                    "suspended": s.suspended,
                })),
                "received": received.map(|r| json!({
                    "frames": r.frames_decoded, "width": r.width, "height": r.height, "fps": r.fps, "freezes": r.freezes,
                    "freeze_ms": round(r.freeze_duration.as_secs_f64() * 1e3),
                    "kbps": kbps(stats.rates.video_received_bps),
                    "jitter_buffer_ms": round(r.jitter_buffer_ms),
                    "av_offset_ms": stats.av_offset_ms.map(round),
                })),
                "audio": audio.map(|a| json!({
                    "packets": a.packets, "energy": a.energy,
                    "concealed_ratio": a.concealed_ratio(),
                    "jitter_buffer_ms": round(a.jitter_buffer_ms),
                })),
                "loss": stats.rates.loss,
                "rtt_ms": rtt_ms,
                "estimate_bps": stats.peer.estimate_bps,
            }),
            None,
        );
    }
}

/// One line on standard output. A reader that is gone must not end the call, so its absence is no error.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Text of other people for a terminal, on one line: without control characters, which could move its cursor or worse.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
