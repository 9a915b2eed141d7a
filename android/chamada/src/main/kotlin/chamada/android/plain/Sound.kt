package chamada.android.plain

/** What the system says about audio focus. */
public enum class FocusNews {
    /** It is ours. */
    GAINED,

    /** Somebody has it for a while, a phone call say; the system gives it back by itself. */
    LENT,

    /** Somebody else took it for good: it has to be asked for again. */
    LOST,
}

/**
 * Decides whether a call's sound is somebody else's, a phone call's say. While it is, nothing is to be heard of the call, neither
 * here nor at the other side. Not for several threads.
 *
 * Two know of it: audio focus and Telecom. While Telecom has the call it takes the focus for it, from this very app, too; so
 * what happens to the focus means nothing then, and Telecom's own word counts.
 *
 * @param onHeld the sound is somebody else's (true) or ours again; told at changes only.
 */
public class Sound(private val onHeld: (Boolean) -> Unit) {
    private var focus = FocusNews.GAINED
    private var telecom = false
    private var onHold = false
    private var told = false

    /** Whether audio focus is to be asked for, by whoever begins a call or sees a person come back to it. */
    public val asksForFocus: Boolean get() = !telecom

    /** Nobody gives the focus back by itself. */
    public val isLost: Boolean get() = !telecom && focus == FocusNews.LOST

    /** A call begins, or is over: the sound is ours until somebody says otherwise. */
    public fun reset() {
        focus = FocusNews.GAINED
        onHold = false
        told = false
    }

    /** What became of the focus. */
    public fun focus(news: FocusNews) {
        focus = news
        tell()
    }

    /** Telecom has the call from now on, or lets it go. */
    public fun telecom(has: Boolean) {
        telecom = has
        focus = FocusNews.GAINED
        onHold = false
        tell()
    }

    /** Telecom puts the call on hold for another one (true), or takes it up again. */
    public fun hold(on: Boolean) {
        onHold = on
        tell()
    }

    private fun tell() {
        val held = if (telecom) onHold else focus != FocusNews.GAINED
        if (held == told) return
        told = held
        onHeld(held)
    }
}
