package chamada

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit

/** Buffers as apps have them, and what apps do wrong with them. */
internal class BufferTest {
    /** Runs with a camera that is open and pushes nothing by itself, and the preview that shows what is pushed. */
    private fun withCamera(use: suspend (CameraSink, FakePhone, Call) -> Unit) = runBlocking<Unit> {
        val phone = FakePhone()
        phone.cameras.silent = true
        Server().use { server ->
            FakePhone().login(server, "rings").use {
                phone.login(server, "films").use { session ->
                    session.awaitUser("rings")
                    val call = session.call("rings")
                    session.await("camera") { event -> event as? Event.CameraOpened }
                    use(phone.cameras.sink!!, phone, call)
                    call.hangUp()
                    session.awaitEnd()
                }
            }
        }
    }

    /** A direct buffer with `bytes` between a position and a limit that are not its ends. */
    private fun positioned(bytes: ByteArray): ByteBuffer {
        val buffer = ByteBuffer.allocateDirect(bytes.size + 11)
        buffer.position(7)
        buffer.put(bytes).flip().position(7)
        return buffer
    }

    @Test
    fun `a buffer with a position is read from there and left as it was`() = withCamera { sink, phone, _ ->
        val luma = ByteArray(16 * 8) { it.toByte() }
        val y = positioned(luma)
        val chroma = positioned(ByteArray(8 * 4) { 128.toByte() })
        sink.pushI420(Picture(16, 8), Plane(y, 16), Plane(chroma, 8), Plane(chroma, 8))
        phone.preview.awaitTotal(1)
        assertArrayEquals(luma, phone.preview.luma)
        assertEquals(7 to 7 + luma.size, y.position() to y.limit())
    }

    @Test
    fun `interleaved planes as Android gives them show the same picture`() = withCamera { sink, phone, _ ->
        val luma = ByteArray(16 * 8) { (3 * it).toByte() }
        val y = positioned(luma)
        val interleaved = positioned(ByteArray(16 * 4) { 128.toByte() })
        val u = interleaved.duplicate().also { it.limit(it.limit() - 1) }
        val v = interleaved.duplicate().also { it.position(it.position() + 1) }
        sink.pushYuv420888(Picture(16, 8, rotationDegrees = 90), Plane(y, 16), Plane(u, 16), Plane(v, 16), 2)
        phone.preview.awaitTotal(1)
        assertArrayEquals(luma, phone.preview.luma)
    }

    @Test
    fun `what cannot be a picture is a typed error and the next one is taken`() = withCamera { sink, phone, _ ->
        val (y, chroma) = ByteBuffer.allocateDirect(16 * 8) to ByteBuffer.allocateDirect(8 * 4)
        fun push(picture: Picture, y: ByteBuffer, stride: Int) =
            sink.pushI420(picture, Plane(y, stride), Plane(chroma, 8), Plane(chroma, 8))
        val good = Picture(16, 8)
        for (wrong in listOf<() -> Unit>(
            { push(good, y, 15) },
            { push(good, y, -1) },
            { push(good, y.duplicate().also { it.position(1) }, 16) },
            { push(good, ByteBuffer.allocate(16 * 8), 16) },
            { push(Picture(-16, 8), y, 16) },
            { push(Picture(16, 9000), y, 16) },
            { push(Picture(16, 8, rotationDegrees = 30), y, 16) },
            { push(Picture(16, 8, ageNanos = Long.MAX_VALUE), y, 16) },
        )) {
            assertEquals(ErrorKind.INVALID_ARGUMENT, failure(wrong).kind)
        }
        push(good, y, 16)
        assertEquals(16u, phone.preview.awaitTotal(1).width)
    }

    @Test
    fun `a frame may be closed twice and is not to be read after it`() = withCamera { sink, _, call ->
        val (y, chroma) = ByteBuffer.allocateDirect(16 * 8) to ByteBuffer.allocateDirect(8 * 4)
        sink.pushI420(Picture(16, 8), Plane(y, 16), Plane(chroma, 8), Plane(chroma, 8))
        val frame = call.picture(PhotoOf.LOCAL)
        frame.release()
        frame.release()
        assertEquals(ErrorKind.CLOSED, failure { frame.planes() }.kind)
        frame.close()
        frame.close()
        assertThrows(IllegalStateException::class.java) { frame.layout() }
    }

    @Test
    fun `a camera that pushes after it was closed is told so`() {
        var kept: CameraSink? = null
        withCamera { sink, _, _ -> kept = sink }
        val (y, chroma) = ByteBuffer.allocateDirect(16 * 8) to ByteBuffer.allocateDirect(8 * 4)
        val late = failure { kept!!.pushI420(Picture(16, 8), Plane(y, 16), Plane(chroma, 8), Plane(chroma, 8)) }
        assertEquals(ErrorKind.CLOSED, late.kind)
    }

    @Test
    fun `an observer may call back, wait and close its client, and what it throws is only logged`() = runBlocking<Unit> {
        val logged = LinkedBlockingQueue<String>()
        val log = object : LogSink {
            override fun log(level: LogLevel, target: String, message: String) {
                logged += "$level $target $message"
            }
        }
        startLogging(LogLevel.WARN, "chamada-tests", log)
        assertEquals(ErrorKind.INTERNAL, failure { startLogging(LogLevel.WARN, "again", null) }.kind)
        Server().use { server ->
            val done = CompletableFuture<String>()
            lateinit var client: Client
            val observer = object : Observer {
                override fun onEvent(event: Event) {
                    if (event is Event.Users) throw IllegalStateException("a bug of the app's")
                    if (event is Event.Chat) {
                        val name = runBlocking { client.snapshot().state.name }
                        client.close()
                        client.close()
                        done.complete("$name on ${Thread.currentThread().name}")
                    }
                }
            }
            client = Client.connect(Config(server.url, "iris"), Devices(), observer)
            client.say("now")
            val said = done.get(PATIENCE, TimeUnit.SECONDS)
            assertEquals("IDLE", said.substringBefore(" on "))
            assertThrows(IllegalStateException::class.java) { client.lowMemory() }
            val line = generateSequence { logged.poll(PATIENCE, TimeUnit.SECONDS) }.first { "observer" in it }
            assertTrue("ERROR chamada_ffi::observer" in line && "a bug of the app's" in line, line)
            setLogLevel(LogLevel.ERROR)
        }
    }
}
