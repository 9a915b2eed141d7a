package chamada.android

import android.app.Application
import android.content.Context
import android.hardware.display.DisplayManager
import android.view.Display
import android.view.Surface
import chamada.ClientInterface
import chamada.Devices
import chamada.android.plain.CameraNames
import chamada.android.plain.CameraTrouble

/**
 * All of a phone that a call needs, in one object for the life of the app, made in `Application.onCreate`:
 *
 * ```
 * val phone = Phone(application, CameraNames("Front", "Rear", "Other"))
 * val session = Session.connect(Config("wss://call.example.org", "ana"), phone.devices)
 * phone.follow(session)                   // background, network, memory
 * phone.remote.attach(remoteVideoView)    // in an activity; detach when it stops
 * ```
 *
 * @param onTrouble a camera gives no pictures any more, or (null) gives them again. From any thread.
 */
public class Phone(
    private val application: Application,
    names: CameraNames,
    onTrouble: (CameraTrouble?) -> Unit = {},
    onReport: (String) -> Unit = {},
) {
    /** What the other side sends. */
    public val remote: VideoOutput = VideoOutput()

    /** What the own camera sees. */
    public val preview: VideoOutput = VideoOutput()

    /** The phone's cameras. */
    public val cameras: PhoneCameras = PhoneCameras(application, names, ::displayDegrees, onTrouble)

    /** Its microphone and speaker. */
    public val audio: PhoneAudio = PhoneAudio(application, onReport)

    /** For `Session.connect`. */
    public val devices: Devices = Devices(cameras, audio, remote, preview)

    private val lifecycle = AppLifecycle(application)

    /** From now on the client hears what the system tells the app; until what is returned is closed. On the main thread. */
    public fun follow(client: ClientInterface): AutoCloseable {
        val listener = object : AppLifecycle.Listener {
            override fun onForeground() = client.foreground()
            override fun onBackground() = client.background()
            override fun onMemoryShort() {
                client.lowMemory()
            }
        }
        lifecycle.listener = listener
        if (!lifecycle.isForeground) client.background()
        val network = NetworkWatch(application, client::networkChanged)
        return AutoCloseable {
            if (lifecycle.listener === listener) lifecycle.listener = null
            network.close()
        }
    }

    private fun displayDegrees(): Int {
        val displays = application.getSystemService(Context.DISPLAY_SERVICE) as DisplayManager
        return when (displays.getDisplay(Display.DEFAULT_DISPLAY)?.rotation) {
            Surface.ROTATION_90 -> 90
            Surface.ROTATION_180 -> 180
            Surface.ROTATION_270 -> 270
            else -> 0
        }
    }
}
