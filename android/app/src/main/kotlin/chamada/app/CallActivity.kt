package chamada.app

import android.app.PictureInPictureParams
import android.content.Intent
import android.content.res.Configuration
import android.graphics.Outline
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
import chamada.android.CallNotifications
import chamada.android.VideoView
import chamada.android.plain.Scaling
import chamada.app.logic.CallView
import chamada.app.logic.DeskState
import chamada.app.logic.Phase
import chamada.app.logic.StatsText
import chamada.app.logic.initial

/** A call: ringing here, ringing there, going on; over a locked screen, and small in a corner while the person does other things. */
class CallActivity : DeskActivity() {
    private val remote by lazy { findViewById<VideoView>(R.id.remote) }
    private val preview by lazy { findViewById<VideoView>(R.id.preview) }
    private val measured by lazy { findViewById<TextView>(R.id.measured) }
    private val stats = StatsText()
    private var last: CallView? = null
    private var small = false
    private var shrinking: Pair<Boolean, Rational>? = null

    @Volatile
    private var shape = Rational(16, 9)

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.call)
        house.callScreen = true
        back()
        window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        overLock()
        findViewById<View>(R.id.notice).setBackgroundResource(R.drawable.over_video)
        arrange(resources.configuration)
        remote.scaling = Scaling.FIT
        remote.onSize = { width, height -> shape = pictureInPicture(width, height) }
        Drag(preview)
        rounded(preview)
        buttons()
        answer(intent)
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

    private fun overLock() {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.O_MR1) {
            setShowWhenLocked(true)
            setTurnScreenOn(true)
        } else {
            @Suppress("DEPRECATION") // By the functions above, which Android 8.0 has not.
            window.addFlags(WindowManager.LayoutParams.FLAG_SHOW_WHEN_LOCKED or WindowManager.LayoutParams.FLAG_TURN_SCREEN_ON)
        }
    }

    private fun buttons() {
        fun on(id: Int, what: () -> Unit) = findViewById<ImageButton>(id).setOnClickListener { what() }
        on(R.id.accept) { desk.accept() }
        on(R.id.decline) { desk.decline() }
        on(R.id.hang_up) { desk.hangUp() }
        on(R.id.microphone) { desk.toggleMicrophone() }
        on(R.id.camera) { desk.toggleCamera() }
        on(R.id.flip) { desk.flip() }
        on(R.id.photo) { desk.photo() }
        on(R.id.stats) { measured.visibility = if (measured.visibility == View.VISIBLE) View.GONE else View.VISIBLE }
        on(R.id.route) { routes() }
        findViewById<View>(R.id.take_sound).setOnClickListener { house.keeping.takeSound() }
        findViewById<View>(R.id.with).setOnLongClickListener {
            FaultMenu(this, house).show()
            true
        }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        answer(intent)
    }

    /** The notification's button. */
    private fun answer(intent: Intent) {
        // From the list of recent apps comes what the notification of another call said.
        if (intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0) return
        if (intent.action != CallNotifications.ACCEPT) return
        // Once: the same intent comes back when the screen is made anew.
        intent.action = null
        desk.accept()
    }

    override fun onStart() {
        super.onStart()
        house.phone.remote.attach(remote)
        house.phone.preview.attach(preview)
        house.keeping.back()
    }

    override fun onStop() {
        house.phone.remote.detach(remote)
        house.phone.preview.detach(preview)
        super.onStop()
    }

    override fun show(state: DeskState) {
        val call = state.call
        if (call == null) {
            // What is to be told of its end is told where people and chat are.
            if (!isFinishing) finish()
            return
        }
        val before = last
        last = call
        findViewById<TextView>(R.id.with).text = call.with
        remote.contentDescription = getString(R.string.call_picture_of, call.with)
        if (!call.cameraThere && before?.cameraThere == true) remote.clear()
        findViewById<TextView>(R.id.face).text = initial(call.with)
        findViewById<View>(R.id.person).seen(!call.goesOn || !call.cameraThere)
        status(call)
        val ringing = call.phase == Phase.RINGING_LOCALLY
        findViewById<View>(R.id.incoming).seen(ringing && !small)
        findViewById<View>(R.id.controls).seen(!ringing && !small)
        preview.seen(call.camera && !ringing && !small)
        toggle(R.id.microphone, call.microphone, R.drawable.ic_microphone to R.string.call_mute, R.drawable.ic_microphone_off to R.string.call_unmute)
        toggle(R.id.camera, call.camera, R.drawable.ic_camera to R.string.call_camera_off, R.drawable.ic_camera_off to R.string.call_camera_on)
        findViewById<View>(R.id.flip).isEnabled = call.camera
        findViewById<View>(R.id.route).apply {
            isEnabled = call.choice
            contentDescription = listOfNotNull(getString(R.string.call_speaker), call.route?.let(::name)).joinToString(": ")
        }
        if (call.stats != null && call.stats != before?.stats) {
            measured.text = stats.lines(call.stats).joinToString("\n") { (label, value) -> "${getString(text(label))}: $value" }
        }
        shrinkByItself(call.goesOn)
    }

    private fun status(call: CallView) {
        val said = when {
            call.held -> getString(R.string.call_sound_elsewhere)
            call.phase != Phase.CONNECTED -> text(call.phase)?.let(::getString)
            !call.cameraThere -> getString(R.string.call_camera_off_there, call.with)
            !call.microphoneThere -> getString(R.string.call_muted_there, call.with)
            else -> null
        }
        findViewById<TextView>(R.id.status).apply {
            seen(said != null)
            if (said != null && text.toString() != said) text = said
        }
        findViewById<View>(R.id.take_sound).seen(call.held)
        quality(call)
        lasts(call.since?.takeIf { said == null })
    }

    private fun quality(call: CallView) {
        val told = call.quality?.takeIf { call.phase == Phase.CONNECTED && !call.held }?.let { getString(text(it), call.with) }
        findViewById<TextView>(R.id.quality).apply {
            seen(told != null)
            if (told != null && text.toString() != told) text = told
        }
    }

    private fun lasts(since: Long?) = findViewById<Chronometer>(R.id.lasts).run {
        seen(since != null)
        if (since == null) return stop()
        base = SystemClock.elapsedRealtime() - (house.now() - since)
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
        val call = desk.state.value.call ?: return
        val menu = PopupMenu(this, findViewById(R.id.route))
        call.routes.forEachIndexed { index, route ->
            menu.menu.add(GROUP, index, index, name(route)).isChecked = route.id == call.route?.id
        }
        menu.menu.setGroupCheckable(GROUP, true, true)
        menu.setOnMenuItemClickListener {
            house.keeping.choose(call.routes[it.itemId])
            true
        }
        menu.show()
    }

    override fun onDestroy() {
        // Not if it is only made anew.
        if (isFinishing) house.callScreen = false
        super.onDestroy()
    }

    // Small in a corner.

    private fun back() {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU) return
        onBackInvokedDispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, ::goBack)
    }

    @Deprecated("by the system, for what back() does")
    override fun onBackPressed() = goBack()

    /** Going back does not end a call, nor does it hide one that is not answered yet. */
    private fun goBack() {
        if (desk.state.value.call?.phase == Phase.RINGING_LOCALLY) return
        // Where the system has no small window, or the person allows none, people and chat lead back here.
        if (!shrink()) moveTaskToBack(true)
    }

    private fun shrink(): Boolean = desk.state.value.call?.goesOn == true && enterPictureInPictureMode(parameters(null))

    override fun onUserLeaveHint() {
        super.onUserLeaveHint()
        // A question of the system's is no leaving.
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.S && !house.isAsking) shrink()
    }

    private fun shrinkByItself(may: Boolean) {
        // Told to the system at changes only: what is shown here changes each second.
        val wanted = may to shape
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.S || wanted == shrinking) return
        shrinking = wanted
        setPictureInPictureParams(parameters(may))
    }

    private fun parameters(byItself: Boolean?): PictureInPictureParams {
        val builder = PictureInPictureParams.Builder().setAspectRatio(shape)
        if (byItself != null && Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) builder.setAutoEnterEnabled(byItself)
        return builder.build()
    }

    override fun onPictureInPictureModeChanged(inPicture: Boolean, configuration: Configuration) {
        super.onPictureInPictureModeChanged(inPicture, configuration)
        small = inPicture
        findViewById<View>(R.id.over).seen(!inPicture)
        show(desk.state.value)
    }

    private fun View.seen(seen: Boolean) {
        visibility = if (seen) View.VISIBLE else View.GONE
    }

    private companion object {
        const val GROUP = 1

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
