package chamada.app.logic

import chamada.CallStats
import chamada.ReceivedAudio
import chamada.ReceivedVideo
import chamada.VideoCodec
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

internal class StatsTextTest {
    private fun stats(call: String, bytes: ULong) = CallStats(
        callId = call, rttMs = 12.4, estimateBps = null, localCandidate = "host", remoteCandidate = null, sentVideo = null,
        receivedVideo = ReceivedVideo(
            codec = VideoCodec.VP8, width = 1280u, height = 720u, fps = 29.6, frames = 30u, bytes = bytes, bps = null, jitterBufferMs = 20.0,
            avOffsetMs = null, freezes = 0u, freezeMs = 0u, decodeMs = 1.0, packetsLost = 3u,
        ),
        sentAudio = null,
        receivedAudio = ReceivedAudio(50u, 0u, 0.1, 1.0, 0.025, null),
        loss = null,
    )

    @Test
    fun `measurements are written out, with a rate from the second on and without what is not known`() {
        val text = StatsText()
        val first = text.lines(stats("1", 1000u))
        assertEquals("VP8 1280 × 720, 30 fps", first.toMap()[StatLabel.RECEIVED])
        assertEquals(
            listOf(StatLabel.RECEIVED, StatLabel.SOUND_MADE_UP, StatLabel.ROUND_TRIP, StatLabel.LOST, StatLabel.PATH),
            first.map { it.first },
        )
        val second = text.lines(stats("1", 126_000u)).toMap()
        assertEquals("VP8 1280 × 720, 30 fps, 1000 kbit/s", second[StatLabel.RECEIVED])
        assertEquals(listOf("2.5 %", "12 ms", "3", "host – ?"), listOf(
            StatLabel.SOUND_MADE_UP, StatLabel.ROUND_TRIP, StatLabel.LOST, StatLabel.PATH,
        ).map(second::get))
        assertEquals("VP8 1280 × 720, 30 fps", text.lines(stats("2", 200_000u)).toMap()[StatLabel.RECEIVED], "another call")
    }
}
