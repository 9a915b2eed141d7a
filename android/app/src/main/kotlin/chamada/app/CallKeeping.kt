package chamada.app

import android.app.Application
import android.app.NotificationManager
import android.content.Intent
import android.util.Log
import chamada.android.CallAudio
import chamada.android.CallLook
import chamada.android.CallNotifications
import chamada.android.CallService
import chamada.android.RouteDriver
import chamada.android.TelecomCalls
import chamada.android.TelecomListener
import chamada.android.plain.Route
import chamada.app.logic.CallView
import chamada.app.logic.Phase
import kotlinx.coroutines.flow.distinctUntilChangedBy
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch

/** What the system needs while a call goes on: audio, a foreground service with its notification, and Telecom's book. */
class CallKeeping(private val application: Application, private val house: House) : TelecomListener {
    private val desk get() = house.desk
    private val manager = application.getSystemService(NotificationManager::class.java)
    private val notifications = CallNotifications(
        application,
        CallLook(
            icon = R.drawable.ic_call,
            activity = CallActivity::class.java,
            service = TalkService::class.java,
            incomingChannel = application.getString(R.string.incoming_video_call),
            ongoingChannel = application.getString(R.string.incoming_video),
            incoming = application.getString(R.string.incoming_video_call),
            ongoing = application.getString(R.string.incoming_video),
            accept = application.getString(R.string.incoming_accept),
            decline = application.getString(R.string.incoming_decline),
            hangUp = application.getString(R.string.call_hang_up),
        ),
    )
    private val audio = CallAudio(application, { routes, now -> desk.routes(routes, now) }, { desk.held(it) }) { Log.i("chamada", it) }
    private val telecom = TelecomCalls(application, application.getString(R.string.title))
    private var before: CallView? = null

    init {
        telecom.listener = this
        house.scope.launch {
            desk.state.map { it.call }.distinctUntilChangedBy { it?.run { listOf(phase, camera, cameraThere, since) } }.collect(::call)
        }
    }

    /** The person chose a way for sound. */
    fun choose(route: Route) = audio.choose(route)

    /** The person sees the call again: what the system refused while nobody did, it may allow now. */
    fun back() {
        val call = desk.state.value.call?.takeIf { it.usesDevices } ?: return
        audio.back()
        serve(call)
    }

    /** The person wants the sound of a call that is held. */
    fun takeSound() {
        telecom.resume()
        audio.takeBack()
    }

    /** What the service shows. */
    fun notification() = desk.state.value.call?.let { call ->
        if (call.phase == Phase.RINGING_LOCALLY) notifications.ringing(call.with) else notifications.ongoing(call.with, call.since)
    }

    /** What it shows for a moment if there is no call any more when it begins. */
    fun farewell() = notifications.ongoing(application.getString(R.string.title), null)

    private fun call(now: CallView?) {
        val last = before
        before = now
        if (now == null) {
            if (last == null) return
            audio.end()
            telecom.ended()
            manager.cancel(RINGING)
            // Otherwise it is about to begin, and ends by itself.
            if (CallService.isShown) application.stopService(Intent(application, TalkService::class.java))
            return
        }
        if (last == null) if (now.phase == Phase.RINGING_LOCALLY) telecom.incoming(now.with) else telecom.outgoing(now.with)
        if (now.usesDevices) {
            manager.cancel(RINGING)
            audio.begin(now.camera)
            audio.video(now.camera || now.cameraThere)
        }
        if (now.phase == Phase.CONNECTED && last?.goesOn != true) telecom.active()
        if (last?.phase != now.phase || last.since != now.since || last.camera != now.camera) serve(now)
    }

    private fun serve(now: CallView) {
        try {
            application.startForegroundService(Intent(application, TalkService::class.java))
        } catch (e: IllegalStateException) {
            // In the background the system may allow no service to start; it still lets the phone ring.
            Log.w("chamada", "no service for the call", e)
            if (now.phase == Phase.RINGING_LOCALLY) manager.notify(RINGING, notifications.ringing(now.with))
        }
    }

    // What the system asks of the call.

    override fun onAnswer() = desk.accept()

    override fun onReject() {
        desk.decline()
    }

    override fun onHangUp() {
        desk.hangUp()
    }

    override fun onHold(held: Boolean) = audio.hold(held)

    override fun onMute(muted: Boolean) {
        val call = desk.state.value.call ?: return
        if (call.microphone == muted) desk.toggleMicrophone()
    }

    /** The service's notification shows it already. */
    override fun onShowIncoming() {}

    override fun onRoutes(routes: RouteDriver?) = audio.telecom(routes)

    private companion object {
        const val RINGING = 6504
    }
}
