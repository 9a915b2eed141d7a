package chamada.app.logic

import chamada.ClientInterface
import chamada.Config
import chamada.Demo
import chamada.Event
import chamada.Session
import chamada.android.plain.Grant
import chamada.android.plain.Need
import kotlinx.coroutines.flow.Flow

/** A client that is logged in, as the desk uses it. */
interface Line : ClientInterface, AutoCloseable {
    val events: Flow<Event>
}

/** The real one. `alongside` is closed with it. */
class SessionLine(private val session: Session, private val alongside: AutoCloseable? = null) : Line, ClientInterface by session {
    override val events: Flow<Event> get() = session.events

    override fun close() {
        alongside?.close()
        session.close()
    }
}

/** What the desk needs of the phone. */
interface Surroundings {
    /** Logs in; for the demonstration with devices that need no permission. Throws as `Session.connect`. */
    suspend fun connect(config: Config, demo: Boolean): Line

    /** Starts a server and somebody to call. Throws as `Demo.start`. */
    suspend fun startDemo(): DemoPlace

    /** How permissions stand. */
    fun grants(): Map<Need, Grant>

    /** Asks the person; returns when they have answered. */
    suspend fun ask(needs: List<Need>)

    /** Whether the phone has a camera at all. */
    fun hasCamera(): Boolean

    /** Whether what the other side says is kept from being heard, because somebody else has the sound. */
    fun hush(on: Boolean)

    /** Puts a JPEG file into the gallery. Returns whether that worked. */
    suspend fun savePhoto(jpeg: ByteArray): Boolean

    /** Milliseconds since 1970. */
    fun now(): Long
}

/** A server of one's own and whom to call there; gone when it is closed. */
class DemoPlace(private val demo: Demo) : AutoCloseable {
    val server: String = demo.server()
    val peer: String = demo.peer()
    override fun close() = demo.close()
}
