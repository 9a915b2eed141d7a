package chamada

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.shareIn
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import java.io.PrintWriter
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Executors
import kotlin.concurrent.thread

// ANCHOR: transport
/** The app's own wire: lines of text over TCP. The first one says who we are, each other one is a name, a space and a message. */
internal class LineTransport(private val server: String, private val port: Int, private val name: String) : SignalingTransport {
    /** Writes one line after another, so that [send] never waits for the network. */
    private val writer = Executors.newSingleThreadExecutor()

    @Volatile
    private var socket: Socket? = null

    override fun connect(receiver: SignalingReceiver) {
        thread(name = "signaling", isDaemon = true) {
            try {
                val socket = Socket(server, port).also { this.socket = it }
                val lines = PrintWriter(socket.getOutputStream(), true)
                lines.println(name)
                receiver.opened()
                socket.getInputStream().bufferedReader().forEachLine { line ->
                    val (from, message) = line.split(' ', limit = 2)
                    if (from == "!") receiver.noSuchUser(message) else receiver.receive(from, message)
                }
                receiver.lost("the server went away")
            } catch (error: Exception) {
                receiver.lost(error.toString())
            }
        }
    }

    override fun send(to: String, message: String) {
        val socket = socket ?: throw TransportException.NotOpen("not connected")
        writer.execute {
            // A connection that is gone is noticed by the one who reads.
            runCatching { PrintWriter(socket.getOutputStream(), true).println("$to $message") }
        }
    }

    override fun reconnect() {
        // An app connects anew here; this one has a network that does not change.
    }

    override fun disconnect() {
        writer.shutdown()
        socket?.close()
    }
}
// ANCHOR_END: transport

// ANCHOR: connect
/** A session that signals over it. The server's name only says whether that is on this machine. */
internal suspend fun connectOver(transport: SignalingTransport, name: String, devices: Devices): Session =
    Session.connect(Config(server = "localhost", name = name, signaling = transport), devices)
// ANCHOR_END: connect

/** A server of somebody else's, which knows lines and names. */
internal class LineServer : AutoCloseable {
    private val listener = ServerSocket(0)
    private val people = ConcurrentHashMap<String, PrintWriter>()
    val port: Int = listener.localPort

    init {
        thread(isDaemon = true) {
            runCatching {
                while (true) listener.accept().let { socket -> thread(isDaemon = true) { runCatching { serve(socket) } } }
            }
        }
    }

    private fun serve(socket: Socket) {
        val lines = socket.getInputStream().bufferedReader()
        val name = lines.readLine() ?: return
        val own = PrintWriter(socket.getOutputStream(), true)
        people[name] = own
        lines.forEachLine { line ->
            val (to, message) = line.split(' ', limit = 2)
            val addressee = people[to]
            if (addressee == null) synchronized(own) { own.println("! $to") }
            else synchronized(addressee) { addressee.println("$name $message") }
        }
    }

    override fun close() = listener.close()
}

internal class OwnSignalingTest {
    @Test
    fun `two phones call each other over the app's own wire`() = runBlocking {
        LineServer().use { server ->
            val (here, there) = FakePhone() to FakePhone()
            connectOver(LineTransport("localhost", server.port, "ana"), "ana", here.devices).use { ana ->
                connectOver(LineTransport("localhost", server.port, "rui"), "rui", there.devices).use { rui ->
                    val scope = CoroutineScope(Dispatchers.Default)
                    val events = rui.events.shareIn(scope, SharingStarted.Eagerly, replay = 1_000)
                    val call = ana.callWith("rui", CallOptions(codecs = listOf(VideoCodec.VP8), maxBitrate = 400_000u))
                    val incoming = events.first { it is Event.IncomingCall } as Event.IncomingCall
                    assertEquals("ana", incoming.call.with())
                    incoming.call.configure(CallOptions(maxBitrate = 300_000u))
                    incoming.call.accept()
                    val connected = async { ana.events.first { it is Event.CallChanged && it.now.state == CallState.CONNECTED } }
                    connected.await()
                    assertEquals(320u, here.remote.awaitFrames(10).width)
                    there.remote.awaitFrames(10)
                    call.hangUp()
                    val end = events.first { it is Event.CallEnded } as Event.CallEnded
                    assertEquals(EndReason.HUNG_UP_REMOTELY, end.reason)
                    scope.cancel()
                }
            }
        }
    }

    @Test
    fun `somebody whom the app's server does not know cannot be reached, and what it has not is refused`() = runBlocking {
        LineServer().use { server ->
            connectOver(LineTransport("localhost", server.port, "ana"), "ana", Devices()).use { ana ->
                assertThrows(ChamadaException::class.java) { runBlocking { ana.say("hello") } }
                ana.call("nobody")
                val end = ana.events.first { it is Event.CallEnded } as Event.CallEnded
                assertEquals(EndReason.UNREACHABLE, end.reason)
            }
        }
    }

    @Test
    fun `a transport that throws when it is opened is why there is no session`() {
        val broken = object : SignalingTransport {
            override fun connect(receiver: SignalingReceiver): Unit = throw IllegalStateException("no network")
            override fun send(to: String, message: String) {}
            override fun reconnect() {}
            override fun disconnect() {}
        }
        val error = assertThrows(ChamadaException::class.java) { runBlocking { connectOver(broken, "ana", Devices()) } }
        assertEquals(ErrorKind.SERVER, error.kind)
    }
}
