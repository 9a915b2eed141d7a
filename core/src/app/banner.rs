//! What people are told of what went wrong, and the ways forward.

use super::camera::CameraTrouble;
use super::failure::Failure;
use super::text::{Message, TextKey};
use crate::call::{EndReason, NoPath};
use crate::client::{DeviceKind, MediaKind, MissingMedia};
use std::time::{Duration, Instant};

/// How long a banner stays that only says that all is well again.
const PASSING: Duration = Duration::from_secs(5);

/// A way forward: a button under what is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recovery {
    /// The same again.
    TryAgain,
    /// Change the name.
    ChangeName,
    /// Change the server's address.
    ChangeAddress,
    /// Let the system ask for what is not allowed.
    Allow,
    /// The system's settings of this app.
    OpenSettings,
    /// Open the camera again.
    CameraAgain,
    /// Go on, or begin, without the camera.
    WithoutCamera,
    /// Call the same person again.
    CallAgain,
    /// Say it in the chat.
    Write,
    /// Send full quality although the network is metered.
    FullQuality,
    /// It was read.
    Dismiss,
}

impl Recovery {
    /// What stands on its button.
    pub fn label(self) -> TextKey {
        match self {
            Self::TryAgain => TextKey::WayTryAgain,
            Self::ChangeName => TextKey::WayChangeName,
            Self::ChangeAddress => TextKey::WayChangeAddress,
            Self::Allow => TextKey::WayAllow,
            Self::OpenSettings => TextKey::WayOpenSettings,
            Self::CameraAgain => TextKey::WayCameraAgain,
            Self::WithoutCamera => TextKey::WayWithoutCamera,
            Self::CallAgain => TextKey::WayCallAgain,
            Self::Write => TextKey::WayWrite,
            Self::FullQuality => TextKey::WayFullQuality,
            Self::Dismiss => TextKey::WayDismiss,
        }
    }
}

/// What a banner is about. There is one banner of each at most: a newer one takes the place of the older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Logging in, and the connection to the server.
    Server,
    /// A call that did not begin, or how one ended.
    Call,
    /// Somebody who may be between the two ends of a call.
    Verification,
    /// A call that is accepted and finds no path yet.
    Path,
    /// Sound of the other side that does not come.
    RemoteAudio,
    /// Video of the other side that does not come.
    RemoteVideo,
    /// The microphone or the speaker.
    Audio,
    /// The camera.
    Camera,
    /// How hot the device is.
    Thermal,
    /// A permission that helps to be called.
    Permission,
    /// The network.
    Network,
    /// Anything else.
    Other,
}

impl Topic {
    /// What is told of a call that goes on, so that the call's end is the end of it.
    pub(super) const OF_A_CALL: [Self; 8] = [
        Self::Verification,
        Self::Path,
        Self::RemoteAudio,
        Self::RemoteVideo,
        Self::Audio,
        Self::Camera,
        Self::Thermal,
        Self::Network,
    ];
}

/// Something that people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// Different from all others while the app runs.
    pub id: u64,
    /// What it is about.
    pub topic: Topic,
    /// What is told.
    pub message: Message,
    /// The ways forward, the best one first; never none, but for what goes by itself.
    pub recoveries: Vec<Recovery>,
}

/// What a recovery repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Retry {
    SignIn,
    Demo,
    Call { to: String, video: bool },
    Accept { video: bool },
    Camera,
    Microphone,
    Photo,
    FullScreenSettings,
}

/// What is to be told, before it has an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    message: Message,
    recoveries: Vec<Recovery>,
}

impl Notice {
    pub(super) fn new(message: impl Into<Message>, recoveries: &[Recovery]) -> Self {
        Self { message: message.into(), recoveries: recoveries.to_vec() }
    }
}

#[derive(Debug)]
struct Shown {
    banner: Banner,
    retry: Option<Retry>,
    until: Option<Instant>,
}

/// The banners of the moment.
#[derive(Debug, Default)]
pub(super) struct Banners {
    shown: Vec<Shown>,
    next_id: u64,
}

impl Banners {
    /// Those to be seen, by topic.
    pub(super) fn all(&self) -> impl Iterator<Item = &Banner> {
        self.shown.iter().map(|shown| &shown.banner)
    }

    pub(super) fn tell(&mut self, topic: Topic, notice: Notice, retry: Option<Retry>) {
        self.show(topic, notice, retry, None);
    }

    /// What goes by itself after a while.
    pub(super) fn mention(&mut self, now: Instant, topic: Topic, message: impl Into<Message>) {
        self.show(topic, Notice::new(message, &[]), None, now.checked_add(PASSING));
    }

    fn show(
        &mut self,
        topic: Topic,
        Notice { message, recoveries }: Notice,
        retry: Option<Retry>,
        until: Option<Instant>,
    ) {
        self.clear(topic);
        let banner = Banner { id: self.next_id, topic, message, recoveries };
        self.next_id = self.next_id.wrapping_add(1);
        self.shown.push(Shown { banner, retry, until });
        self.shown.sort_by_key(|shown| shown.banner.topic);
    }

    pub(super) fn clear(&mut self, topic: Topic) {
        self.shown.retain(|shown| shown.banner.topic != topic);
    }

    /// Another session: nothing of the last one is told any more.
    pub(super) fn clear_all(&mut self) {
        self.shown.clear();
    }

    pub(super) fn says(&self, key: TextKey) -> bool {
        self.all().any(|banner| banner.message.key == key)
    }

    /// The person took this way out of this banner, which is gone with it; none if another has taken its place meanwhile.
    pub(super) fn take(&mut self, id: u64, recovery: Recovery) -> Option<Option<Retry>> {
        let fits = |shown: &Shown| shown.banner.id == id && shown.banner.recoveries.contains(&recovery);
        let index = self.shown.iter().position(fits)?;
        Some(self.shown.remove(index).retry)
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.shown.retain(|shown| shown.until.is_none_or(|until| now < until));
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.shown.iter().filter_map(|shown| shown.until).min()
    }
}

/// Why one is not let in.
pub(super) fn of_login(why: Failure) -> Notice {
    match why {
        Failure::BadName => Notice::new(TextKey::LoginBadName, &[Recovery::ChangeName]),
        Failure::BadAddress => Notice::new(TextKey::LoginBadAddress, &[Recovery::ChangeAddress]),
        Failure::LoginRefused => Notice::new(TextKey::LoginRefused, &[Recovery::ChangeName, Recovery::TryAgain]),
        Failure::TokenRefused => Notice::new(TextKey::LoginToken, &[Recovery::TryAgain, Recovery::ChangeAddress]),
        Failure::ServerFull => Notice::new(TextKey::LoginFull, &[Recovery::TryAgain]),
        Failure::ServerGone => Notice::new(TextKey::ServerGone, &[Recovery::TryAgain, Recovery::ChangeAddress]),
        Failure::Unreachable | Failure::NotLoggedIn => {
            Notice::new(TextKey::LoginUnreachable, &[Recovery::TryAgain, Recovery::ChangeAddress])
        }
        _ => Notice::new(TextKey::ErrorInternal, &[Recovery::TryAgain]),
    }
}

/// Why something was not done while one is logged in.
pub(super) fn of_refusal(why: Failure) -> Notice {
    let key = match why {
        Failure::NotLoggedIn | Failure::Unreachable | Failure::ServerGone | Failure::ServerFull => {
            TextKey::RefusedNotLoggedIn
        }
        Failure::InCall => TextKey::RefusedInCall,
        Failure::WrongState => TextKey::RefusedNotNow,
        Failure::SelfCall => TextKey::RefusedSelfCall,
        Failure::Overconstrained => TextKey::MediaFlipFailed,
        Failure::NoPicture => TextKey::PhotoFailed,
        Failure::TooFast => TextKey::ServerTooFast,
        Failure::TokenRefused => TextKey::LoginToken,
        Failure::Refused | Failure::LoginRefused | Failure::BadName | Failure::BadAddress => TextKey::ServerRefused,
        Failure::DeviceNotFound => TextKey::ErrorNoCamera,
        Failure::DeviceNotAllowed => TextKey::ErrorNoCameraPermission,
        Failure::DeviceNotReadable => TextKey::ErrorCameraInUse,
        Failure::Internal => TextKey::ErrorInternal,
    };
    Notice::new(key, &[Recovery::Dismiss])
}

/// The camera is not allowed, so that the call has sound alone.
pub(super) fn of_camera_refused(in_settings: bool) -> Notice {
    let way = if in_settings { Recovery::OpenSettings } else { Recovery::Allow };
    Notice::new(TextKey::ErrorNoCameraPermission, &[way, Recovery::Dismiss])
}

/// The microphone is not allowed, so that there is no call.
pub(super) fn of_microphone_refused(in_settings: bool) -> Notice {
    let way = if in_settings { Recovery::OpenSettings } else { Recovery::TryAgain };
    Notice::new(TextKey::ErrorNoMicrophonePermission, &[way, Recovery::Dismiss])
}

/// A device that the client could not use; the call goes on.
pub(super) fn of_device(device: DeviceKind, why: Failure) -> (Topic, Notice) {
    match device {
        DeviceKind::Camera => (
            Topic::Camera,
            of_camera_trouble(match why {
                Failure::DeviceNotFound | Failure::Overconstrained => CameraTrouble::Gone,
                Failure::DeviceNotAllowed => CameraTrouble::NotAllowed,
                Failure::DeviceNotReadable => CameraTrouble::InUse,
                _ => CameraTrouble::Broken,
            }),
        ),
        DeviceKind::Microphone => {
            (Topic::Audio, Notice::new(TextKey::MediaNoMicrophone, &[Recovery::TryAgain, Recovery::Dismiss]))
        }
        DeviceKind::Speaker => (Topic::Audio, Notice::new(TextKey::MediaSpeakerFailed, &[Recovery::Dismiss])),
    }
}

/// Why a camera gives no pictures while a call goes on.
pub(super) fn of_camera_trouble(trouble: CameraTrouble) -> Notice {
    use Recovery::{Allow, CameraAgain, Dismiss, WithoutCamera};
    match trouble {
        CameraTrouble::InUse => Notice::new(TextKey::ErrorCameraInUse, &[CameraAgain, WithoutCamera]),
        CameraTrouble::NotAllowed => Notice::new(TextKey::ErrorNoCameraPermission, &[Allow, WithoutCamera]),
        CameraTrouble::Gone => Notice::new(TextKey::ErrorNoCamera, &[WithoutCamera]),
        CameraTrouble::Broken => Notice::new(TextKey::ErrorCameraFailed, &[CameraAgain, WithoutCamera]),
        CameraTrouble::Paused => Notice::new(TextKey::MediaCameraPaused, &[Dismiss, WithoutCamera]),
        CameraTrouble::Hot => Notice::new(TextKey::MediaHot, &[Dismiss, WithoutCamera]),
    }
}

/// Why a call that was accepted is not connected yet.
pub(super) fn of_path(why: NoPath, with: &str) -> Notice {
    let key = match why {
        NoPath::NoNetworkHere => TextKey::PathNoNetworkHere,
        NoPath::NoRelayHere => TextKey::PathNoRelayHere,
        NoPath::NothingFromThere => TextKey::PathNothingFromThere,
        NoPath::NoRelay => TextKey::PathNoRelay,
        NoPath::Unanswered => TextKey::PathUnanswered,
    };
    Notice::new(Message::about(key, with), &[Recovery::Dismiss])
}

/// What of the other side does not come while the call goes on.
pub(super) fn of_missing(kind: MediaKind, why: MissingMedia, with: &str) -> Notice {
    let key = match (why, kind) {
        (MissingMedia::NoCommonCodec, MediaKind::Video) => TextKey::MediaSoundAlone,
        (MissingMedia::NoCommonCodec, MediaKind::Audio) => TextKey::MediaPictureAlone,
        (MissingMedia::NoPackets, MediaKind::Video) => TextKey::MediaNoPictureThere,
        (MissingMedia::NoPackets, MediaKind::Audio) => TextKey::MediaNoSoundThere,
        (MissingMedia::NotDecodable, _) => TextKey::MediaUnreadableThere,
    };
    Notice::new(Message::about(key, with), &[Recovery::Dismiss])
}

/// How a call ended; none where the person ended it and needs no telling.
///
/// `missed` says that it rang here and nobody heard it in time; `outgoing`, that this side called.
pub(super) fn of_end(reason: EndReason, with: &str, outgoing: bool, missed: bool) -> Option<Notice> {
    use Recovery::{CallAgain, Dismiss, Write};
    let (again, write, read): (&[_], &[_], &[_]) = (&[CallAgain, Dismiss], &[Write, Dismiss], &[Dismiss]);
    let (key, recoveries) = match reason {
        EndReason::HungUpLocally | EndReason::DeclinedLocally | EndReason::CancelledLocally => return None,
        EndReason::Timeout | EndReason::CancelledRemotely if missed => (TextKey::EndMissed, again),
        EndReason::HungUpRemotely | EndReason::CancelledRemotely => (TextKey::EndHungUpThere, read),
        EndReason::DeclinedRemotely => (TextKey::EndDeclinedThere, write),
        EndReason::Busy => (TextKey::EndBusy, &[CallAgain, Write, Dismiss][..]),
        EndReason::Timeout if outgoing => (TextKey::EndTimeout, &[CallAgain, Write, Dismiss][..]),
        EndReason::Timeout => (TextKey::EndTimeout, again),
        EndReason::Unreachable => (TextKey::EndUnreachable, write),
        EndReason::NoPath => (TextKey::EndNoPath, &[CallAgain, Write, Dismiss][..]),
        EndReason::ConnectionFailed => (TextKey::EndConnectionFailed, again),
        EndReason::NegotiationFailed => (TextKey::EndNegotiationFailed, again),
        EndReason::NoCommonCodec => (TextKey::EndNoCommonCodec, write),
        EndReason::HandshakeFailed => (TextKey::EndHandshakeFailed, again),
        EndReason::MediaFailedLocally => {
            (TextKey::EndMediaFailedHere, &[CallAgain, Recovery::WithoutCamera, Dismiss][..])
        }
        EndReason::MediaFailedRemotely => (TextKey::EndMediaFailedThere, again),
        EndReason::AnsweredElsewhere => (TextKey::EndAnsweredElsewhere, read),
    };
    Some(Notice::new(Message::about(key, with), recoveries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_call_says_so_and_one_that_nobody_took_there_too() {
        let key = |reason, outgoing, missed| of_end(reason, "bia", outgoing, missed).map(|notice| notice.message.key);
        assert_eq!(key(EndReason::Timeout, false, true), Some(TextKey::EndMissed));
        assert_eq!(key(EndReason::CancelledRemotely, false, true), Some(TextKey::EndMissed));
        assert_eq!(key(EndReason::Timeout, true, false), Some(TextKey::EndTimeout));
        assert_eq!(key(EndReason::HungUpLocally, true, false), None);
    }

    #[test]
    fn a_newer_banner_takes_the_place_of_the_older_of_its_topic_alone() {
        let mut banners = Banners::default();
        banners.tell(Topic::Camera, of_camera_trouble(CameraTrouble::InUse), Some(Retry::Camera));
        banners.tell(Topic::Server, Notice::new(TextKey::ServerLost, &[Recovery::Dismiss]), None);
        banners.tell(Topic::Camera, of_camera_trouble(CameraTrouble::Broken), Some(Retry::Camera));
        let keys: Vec<_> = banners.all().map(|banner| banner.message.key).collect();
        assert_eq!(keys, [TextKey::ServerLost, TextKey::ErrorCameraFailed]);
    }

    #[test]
    fn a_way_out_of_a_banner_that_is_gone_does_nothing() {
        let mut banners = Banners::default();
        banners.tell(Topic::Camera, of_camera_trouble(CameraTrouble::InUse), Some(Retry::Camera));
        let id = banners.all().next().unwrap().id;
        assert_eq!(banners.take(id, Recovery::CallAgain), None, "it does not offer that");
        assert_eq!(banners.take(id, Recovery::CameraAgain), Some(Some(Retry::Camera)));
        assert_eq!(banners.take(id, Recovery::CameraAgain), None);
    }

    #[test]
    fn what_is_only_mentioned_goes_by_itself() {
        let (mut banners, now) = (Banners::default(), Instant::now());
        banners.mention(now, Topic::Server, TextKey::ServerBack);
        assert_eq!(banners.next_expiry(), Some(now + PASSING));
        banners.expire(now + PASSING);
        assert_eq!(banners.all().count(), 0);
    }
}
