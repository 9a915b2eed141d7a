package chamada.android

import android.content.Context
import android.media.AudioFocusRequest
import android.media.AudioManager
import android.os.Build
import android.os.Handler
import android.os.Looper
import chamada.AppAction
import chamada.AppAudioInterruption
import chamada.AppAudioRoute

/**
 * The phone's audio while a call goes on: focus, mode and route. It does what `AppEffect`s of audio say, and tells the routes that there are
 * and what becomes of the focus. On the main thread.
 *
 * @param onReport what was done, one line a time, for a developer.
 */
public class CallAudio(
    context: Context,
    private val dispatch: (AppAction) -> Unit,
    private val onReport: (String) -> Unit = {},
) {
    private val manager = context.getSystemService(AudioManager::class.java)
    private val handler = Handler(Looper.getMainLooper())
    private val own: AudioRouter =
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) CommunicationRouter(manager, handler) else ScoRouter(context, manager, handler)

    /** Telecom's, while it holds a call of ours: it moves sound by itself and would undo what others do. */
    private var telecom: AudioRouter? = null
    private val router get() = telecom ?: own
    private var running = false

    /** What was told last of the focus. */
    private var interrupted = false

    private val focus = AudioFocusRequest.Builder(AudioManager.AUDIOFOCUS_GAIN_TRANSIENT)
        .setAudioAttributes(SPEECH)
        // In a phone call: silent now, and told when it is over.
        .setAcceptsDelayedFocusGain(true)
        .setOnAudioFocusChangeListener(::focusIs, handler)
        .build()

    /** `AppEffect.StartAudio`. A second time does nothing. */
    public fun start() {
        if (running) return
        running = true
        interrupted = false
        manager.mode = AudioManager.MODE_IN_COMMUNICATION
        askForFocus()
        router.start(::routesAre)
    }

    /** `AppEffect.StopAudio`. */
    public fun stop() {
        if (!running) return
        running = false
        router.stop()
        telecom = null
        // Gives back ours; a mode that a phone call set stays.
        manager.mode = AudioManager.MODE_NORMAL
        manager.abandonAudioFocusRequest(focus)
        onReport("audio given back")
    }

    /** `AppEffect.ReclaimAudio`. The system may say no, during a phone call say. */
    public fun reclaim() {
        if (running) askForFocus()
    }

    /** `AppEffect.SelectAudioRoute`. */
    public fun select(id: String) {
        if (!running) return
        val taken = router.select(id)
        onReport("route $id${if (taken) "" else " refused"}")
    }

    /** Telecom took the call over and routes sound from now on; null when it lets go. */
    public fun telecom(routes: AudioRouter?) {
        if (telecom === routes) return
        if (running) router.stop()
        telecom = routes
        interrupted = false
        if (!running) return
        // Telecom takes the focus for the call, from us, too.
        if (routes == null) askForFocus() else manager.abandonAudioFocusRequest(focus)
        router.start(::routesAre)
    }

    private fun askForFocus() {
        if (telecom != null) return
        val answer = manager.requestAudioFocus(focus)
        onReport("focus asked for: $answer")
        // Refused: nobody would tell that it is free, so the call goes on as if nobody had it.
        if (answer == AudioManager.AUDIOFOCUS_REQUEST_DELAYED) tell(AppAudioInterruption.BEGAN) else tell(AppAudioInterruption.ENDED)
    }

    private fun focusIs(change: Int) {
        onReport("focus: $change")
        if (!running || telecom != null) return
        when (change) {
            AudioManager.AUDIOFOCUS_GAIN -> tell(AppAudioInterruption.ENDED)
            AudioManager.AUDIOFOCUS_LOSS_TRANSIENT -> tell(AppAudioInterruption.BEGAN)
            AudioManager.AUDIOFOCUS_LOSS -> tell(AppAudioInterruption.LOST)
        }
    }

    private fun tell(interruption: AppAudioInterruption) {
        val ended = interruption == AppAudioInterruption.ENDED
        // What was not interrupted does not end.
        if (ended && !interrupted) return
        interrupted = !ended
        dispatch(AppAction.AudioInterrupted(interruption))
    }

    private fun routesAre(routes: List<AppAudioRoute>) {
        if (running) dispatch(AppAction.AudioRoutesChanged(routes, router.current()))
    }
}

/** Something that moves sound between routes. On the main thread. */
public interface AudioRouter {
    /** Tells the routes that there are, at once and whenever they, or the one that is taken, change. */
    public fun start(onRoutes: (List<AppAudioRoute>) -> Unit)

    /** Tells nothing more and gives back what was taken. */
    public fun stop()

    /** The `id` of the one that sound takes, if that is known. */
    public fun current(): String?

    /** Takes the one with this `id`. Returns whether the system agreed. */
    public fun select(id: String): Boolean
}
