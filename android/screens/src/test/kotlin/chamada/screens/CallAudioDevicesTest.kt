package chamada.screens

import android.Manifest
import android.app.Application
import chamada.AudioBlock
import chamada.AudioDevices
import chamada.ChamadaException
import chamada.Config
import chamada.Demo
import chamada.DeviceKind
import chamada.Devices
import chamada.EndReason
import chamada.Event
import chamada.MicrophoneSink
import chamada.Session
import chamada.SpeakerSource
import chamada.android.CallAudioDevices
import chamada.buffer
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.GraphicsMode
import org.robolectric.annotation.Config as Phone
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread
import kotlin.math.abs
import kotlin.time.Duration.Companion.seconds

/**
 * The library's AudioRecord and AudioTrack in real calls, with sound hardware that takes its time. Graphics are those of [ScreensTest], so
 * that both are loaded by one class loader: the native library calls back into the newest one only.
 */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Phone(sdk = [32], application = Application::class)
internal class CallAudioDevicesTest {
    @get:Rule
    val card = SoundCard()

    private val app: Application = RuntimeEnvironment.getApplication()
    private val audio = CallAudioDevices(app).also { shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO) }

    @Test
    fun `the other side is heard, but not while somebody else has the sound`() = runBlocking {
        val demo = Demo.start("eco")
        Session.connect(Config(demo.server(), "ana"), Devices(audio = audio)).use { ana ->
            ana.until { "eco" in ((it as? Event.Users)?.names.orEmpty()) }
            val call = ana.call("eco")
            untilLoud("tone", card::loudness) { it > HEARD }
            audio.silent = true
            untilLoud("silence", card::loudness) { it == 0 }
            audio.silent = false
            untilLoud("tone again", card::loudness) { it > HEARD }
            call.hangUp()
            ana.until { (it as? Event.CallEnded)?.reason == EndReason.HUNG_UP_LOCALLY }
        }
        demo.close()
    }

    @Test
    fun `what the microphone hears is heard at the other side`() = runBlocking {
        val demo = Demo.start("eco")
        val ear = Ear()
        Session.connect(Config(demo.server(), "bia"), Devices(audio = ear)).use { bia ->
            Session.connect(Config(demo.server(), "ana"), Devices(audio = audio)).use { ana ->
                ana.until { "bia" in ((it as? Event.Users)?.names.orEmpty()) }
                ana.call("bia")
                bia.until { event -> (event as? Event.IncomingCall)?.also { it.call.accept() } != null }
                untilLoud("tone", ear::loudness) { it > HEARD }
                ana.setMicrophone(false)
                untilLoud("silence", ear::loudness) { it == 0 }
            }
        }
        demo.close()
    }

    @Test
    fun `without the person's word no microphone is opened, and the reason is told`() = runBlocking {
        shadowOf(app).denyPermissions(Manifest.permission.RECORD_AUDIO)
        val demo = Demo.start("eco")
        Session.connect(Config(demo.server(), "ana"), Devices(audio = audio)).use { ana ->
            ana.until { "eco" in ((it as? Event.Users)?.names.orEmpty()) }
            ana.call("eco")
            ana.until { (it as? Event.DeviceFailed)?.device == DeviceKind.MICROPHONE }
        }
        demo.close()
    }
}

/** Well above what a codec makes of silence, well below a tone. */
private const val HEARD = 1000

private fun untilLoud(what: String, loudness: () -> Int, condition: (Int) -> Boolean) = untilSo(what, loudness) { condition(loudness()) }

private suspend fun Session.until(condition: suspend (Event) -> Boolean) {
    withTimeout(40.seconds) { events.first { condition(it) } }
}

/** Measures what it hears, and says nothing. */
private class Ear : AudioDevices {
    @Volatile
    private var running: Thread? = null

    @Volatile
    var loudness: Int = 0
        private set

    override fun openMicrophone(sink: MicrophoneSink) {}

    override fun closeMicrophone() {}

    override fun openSpeaker(source: SpeakerSource) {
        running = thread(name = "ear") {
            AudioBlock(480u).use { block ->
                val samples = block.buffer().asShortBuffer()
                while (!Thread.interrupted()) {
                    try {
                        source.pull(block)
                    } catch (_: ChamadaException) {
                        break // closed
                    }
                    loudness = (0 until samples.limit()).maxOf { abs(samples.get(it).toInt()) }
                    LockSupport.parkNanos(10_000_000)
                }
            }
        }
    }

    override fun closeSpeaker() {
        running?.interrupt()
        running?.join()
    }
}
