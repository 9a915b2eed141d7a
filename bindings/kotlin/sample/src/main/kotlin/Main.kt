import chamada.Config
import chamada.Demo
import chamada.Devices
import chamada.Event
import chamada.Frame
import chamada.Session
import chamada.VideoRenderer
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.seconds

/** Calls a peer inside this process, by a server inside this process, and ends once its picture has come. */
fun main() = runBlocking {
    val picture = CompletableDeferred<String>()
    val remote = object : VideoRenderer {
        override fun render(frame: Frame) {
            frame.use { picture.complete("${it.layout().width} × ${it.layout().height}") }
        }
    }
    withTimeout(40.seconds) {
        Demo.start("eco").use { demo ->
            Session.connect(Config(demo.server(), "ana"), Devices(remote = remote)).use { session ->
                session.events.first { it is Event.Users && "eco" in it.names }
                val call = session.call("eco")
                println("a picture of ${picture.await()} came")
                call.hangUp()
            }
        }
    }
}
