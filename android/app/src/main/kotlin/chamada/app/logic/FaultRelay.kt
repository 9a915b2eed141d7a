package chamada.app.logic

import java.io.IOException
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.ConcurrentHashMap
import kotlin.concurrent.thread

/**
 * Stands between the app and an unencrypted server, for the hidden fault menu: connections go through it and can be cut, as they are
 * when a phone leaves the house. Calls do not go through it.
 */
class FaultRelay(private val host: String, private val port: Int) : AutoCloseable {
    private val listener = ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress())
    private val open: MutableSet<Socket> = ConcurrentHashMap.newKeySet()

    /** Where to log in instead. */
    val url: String = "ws://127.0.0.1:${listener.localPort}"

    /** New connections are cut at once. */
    @Volatile
    var shut: Boolean = false

    init {
        thread(name = "chamada-relay", isDaemon = true) {
            while (!listener.isClosed) {
                try {
                    relay(listener.accept())
                } catch (_: IOException) {
                    // Closed, or a server out of reach: whoever connected sees its end.
                }
            }
        }
    }

    /** Cuts all connections. Returns how many there were. */
    fun cut(): Int {
        val cut = open.toList()
        cut.forEach(Socket::close)
        return cut.size / 2
    }

    override fun close() {
        listener.close()
        cut()
    }

    private fun relay(from: Socket) {
        open += from
        try {
            if (shut) throw IOException("shut")
            val to = Socket(host, port)
            open += to
            pump(from, to)
            pump(to, from)
        } catch (e: IOException) {
            from.close()
            open -= from
            throw e
        }
    }

    private fun pump(from: Socket, to: Socket) = thread(name = "chamada-relay-pump", isDaemon = true) {
        try {
            from.getInputStream().copyTo(to.getOutputStream())
        } catch (_: IOException) {
            // Cut by one of the two or by us: the other one is cut, too.
        }
        for (socket in listOf(from, to)) {
            socket.close()
            open -= socket
        }
    }

    companion object {
        private const val BACKLOG = 4

        /** None where it cannot stand in between: an encrypted connection shows the server's name in its certificate. */
        fun before(address: String): FaultRelay? {
            if (!address.startsWith("ws://")) return null
            val place = address.removePrefix("ws://").substringBefore('/')
            return FaultRelay(place.substringBeforeLast(':'), place.substringAfterLast(':', "").toIntOrNull() ?: return null)
        }
    }
}
