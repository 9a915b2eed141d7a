package chamada.app

import android.app.Activity
import android.app.Application
import android.app.NotificationManager
import android.content.ActivityNotFoundException
import android.content.Intent
import android.os.PowerManager
import android.util.Log
import chamada.AppAction
import chamada.AppCallService
import chamada.AppEffect
import chamada.AppField
import chamada.AppPermission
import chamada.AppPhotoOutcome
import chamada.AppSystemCallNews
import chamada.android.AudioRouter
import chamada.android.CallAudio
import chamada.android.CallLook
import chamada.android.CallNotifications
import chamada.android.CallService
import chamada.android.CallTones
import chamada.android.TelecomCalls
import chamada.android.TelecomListener
import chamada.ui.R
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/** How the window of a call is to be. */
data class WindowState(val keepScreenOn: Boolean = false, val showWhenLocked: Boolean = false)

/** A question of the system's to the person, to be asked by the activity that is seen. */
class PermissionRequest(val request: ULong, val permissions: List<AppPermission>) {
    /** Its class: the answer comes to the activity that stands in its place if it was made anew meanwhile. */
    var askedBy: Class<out Activity>? = null
}

/** Carries out what the core decides: audio, tones, the service with its notification, Telecom, photos, and what is kept. */
class CallSession(private val application: Application, private val container: AppContainer) : TelecomListener {
    private val manager = application.getSystemService(NotificationManager::class.java)
    private val notifications = CallNotifications(
        application,
        CallLook(
            icon = R.drawable.ic_call,
            activity = CallActivity::class.java,
            service = CallForegroundService::class.java,
            home = MainActivity::class.java,
            incomingChannel = application.getString(R.string.incoming_video_call),
            ongoingChannel = application.getString(R.string.incoming_video),
            missedChannel = application.getString(R.string.log_missed),
            incoming = application.getString(R.string.incoming_video_call),
            ongoing = application.getString(R.string.incoming_video),
            missed = { application.getString(R.string.end_cancelled_there, it) },
            somebody = application.getString(R.string.title),
            accept = application.getString(R.string.incoming_accept),
            decline = application.getString(R.string.incoming_decline),
            hangUp = application.getString(R.string.call_hang_up),
        ),
    )
    private val audio = CallAudio(application, ::dispatch) { Log.i("chamada", it) }
    private val tones = CallTones(application)
    private val telecom = TelecomCalls(application, application.getString(R.string.title)).also { it.listener = this }
    private val photos = PhotoStore(application)
    private val proximity = application.getSystemService(PowerManager::class.java).run {
        val level = PowerManager.PROXIMITY_SCREEN_OFF_WAKE_LOCK
        if (isWakeLockLevelSupported(level)) newWakeLock(level, "chamada:call").apply { setReferenceCounted(false) } else null
    }

    /** What the service shows. */
    var service: AppCallService? = null
        private set

    private val nowWindow = MutableStateFlow(WindowState())
    val window: StateFlow<WindowState> = nowWindow.asStateFlow()

    private val nowAsking = MutableStateFlow<PermissionRequest?>(null)
    val asking: StateFlow<PermissionRequest?> = nowAsking.asStateFlow()

    private val focused = Channel<AppField>(Channel.BUFFERED)

    /** Where the cursor is to go, each once. */
    val focus: Flow<AppField> = focused.receiveAsFlow()

    private fun dispatch(action: AppAction) = container.viewModel.dispatch(action)

    fun carryOut(effect: AppEffect) {
        when (effect) {
            is AppEffect.SystemCall -> telecom.tell(effect.told)
            is AppEffect.AskPermissions -> nowAsking.value = PermissionRequest(effect.request, effect.permissions)
            is AppEffect.OpenSettings -> open(container.permissions.settings(effect.page))
            is AppEffect.Focus -> focused.trySend(effect.field)
            is AppEffect.CallService -> serve(effect.service)
            is AppEffect.StartAudio -> audio.start()
            AppEffect.StopAudio -> audio.stop()
            AppEffect.ReclaimAudio -> audio.reclaim()
            is AppEffect.SelectAudioRoute -> audio.select(effect.id)
            is AppEffect.Ring -> tones.ring(effect.on)
            is AppEffect.Vibrate -> tones.vibrate(effect.on)
            is AppEffect.Ringback -> tones.ringback(effect.on)
            is AppEffect.SilenceSpeaker -> container.devices.audio.silent = effect.on
            is AppEffect.Proximity -> proximity?.run { if (effect.on) acquire(LONGEST_CALL) else release(PowerManager.RELEASE_FLAG_WAIT_FOR_NO_PROXIMITY) }
            is AppEffect.KeepScreenOn -> nowWindow.update { it.copy(keepScreenOn = effect.on) }
            is AppEffect.ShowWhenLocked -> nowWindow.update { it.copy(showWhenLocked = effect.on) }
            is AppEffect.NotifyMissedCall -> notifications.missed(effect.call, effect.from, effect.atMs.toLong())
            is AppEffect.RequestPushToken -> container.push.takeIf { it.platform in effect.platforms }?.register(effect.applicationServerKey)
            AppEffect.ClearMissedCalls -> notifications.clearMissed()
            is AppEffect.SavePhoto -> save(effect.jpeg)
            is AppEffect.SaveSignIn -> container.store.save(effect.saved)
            is AppEffect.SaveBlocked -> container.store.saveBlocked(effect.json)
            is AppEffect.SaveRemembered -> container.store.saveRemembered(effect.json)
            is AppEffect.SaveHistory -> container.store.saveHistory(effect.json)
        }
    }

    private fun open(settings: Intent) = try {
        application.startActivity(settings)
    } catch (e: ActivityNotFoundException) {
        Log.w("chamada", "no such settings", e)
    }

    // The service.

    private fun serve(service: AppCallService?) {
        this.service = service
        if (service?.ringing != true) manager.cancel(RINGING)
        if (service != null) return start(service)
        // Otherwise it is about to begin, and ends by itself.
        if (CallService.isShown) application.stopService(Intent(application, CallForegroundService::class.java))
    }

    private fun start(service: AppCallService) {
        try {
            application.startForegroundService(Intent(application, CallForegroundService::class.java))
        } catch (e: IllegalStateException) {
            // In the background the system may allow no service to start; it still lets the phone ring.
            Log.w("chamada", "no service for the call", e)
            if (service.ringing) manager.notify(RINGING, notifications.of(service))
        }
    }

    /** The person sees the call again: camera and microphone, which the system refused the service while nobody did, it may allow now. */
    fun refreshService() {
        service?.let(::start)
    }

    /** What a button does that the system shows: [CallNotifications.MUTE] or [CallNotifications.HANG_UP]. */
    fun button(action: String) = notifications.tell(action)

    fun notification(call: AppCallService) = notifications.of(call)

    /** What the service shows for a moment if there is no call any more when it begins. */
    fun farewell() = notifications.of(AppCallService(ringing = false, with = "", sinceMs = null, camera = false, microphone = false))

    // Telecom.

    override fun onNews(call: String, news: AppSystemCallNews) {
        if (news is AppSystemCallNews.Answered) {
            // Only while the call is seen the system lets it use the microphone.
            application.startActivity(Intent(application, CallActivity::class.java).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK))
        }
        dispatch(AppAction.SystemCall(call, news))
    }

    override fun onRoutes(routes: AudioRouter?) = audio.telecom(routes)

    // Questions.

    /** An activity is seen: it asks for these permissions, if any. */
    fun ask(activity: Activity, question: PermissionRequest): Array<String>? {
        if (question.askedBy != null) return null
        question.askedBy = activity.javaClass
        return container.permissions.ask(question.permissions)
    }

    /** This activity heard the answer, or goes and will hear none. */
    fun answered(activity: Activity) {
        val question = nowAsking.value?.takeIf { it.askedBy == activity.javaClass } ?: return
        nowAsking.value = null
        dispatch(AppAction.PermissionsAnswered(question.request, container.permissions.status(activity)))
    }

    private fun save(jpeg: ByteArray) {
        container.scope.launch {
            val saved = photos.save(jpeg, System.currentTimeMillis())
            dispatch(AppAction.PhotoSaved(if (saved) AppPhotoOutcome.SAVED else AppPhotoOutcome.FAILED))
        }
    }

    private companion object {
        const val RINGING = 6504

        /** The system wants to know; a day. */
        const val LONGEST_CALL = 86_400_000L
    }
}
