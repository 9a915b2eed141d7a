package chamada.app.logic

import chamada.CallStats
import chamada.VideoCodec
import java.util.Locale

/** What a line of measurements is about. */
enum class StatLabel { RECEIVED, SENT, SOUND_MADE_UP, ROUND_TRIP, LOST, PATH }

/** Measurements as people read them: the same everywhere, but for the labels. Rates are between two of them. */
class StatsText {
    private var before: CallStats? = null

    /** The newest measurements, a second after the last ones. What is not known is left out. */
    fun lines(stats: CallStats): List<Pair<StatLabel, String>> {
        val last = before?.takeIf { it.callId == stats.callId }
        before = stats
        val (sent, received) = stats.sentVideo to stats.receivedVideo
        return listOfNotNull(
            received?.let {
                StatLabel.RECEIVED to video(it.codec, it.width, it.height, it.fps, it.bytes, last?.receivedVideo?.bytes)
            },
            sent?.let { StatLabel.SENT to video(it.codec, it.width, it.height, it.fps, it.bytes, last?.sentVideo?.bytes) },
            stats.receivedAudio?.let { StatLabel.SOUND_MADE_UP to "${(100 * it.concealedRatio).rounded(1)} %" },
            stats.rttMs?.let { StatLabel.ROUND_TRIP to "${it.rounded(0)} ms" },
            received?.let { StatLabel.LOST to it.packetsLost.toString() },
            stats.localCandidate?.let { StatLabel.PATH to "$it – ${stats.remoteCandidate ?: "?"}" },
        )
    }

    private fun video(codec: VideoCodec?, width: UInt, height: UInt, fps: Double, bytes: ULong, before: ULong?): String {
        val rate = before?.takeIf { it <= bytes }?.let { ", ${(bytes - it).toLong() * 8 / 1000} kbit/s" }.orEmpty()
        return "${codec ?: ""} $width × $height, ${fps.rounded(0)} fps$rate".trim()
    }

    private fun Double.rounded(digits: Int) = String.format(Locale.ROOT, "%.${digits}f", this)
}
