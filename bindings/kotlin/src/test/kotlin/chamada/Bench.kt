package chamada

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledIfSystemProperty
import java.nio.ByteBuffer

/** What a picture of 1280×720 costs at the border; run by `cargo xtask kotlin --bench`. */
@EnabledIfSystemProperty(named = "chamada.bench", matches = "true")
internal class Bench {
    private companion object {
        const val WIDTH = 1280
        const val HEIGHT = 720
        const val PICTURES = 3000
    }

    /** Looks at each picture as a renderer does: where its planes are, one byte of each, and gives it back. */
    private class Glance : VideoRenderer {
        var pictures = 0L
        var nanos = 0L
        var seen = 0

        override fun render(frame: Frame) {
            val start = System.nanoTime()
            frame.show { planes -> seen += planes.y.get(0) + planes.u.get(0) + planes.v.get(0) }
            nanos += System.nanoTime() - start
            pictures++
        }
    }

    /** µs per push, after some to warm up. */
    private fun run(preview: VideoRenderer?, push: (CameraSink) -> Unit): Double = runBlocking {
        val cameras = FakeCameras(WIDTH, HEIGHT).also { it.silent = true }
        var took = 0.0
        Server().use { server ->
            FakePhone().login(server, "rings").use {
                val config = Config(server.url, "films")
                Session.connect(config, Devices(cameras = cameras, preview = preview)).use { session ->
                    session.awaitUser("rings")
                    val call = session.call("rings")
                    session.await("camera") { it as? Event.CameraOpened }
                    val sink = cameras.sink!!
                    repeat(PICTURES / 3) { push(sink) }
                    val start = System.nanoTime()
                    repeat(PICTURES) { push(sink) }
                    took = (System.nanoTime() - start) / 1000.0 / PICTURES
                    call.hangUp()
                    session.awaitEnd()
                }
            }
        }
        took
    }

    @Test
    fun `pictures in and out`() {
        val y = Plane(ByteBuffer.allocateDirect(WIDTH * HEIGHT), WIDTH)
        val half = Plane(ByteBuffer.allocateDirect(WIDTH * HEIGHT / 4), WIDTH / 2)
        val interleaved = Plane(ByteBuffer.allocateDirect(WIDTH * HEIGHT / 2), WIDTH)
        val bgra = Plane(ByteBuffer.allocateDirect(4 * WIDTH * HEIGHT), 4 * WIDTH)
        val v = Plane(interleaved.bytes.duplicate().also { it.position(1) }, WIDTH)
        val picture = Picture(WIDTH, HEIGHT)
        val glance = Glance()
        val ways = listOf<Pair<String, (CameraSink) -> Unit>>(
            "in, I420" to { it.pushI420(picture, y, half, half) },
            "in, NV12" to { it.pushNv12(picture, y, interleaved) },
            "in, YUV_420_888 interleaved" to { it.pushYuv420888(picture, y, interleaved, v, 2) },
            "in, BGRA" to { it.pushBgra(picture, bgra) },
        )
        println("%-34s %10s %12s".format("1280×720", "µs/frame", "frames/s"))
        fun line(what: String, micros: Double) = println("%-34s %10.1f %12.0f".format(what, micros, 1e6 / micros))
        for ((what, push) in ways) line(what, run(null, push))
        line("in, I420, and out to the preview", run(glance, ways[0].second))
        line("of that: layout, views, release", glance.nanos / 1000.0 / glance.pictures)
        println("(${glance.pictures} pictures shown, checksum ${glance.seen})")
    }
}
