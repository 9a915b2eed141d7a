package chamada.android.plain

/** Tells which news of the system about networks means that the device has another one now. Not for several threads. */
public class NetworkJudge {
    private var current: String? = null
    private var addresses: Set<String> = emptySet()
    private var seen = false

    /** This network is the default one now. Returns whether the core should know. */
    public fun available(network: String): Boolean {
        // The first is told at once when one starts to listen, and is no change.
        val changed = seen && network != current
        if (network != current) addresses = emptySet()
        seen = true
        current = network
        return changed
    }

    /** Its addresses are these. Returns whether the core should know. */
    public fun addresses(network: String, now: Set<String>): Boolean {
        if (network != current || now == addresses) return false
        val changed = addresses.isNotEmpty()
        addresses = now
        return changed
    }

    /** There is no default network. What comes next is a change. */
    public fun lost(network: String) {
        if (network == current) current = null
    }
}
