@file:Suppress("unused")

package chamada

// README: begin
/** Shows what the other side sends: draw `planes.y`, `planes.u`, `planes.v` before the block ends. */
class RemoteVideo : VideoRenderer {
    override fun render(frame: Frame) = frame.show { planes -> draw(planes) }
}

suspend fun talk(cameras: Cameras, audio: AudioDevices) {
    val devices = Devices(cameras = cameras, audio = audio, remote = RemoteVideo())
    Session.connect(Config("wss://call.example.org", "ana"), devices).use { session ->
        val call = session.call("rui") // call.flipCamera(), call.photo(…), call.hangUp()
        session.events.collect { event ->
            when (event) {
                is Event.IncomingCall -> event.call.decline() // or accept()
                is Event.CallChanged -> show(event.now.state)
                is Event.CallEnded -> session.logout()
                else -> {}
            }
        }
    }
}

/** For each picture of an Android camera: one copy, whatever its strides. */
fun push(sink: CameraSink, image: Image, rotation: Int) {
    val (y, u, v) = image.planes.map { Plane(it.buffer, it.rowStride) }
    val age = elapsedRealtimeNanos() - image.timestamp
    sink.pushYuv420888(Picture(image.width, image.height, rotation, age), y, u, v, image.planes[1].pixelStride)
}
// README: end

// Stands for android.media.Image and android.os.SystemClock, which are not on the JVM.
interface Image {
    interface Plane {
        val buffer: java.nio.ByteBuffer
        val rowStride: Int
        val pixelStride: Int
    }

    val width: Int
    val height: Int
    val timestamp: Long
    val planes: Array<Plane>
}

private fun elapsedRealtimeNanos(): Long = System.nanoTime()

private fun show(state: CallState) = println(state)

private fun draw(planes: FramePlanes) = check(planes.y.hasRemaining())
