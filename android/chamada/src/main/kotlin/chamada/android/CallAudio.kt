package chamada.android

import android.content.Context
import android.media.AudioFocusRequest
import android.media.AudioManager
import android.os.Build
import android.os.Handler
import android.os.Looper
import chamada.android.plain.FocusNews
import chamada.android.plain.Route
import chamada.android.plain.RouteBook
import chamada.android.plain.Sound

/**
 * The phone's audio while a call goes on: focus, mode and route. The app decides when it begins and ends, and may leave it out and do
 * all of it by itself; everything that is done is told. On the main thread.
 *
 * @param onRoutes the ways that there are and the one that sound takes.
 * @param onHeld another call or app has the sound (true): neither play nor record until it is ours again (false). Forgotten at [end].
 * @param onReport what was done, one line a time, for a developer.
 */
public class CallAudio(
    context: Context,
    private val onRoutes: (routes: List<Route>, now: Route?) -> Unit,
    onHeld: (Boolean) -> Unit,
    private val onReport: (String) -> Unit = {},
) {
    private val manager = context.getSystemService(AudioManager::class.java)
    private val handler = Handler(Looper.getMainLooper())
    private val book = RouteBook()
    private val own: RouteDriver =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) CommunicationRoutes(manager, handler) else ScoRoutes(context, manager, handler)

    /** Telecom's, while it holds a call of ours: it moves sound by itself and would undo what others do. */
    private var telecom: RouteDriver? = null
    private val driver get() = telecom ?: own
    private val sound = Sound(onHeld)
    private var video: Boolean? = null
    private var running = false

    private val focus = AudioFocusRequest.Builder(AudioManager.AUDIOFOCUS_GAIN_TRANSIENT)
        .setAudioAttributes(SPEECH)
        // In a phone call: silent now, and told when it is over.
        .setAcceptsDelayedFocusGain(true)
        .setOnAudioFocusChangeListener(::focusIs, handler)
        .build()

    /** A call begins. A second time does nothing. */
    public fun begin(video: Boolean) {
        if (running) return
        running = true
        sound.reset()
        askForFocus()
        manager.mode = AudioManager.MODE_IN_COMMUNICATION
        book.reset()
        book.video(video)
        driver.start(::routesAre)
    }

    /** The call is over. */
    public fun end() {
        if (!running) return
        running = false
        video = null
        driver.stop()
        telecom = null
        sound.telecom(false)
        sound.reset()
        // Gives back ours; a mode that a phone call set stays.
        manager.mode = AudioManager.MODE_NORMAL
        manager.abandonAudioFocusRequest(focus)
        onReport("audio given back")
    }

    /** The person chose a way. */
    public fun choose(route: Route) {
        if (running) take(book.choose(route.id))
    }

    /** Whether pictures are shown: without them the phone is held to the ear. Said again it moves nothing that somebody else moved. */
    public fun video(shown: Boolean) {
        if (!running || shown == video) return
        video = shown
        take(book.video(shown))
    }

    /** The person is back at the call, from an app that took the sound for good, say. */
    public fun back() {
        if (running && sound.isLost) askForFocus()
    }

    /** The person wants the sound here, whoever has it. The system may say no, during a phone call say. */
    public fun takeBack() {
        if (running) askForFocus()
    }

    /** Telecom took the call over and routes sound from now on; null when it lets go. */
    public fun telecom(routes: RouteDriver?) {
        if (telecom === routes) return
        if (running) driver.stop()
        telecom = routes
        sound.telecom(routes != null)
        if (!running) return
        // Telecom takes the focus for the call, from us, too.
        if (routes == null) askForFocus() else manager.abandonAudioFocusRequest(focus)
        driver.start(::routesAre)
    }

    /** Telecom puts the call on hold for another one (true), or takes it up again. */
    public fun hold(on: Boolean) {
        if (running) sound.hold(on)
    }

    private fun askForFocus() {
        if (!sound.asksForFocus) return
        val answer = manager.requestAudioFocus(focus)
        onReport("focus asked for: $answer")
        // Refused: nobody would tell that it is free, so the call goes on as if nobody had it.
        sound.focus(if (answer == AudioManager.AUDIOFOCUS_REQUEST_DELAYED) FocusNews.LENT else FocusNews.GAINED)
    }

    private fun focusIs(change: Int) {
        onReport("focus: $change")
        if (!running) return
        when (change) {
            AudioManager.AUDIOFOCUS_GAIN -> sound.focus(FocusNews.GAINED)
            AudioManager.AUDIOFOCUS_LOSS_TRANSIENT -> sound.focus(FocusNews.LENT)
            AudioManager.AUDIOFOCUS_LOSS -> sound.focus(FocusNews.LOST)
        }
    }

    private fun routesAre(routes: List<Route>) {
        if (running) take(book.available(routes))
    }

    private fun take(route: Route?) {
        if (route != null && route.id != driver.current()?.id) {
            val taken = driver.select(route)
            onReport("route ${route.kind}${if (taken) "" else " refused"}")
        }
        onRoutes(book.routes, driver.current() ?: route)
    }
}

/** Something that moves sound between routes. On the main thread. */
public interface RouteDriver {
    /** Tells the routes that there are, at once and whenever they, or the one that is taken, change. */
    public fun start(onRoutes: (List<Route>) -> Unit)

    /** Tells nothing more and gives back what was taken. */
    public fun stop()

    /** The one that sound takes, if that is known. */
    public fun current(): Route?

    /** Takes it. Returns whether the system agreed. */
    public fun select(route: Route): Boolean
}
