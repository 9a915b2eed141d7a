package chamada.android

import android.app.Activity
import android.app.Application
import android.content.ComponentCallbacks2
import android.content.res.Configuration
import android.os.Bundle

/**
 * Tells when people see the app and when they do not, and when memory is short: hand it to `Client.foreground`, `background` and
 * `lowMemory`. An activity in picture-in-picture is seen. On the main thread.
 */
public class AppLifecycle(
    private val application: Application,
    private val onForeground: () -> Unit,
    private val onBackground: () -> Unit,
    private val onLowMemory: () -> Unit,
) : AutoCloseable {
    private var seen = 0

    /** Whether an activity is to be seen. */
    public val isForeground: Boolean get() = seen > 0

    private val activities = object : Application.ActivityLifecycleCallbacks {
        override fun onActivityStarted(activity: Activity) {
            if (seen++ == 0) onForeground()
        }

        override fun onActivityStopped(activity: Activity) {
            seen--
            // An activity that is turned is made anew; it is back before anybody could look away.
            if (seen == 0 && !activity.isChangingConfigurations) onBackground()
        }

        override fun onActivityCreated(activity: Activity, state: Bundle?) {}
        override fun onActivityResumed(activity: Activity) {}
        override fun onActivityPaused(activity: Activity) {}
        override fun onActivitySaveInstanceState(activity: Activity, state: Bundle) {}
        override fun onActivityDestroyed(activity: Activity) {}
    }

    private val memory = object : ComponentCallbacks2 {
        @Suppress("DEPRECATION") // The newer system tells these two only; the older one more.
        override fun onTrimMemory(level: Int) {
            if (level != ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN) this@AppLifecycle.onLowMemory()
        }

        @Deprecated("by the system", ReplaceWith("onTrimMemory"))
        override fun onLowMemory() = this@AppLifecycle.onLowMemory()
        override fun onConfigurationChanged(configuration: Configuration) {}
    }

    init {
        application.registerActivityLifecycleCallbacks(activities)
        application.registerComponentCallbacks(memory)
    }

    override fun close() {
        application.unregisterActivityLifecycleCallbacks(activities)
        application.unregisterComponentCallbacks(memory)
    }
}
