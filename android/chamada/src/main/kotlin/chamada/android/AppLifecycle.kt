package chamada.android

import android.app.Activity
import android.app.Application
import android.content.ComponentCallbacks2
import android.content.res.Configuration
import android.os.Bundle
import chamada.android.plain.Visibility

/**
 * Tells when people see the app and when they do not, and when memory is short: hand it to `Client.foreground`, `background` and
 * `lowMemory`. An activity in picture-in-picture is seen. To be made in `Application.onCreate`, before any activity; on the main
 * thread.
 */
public class AppLifecycle(application: Application) {
    /** Who is told; one at a time. */
    public var listener: Listener? = null

    /** What a client wants to know. */
    public interface Listener {
        public fun onForeground()
        public fun onBackground()
        public fun onMemoryShort()
    }

    private val visibility = Visibility { seen -> if (seen) listener?.onForeground() else listener?.onBackground() }

    /** Whether an activity is to be seen. */
    public val isForeground: Boolean get() = visibility.seen

    init {
        application.registerActivityLifecycleCallbacks(object : Application.ActivityLifecycleCallbacks {
            override fun onActivityStarted(activity: Activity) = visibility.started()
            override fun onActivityStopped(activity: Activity) = visibility.stopped(activity.isChangingConfigurations)
            override fun onActivityCreated(activity: Activity, state: Bundle?) {}
            override fun onActivityResumed(activity: Activity) {}
            override fun onActivityPaused(activity: Activity) {}
            override fun onActivitySaveInstanceState(activity: Activity, state: Bundle) {}
            override fun onActivityDestroyed(activity: Activity) {}
        })
        application.registerComponentCallbacks(object : ComponentCallbacks2 {
            override fun onTrimMemory(level: Int) {
                // Hidden screens are told of above; every other level means that memory is short.
                if (level != ComponentCallbacks2.TRIM_MEMORY_UI_HIDDEN) listener?.onMemoryShort()
            }

            @Deprecated("by the system, which calls both", ReplaceWith("onTrimMemory"))
            override fun onLowMemory() = listener?.onMemoryShort() ?: Unit
            override fun onConfigurationChanged(configuration: Configuration) {}
        })
    }
}
