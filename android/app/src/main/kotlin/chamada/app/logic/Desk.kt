package chamada.app.logic

import chamada.Call
import chamada.CallState
import chamada.ChamadaException
import chamada.Config
import chamada.DeviceKind
import chamada.Event
import chamada.MissingMedia
import chamada.PhotoKind
import chamada.PhotoOf
import chamada.android.plain.CameraTrouble
import chamada.android.plain.Need
import chamada.android.plain.PermissionStep
import chamada.android.plain.Route
import chamada.android.plain.neededToBeCalled
import chamada.android.plain.nextStep
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/**
 * The app without its screens: takes what people press and what the core tells, and says what is to be seen. All of it on the one
 * thread of its scope.
 */
class Desk(private val scope: CoroutineScope, private val around: Surroundings) {
    private val now = MutableStateFlow(DeskState())
    private val doings = Channel<Effect>(Channel.BUFFERED)

    /** What is to be seen. */
    val state: StateFlow<DeskState> = now.asStateFlow()

    /** What the screen in front is to do, each once. */
    val effects: Flow<Effect> = doings.receiveAsFlow()

    private var line: Line? = null
    private var demo: DemoPlace? = null
    private var call: Call? = null
    private var trouble: CameraTrouble? = null

    /** The person switched the camera off, or agreed to go without. */
    private var withoutCamera = false

    /** What the core was told last of the camera, or found out by itself. */
    private var cameraIsOff = false
    private var callee: String? = null

    /** Repeats what did not work. */
    private var again: (() -> Unit)? = null

    // At the door.

    /** Logs in. Nothing happens while that goes on already. */
    fun login(server: String, name: String) {
        if (now.value.entering || line != null) return
        val wanted = nameOf(name) ?: return tell(Notice(Words.NAME_WRONG, listOf(Way.EDIT_NAME)))
        if (server.isBlank()) return tell(Notice(Words.ADDRESS_WRONG, listOf(Way.EDIT_SERVER)))
        again = { login(server, name) }
        now.update { it.copy(server = server.trim(), name = wanted, entering = true, notice = null) }
        scope.launch { enter(configOf(server, wanted), demo = null) }
    }

    /** Tries it without a server, a camera or any permission: somebody synthetic is there to be called. */
    fun demo(name: String) {
        if (now.value.entering || line != null) return
        again = { demo(name) }
        now.update { it.copy(entering = true, notice = null) }
        scope.launch {
            val place = try {
                around.startDemo()
            } catch (_: ChamadaException) {
                now.update { it.copy(entering = false) }
                return@launch tell(Notice(Words.FAILED, listOf(Way.TRY_AGAIN, Way.DISMISS)))
            }
            enter(configOf(place.server, nameOf(name) ?: DEMO_NAME), place)
        }
    }

    private suspend fun enter(config: Config, demo: DemoPlace?) {
        try {
            val line = around.connect(config, demo != null)
            this.line = line
            this.demo = demo
            now.update { it.copy(entering = false, online = true, me = it.me ?: config.name) }
            if (demo == null) scope.launch { askToTell() }
            line.events.collect { hear(it, line) }
        } catch (e: ChamadaException) {
            demo?.close()
            now.update { it.copy(entering = false) }
            tell(loginNotice(e))
        }
    }

    /** From now on one can be called, also while the app is not in front: whether it may tell is asked once. */
    private suspend fun askToTell() {
        val needs = neededToBeCalled(around.grants())
        if (needs.isNotEmpty()) around.ask(needs)
    }

    /** Leaves, and ends a call that may be going on. */
    fun logout() {
        val line = line ?: return
        val demo = demo
        leave(null)
        scope.launch {
            line.logout()
            line.close()
            demo?.close()
        }
    }

    /** Takes a part of the network away on purpose, until it is given back or one leaves. Nothing happens at the door. */
    fun outage(of: Outage, on: Boolean) {
        val line = line ?: return
        when (of) {
            Outage.SERVER -> line.dropSignaling(on)
            Outage.CALLS -> line.dropMedia(on)
        }
        now.update { it.copy(outages = if (on) it.outages + of else it.outages - of) }
    }

    private fun leave(notice: Notice?) {
        around.hush(false)
        line = null
        demo = null
        call = null
        cameraIsOff = false
        now.update { DeskState(server = it.server, name = it.name, notice = notice) }
    }

    // Among people.

    /** Says something to everybody. Nothing to say is not said. */
    fun say(text: String) {
        val words = text.trim().take(LONGEST_LINE)
        if (words.isNotEmpty()) act { it.say(words) }
    }

    /** Calls somebody, after asking for what is not allowed yet. */
    fun call(to: String) {
        if (to == now.value.me) return tell(Notice(Words.CALL_SELF, listOf(Way.DISMISS)))
        again = { call(to) }
        callee = to
        act { line ->
            if (prepare(line)) call = line.call(to)
        }
    }

    // In a call.

    /** Answers, after asking for what is not allowed yet. */
    fun accept() {
        again = ::accept
        act { line ->
            val ringing = call ?: return@act
            if (prepare(line)) ringing.accept()
        }
    }

    fun decline(): Job = inCall { it.decline() }

    fun hangUp(): Job = inCall { it.hangUp() }

    fun toggleMicrophone() {
        val view = now.value.call ?: return
        val on = !view.microphone
        // Asked for while somebody else has the sound: it is for later.
        if (view.held) return change { it.copy(microphone = on) }
        act { it.setMicrophone(on) }
    }

    fun toggleCamera() {
        val view = now.value.call ?: return
        camera(on = !view.camera)
    }

    private fun camera(on: Boolean) {
        withoutCamera = !on
        trouble = null
        act { setCamera(it, on) }
    }

    private suspend fun setCamera(line: Line, on: Boolean) {
        // Until it is on: what fails leaves it off.
        cameraIsOff = true
        line.setCamera(on)
        cameraIsOff = !on
    }

    fun flip(): Job = inCall { it.flipCamera() }

    /** Takes a photo of what the other side sends. */
    fun photo(): Job = inCall { call ->
        val jpeg = call.photo(PhotoOf.REMOTE, PhotoKind.JPEG)
        tell(Notice(if (around.savePhoto(jpeg)) Words.PHOTO_SAVED else Words.PHOTO_NOT_SAVED, listOf(Way.DISMISS)))
    }

    // What the phone tells.

    /** A camera gives no pictures, or (null) gives them again. */
    fun cameraTrouble(news: CameraTrouble?) {
        val told = trouble?.let(::troubleNotice)
        trouble = news
        if (news == null) {
            if (now.value.notice == told) dismiss()
        } else if (now.value.call != null) {
            tell(troubleNotice(news))
        }
    }

    fun routes(routes: List<Route>, route: Route?) = change { it.copy(routes = routes, route = route) }

    /** Somebody else has the phone's sound (true): ours is silent, in and out, until it is back. */
    fun held(held: Boolean) {
        val view = now.value.call ?: return
        if (view.held == held) return
        change { it.copy(held = held) }
        silence(view, held)
    }

    private fun silence(call: CallView, on: Boolean) {
        around.hush(on)
        // Whoever muted it stays muted.
        if (call.microphone) act { it.setMicrophone(!on) }
    }

    // Ways forward.

    fun take(way: Way) {
        now.update { it.copy(notice = null) }
        when (way) {
            Way.TRY_AGAIN -> again?.invoke()
            Way.EDIT_SERVER -> doings.trySend(Effect.FOCUS_SERVER)
            Way.EDIT_NAME -> doings.trySend(Effect.FOCUS_NAME)
            Way.SETTINGS -> doings.trySend(Effect.OPEN_SETTINGS)
            Way.WRITE -> doings.trySend(Effect.FOCUS_CHAT)
            Way.ALLOW -> allow()
            Way.CAMERA_AGAIN -> cameraAgain()
            Way.WITHOUT_CAMERA -> withoutCamera()
            Way.CALL_AGAIN -> callee?.let(::call)
            Way.DISMISS -> {}
        }
    }

    private fun dismiss() = now.update { it.copy(notice = null) }

    private fun tell(notice: Notice) = now.update { it.copy(notice = notice) }

    private fun allow() {
        val inCall = now.value.call?.usesDevices == true
        if (!inCall) return again?.invoke() ?: Unit
        act { line ->
            around.ask(listOf(Need.CAMERA))
            val camera = around.grants()[Need.CAMERA]
            if (camera?.granted == true) setCamera(line, on = true)
            if (camera?.blocked == true) doings.trySend(Effect.OPEN_SETTINGS)
        }
    }

    /** The core takes a camera that failed for one that is on, so it is opened anew only after it was off. */
    private fun cameraAgain() {
        withoutCamera = false
        trouble = null
        act { line ->
            setCamera(line, on = false)
            setCamera(line, on = true)
        }
    }

    private fun withoutCamera() {
        if (now.value.call != null) return camera(on = false)
        withoutCamera = true
        callee?.let(::call)
    }

    /** Asks for permissions and settles the camera. Returns whether the call can go on. */
    private suspend fun prepare(line: Line): Boolean {
        if (demo != null) return true
        var step = nextStep(around.grants(), askedNow = false)
        if (step is PermissionStep.Ask) {
            around.ask(step.needs)
            step = nextStep(around.grants(), askedNow = true)
        }
        if (step is PermissionStep.Stop) {
            tell(Notice(Words.MICROPHONE_NOT_ALLOWED, listOf(if (step.inSettings) Way.SETTINGS else Way.TRY_AGAIN, Way.DISMISS)))
            return false
        }
        trouble = null
        val why = when {
            withoutCamera -> null
            step != PermissionStep.Go(video = true) -> {
                val blocked = around.grants()[Need.CAMERA]?.blocked == true
                Notice(Words.CAMERA_NOT_ALLOWED, listOf(if (blocked) Way.SETTINGS else Way.ALLOW, Way.DISMISS))
            }
            !around.hasCamera() -> Notice(Words.NO_CAMERA, listOf(Way.DISMISS))
            else -> null
        }
        val off = withoutCamera || why != null
        if (off != cameraIsOff) setCamera(line, on = !off)
        now.update { it.copy(notice = why) }
        return true
    }

    private fun act(what: suspend (Line) -> Unit): Job = scope.launch {
        val line = line ?: return@launch
        try {
            what(line)
        } catch (e: ChamadaException) {
            refusal(e)?.let(::tell)
        }
    }

    private fun inCall(what: suspend (Call) -> Unit): Job = act { call?.let { what(it) } }

    private fun change(how: (CallView) -> CallView) = now.update { it.copy(call = it.call?.let(how)) }

    // What the core tells.

    private fun hear(event: Event, from: Line) {
        if (from !== line) return
        when (event) {
            is Event.LoggedIn -> now.update { it.copy(me = event.name, online = true, notice = it.notice?.takeUnless(::isOfServer)) }
            is Event.Renamed -> {
                now.update { it.copy(me = event.name) }
                tell(Notice(Words.RENAMED, listOf(Way.DISMISS), listOf(event.wanted, event.name)))
            }
            is Event.Users -> now.update {
                it.copy(people = event.names, chat = it.chat.comingsAndGoings(it.people, event.names, it.me, around.now()))
            }
            is Event.Away -> now.update { it.copy(away = event.names) }
            is Event.Chat -> now.update {
                val who = event.from.orEmpty()
                val said = ChatLine(ChatLine.Kind.SAID, who, event.text, event.sentMs.toLong(), own = who == it.me)
                it.copy(chat = (it.chat + said).takeLast(LINES))
            }
            is Event.Refused -> refusal(event.why)?.let(::tell)
            is Event.Reconnecting -> {
                now.update { it.copy(online = false) }
                tell(Notice(if (now.value.call == null) Words.SERVER_LOST else Words.SERVER_LOST_IN_CALL, listOf(Way.DISMISS)))
            }
            is Event.Closed -> {
                from.close()
                demo?.close()
                leave(event.why?.let { Notice(Words.SERVER_GONE, listOf(Way.TRY_AGAIN, Way.EDIT_SERVER)) })
                now.value.let { last -> again = { login(last.server, last.name) } }
            }
            is Event.IncomingCall -> {
                call = event.call
                callee = event.from
                now.update { it.copy(call = CallView(event.from, Phase.RINGING_LOCALLY)) }
            }
            is Event.CallChanged -> now.update {
                val connected = event.now.state == CallState.CONNECTED
                val notice = it.notice?.takeUnless { told -> connected && isOfPath(told.words) }
                it.copy(call = it.call.after(event.now, around.now()), notice = notice)
            }
            is Event.CallEnded -> ended(event)
            is Event.Measured -> change { it.copy(stats = event.stats) }
            is Event.QualityChanged -> change { it.copy(quality = qualityNotice(event.sent, event.received)) }
            is Event.CameraOpened -> change { it.copy(facing = event.settings.facing) }
            // What the phone's own camera says of itself is more exact.
            is Event.DeviceFailed -> if (trouble == null || event.device != DeviceKind.CAMERA) tell(deviceNotice(event.device))
            is Event.NoPathYet -> now.value.call?.let { tell(pathNotice(event.why, it.with)) }
            is Event.MediaMissing -> missing(event)
            is Event.DataReceived, is Event.PushRegistered -> {}
        }
    }

    private fun missing(event: Event.MediaMissing) {
        val why = event.why
        val with = now.value.call?.with ?: return
        if (why != null) return tell(missingNotice(event.kind, why, with))
        val over = MissingMedia.entries.map { missingNotice(event.kind, it, with).words }
        now.update { it.copy(notice = it.notice?.takeUnless { told -> told.words in over }) }
    }

    private fun ended(event: Event.CallEnded) {
        call = null
        // The core keeps for the next call how the microphone was.
        now.value.call?.takeIf { it.held }?.let { silence(it, on = false) }
        val notice = endNotice(event.reason, event.with, trouble)
        // What was told of devices or of the connection during the call is over with it.
        now.update { it.copy(call = null, notice = notice ?: it.notice?.takeUnless { told -> isOfCall(told.words) }) }
    }

    private companion object {
        const val DEMO_NAME = "demo"
    }

    private fun isOfServer(notice: Notice) = notice.words == Words.SERVER_LOST || notice.words == Words.SERVER_LOST_IN_CALL
}
