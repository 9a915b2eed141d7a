//! What people read, as keys of docs/texts.json with arguments: the platforms put them into a language.

macro_rules! keys {
    ($($name:ident $key:literal [$($argument:literal),*];)+) => {
        /// A row of docs/texts.json that goes to both phone platforms.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum TextKey {
            $(#[doc = concat!("`", $key, "`.")] $name,)+
        }

        impl TextKey {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The key as it stands in docs/texts.json.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)+
                }
            }

            /// The names of its arguments, as the text has them in braces.
            pub fn arguments(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$($argument),*],)+
                }
            }
        }
    };
}

keys! {
    LoginBadName "login.bad-name" [];
    LoginBadAddress "login.bad-address" [];
    LoginUnreachable "login.unreachable" [];
    LoginRefused "login.refused" [];
    LoginFull "login.full" [];
    LoginToken "login.token" [];
    ServerLost "server.lost" [];
    ServerLostInCall "server.lost-in-call" [];
    ServerBack "server.back" [];
    ServerGone "server.gone" [];
    ServerRefused "server.refused" [];
    ServerTooFast "server.too-fast" [];
    PeopleNobody "people.nobody" [];
    PeopleNoMatch "people.no-match" [];
    PeopleBlockedFull "people.blocked-full" [];
    ChatWelcome "chat.welcome" [];
    ChatArrived "chat.arrived" ["name"];
    ChatLeft "chat.left" ["name"];
    ChatRenamed "chat.renamed" ["wanted", "name"];
    CallCalling "call.calling" [];
    CallRingingThere "call.ringing-there" [];
    CallRingingByPush "call.ringing-by-push" [];
    CallRingingHere "call.ringing-here" [];
    CallConnecting "call.connecting" [];
    CallReconnecting "call.reconnecting" [];
    CallEnding "call.ending" [];
    CallOnHold "call.on-hold" [];
    CallHeldThere "call.held-there" ["name"];
    CallSoundElsewhere "call.sound-elsewhere" [];
    CallCameraOffThere "call.camera-off-there" ["name"];
    CallMutedThere "call.muted-there" ["name"];
    QualityAudioOnly "quality.audio-only" [];
    QualityReceived "quality.received" ["name"];
    QualitySent "quality.sent" ["name"];
    QualityDelay "quality.delay" [];
    QualityDevice "quality.device" [];
    Verification "verification" [];
    VerificationSame "verification.same" [];
    VerificationDifferent "verification.different" [];
    VerificationChecking "verification.checking" [];
    VerificationCompare "verification.compare" [];
    VerificationWaiting "verification.waiting" ["name"];
    VerificationRemembered "verification.remembered" ["name"];
    VerificationChanged "verification.changed" ["name"];
    VerificationGone "verification.gone" ["name"];
    VerificationConfirmed "verification.confirmed" [];
    VerificationDiffers "verification.differs" [];
    VerificationUnsupported "verification.unsupported" ["name"];
    VerificationFailed "verification.failed" [];
    NetworkMetered "network.metered" [];
    RouteEarpiece "route.earpiece" [];
    RouteSpeaker "route.speaker" [];
    RouteWired "route.wired" [];
    RouteBluetooth "route.bluetooth" [];
    RouteCar "route.car" [];
    RouteOther "route.other" [];
    PhotoTaken "photo.taken" [];
    PhotoFailed "photo.failed" [];
    PhotoNotSaved "photo.not-saved" [];
    MediaNoMicrophone "media.no-microphone" [];
    MediaSpeakerFailed "media.speaker-failed" [];
    MediaNoSoundThere "media.no-sound-there" ["name"];
    MediaNoPictureThere "media.no-picture-there" ["name"];
    MediaUnreadableThere "media.unreadable-there" ["name"];
    MediaSoundAlone "media.sound-alone" ["name"];
    MediaPictureAlone "media.picture-alone" ["name"];
    PathNoNetworkHere "path.no-network-here" [];
    PathNoRelayHere "path.no-relay-here" [];
    PathNothingFromThere "path.nothing-from-there" ["name"];
    PathNoRelay "path.no-relay" [];
    PathUnanswered "path.unanswered" [];
    MediaFlipFailed "media.flip-failed" [];
    MediaCameraPaused "media.camera-paused" [];
    MediaHot "media.hot" [];
    ErrorNoCameraPermission "error.no-camera-permission" [];
    ErrorNoMicrophonePermission "error.no-microphone-permission" [];
    ErrorNoNotificationPermission "error.no-notification-permission" [];
    ErrorNoFullScreenPermission "error.no-full-screen-permission" [];
    ErrorNoPhotoPermission "error.no-photo-permission" [];
    ErrorNoCamera "error.no-camera" [];
    ErrorCameraInUse "error.camera-in-use" [];
    ErrorCameraFailed "media.no-camera" [];
    ErrorInternal "error.internal" [];
    EndHungUpThere "end.hung-up-there" ["name"];
    EndDeclinedThere "end.declined-there" ["name"];
    EndBusy "end.busy" ["name"];
    EndTimeout "end.timeout" [];
    EndMissed "end.cancelled-there" ["name"];
    EndUnreachable "end.unreachable" ["name"];
    EndNoPath "end.no-path" ["name"];
    EndConnectionFailed "end.connection-failed" ["name"];
    EndNegotiationFailed "end.negotiation-failed" ["name"];
    EndNoCommonCodec "end.no-common-codec" ["name"];
    EndHandshakeFailed "end.handshake-failed" ["name"];
    EndMediaFailedHere "end.media-failed-here" [];
    EndMediaFailedThere "end.media-failed-there" ["name"];
    EndAnsweredElsewhere "end.answered-elsewhere" ["name"];
    RefusedInCall "refused.in-call" [];
    RefusedSelfCall "refused.self-call" [];
    RefusedNotLoggedIn "refused.not-logged-in" [];
    RefusedBySystem "refused.by-system" [];
    RefusedNotNow "refused.not-now" [];
    StatsReceived "stats.received" [];
    StatsSent "stats.sent" [];
    StatsConcealed "stats.concealed" [];
    StatsRtt "stats.rtt" [];
    StatsPacketsLost "stats.packets-lost" [];
    StatsPath "stats.path" [];
    PrivateTitle "private.title" ["name"];
    PrivateHint "private.hint" ["name"];
    PrivateTyping "private.typing" ["name"];
    PrivateSending "private.sending" [];
    PrivateDelivered "private.delivered" [];
    PrivateRefused "private.refused" [];
    WayOpenSettings "way.open-settings" [];
    WayAllow "way.allow" [];
    WayTryAgain "way.try-again" [];
    WayCameraAgain "way.camera-again" [];
    WayWithoutCamera "way.without-camera" [];
    WayCallAgain "way.call-again" [];
    WayWrite "way.write" [];
    WayChangeName "way.change-name" [];
    WayChangeAddress "way.change-address" [];
    WayFullQuality "way.full-quality" [];
    WayDismiss "way.dismiss" [];
}

/// A text before it is put into a language.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// Which text.
    pub key: TextKey,
    /// Names and values of what goes into its gaps; to be put in as they are, never read as a text themselves.
    pub arguments: Vec<(&'static str, String)>,
}

impl Message {
    /// About somebody, if the text says whom.
    pub(super) fn about(key: TextKey, name: &str) -> Self {
        let arguments = key.arguments().iter().map(|argument| (*argument, name.to_owned())).collect();
        Self { key, arguments }
    }
}

impl From<TextKey> for Message {
    fn from(key: TextKey) -> Self {
        debug_assert!(key.arguments().is_empty(), "{} has gaps", key.as_str());
        Self { key, arguments: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn gaps(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn each_key_has_a_text_on_both_phones_with_just_its_arguments() {
        let table: Vec<Value> = serde_json::from_str(include_str!("../../../docs/texts.json")).unwrap();
        for key in TextKey::ALL {
            for platform in ["android", "ios"] {
                let goes_there = |row: &&Value| {
                    row["key"] == key.as_str()
                        && row["on"].as_array().is_none_or(|on| on.iter().any(|name| name == platform))
                };
                let row = table.iter().find(goes_there);
                let row = row.unwrap_or_else(|| panic!("{} has no text for {platform}", key.as_str()));
                let expected = key.arguments().iter().copied().collect();
                for language in ["all", "en", "pt-BR"] {
                    if let Some(text) = row[language].as_str() {
                        assert_eq!(gaps(text), expected, "{} in {language}", key.as_str());
                    }
                }
            }
        }
        let keys: BTreeSet<_> = TextKey::ALL.iter().map(|key| key.as_str()).collect();
        assert_eq!(keys.len(), TextKey::ALL.len(), "no key twice");
    }
}
