package chamada.app

import android.Manifest
import android.app.PictureInPictureParams
import android.app.RemoteAction
import android.content.Intent
import android.content.pm.PackageManager
import android.content.res.Configuration
import android.graphics.Color
import android.graphics.drawable.Icon
import android.os.Build
import android.os.Bundle
import android.util.Rational
import android.view.WindowManager
import androidx.activity.SystemBarStyle
import androidx.activity.addCallback
import androidx.activity.enableEdgeToEdge
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
import androidx.compose.foundation.layout.Box
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import chamada.AppAction
import chamada.AppCallView
import chamada.AppPhotoOutcome
import chamada.android.CallNotifications
import chamada.android.plain.Scaling
import chamada.ui.CallScreen
import chamada.ui.CallScreenActions
import chamada.ui.ChamadaTheme
import chamada.ui.R
import chamada.ui.VideoSurface
import kotlinx.coroutines.launch

/** A call: ringing here, ringing there, going on; over a locked screen, and small in a corner while the person does other things. */
class CallActivity : AppActivity() {
    private var small by mutableStateOf(false)
    private var showsFaults by mutableStateOf(false)
    private val photoPermission = registerForActivityResult(RequestPermission()) { allowed ->
        viewModel.dispatch(if (allowed) AppAction.TakePhoto else AppAction.PhotoSaved(AppPhotoOutcome.NOT_ALLOWED))
    }

    /** A phone with little memory has none, and takes a word about it for a mistake. */
    private val hasSmallWindow by lazy { packageManager.hasSystemFeature(PackageManager.FEATURE_PICTURE_IN_PICTURE) }
    private var shrinking: Triple<Boolean, Rational, Boolean>? = null

    @Volatile
    private var shape = Rational(16, 9)

    private val call get() = viewModel.uiState.value.app.call

    private val actions by lazy {
        CallScreenActions(viewModel::dispatch, ::takePhoto, if (hasSmallWindow) ({ shrink().let {} }) else null) { showsFaults = true }
    }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        // Before those of sheets, which are asked first.
        onBackPressedDispatcher.addCallback(this) { goBack() }
        whileSeen {
            launch {
                session.window.collect {
                    flag(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON, it.keepScreenOn)
                    overLock(it.showWhenLocked)
                }
            }
            viewModel.uiState.collect { state ->
                // What is to be told of its end is told where people and chat are.
                state.app.call?.let(::shrinkByItself) ?: finish()
            }
        }
    }

    /** The system's symbols are light here, whatever the theme. */
    override fun drawEdgeToEdge() = SystemBarStyle.dark(Color.TRANSPARENT).let { enableEdgeToEdge(it, it) }

    @Composable
    override fun Content() {
        val state by viewModel.uiState.collectAsStateWithLifecycle()
        Box(if (showsFaults) Modifier.clearAndSetSemantics {} else Modifier) {
            CallScreen(
                state,
                actions,
                remote = { modifier ->
                    val shown = state.app.call?.showsRemote == true
                    VideoSurface(container.devices.remote, modifier, Scaling.FIT, shown) { width, height -> shape = pictureInPicture(width, height) }
                },
                preview = { VideoSurface(container.devices.preview, it) },
                small = small,
            )
        }
        if (showsFaults && !small) ChamadaTheme(dark = true) { FaultSheet(state.app, viewModel::dispatch) { showsFaults = false } }
    }

    private fun overLock(on: Boolean) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.O_MR1) {
            setShowWhenLocked(on)
            setTurnScreenOn(on)
        } else {
            @Suppress("DEPRECATION") // By the functions above, which Android 8.0 has not.
            flag(WindowManager.LayoutParams.FLAG_SHOW_WHEN_LOCKED or WindowManager.LayoutParams.FLAG_TURN_SCREEN_ON, on)
        }
    }

    private fun flag(flags: Int, on: Boolean) = if (on) window.addFlags(flags) else window.clearFlags(flags)

    /** From Android 10 on an app's own photos need no permission. */
    private fun takePhoto() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) return viewModel.dispatch(AppAction.TakePhoto)
        photoPermission.launch(Manifest.permission.WRITE_EXTERNAL_STORAGE)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
    }

    override fun onResume() {
        super.onResume()
        // The person can be asked now what an answer needs.
        answer(intent)
    }

    /** The notification's button. */
    private fun answer(intent: Intent) {
        // From the list of recent apps comes what the notification of another call said.
        if (intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0) return
        if (intent.action != CallNotifications.ACCEPT) return
        // Once: the same intent comes back when the screen is made anew.
        intent.action = null
        viewModel.dispatch(AppAction.Accept(video = true))
    }

    override fun onStart() {
        super.onStart()
        session.refreshService()
    }

    // Small in a corner.

    /** Going back does not end a call, nor does it hide one that is not answered yet. */
    private fun goBack() {
        if (call?.canAnswer == true) return
        // Where the system has no small window, or the person allows none, people and chat lead back here.
        if (!shrink()) moveTaskToBack(true)
    }

    private fun shrink(): Boolean = hasSmallWindow && call?.canShrink == true && enterPictureInPictureMode(parameters(null))

    override fun onUserLeaveHint() {
        super.onUserLeaveHint()
        // A question of the system's is no leaving.
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.S && session.asking.value == null) shrink()
    }

    private fun shrinkByItself(call: AppCallView) {
        // Told to the system at changes only: what is shown here changes each second.
        val wanted = Triple(call.canShrink, shape, call.microphoneOn)
        if (wanted == shrinking) return
        shrinking = wanted
        if (hasSmallWindow) setPictureInPictureParams(parameters(call.canShrink))
    }

    private fun parameters(byItself: Boolean?): PictureInPictureParams {
        val builder = PictureInPictureParams.Builder().setAspectRatio(shape).setActions(smallButtons())
        if (byItself != null && Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) builder.setAutoEnterEnabled(byItself)
        return builder.build()
    }

    /** What can be done with a call that is small in a corner. */
    private fun smallButtons(): List<RemoteAction> {
        val on = call?.microphoneOn != false
        val (icon, label) = if (on) R.drawable.ic_microphone to R.string.call_mute else R.drawable.ic_microphone_off to R.string.call_unmute
        return listOf(
            smallButton(icon, label, CallNotifications.MUTE),
            smallButton(R.drawable.ic_hang_up, R.string.call_hang_up, CallNotifications.HANG_UP),
        )
    }

    private fun smallButton(icon: Int, label: Int, action: String): RemoteAction {
        val text = getString(label)
        return RemoteAction(Icon.createWithResource(this, icon), text, text, session.button(action))
    }

    override fun onPictureInPictureModeChanged(isInPictureInPictureMode: Boolean, newConfig: Configuration) {
        super.onPictureInPictureModeChanged(isInPictureInPictureMode, newConfig)
        small = isInPictureInPictureMode
        container.monitor.isPictureInPicture = isInPictureInPictureMode
    }

    private companion object {
        /** The system takes no shape beyond 2.39 to 1. */
        fun pictureInPicture(width: Int, height: Int): Rational = when {
            width <= 0 || height <= 0 -> Rational(16, 9)
            width > 2.39 * height -> Rational(239, 100)
            height > 2.39 * width -> Rational(100, 239)
            else -> Rational(width, height)
        }
    }
}
