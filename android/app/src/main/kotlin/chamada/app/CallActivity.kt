package chamada.app

import android.Manifest
import android.app.PictureInPictureParams
import android.app.RemoteAction
import android.content.Intent
import android.content.pm.PackageManager
import android.content.res.Configuration
import android.graphics.Outline
import android.graphics.drawable.Icon
import android.os.Build
import android.os.Bundle
import android.os.SystemClock
import android.util.Rational
import android.view.View
import android.view.ViewOutlineProvider
import android.view.WindowManager
import android.widget.Chronometer
import android.widget.ImageButton
import android.widget.LinearLayout
import android.widget.PopupMenu
import android.widget.TextView
import android.window.OnBackInvokedDispatcher
import chamada.AppAction
import chamada.AppAudioRouteView
import chamada.AppCallView
import chamada.AppPhotoOutcome
import chamada.AppStatisticsLine
import chamada.android.CallNotifications
import chamada.android.VideoView
import chamada.android.plain.Scaling
import chamada.android.plain.UiState

/** A call: ringing here, ringing there, going on; over a locked screen, and small in a corner while the person does other things. */
class CallActivity : BaseActivity() {
    private val remote by lazy { findViewById<VideoView>(R.id.remote) }
    private val preview by lazy { findViewById<VideoView>(R.id.preview) }
    private val measured by lazy { findViewById<TextView>(R.id.measured) }
    private var last: AppCallView? = null
    private var small = false

    /** A phone with little memory has none, and takes a word about it for a mistake. */
    private val hasSmallWindow by lazy { packageManager.hasSystemFeature(PackageManager.FEATURE_PICTURE_IN_PICTURE) }
    private var shrinking: Triple<Boolean, Rational, Boolean>? = null

    @Volatile
    private var shape = Rational(16, 9)

    override val bannerBackground: Int = R.drawable.over_video

    private val call get() = viewModel.uiState.value.app.call

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.call)
        back()
        arrange(resources.configuration)
        remote.scaling = Scaling.FIT
        remote.onSize = { width, height -> shape = pictureInPicture(width, height) }
        DragTouchListener(preview)
        rounded(preview)
        buttons()
    }

    /** Turning makes no new screen, which would lose the pictures for a moment: what depends on the width follows here. */
    override fun onConfigurationChanged(configuration: Configuration) {
        super.onConfigurationChanged(configuration)
        arrange(configuration)
    }

    private fun arrange(configuration: Configuration) {
        val wide = configuration.screenWidthDp >= ONE_ROW_DP
        findViewById<LinearLayout>(R.id.controls).orientation = if (wide) LinearLayout.HORIZONTAL else LinearLayout.VERTICAL
    }

    private fun rounded(view: View) {
        view.clipToOutline = true
        view.outlineProvider = object : ViewOutlineProvider() {
            override fun getOutline(view: View, outline: Outline) =
                outline.setRoundRect(0, 0, view.width, view.height, ROUND_DP * resources.displayMetrics.density)
        }
    }

    override suspend fun watch() = session.window.collect {
        flag(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON, it.keepScreenOn)
        overLock(it.showWhenLocked)
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

    private fun buttons() {
        fun on(id: Int, what: () -> Unit) = findViewById<ImageButton>(id).setOnClickListener { what() }
        on(R.id.accept_audio) { viewModel.dispatch(AppAction.Accept(video = false)) }
        on(R.id.accept) { viewModel.dispatch(AppAction.Accept(video = true)) }
        on(R.id.decline) { viewModel.dispatch(AppAction.Decline) }
        on(R.id.hang_up) { viewModel.dispatch(AppAction.HangUp) }
        on(R.id.microphone) { call?.let { viewModel.dispatch(AppAction.SetMicrophone(!it.microphoneOn)) } }
        on(R.id.camera) { call?.let { viewModel.dispatch(AppAction.SetCamera(!it.cameraOn)) } }
        on(R.id.flip) { viewModel.dispatch(AppAction.FlipCamera) }
        on(R.id.photo) { photo() }
        on(R.id.stats) { call?.let { viewModel.dispatch(AppAction.ShowStatistics(!it.showsStatistics)) } }
        on(R.id.route) { routes() }
        findViewById<View>(R.id.take_sound).setOnClickListener { viewModel.dispatch(AppAction.SetHold(false)) }
        findViewById<View>(R.id.with).setOnLongClickListener {
            FaultMenu(this, viewModel).show()
            true
        }
    }

    private fun photo() {
        if (mayKeepPhotos()) return viewModel.dispatch(AppAction.TakePhoto)
        requestPermissions(arrayOf(Manifest.permission.WRITE_EXTERNAL_STORAGE), PHOTO_REQUEST)
    }

    /** From Android 10 on an app's own photos need no permission. */
    private fun mayKeepPhotos() = Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q ||
        checkSelfPermission(Manifest.permission.WRITE_EXTERNAL_STORAGE) == PackageManager.PERMISSION_GRANTED

    override fun onRequestPermissionsResult(code: Int, names: Array<out String>, results: IntArray) {
        if (code != PHOTO_REQUEST) return super.onRequestPermissionsResult(code, names, results)
        viewModel.dispatch(if (mayKeepPhotos()) AppAction.TakePhoto else AppAction.PhotoSaved(AppPhotoOutcome.NOT_ALLOWED))
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
        container.devices.remote.attach(remote)
        container.devices.preview.attach(preview)
        session.refreshService()
    }

    override fun onStop() {
        container.devices.remote.detach(remote)
        container.devices.preview.detach(preview)
        super.onStop()
    }

    override fun show(state: UiState) {
        val call = state.app.call
        if (call == null) {
            // What is to be told of its end is told where people and chat are.
            if (!isFinishing) finish()
            return
        }
        val before = last
        last = call
        findViewById<TextView>(R.id.with).text = call.with
        remote.contentDescription = getString(R.string.call_picture_of, call.with)
        if (!call.showsRemote && before?.showsRemote == true) remote.clear()
        findViewById<TextView>(R.id.face).text = call.initial
        findViewById<View>(R.id.person).seen(!call.showsRemote)
        status(call)
        findViewById<View>(R.id.incoming).seen(call.canAnswer && !small)
        findViewById<View>(R.id.controls).seen(!call.canAnswer && !small)
        preview.seen(call.showsPreview && !small)
        toggle(R.id.microphone, call.microphoneOn, R.drawable.ic_microphone to R.string.call_mute, R.drawable.ic_microphone_off to R.string.call_unmute)
        toggle(R.id.camera, call.cameraOn, R.drawable.ic_camera to R.string.call_camera_off, R.drawable.ic_camera_off to R.string.call_camera_on)
        findViewById<View>(R.id.flip).isEnabled = call.canFlip
        findViewById<View>(R.id.route).apply {
            isEnabled = call.audioRoutes.size > 1
            val current = call.audioRoutes.find { it.selected }
            contentDescription = listOfNotNull(getString(R.string.call_speaker), current?.let(::name)).joinToString(": ")
        }
        measured(call.showsStatistics, state.statistics)
        shrinkByItself(call)
    }

    private fun measured(seen: Boolean, lines: List<AppStatisticsLine>) {
        measured.seen(seen)
        say(measured, lines.joinToString("\n") { "${text(it.label)}: ${it.value}" })
    }

    private fun status(call: AppCallView) {
        line(R.id.status, call.status?.let { text(it) })
        line(R.id.quality, call.quality?.let { text(it) })
        findViewById<View>(R.id.take_sound).seen(call.held)
        lasts(call.sinceMs?.takeIf { call.status == null }?.toLong())
    }

    private fun line(id: Int, said: String?) {
        val view = findViewById<TextView>(id)
        view.seen(said != null)
        if (said != null) say(view, said)
    }

    /** Said again it would be read aloud again. */
    private fun say(view: TextView, text: String) {
        if (view.text.toString() != text) view.text = text
    }

    private fun lasts(since: Long?) = findViewById<Chronometer>(R.id.lasts).run {
        seen(since != null)
        if (since == null) return stop()
        base = SystemClock.elapsedRealtime() - (System.currentTimeMillis() - since)
        start()
    }

    private fun toggle(id: Int, on: Boolean, ifOn: Pair<Int, Int>, ifOff: Pair<Int, Int>) {
        val (icon, description) = if (on) ifOn else ifOff
        findViewById<ImageButton>(id).apply {
            setImageResource(icon)
            contentDescription = getString(description)
            isActivated = !on
        }
    }

    private fun routes() {
        val routes = call?.audioRoutes ?: return
        val menu = PopupMenu(this, findViewById(R.id.route))
        routes.forEachIndexed { index, route -> menu.menu.add(GROUP, index, index, name(route)).isChecked = route.selected }
        menu.menu.setGroupCheckable(GROUP, true, true)
        menu.setOnMenuItemClickListener {
            viewModel.dispatch(AppAction.ChooseAudioRoute(routes[it.itemId].id))
            true
        }
        menu.show()
    }

    private fun name(route: AppAudioRouteView) = route.name ?: text(route.label)

    // Small in a corner.

    private fun back() {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU) return
        onBackInvokedDispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, ::goBack)
    }

    @Deprecated("by the system, for what back() does")
    override fun onBackPressed() = goBack()

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

    override fun onPictureInPictureModeChanged(inPicture: Boolean, configuration: Configuration) {
        super.onPictureInPictureModeChanged(inPicture, configuration)
        small = inPicture
        container.monitor.isPictureInPicture = inPicture
        findViewById<View>(R.id.over).seen(!inPicture)
        show(viewModel.uiState.value)
    }

    private fun View.seen(seen: Boolean) {
        visibility = if (seen) View.VISIBLE else View.GONE
    }

    private companion object {
        const val GROUP = 1
        const val PHOTO_REQUEST = 2

        /** From this width on all buttons of a call stand side by side. */
        const val ONE_ROW_DP = 480
        const val ROUND_DP = 16

        /** The system takes no shape beyond 2.39 to 1. */
        fun pictureInPicture(width: Int, height: Int): Rational = when {
            width <= 0 || height <= 0 -> Rational(16, 9)
            width > 2.39 * height -> Rational(239, 100)
            height > 2.39 * width -> Rational(100, 239)
            else -> Rational(width, height)
        }
    }
}
