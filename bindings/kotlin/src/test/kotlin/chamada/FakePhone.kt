package chamada

import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.locks.LockSupport
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.thread
import kotlin.concurrent.withLock
import kotlin.math.PI
import kotlin.math.sin
import kotlin.time.Duration.Companion.seconds

/** A front and a rear camera that show a bright bar moving over a plain ground: dark at the front, grey at the rear. */
internal class FakeCameras(private val width: Int = 320, private val height: Int = 240) : Cameras {
    val opened = CopyOnWriteArrayList<CameraSettings>()
    val closed = CopyOnWriteArrayList<String>()
    val pushed = AtomicLong()

    /** Of the camera opened last, which may be closed. */
    @Volatile
    var sink: CameraSink? = null

    /** Takes the pictures itself where a test wants to push its own. */
    @Volatile
    var silent = false

    @Volatile
    private var running: Thread? = null

    override fun listCameras(): List<CameraInfo> {
        val formats = listOf(CameraFormat(width.toUInt(), height.toUInt(), 5.0, 30.0))
        return listOf(
            CameraInfo(FRONT, "Front", FacingMode.USER, formats),
            CameraInfo(REAR, "Rear", FacingMode.ENVIRONMENT, formats),
        )
    }

    override fun openCamera(settings: CameraSettings, sink: CameraSink) {
        opened += settings
        this.sink = sink
        if (!silent) running = thread(name = "fake-camera") { film(sink, if (settings.deviceId == FRONT) 40 else 120) }
    }

    private fun film(sink: CameraSink, ground: Int) {
        val y = ByteBuffer.allocateDirect(width * height)
        val chroma = ByteBuffer.allocateDirect((width / 2) * (height / 2))
        while (chroma.hasRemaining()) chroma.put(128.toByte())
        chroma.rewind()
        val row = ByteArray(width)
        var number = 0
        while (!Thread.interrupted()) {
            val bar = number++ * 4 % (width - 16)
            row.fill(ground.toByte())
            row.fill(220.toByte(), bar, bar + 16)
            y.clear()
            repeat(height) { y.put(row) }
            y.flip()
            try {
                sink.pushI420(Picture(width, height), Plane(y, width), Plane(chroma, width / 2), Plane(chroma, width / 2))
            } catch (_: ChamadaException) {
                return
            }
            pushed.incrementAndGet()
            LockSupport.parkNanos(33_000_000)
        }
    }

    override fun closeCamera(deviceId: String) {
        running?.interrupt()
        running?.join()
        running = null
        closed += deviceId
    }

    companion object {
        const val FRONT = "front"
        const val REAR = "rear"
    }
}

/** A tone for a microphone, and a speaker that measures what it plays. */
internal class FakeAudio : AudioDevices {
    private var microphone: Thread? = null
    private var speaker: Thread? = null

    /** Σ of squares of what was played, full scale 1. */
    @Volatile
    var energy = 0.0
        private set

    override fun openMicrophone(sink: MicrophoneSink) {
        microphone = thread(name = "fake-microphone") {
            val block = ByteBuffer.allocateDirect(2 * 960).order(ByteOrder.nativeOrder())
            var sample = 0
            paced(20_000_000) {
                block.clear()
                repeat(960) { block.putShort((8000 * sin(2 * PI * 440 * sample++ / 48_000)).toInt().toShort()) }
                sink.pushFrom(block.flip())
            }
        }
    }

    override fun closeMicrophone() {
        microphone?.interrupt()
        microphone?.join()
    }

    override fun openSpeaker(source: SpeakerSource) {
        speaker = thread(name = "fake-speaker") {
            AudioBlock(480u).use { block ->
                val samples = block.buffer().asShortBuffer()
                paced(10_000_000) {
                    source.pull(block)
                    energy += (0 until samples.limit()).sumOf { (samples.get(it) / 32768.0).let { s -> s * s } }
                }
            }
        }
    }

    override fun closeSpeaker() {
        speaker?.interrupt()
        speaker?.join()
    }

    /** As a device does: one block after another at its own pace, until it is closed. */
    private fun paced(nanos: Long, block: () -> Unit) {
        var next = System.nanoTime()
        while (!Thread.interrupted()) {
            try {
                block()
            } catch (_: ChamadaException) {
                return
            }
            next += nanos
            while (!Thread.currentThread().isInterrupted && System.nanoTime() < next) {
                LockSupport.parkNanos(next - System.nanoTime())
            }
        }
    }
}

/** Remembers what it was shown. */
internal class FakeScreen : VideoRenderer {
    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private var frames = 0
    private var newest: FrameLayout? = null
    private val lumas = mutableSetOf<Int>()

    /** A copy of the newest picture's luma. */
    var luma: ByteArray? = null
        private set

    override fun render(frame: Frame) = frame.show { planes ->
        val copy = ByteArray(planes.y.remaining()).also { planes.y.get(it) }
        lock.withLock {
            frames++
            newest = planes.layout
            luma = copy
            lumas += copy.contentHashCode()
            changed.signalAll()
        }
    }

    /** How many different pictures were seen. */
    val different: Int get() = lock.withLock { lumas.size }

    /** Waits for so many pictures more than there are now; the newest one's layout. */
    fun awaitFrames(more: Int): FrameLayout = awaitTotal(lock.withLock { frames } + more)

    /** Waits for so many pictures in all; the newest one's layout. */
    fun awaitTotal(enough: Int): FrameLayout = lock.withLock {
        var left = PATIENCE * 1_000_000_000
        while (frames < enough) {
            check(left > 0) { "only $frames of $enough pictures" }
            left = changed.awaitNanos(left)
        }
        newest!!
    }
}

/** Everything that a call needs. */
internal class FakePhone {
    val cameras = FakeCameras()
    val audio = FakeAudio()
    val remote = FakeScreen()
    val preview = FakeScreen()
    val devices = Devices(cameras, audio, remote, preview)

    suspend fun login(
        server: Server,
        name: String,
        remembered: List<RememberedPerson> = emptyList(),
        messages: Boolean = false,
    ): Session =
        Session.connect(Config(server.url, name, remembered = remembered, texts = messages, files = messages), devices)
}

/** The first event that `pick` gives something for. */
internal suspend fun <T : Any> Session.await(what: String, pick: (Event) -> T?): T {
    val seen = mutableListOf<String>()
    var found: T? = null
    try {
        withTimeout(PATIENCE.seconds) {
            events.first { event ->
                seen += event.toString().take(120)
                found = pick(event)
                found != null
            }
        }
    } catch (e: Exception) {
        throw AssertionError("no $what: $e; there were $seen", e)
    }
    return found!!
}

internal suspend fun Session.awaitUser(name: String) =
    await("user $name") { event -> (event as? Event.Users)?.names?.takeIf { name in it } }

internal suspend fun Session.awaitState(state: CallState) =
    await("$state") { event -> (event as? Event.CallChanged)?.now?.takeIf { it.state == state } }

internal suspend fun Session.awaitEnd(): EndReason = await("end") { event -> (event as? Event.CallEnded)?.reason }

internal suspend fun Session.awaitChecked(result: VerificationResult): Verification = await("$result") { event ->
    (event as? Event.VerificationChanged)?.verification?.takeIf { it.result == result }
}

internal suspend fun Session.awaitIncoming(): Call = await("incoming call") { event -> (event as? Event.IncomingCall)?.call }
