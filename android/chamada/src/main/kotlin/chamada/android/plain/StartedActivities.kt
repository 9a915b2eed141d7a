package chamada.android.plain

/**
 * Whether people see the app, from its activities' comings and goings. Not for several threads.
 *
 * @param onChange it is seen now (true) or is not any more.
 */
public class StartedActivities(private val onChange: (Boolean) -> Unit) {
    private var started = 0

    /** Whether it is seen now. */
    public var seen: Boolean = false
        private set

    /** An activity is to be seen. */
    public fun started() {
        started++
        tell(true)
    }

    /** One is not any more; `turning` if it is only made anew, because the phone was turned, say. */
    public fun stopped(turning: Boolean) {
        started--
        if (started == 0 && !turning) tell(false)
    }

    private fun tell(now: Boolean) {
        if (seen == now) return
        seen = now
        onChange(now)
    }
}
