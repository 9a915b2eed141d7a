package chamada.android

import android.Manifest
import android.annotation.SuppressLint
import android.content.Context
import android.content.pm.PackageManager
import android.media.AudioAttributes
import android.media.AudioFormat
import android.media.AudioRecord
import android.media.AudioTrack
import android.media.MediaRecorder
import android.media.audiofx.AcousticEchoCanceler
import android.media.audiofx.AudioEffect
import android.media.audiofx.NoiseSuppressor
import android.os.Process
import android.util.Log
import chamada.AppException
import chamada.AudioBlock
import chamada.AudioDevices
import chamada.ChamadaException
import chamada.MicrophoneSink
import chamada.SpeakerSource
import chamada.android.plain.holds
import chamada.android.plain.refill
import chamada.buffer
import chamada.pushFrom
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.concurrent.thread

/**
 * Microphone and speaker of the phone, tuned for talking, with the echo canceller and noise suppressor that it brings. Focus, mode
 * and route are the app's: see [CallAudio].
 *
 * @param onReport what was done, one line a time, for a developer. From any thread.
 */
public class CallAudioDevices(private val context: Context, private val onReport: (String) -> Unit = {}) : AudioDevices {
    private val lock = Any()
    private var microphone: Microphone? = null
    private var speaker: Speaker? = null

    /** Nothing of the other side is heard while this is on: somebody else has the sound. From any thread. */
    @Volatile
    public var silent: Boolean = false

    override fun openMicrophone(sink: MicrophoneSink) {
        if (context.checkSelfPermission(Manifest.permission.RECORD_AUDIO) != PackageManager.PERMISSION_GRANTED) {
            throw AppException.NotAllowed("the permission RECORD_AUDIO is not granted")
        }
        synchronized(lock) {
            microphone?.close()
            microphone = Microphone(sink, onReport)
        }
    }

    override fun closeMicrophone() {
        synchronized(lock) {
            microphone?.close()
            microphone = null
        }
    }

    override fun openSpeaker(source: SpeakerSource) {
        synchronized(lock) {
            speaker?.close()
            speaker = Speaker(source, ::silent, onReport)
        }
    }

    override fun closeSpeaker() {
        synchronized(lock) {
            speaker?.close()
            speaker = null
        }
    }
}

private const val RATE = 48_000

/** 10 ms. */
private const val BLOCK_SAMPLES = 480
private const val BLOCK_BYTES = 2 * BLOCK_SAMPLES

private class Microphone(sink: MicrophoneSink, report: (String) -> Unit) {
    private val record = open()
    private val effects = effects(record.audioSessionId, report)

    @Volatile
    private var running = true

    private val worker = thread(name = "chamada-microphone") {
        Process.setThreadPriority(Process.THREAD_PRIORITY_URGENT_AUDIO)
        val block = ByteBuffer.allocateDirect(BLOCK_BYTES).order(ByteOrder.nativeOrder())
        while (running) {
            // Fills from the buffer's start, whatever its position.
            val bytes = record.read(block, BLOCK_BYTES)
            if (bytes < 0) {
                Log.e(TAG, "the microphone failed with $bytes")
                break
            }
            try {
                block.holds(bytes)
                sink.pushFrom(block)
            } catch (_: ChamadaException) {
                break // closed
            }
            block.refill()
        }
    }

    @SuppressLint("MissingPermission") // CallAudioDevices has checked.
    private fun open(): AudioRecord {
        val format = format(AudioFormat.CHANNEL_IN_MONO)
        val least = AudioRecord.getMinBufferSize(RATE, AudioFormat.CHANNEL_IN_MONO, AudioFormat.ENCODING_PCM_16BIT)
        val record = try {
            AudioRecord.Builder()
                .setAudioSource(MediaRecorder.AudioSource.VOICE_COMMUNICATION)
                .setAudioFormat(format)
                .setBufferSizeInBytes(maxOf(least, 4 * BLOCK_BYTES))
                .build()
        } catch (e: UnsupportedOperationException) {
            throw AppException.NotReadable("the microphone: ${e.message}")
        }
        try {
            record.startRecording()
        } catch (e: IllegalStateException) {
            record.release()
            throw AppException.NotReadable("the microphone: ${e.message}")
        }
        if (record.recordingState == AudioRecord.RECORDSTATE_RECORDING) return record
        record.release()
        throw AppException.NotReadable("another app has the microphone")
    }

    fun close() {
        running = false
        record.stop()
        worker.join()
        effects.forEach(AudioEffect::release)
        record.release()
    }
}

private fun effects(session: Int, report: (String) -> Unit): List<AudioEffect> {
    val echo = if (AcousticEchoCanceler.isAvailable()) AcousticEchoCanceler.create(session) else null
    val noise = if (NoiseSuppressor.isAvailable()) NoiseSuppressor.create(session) else null
    for ((name, effect) in listOf("echo canceller" to echo, "noise suppressor" to noise)) {
        val on = effect?.setEnabled(true) == AudioEffect.SUCCESS
        report("$name: ${if (on) "on" else if (effect == null) "none" else "refused"}")
    }
    return listOfNotNull(echo, noise)
}

private class Speaker(source: SpeakerSource, silent: () -> Boolean, report: (String) -> Unit) {
    private val track = open()

    @Volatile
    private var running = true

    private val worker = thread(name = "chamada-speaker") {
        Process.setThreadPriority(Process.THREAD_PRIORITY_URGENT_AUDIO)
        AudioBlock(BLOCK_SAMPLES.toUInt()).use { block ->
            val samples = block.buffer()
            val silence = ByteBuffer.allocateDirect(BLOCK_BYTES)
            while (running) {
                // Pulled all the same: what came meanwhile is not heard later.
                try {
                    source.pull(block)
                } catch (_: ChamadaException) {
                    break // closed
                }
                val heard = if (silent()) silence else samples
                heard.refill()
                val bytes = track.write(heard, BLOCK_BYTES, AudioTrack.WRITE_BLOCKING)
                if (bytes < 0) {
                    Log.e(TAG, "the speaker failed with $bytes")
                    break
                }
            }
        }
    }

    init {
        report("speaker: ${track.bufferSizeInFrames * 1000 / RATE} ms of buffer")
    }

    private fun open(): AudioTrack {
        val least = AudioTrack.getMinBufferSize(RATE, AudioFormat.CHANNEL_OUT_MONO, AudioFormat.ENCODING_PCM_16BIT)
        val track = try {
            AudioTrack.Builder()
                .setAudioAttributes(SPEECH)
                .setAudioFormat(format(AudioFormat.CHANNEL_OUT_MONO))
                .setBufferSizeInBytes(maxOf(least, 2 * BLOCK_BYTES))
                .setTransferMode(AudioTrack.MODE_STREAM)
                .setPerformanceMode(AudioTrack.PERFORMANCE_MODE_LOW_LATENCY)
                .build()
        } catch (e: UnsupportedOperationException) {
            throw AppException.NotReadable("the speaker: ${e.message}")
        }
        track.play()
        return track
    }

    fun close() {
        running = false
        track.pause()
        track.flush()
        worker.join()
        track.release()
    }
}

/** What a call's sound is to the system. */
internal val SPEECH: AudioAttributes = AudioAttributes.Builder()
    .setUsage(AudioAttributes.USAGE_VOICE_COMMUNICATION)
    .setContentType(AudioAttributes.CONTENT_TYPE_SPEECH)
    .build()

private fun format(channel: Int): AudioFormat =
    AudioFormat.Builder().setEncoding(AudioFormat.ENCODING_PCM_16BIT).setSampleRate(RATE).setChannelMask(channel).build()
