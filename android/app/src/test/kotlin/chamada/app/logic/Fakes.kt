package chamada.app.logic

import chamada.Call
import chamada.CallSnapshot
import chamada.CallState
import chamada.ChamadaException
import chamada.ClientInterface
import chamada.Config
import chamada.DegradationPreference
import chamada.EndReason
import chamada.ErrorKind
import chamada.Event
import chamada.FacingMode
import chamada.MediaState
import chamada.NoHandle
import chamada.PhotoKind
import chamada.PhotoOf
import chamada.PushRegistration
import chamada.ThermalState
import chamada.VideoBounds
import chamada.VideoConstraints
import chamada.android.plain.Grant
import chamada.android.plain.Need
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.receiveAsFlow

internal fun failure(kind: ErrorKind, detail: String? = null) = ChamadaException.Failure(kind, kind.name, detail)

/** A call that notes what it is asked for. */
internal class FakeCall(private val line: FakeLine, private val who: String) : Call(NoHandle) {
    override fun with(): String = who
    override suspend fun accept() = line.note("accept")
    override suspend fun decline() = line.note("decline")
    override suspend fun hangUp() = line.note("hangUp")
    override suspend fun flipCamera(): FacingMode? {
        line.note("flip")
        return FacingMode.ENVIRONMENT
    }

    override suspend fun photo(of: PhotoOf, kind: PhotoKind): ByteArray {
        line.note("photo $of")
        return byteArrayOf(1)
    }
}

/** A client that notes what it is asked for and fails as it is told to. */
internal class FakeLine : Line, ClientInterface {
    private val channel = Channel<Event>(Channel.UNLIMITED)
    val done = mutableListOf<String>()
    var failNext: ChamadaException? = null

    override val events: Flow<Event> = channel.receiveAsFlow()

    fun tell(event: Event) {
        channel.trySend(event)
    }

    fun note(what: String) {
        failNext?.let {
            failNext = null
            throw it
        }
        done += what
    }

    override suspend fun call(to: String): Call {
        note("call $to")
        return FakeCall(this, to)
    }

    override suspend fun setMicrophone(on: Boolean) = note("microphone $on")
    override suspend fun setCamera(on: Boolean) = note("camera $on")
    override suspend fun registerPush(registration: PushRegistration) = note("register push")
    override suspend fun unregisterPush() = note("unregister push")
    override suspend fun say(text: String) = note("say $text")
    override suspend fun logout() = note("logout")
    override fun close() = note("close")
    override suspend fun flipCamera(): FacingMode? = error("not used")
    override suspend fun setConstraints(constraints: VideoConstraints) = error("not used")
    override suspend fun rename(name: String) = error("not used")
    override suspend fun block(name: String) = error("not used")
    override suspend fun unblock(name: String) = error("not used")
    override suspend fun setToken(token: String) = error("not used")
    override suspend fun snapshot(): CallSnapshot = error("not used")
    override fun background() = error("not used")
    override fun foreground() = error("not used")
    override fun networkChanged() = error("not used")
    override fun dropSignaling(on: Boolean) = note("drop signaling $on")
    override fun dropMedia(on: Boolean) = note("drop media $on")
    override suspend fun setDegradationPreference(preference: DegradationPreference) = error("not used")
    override suspend fun setVideoBounds(bounds: VideoBounds) = error("not used")
    override fun setThermalState(state: ThermalState) = error("not used")
    override fun lowMemory(): ULong = error("not used")
}

/** A phone that allows and has what it is told to. */
internal class FakeSurroundings : Surroundings {
    val line = FakeLine()
    var refuse: ChamadaException? = null
    val asked = mutableListOf<List<Need>>()
    var grants = mapOf(Need.CAMERA to Grant(true), Need.MICROPHONE to Grant(true))
    var afterAsking = grants
    var camera = true
    var gallery = true
    var hushed = false
    val configs = mutableListOf<Config>()

    override suspend fun connect(config: Config, demo: Boolean): Line {
        configs += config
        refuse?.let { throw it }
        return line
    }

    override suspend fun startDemo(): DemoPlace = throw failure(ErrorKind.INTERNAL)
    override fun grants() = grants
    override suspend fun ask(needs: List<Need>) {
        asked += needs
        grants = afterAsking
    }

    override fun hasCamera() = camera
    override fun hush(on: Boolean) {
        hushed = on
    }

    override suspend fun savePhoto(jpeg: ByteArray) = gallery
    override fun now() = 1000L
}

/** A desk in a phone, with nothing that waits: whatever can happen has happened when a function returns. */
internal class FakePhone {
    val around = FakeSurroundings()
    val line get() = around.line
    val desk = Desk(CoroutineScope(Dispatchers.Unconfined), around)
    val state get() = desk.state.value
    val call get() = state.call
    val told get() = state.notice

    fun enter(name: String = "ana") = apply {
        desk.login("wss://call.example.org", name)
        line.tell(Event.LoggedIn(name, false))
        line.tell(Event.Users(listOf(name, "rui")))
    }

    fun changed(state: CallState, local: MediaState = ON, remote: MediaState = ON) =
        line.tell(Event.CallChanged(CallSnapshot(state, "rui", "1", local, remote)))

    fun ended(reason: EndReason) = line.tell(Event.CallEnded("rui", "1", reason))

    fun inCall() = apply {
        enter()
        desk.call("rui")
        changed(CallState.CONNECTED)
        line.done.clear()
    }

    fun rings() = apply {
        enter()
        line.tell(Event.IncomingCall("rui", FakeCall(line, "rui")))
        changed(CallState.RINGING_LOCALLY)
    }

    companion object {
        val ON = MediaState(audio = true, video = true, facing = FacingMode.USER, screen = false)
    }
}
