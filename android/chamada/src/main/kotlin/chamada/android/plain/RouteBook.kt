package chamada.android.plain

/** Where sound goes, the kinds that people tell apart. */
public enum class RouteKind { EARPIECE, SPEAKER, WIRED, BLUETOOTH }

/**
 * A way for sound.
 *
 * @property id the system's name for it while it is there.
 * @property name of the device, for Bluetooth.
 */
public data class Route(public val id: String, public val kind: RouteKind, public val name: String? = null)

/**
 * Decides which of the ways is taken: a headset that is plugged in or switched on takes over; what the person chose stays until
 * it goes or a new headset comes; else the loudspeaker for video and the earpiece for sound alone. Not for several threads.
 */
public class RouteBook(private var video: Boolean = true) {
    private var known = emptyList<Route>()
    private var wish: String? = null

    /** Those that there are now. */
    public val routes: List<Route> get() = known

    /** What to take, none if there is nothing to take. */
    public val best: Route?
        get() = known.find { it.id == wish } ?: ORDER_OF_HEADSETS.firstNotNullOfOrNull(::first) ?: without()

    private fun first(kind: RouteKind) = known.find { it.kind == kind }

    private fun without(): Route? {
        val order = listOf(RouteKind.SPEAKER, RouteKind.EARPIECE)
        return (if (video) order else order.reversed()).firstNotNullOfOrNull(::first) ?: known.firstOrNull()
    }

    /**
     * The system says which there are. Returns what to take; none if they are the same as before: then the system, or somebody in a
     * car, may have moved the sound, and is let be.
     */
    public fun available(now: List<Route>): Route? {
        if (now.toSet() == known.toSet()) return null
        val before = known.map { it.id }.toSet()
        known = now
        val plugged = now.find { it.id !in before && it.kind in ORDER_OF_HEADSETS }
        // At the start of a call nothing was plugged in: what is there was there.
        if (plugged != null && before.isNotEmpty()) wish = plugged.id
        if (now.none { it.id == wish }) wish = null
        return best
    }

    /** The person chose one. Returns what to take, which is another if that one is gone. */
    public fun choose(id: String): Route? {
        if (known.any { it.id == id }) wish = id
        return best
    }

    /** Whether pictures are shown. Returns what to take. */
    public fun video(shown: Boolean): Route? {
        video = shown
        return best
    }

    /** A new call: wishes of the last one are over. */
    public fun reset() {
        wish = null
        known = emptyList()
    }

    private companion object {
        val ORDER_OF_HEADSETS = listOf(RouteKind.BLUETOOTH, RouteKind.WIRED)
    }
}
