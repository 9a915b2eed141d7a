package chamada.app

import android.Manifest
import android.app.Activity
import android.app.Application
import android.content.pm.PackageManager
import android.os.Build
import android.os.Handler
import android.os.Looper
import android.util.Log
import chamada.AppException
import chamada.AudioDevices
import chamada.Config
import chamada.Demo
import chamada.Devices
import chamada.MicrophoneSink
import chamada.Session
import chamada.android.Phone
import chamada.android.PhonePermissions
import chamada.android.plain.CameraNames
import chamada.android.plain.Grant
import chamada.android.plain.Need
import chamada.app.logic.DemoPlace
import chamada.app.logic.Desk
import chamada.app.logic.Line
import chamada.app.logic.PatternCameras
import chamada.app.logic.SessionLine
import chamada.app.logic.Surroundings
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import java.util.concurrent.Executor

/** Everything that lives as long as the app: the desk, the phone, and what keeps a call alive. On the main thread. */
class House(private val application: Application) : Surroundings {
    private val main = Handler(Looper.getMainLooper())
    val scope: CoroutineScope = CoroutineScope(SupervisorJob() + Executor { main.post(it) }.asCoroutineDispatcher())

    private val names = application.run {
        CameraNames(getString(R.string.camera_front), getString(R.string.camera_rear), getString(R.string.camera_other))
    }
    val phone: Phone = Phone(
        application,
        names,
        onTrouble = { trouble -> main.post { desk.cameraTrouble(trouble) } },
        onReport = { Log.i("chamada", it) },
    )
    val permissions: PhonePermissions = PhonePermissions(application)
    val desk: Desk = Desk(scope, this)
    val keeping: CallKeeping = CallKeeping(application, this)
    private val gallery = Gallery(application)

    /** A call's screen is there, perhaps small in a corner. */
    var callScreen: Boolean = false

    /** The activity that is seen, which can ask for permissions. */
    var front: Activity? = null
    private var asking: Question? = null

    /** The system is asking the person something for us. */
    val isAsking: Boolean get() = asking != null

    override suspend fun connect(config: Config, demo: Boolean): Line {
        val session = Session.connect(config, if (demo) demoDevices() else phone.devices)
        networkChanged = session::networkChanged
        return SessionLine(session, phone.follow(session))
    }

    /** Tells the client so, for the hidden fault menu; the system's own news comes by itself. */
    var networkChanged: () -> Unit = {}
        private set

    private fun demoDevices(): Devices {
        val audio = phone.devices.audio ?: return phone.devices
        // Heard, but not listened to: a microphone would need permission.
        val deaf = object : AudioDevices by audio {
            override fun openMicrophone(sink: MicrophoneSink) {}
            override fun closeMicrophone() {}
        }
        return phone.devices.copy(cameras = PatternCameras(names), audio = deaf)
    }

    override suspend fun startDemo() = DemoPlace(Demo.start("eco"))

    override fun grants(): Map<Need, Grant> = permissions.grants(front)

    override suspend fun ask(needs: List<Need>) = asked { activity -> permissions.ask(activity, needs, REQUEST) }

    /** Waits for the person's answer; at once if no activity is there to ask. */
    private suspend fun asked(ask: (Activity) -> Unit) {
        val activity = front ?: return
        asking?.answer?.complete(Unit)
        val question = Question(activity.javaClass).also { asking = it }
        ask(activity)
        question.answer.await()
    }

    /** This activity heard the answer, or is gone and will hear none. */
    fun answered(activity: Activity) {
        val question = asking?.takeIf { it.asker == activity.javaClass } ?: return
        asking = null
        question.answer.complete(Unit)
    }

    /** By its class: the answer comes to the activity that stands in its place if it was made anew meanwhile. */
    private class Question(val asker: Class<Activity>) {
        val answer = CompletableDeferred<Unit>()
    }

    override fun hasCamera(): Boolean = try {
        phone.cameras.listCameras().isNotEmpty()
    } catch (e: AppException) {
        Log.w("chamada", "no cameras", e)
        false
    }

    override fun hush(on: Boolean) {
        phone.audio.silent = on
    }

    override suspend fun savePhoto(jpeg: ByteArray): Boolean {
        val old = Build.VERSION.SDK_INT < Build.VERSION_CODES.Q
        val write = Manifest.permission.WRITE_EXTERNAL_STORAGE
        if (old && application.checkSelfPermission(write) != PackageManager.PERMISSION_GRANTED) {
            asked { it.requestPermissions(arrayOf(write), REQUEST) }
        }
        return gallery.save(jpeg, now())
    }

    override fun now(): Long = System.currentTimeMillis()

    private companion object {
        const val REQUEST = 1
    }
}
