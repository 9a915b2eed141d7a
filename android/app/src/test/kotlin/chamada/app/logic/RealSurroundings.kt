package chamada.app.logic

import chamada.AppException
import chamada.AudioBlock
import chamada.AudioDevices
import chamada.CameraSettings
import chamada.CameraSink
import chamada.Cameras
import chamada.ChamadaException
import chamada.Config
import chamada.Demo
import chamada.Devices
import chamada.Frame
import chamada.MicrophoneSink
import chamada.Session
import chamada.SpeakerSource
import chamada.VideoRenderer
import chamada.android.plain.CameraNames
import chamada.android.plain.CameraTrouble
import chamada.android.plain.Grant
import chamada.android.plain.Need
import chamada.buffer
import chamada.show
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread

/** A phone with made-up camera and sound, and all else as it is. */
internal class RealSurroundings : Surroundings {
    private val names = CameraNames("Front", "Rear", "Other")

    /** How many pictures were shown. */
    val screen = AtomicInteger()
    val photo = AtomicReference<ByteArray>()

    /** How often a camera was opened. */
    val opened = AtomicInteger()
    var allowed = true

    @Volatile
    var taken = false

    private inner class TakenCameras(private val cameras: Cameras) : Cameras by cameras {
        override fun openCamera(settings: CameraSettings, sink: CameraSink) {
            if (!taken) {
                opened.incrementAndGet()
                return cameras.openCamera(settings, sink)
            }
            onTrouble(CameraTrouble.IN_USE)
            throw AppException.NotReadable("another app has it")
        }
    }

    @Volatile
    var onTrouble: (CameraTrouble) -> Unit = {}

    override suspend fun connect(config: Config, demo: Boolean): Line {
        val remote = object : VideoRenderer {
            override fun render(frame: Frame) = frame.show { planes ->
                if (planes.y.hasRemaining()) screen.incrementAndGet()
                Unit
            }
        }
        val devices = Devices(TakenCameras(PatternCameras(names)), Silence(), remote)
        return SessionLine(Session.connect(config, devices))
    }

    override suspend fun startDemo() = DemoPlace(Demo.start("eco"))

    override fun grants() = listOf(Need.CAMERA, Need.MICROPHONE).associateWith { Grant(allowed, asked = true) }
    override suspend fun ask(needs: List<Need>) = error("nobody is here to be asked for $needs")
    override fun hasCamera() = true
    override fun hush(on: Boolean) {}
    override suspend fun savePhoto(jpeg: ByteArray): Boolean {
        photo.set(jpeg)
        return true
    }

    override fun now() = System.currentTimeMillis()
}

/** A microphone that hears nothing, and a speaker that pulls at its own pace and keeps it to itself. */
internal class Silence : AudioDevices {
    private var speaker: Thread? = null

    override fun openMicrophone(sink: MicrophoneSink) {}
    override fun closeMicrophone() {}

    override fun openSpeaker(source: SpeakerSource) {
        speaker = thread(name = "silent-speaker", isDaemon = true) {
            AudioBlock(480u).use { block ->
                block.buffer()
                while (!Thread.interrupted()) {
                    try {
                        source.pull(block)
                    } catch (_: ChamadaException) {
                        return@use
                    }
                    LockSupport.parkNanos(10_000_000)
                }
            }
        }
    }

    override fun closeSpeaker() {
        speaker?.interrupt()
        speaker?.join()
    }
}
