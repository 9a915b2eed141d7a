package chamada.screens

import android.media.AudioFormat
import android.media.AudioTrack
import org.junit.rules.ExternalResource
import org.robolectric.shadows.ShadowAudioRecord
import org.robolectric.shadows.ShadowAudioTrack
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.locks.LockSupport
import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.sin

/**
 * The sound hardware of a phone: it takes and gives 48,000 samples a second, where Robolectric by itself takes and gives whatever it is
 * asked for at once. Its microphone hears a tone.
 */
internal class SoundCard : ExternalResource(), ShadowAudioTrack.OnAudioDataWrittenListener, ShadowAudioRecord.AudioRecordSource {
    private val speaker = Pace()
    private val microphone = Pace()
    private var sample = 0

    /** The speaker's loudest sample of late: of one block, up to 32,767. */
    @Volatile
    var loudness: Int = 0
        private set

    override fun before() {
        ShadowAudioTrack.addAudioDataListener(this)
        ShadowAudioRecord.setSource(this)
    }

    override fun after() {
        ShadowAudioTrack.removeAudioDataListener(this)
        ShadowAudioRecord.clearSource()
    }

    override fun onAudioDataWritten(track: AudioTrack, data: ByteArray, format: AudioFormat) {
        val samples = ByteBuffer.wrap(data).order(ByteOrder.nativeOrder()).asShortBuffer()
        loudness = (0 until samples.limit()).maxOfOrNull { abs(samples.get(it).toInt()) } ?: 0
        speaker.pass(data.size)
    }

    override fun readInDirectBuffer(buffer: ByteBuffer, sizeInBytes: Int, isBlocking: Boolean): Int {
        val samples = buffer.order(ByteOrder.nativeOrder()).asShortBuffer()
        repeat(sizeInBytes / 2) { samples.put((8000 * sin(2 * PI * 300 * sample++ / 48_000)).toInt().toShort()) }
        microphone.pass(sizeInBytes)
        return sizeInBytes
    }
}

/** Lets 16-bit samples through as fast as they are played or recorded. Of one thread. */
private class Pace {
    private var next = 0L

    fun pass(bytes: Int) {
        next = maxOf(next, System.nanoTime()) + bytes / 2 * 1_000_000_000L / 48_000
        while (System.nanoTime() < next) LockSupport.parkNanos(next - System.nanoTime())
    }
}
