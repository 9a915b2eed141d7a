package chamada.app.logic

import chamada.DirectionQuality
import chamada.QualityLevel
import chamada.QualityReason

/** What people are told of a call's quality. */
enum class QualityNotice { AUDIO_ONLY, RECEIVED, SENT, DELAY, DEVICE }

/** Null where there is nothing to tell. Of two directions the worse one counts. */
fun qualityNotice(sent: DirectionQuality, received: DirectionQuality): QualityNotice? {
    if (sent.audioOnly || received.audioOnly) return QualityNotice.AUDIO_ONLY
    val worse = if (sent.level > received.level) sent else received
    return when {
        worse.level == QualityLevel.GOOD -> null
        worse.reason == QualityReason.DELAY -> QualityNotice.DELAY
        worse.reason == QualityReason.DEVICE -> QualityNotice.DEVICE
        worse === sent -> QualityNotice.SENT
        else -> QualityNotice.RECEIVED
    }
}
