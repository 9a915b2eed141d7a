package chamada.android

import android.app.Activity
import android.app.Application
import android.content.BroadcastReceiver
import android.content.ComponentCallbacks2
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.content.res.Configuration
import android.media.AudioManager
import android.os.Build
import android.os.Bundle
import android.os.PowerManager
import android.util.Log
import chamada.AppAction
import chamada.AppRingerMode
import chamada.AppVisibility
import chamada.ThermalState
import chamada.android.plain.StartedActivities

/**
 * Tells what of the system concerns an app with calls: whether people see it, its network, memory, heat, and how the phone rings. To be made
 * in `Application.onCreate`, before any activity; on the main thread, on which it tells.
 */
public class SystemMonitor(private val application: Application, private val dispatch: (AppAction) -> Unit) {
    private val audio = application.getSystemService(AudioManager::class.java)
    private val activities: StartedActivities = StartedActivities { tellVisibility() }

    /** Whether the one activity that is seen is a small picture over other apps. */
    public var isPictureInPicture: Boolean = false
        set(value) {
            field = value
            tellVisibility()
        }

    init {
        tellVisibility()
        application.registerActivityLifecycleCallbacks(object : Application.ActivityLifecycleCallbacks {
            override fun onActivityStarted(activity: Activity) = activities.started()
            override fun onActivityStopped(activity: Activity) = activities.stopped(activity.isChangingConfigurations)
            override fun onActivityCreated(activity: Activity, state: Bundle?) {}
            override fun onActivityResumed(activity: Activity) {}
            override fun onActivityPaused(activity: Activity) {}
            override fun onActivitySaveInstanceState(activity: Activity, state: Bundle) {}
            override fun onActivityDestroyed(activity: Activity) {}
        })
        application.registerComponentCallbacks(object : ComponentCallbacks2 {
            override fun onTrimMemory(level: Int) {
                // Hidden screens are told of above; every other level means that memory is short.
                if (level != ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN) dispatch(AppAction.LowMemory)
            }

            @Deprecated("by the system, which calls both", ReplaceWith("onTrimMemory"))
            override fun onLowMemory() = dispatch(AppAction.LowMemory)
            override fun onConfigurationChanged(configuration: Configuration) {}
        })
        val ringer = object : BroadcastReceiver() {
            override fun onReceive(context: Context, intent: Intent) = tellRinger()
        }
        application.registerReceiver(ringer, IntentFilter(AudioManager.RINGER_MODE_CHANGED_ACTION))
        tellRinger()
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
            val power = application.getSystemService(PowerManager::class.java)
            try {
                power.addThermalStatusListener(application.mainExecutor) { dispatch(AppAction.ThermalStateChanged(thermal(it))) }
            } catch (e: RuntimeException) {
                // Android refuses so where it cannot tell; a call goes on without.
                Log.w(TAG, "no thermal state", e)
            }
        }
        NetworkMonitor(application) { dispatch(AppAction.NetworkChanged(it)) }
    }

    private fun tellVisibility(): Unit = dispatch(
        AppAction.VisibilityChanged(
            when {
                !activities.seen -> AppVisibility.BACKGROUND
                isPictureInPicture -> AppVisibility.PICTURE_IN_PICTURE
                else -> AppVisibility.FOREGROUND
            },
        ),
    )

    private fun tellRinger(): Unit = dispatch(
        AppAction.RingerModeChanged(
            when (audio.ringerMode) {
                AudioManager.RINGER_MODE_SILENT -> AppRingerMode.SILENT
                AudioManager.RINGER_MODE_VIBRATE -> AppRingerMode.VIBRATE
                else -> AppRingerMode.NORMAL
            },
        ),
    )

    private companion object {
        /** As Apple names them, which has fewer. */
        fun thermal(status: Int): ThermalState = when (status) {
            PowerManager.THERMAL_STATUS_NONE -> ThermalState.NOMINAL
            PowerManager.THERMAL_STATUS_LIGHT -> ThermalState.FAIR
            PowerManager.THERMAL_STATUS_MODERATE, PowerManager.THERMAL_STATUS_SEVERE -> ThermalState.SERIOUS
            else -> ThermalState.CRITICAL
        }
    }
}
