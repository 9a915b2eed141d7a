package chamada.app.logic

import chamada.ClientInterface
import chamada.Config
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
    /** Logs in. Throws as `Session.connect`. */
    suspend fun connect(config: Config): Line

    /** How permissions stand. */
    fun grants(): Map<Need, Grant>

    /** Asks the person; returns when they have answered. */
    suspend fun ask(needs: List<Need>)

    /** Whether the phone has a camera at all. */
    fun hasCamera(): Boolean

    /** Puts a JPEG file into the gallery. Returns whether that worked. */
    suspend fun savePhoto(jpeg: ByteArray): Boolean

    /** Milliseconds since 1970. */
    fun now(): Long
}
