package chamada

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.trySendBlocking
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.receiveAsFlow

/**
 * A client that is logged in, with its events as a [Flow] instead of an observer.
 *
 * ```
 * Session.connect(Config("wss://call.example.org", "ana"), devices).use { session ->
 *     session.call("rui")
 *     session.events.collect { event -> … }
 * }
 * ```
 *
 * [close] logs out and returns at once; [logout] waits until devices and sockets are released.
 */
public class Session private constructor(
    private val client: Client,
    private val inbox: Channel<Event>,
) : ClientInterface by client, AutoCloseable {

    /**
     * Everything that happens, in order, from the login on; ends after [Event.Closed]. To be collected once: use `shareIn` where
     * several want it. An app that does not collect holds up its own events and nobody else's.
     */
    public val events: Flow<Event> = inbox.receiveAsFlow()

    /** Logs out, ends a call that may be going on, and returns at once. A second time does nothing. */
    override fun close() {
        // First the channel, so that the thread of events never waits for somebody who reads no more.
        inbox.cancel()
        client.close()
    }

    public companion object {
        /** As many events as a busy call has in some seconds. */
        private const val WAITING = 256

        /**
         * Connects to the server and logs in.
         *
         * @throws ChamadaException as [Client.connect].
         */
        public suspend fun connect(config: Config, devices: Devices = Devices()): Session {
            val inbox = Channel<Event>(WAITING)
            val client = Client.connect(config, devices, object : Observer {
                override fun onEvent(event: Event) {
                    inbox.trySendBlocking(event)
                    if (event is Event.Closed) inbox.close()
                }
            })
            return Session(client, inbox)
        }
    }
}

/** What to decide by. */
public val ChamadaException.kind: ErrorKind
    get() = when (this) { is ChamadaException.Failure -> kind }

/** One sentence for a developer. */
public val ChamadaException.reason: String
    get() = when (this) { is ChamadaException.Failure -> reason }

/** More for programs, where there is more: the constraint's name, the person at the other end. */
public val ChamadaException.detail: String?
    get() = when (this) { is ChamadaException.Failure -> detail }
