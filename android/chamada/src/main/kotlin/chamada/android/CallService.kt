package chamada.android

import android.app.Notification
import android.app.Service
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Build
import android.os.IBinder
import android.util.Log
import chamada.AppCallService

/**
 * Keeps the process, its camera and its microphone alive while a call rings or goes on. The app's own service extends it and is
 * named in the manifest with `foregroundServiceType="phoneCall|camera|microphone"`.
 *
 * Start it by `startForegroundService`; every start shows [call] anew, and without one the service ends. Stop it only while
 * [isShown]: one that was started and is stopped before it shows its notification is taken for a crash.
 */
public abstract class CallService : Service() {
    /** `AppEffect.CallService` of now; none if there is no call. */
    protected abstract fun call(): AppCallService?

    /** What to show of it. */
    protected abstract fun notification(call: AppCallService): Notification

    /** Shown for a moment if the call ended before the service began: the system wants to see one all the same. */
    protected abstract fun farewell(): Notification

    /** Refused by the notification's button. */
    protected abstract fun onDecline()

    /** Microphone off or on, by the button of the small picture. */
    protected abstract fun onMute()

    /** Ended by the notification's button, or that of the small picture. */
    protected abstract fun onHangUp()

    override fun onBind(intent: Intent?): IBinder? = null

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        when (intent?.action) {
            CallNotifications.DECLINE -> onDecline()
            CallNotifications.MUTE -> onMute()
            CallNotifications.HANG_UP -> onHangUp()
        }
        val call = call()
        show(call?.let(::notification) ?: farewell(), call)
        isShown = true
        if (call == null) {
            stopForeground(STOP_FOREGROUND_REMOVE)
            stopSelf()
        }
        return START_NOT_STICKY
    }

    override fun onDestroy() {
        isShown = false
        super.onDestroy()
    }

    private fun show(notification: Notification, call: AppCallService?) {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return startForeground(ID, notification)
        try {
            startForeground(ID, notification, types(call))
        } catch (e: SecurityException) {
            // From the background the system allows no camera and no microphone; the call itself it does.
            Log.w(TAG, "the service runs without camera and microphone", e)
            startForeground(ID, notification, ServiceInfo.FOREGROUND_SERVICE_TYPE_PHONE_CALL)
        }
    }

    private fun types(call: AppCallService?): Int {
        var types = ServiceInfo.FOREGROUND_SERVICE_TYPE_PHONE_CALL
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R || call == null) return types
        if (call.camera) types = types or ServiceInfo.FOREGROUND_SERVICE_TYPE_CAMERA
        if (call.microphone) types = types or ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE
        return types
    }

    public companion object {
        private const val ID = 6503

        /** Whether a service shows its notification. On the main thread. */
        public var isShown: Boolean = false
            private set
    }
}
