package chamada.app.logic

import chamada.CallState
import chamada.DirectionQuality
import chamada.Event
import chamada.QualityLevel
import chamada.QualityReason
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test

internal class QualityTest {
    private val good = DirectionQuality(QualityLevel.GOOD, null, false)

    private fun poor(reason: QualityReason) = DirectionQuality(QualityLevel.POOR, reason, false)

    @Test
    fun `of two directions the worse one is told`() {
        assertNull(qualityNotice(good, good))
        assertEquals(QualityNotice.SENT, qualityNotice(poor(QualityReason.LOSS), good))
        assertEquals(QualityNotice.RECEIVED, qualityNotice(poor(QualityReason.LOSS), poor(QualityReason.BANDWIDTH)))
        assertEquals(QualityNotice.DELAY, qualityNotice(good, poor(QualityReason.DELAY)))
        val bad = DirectionQuality(QualityLevel.BAD, QualityReason.DEVICE, false)
        assertEquals(QualityNotice.DEVICE, qualityNotice(bad, poor(QualityReason.BANDWIDTH)))
        val audioOnly = DirectionQuality(QualityLevel.BAD, QualityReason.BANDWIDTH, true)
        assertEquals(QualityNotice.AUDIO_ONLY, qualityNotice(bad, audioOnly))
    }

    @Test
    fun `what is told of a call's quality goes when it is good again, and with the call`() {
        val phone = FakePhone()
        phone.enter()
        phone.desk.call("rui")
        phone.changed(CallState.CONNECTED)
        phone.line.tell(Event.QualityChanged(poor(QualityReason.BANDWIDTH), good))
        assertEquals(QualityNotice.SENT, phone.call?.quality)
        phone.line.tell(Event.QualityChanged(good, good))
        assertNull(phone.call?.quality)
    }
}
