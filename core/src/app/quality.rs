//! What people are told of a call's quality.

use super::text::{Message, TextKey};
use crate::client::{CallQuality, QualityLevel, QualityReason};

/// None where there is nothing to tell. Of two directions the worse one counts; what is received if both are alike.
pub(super) fn message(quality: CallQuality, with: &str) -> Option<Message> {
    let CallQuality { sent, received } = quality;
    if sent.audio_only || received.audio_only {
        return Some(TextKey::QualityAudioOnly.into());
    }
    let sent_is_worse = sent.level > received.level;
    let worse = if sent_is_worse { sent } else { received };
    if worse.level == QualityLevel::Good {
        return None;
    }
    let key = match worse.reason {
        Some(QualityReason::Delay) => TextKey::QualityDelay,
        Some(QualityReason::Device) => TextKey::QualityDevice,
        _ if sent_is_worse => TextKey::QualitySent,
        _ => TextKey::QualityReceived,
    };
    Some(Message::about(key, with))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::DirectionQuality;

    fn direction(level: QualityLevel, reason: QualityReason) -> DirectionQuality {
        DirectionQuality { level, reason: Some(reason), audio_only: false }
    }

    fn told(sent: DirectionQuality, received: DirectionQuality) -> Option<TextKey> {
        message(CallQuality { sent, received }, "bia").map(|message| message.key)
    }

    #[test]
    fn the_worse_direction_is_told_with_what_impairs_it() {
        let good = DirectionQuality::default();
        let (poor, bad) =
            (direction(QualityLevel::Poor, QualityReason::Loss), direction(QualityLevel::Bad, QualityReason::Delay));
        assert_eq!(told(good, good), None);
        assert_eq!(told(good, poor), Some(TextKey::QualityReceived));
        assert_eq!(told(poor, good), Some(TextKey::QualitySent));
        assert_eq!(told(poor, poor), Some(TextKey::QualityReceived));
        assert_eq!(told(bad, poor), Some(TextKey::QualityDelay));
        assert_eq!(told(direction(QualityLevel::Bad, QualityReason::Device), good), Some(TextKey::QualityDevice));
        assert_eq!(told(DirectionQuality { audio_only: true, ..good }, bad), Some(TextKey::QualityAudioOnly));
    }
}
