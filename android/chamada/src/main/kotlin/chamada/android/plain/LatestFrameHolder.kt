package chamada.android.plain

/** Room for one thing: what is put in closes what nobody took. For any threads. */
public class LatestFrameHolder<T : AutoCloseable> : AutoCloseable {
    private var newest: T? = null
    private var open = true

    /** Puts it in; closes it at once if this was closed. */
    public fun put(thing: T) {
        val unwanted = synchronized(this) {
            if (open) newest.also { newest = thing } else thing
        }
        unwanted?.close()
    }

    /** Takes it out; whoever takes it closes it. */
    public fun take(): T? = synchronized(this) { newest.also { newest = null } }

    override fun close() {
        synchronized(this) {
            open = false
            take()
        }?.close()
    }
}
