//! Notices sound and video that were agreed on and do not come, so that nobody waits before a dark picture without a word.

use super::CallStats;
use crate::call::CallState;
use crate::peer::{AgreedMedia, AgreedSection};
use crate::signaling::message::MediaState;
use std::time::{Duration, Instant};

/// How long what never came may take, from the first look at a connected call on. Looks come once a second, so that it is told within
/// three seconds.
const FIRST: Duration = Duration::from_millis(1_900);
/// How long what came before may pause: a path that is lost is told sooner, by the state of the call.
const PAUSE: Duration = Duration::from_secs(4);

/// W3C `MediaStreamTrack.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Video.
    Video,
}

impl MediaKind {
    /// Its W3C name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// Why sound or video of the other side is missing in a call that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissingMedia {
    /// The two sides have no codec for it in common.
    NoCommonCodec,
    /// It was agreed on, the other side says that it sends, and no packet comes.
    NoPackets,
    /// Packets come, of which nothing can be decoded.
    NotDecodable,
}

impl MissingMedia {
    /// A name for programs, e.g. `no-packets`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCommonCodec => "no-common-codec",
            Self::NoPackets => "no-packets",
            Self::NotDecodable => "not-decodable",
        }
    }
}

/// What to tell: that it is missing and why, or that it comes now.
pub(super) type Change = (MediaKind, Option<MissingMedia>);

/// One look at what comes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Look {
    /// Whether the call is connected.
    pub(super) connected: bool,
    pub(super) audio: Flow,
    pub(super) video: Flow,
}

/// Sound or video that comes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flow {
    /// Whether the other side says that its microphone, or camera, is on.
    pub(super) is_on: bool,
    /// Packets so far.
    pub(super) packets: u64,
    /// What could be used of them so far.
    pub(super) decoded: u64,
}

impl Look {
    pub(super) fn new(stats: &CallStats, state: CallState, remote: MediaState) -> Self {
        let (sound, video) = (stats.peer.audio_received.packets, stats.peer.video_received.packets);
        let decoded = stats.video_received.as_ref().map_or(0, |video| video.frames_decoded);
        Self {
            connected: state == CallState::Connected,
            audio: Flow { is_on: remote.audio, packets: sound, decoded: sound },
            video: Flow { is_on: remote.video, packets: video, decoded },
        }
    }
}

/// Watches one call.
#[derive(Debug, Default)]
pub(super) struct MediaWatch {
    audio: Watched,
    video: Watched,
}

#[derive(Debug, Default)]
struct Watched {
    agreed: AgreedSection,
    packets: u64,
    decoded: u64,
    /// Since when it is waited for.
    since: Option<Instant>,
    /// Something was decoded since the connection was up.
    came: bool,
    told: Option<MissingMedia>,
}

impl MediaWatch {
    /// The descriptions have met.
    pub(super) fn agree(&mut self, agreed: AgreedMedia) -> Vec<Change> {
        let changes =
            [(MediaKind::Audio, self.audio.agree(agreed.audio)), (MediaKind::Video, self.video.agree(agreed.video))];
        changes.into_iter().filter_map(|(kind, change)| Some((kind, change?))).collect()
    }

    /// Time goes by.
    pub(super) fn look(&mut self, now: Instant, look: Look) -> Vec<Change> {
        let changes = [
            (MediaKind::Audio, self.audio.look(now, look.connected, look.audio)),
            (MediaKind::Video, self.video.look(now, look.connected, look.video)),
        ];
        changes.into_iter().filter_map(|(kind, change)| Some((kind, change?))).collect()
    }
}

impl Watched {
    fn agree(&mut self, agreed: AgreedSection) -> Option<Option<MissingMedia>> {
        if agreed != self.agreed {
            (self.agreed, self.since, self.came) = (agreed, None, false);
        }
        let missing = (agreed == AgreedSection::NoCommonCodec).then_some(MissingMedia::NoCommonCodec);
        let outdated = self.told == Some(MissingMedia::NoCommonCodec) || missing.is_some();
        if outdated { self.tell(missing) } else { None }
    }

    fn look(&mut self, now: Instant, connected: bool, flow: Flow) -> Option<Option<MissingMedia>> {
        if self.agreed == AgreedSection::NoCommonCodec {
            return None;
        }
        let decodes = flow.decoded > self.decoded;
        let arrives = flow.packets > self.packets;
        (self.decoded, self.packets) = (flow.decoded, flow.packets);
        if !connected || !flow.is_on || self.agreed != AgreedSection::Sent {
            (self.since, self.came) = (None, false);
            return self.tell(None);
        }
        if decodes || self.since.is_none() {
            self.since = Some(now);
        }
        if decodes {
            self.came = true;
            return self.tell(None);
        }
        let waited = now.saturating_duration_since(self.since?);
        if waited < if self.came { PAUSE } else { FIRST } {
            return None;
        }
        self.tell(Some(if arrives { MissingMedia::NotDecodable } else { MissingMedia::NoPackets }))
    }

    /// A change, if it is one.
    fn tell(&mut self, missing: Option<MissingMedia>) -> Option<Option<MissingMedia>> {
        (std::mem::replace(&mut self.told, missing) != missing).then_some(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: AgreedMedia = AgreedMedia { audio: AgreedSection::Sent, video: AgreedSection::Sent };

    fn look(audio: u64, packets: u64, decoded: u64) -> Look {
        let audio = Flow { is_on: true, packets: audio, decoded: audio };
        Look { connected: true, audio, video: Flow { is_on: true, packets, decoded } }
    }

    /// What is told at looks that come once a second.
    fn told(watch: &mut MediaWatch, looks: &[Look]) -> Vec<(usize, Change)> {
        let start = Instant::now();
        let mut told = Vec::new();
        for (second, look) in looks.iter().enumerate() {
            let changes = watch.look(start + Duration::from_secs(second as u64), *look);
            told.extend(changes.into_iter().map(|change| (second, change)));
        }
        told
    }

    #[test]
    fn what_never_comes_is_told_at_the_third_look_and_what_comes_late_is_told_too() {
        let mut watch = MediaWatch::default();
        assert_eq!(watch.agree(BOTH), []);
        let looks = [look(0, 0, 0), look(50, 0, 0), look(100, 0, 0), look(150, 0, 0), look(200, 40, 20)];
        let missing = (MediaKind::Video, Some(MissingMedia::NoPackets));
        assert_eq!(told(&mut watch, &looks), [(2, missing), (4, (MediaKind::Video, None))]);
    }

    #[test]
    fn packets_of_which_nothing_can_be_decoded_are_told_from_none() {
        let mut watch = MediaWatch::default();
        watch.agree(BOTH);
        let looks = [look(0, 10, 0), look(50, 40, 0), look(100, 80, 0), look(150, 120, 0)];
        assert_eq!(told(&mut watch, &looks), [(2, (MediaKind::Video, Some(MissingMedia::NotDecodable)))]);
    }

    #[test]
    fn what_is_switched_off_not_agreed_on_or_not_connected_is_not_waited_for() {
        let off = Look { connected: true, ..Look::default() };
        let down = Look { connected: false, ..look(0, 0, 0) };
        let mut watch = MediaWatch::default();
        assert_eq!(told(&mut watch, &[look(0, 0, 0); 6]), [], "nothing is agreed yet");
        watch.agree(BOTH);
        assert_eq!(told(&mut watch, &[off; 6]), []);
        assert_eq!(told(&mut watch, &[down; 6]), []);
        watch.agree(AgreedMedia { video: AgreedSection::NotSent, ..BOTH });
        let sound_alone: Vec<Look> = (1..6).map(|second| look(second * 50, 0, 0)).collect();
        assert_eq!(told(&mut watch, &sound_alone), []);
    }

    #[test]
    fn a_short_pause_of_what_came_before_is_not_told() {
        let mut watch = MediaWatch::default();
        watch.agree(BOTH);
        let seconds: Vec<Look> = [30, 60, 60, 60, 60, 90].iter().map(|&n| look(n, n, n)).collect();
        assert_eq!(told(&mut watch, &seconds), []);
    }

    #[test]
    fn video_without_a_common_codec_is_told_at_once_and_sound_is_watched_all_the_same() {
        let mut watch = MediaWatch::default();
        let agreed = AgreedMedia { video: AgreedSection::NoCommonCodec, ..BOTH };
        assert_eq!(watch.agree(agreed), [(MediaKind::Video, Some(MissingMedia::NoCommonCodec))]);
        assert_eq!(watch.agree(agreed), [], "told once");
        let silent = (MediaKind::Audio, Some(MissingMedia::NoPackets));
        assert_eq!(told(&mut watch, &[look(0, 0, 0); 4]), [(2, silent)]);
        assert_eq!(watch.agree(BOTH), [(MediaKind::Video, None)], "a later description has one");
    }
}
