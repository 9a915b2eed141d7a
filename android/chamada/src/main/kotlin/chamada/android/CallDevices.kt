package chamada.android

import android.app.Application
import android.content.Context
import android.hardware.display.DisplayManager
import android.view.Display
import android.view.Surface
import chamada.AppCameraTrouble
import chamada.Devices
import chamada.android.plain.CameraNames

/**
 * Cameras, microphone, speaker and the places for pictures that a call needs, for the life of the app.
 *
 * @param onTrouble a camera gives no pictures any more, or (null) gives them again: `AppAction.CameraTrouble`. From any thread.
 */
public class CallDevices(
    private val application: Application,
    names: CameraNames,
    onTrouble: (AppCameraTrouble?) -> Unit = {},
    onReport: (String) -> Unit = {},
) {
    /** What the other side sends. */
    public val remote: VideoOutput = VideoOutput()

    /** What the own camera sees. */
    public val preview: VideoOutput = VideoOutput()

    /** The phone's cameras. */
    public val cameras: Camera2Cameras = Camera2Cameras(application, names, ::displayDegrees, onTrouble)

    /** Its microphone and speaker. */
    public val audio: CallAudioDevices = CallAudioDevices(application, onReport)

    /** For [CallViewModel], or `Session.connect` where an app decides by itself. */
    public val devices: Devices = Devices(cameras, audio, remote, preview)

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
