package chamada.app

import chamada.AppAction
import chamada.AppCallPhase
import chamada.AppEffect
import chamada.AppException
import chamada.AppPermissionStatus
import chamada.AppPermissions
import chamada.AudioBlock
import chamada.AudioDevices
import chamada.CameraSettings
import chamada.CameraSink
import chamada.Cameras
import chamada.ChamadaException
import chamada.Devices
import chamada.Frame
import chamada.MicrophoneSink
import chamada.SpeakerSource
import chamada.VideoRenderer
import chamada.android.plain.CallViewModel
import chamada.android.plain.CameraNames
import chamada.android.plain.UiState
import chamada.buffer
import chamada.show
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.util.concurrent.Executors
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit.SECONDS
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds

/** A phone with made-up camera and sound. */
internal class TestDevices {
    private val names = CameraNames("Front", "Rear", "Other")

    /** A permit for each picture that was shown. */
    val shown = Semaphore(0)

    /** A permit for each time that a camera was opened. */
    val opened = Semaphore(0)

    @Volatile
    var taken = false

    private inner class TakenCameras(private val cameras: Cameras) : Cameras by cameras {
        override fun openCamera(settings: CameraSettings, sink: CameraSink) {
            if (taken) throw AppException.NotReadable("another app has it")
            opened.release()
            cameras.openCamera(settings, sink)
        }
    }

    private val remote = object : VideoRenderer {
        override fun render(frame: Frame) = frame.show { planes ->
            if (planes.y.hasRemaining()) shown.release()
            Unit
        }
    }

    fun awaitPictures(count: Int) = check(shown.tryAcquire(count, PATIENCE, SECONDS)) { "no $count pictures" }

    val devices = Devices(TakenCameras(PatternCameras(names)), Silence(), remote)
}

/** An app without screens and without Android: it remembers what it was to do. */
internal class TestApp(granted: Boolean = true) : AutoCloseable {
    val phone = TestDevices()
    val effects = LinkedBlockingQueue<AppEffect>()
    private val main = Executors.newSingleThreadExecutor { Thread(it, "main") }
    private val viewModel: CallViewModel = main.submit<CallViewModel> { CallViewModel(phone.devices, null, main, effects::add) }.get()

    val state: UiState get() = viewModel.uiState.value

    init {
        val status = if (granted) AppPermissionStatus.GRANTED else AppPermissionStatus.DENIED
        dispatch(AppAction.Started(null, null, AppPermissions(status, status, status, status)))
    }

    /** As a screen does it: on the one thread. */
    fun dispatch(action: AppAction): Unit = main.submit { viewModel.dispatch(action) }.get().let {}

    fun await(what: String, condition: (UiState) -> Boolean): UiState = runBlocking {
        try {
            withTimeout(PATIENCE.seconds) { viewModel.uiState.first(condition) }
        } catch (e: TimeoutCancellationException) {
            throw AssertionError("no $what; it is ${viewModel.uiState.value}", e)
        }
    }

    fun awaitConnection(): UiState = await("connection") { it.app.call?.phase == AppCallPhase.CONNECTED }

    fun told(): List<String> = state.app.banners.map { it.message.key }

    override fun close() {
        main.submit { viewModel.close() }.get()
        main.shutdown()
    }
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
