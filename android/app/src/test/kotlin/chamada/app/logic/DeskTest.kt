package chamada.app.logic

import chamada.CallState
import chamada.ErrorKind
import chamada.Event
import chamada.FacingMode
import chamada.android.plain.Grant
import chamada.android.plain.Need
import chamada.android.plain.Route
import chamada.android.plain.RouteKind
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What people do when all goes well. What goes wrong is in ErrorsTest. */
internal class DeskTest {
    private val phone = FakePhone()
    private val desk = phone.desk

    @Test
    fun `logging in shows who is there and what they say`() {
        phone.enter()
        phone.line.tell(Event.Chat("rui", "olá", 5u))
        phone.line.tell(Event.Chat("ana", "oi", 6u))
        phone.line.tell(Event.Users(listOf("ana", "eva")))
        assertEquals("ana", phone.state.me)
        assertTrue(phone.state.online)
        val kinds = phone.state.chat.map { it.kind to it.who }
        assertEquals(
            listOf(
                ChatLine.Kind.SAID to "rui", ChatLine.Kind.SAID to "ana", ChatLine.Kind.ARRIVED to "eva", ChatLine.Kind.LEFT to "rui",
            ),
            kinds,
        )
        assertEquals(listOf(false, true), phone.state.chat.take(2).map { it.own })
    }

    @Test
    fun `a name that was taken is told with the one that it became`() {
        phone.enter()
        phone.line.tell(Event.Renamed("ana", "ana2"))
        assertEquals("ana2", phone.state.me)
        assertEquals(Words.RENAMED to listOf("ana", "ana2"), phone.told?.let { it.words to it.gaps })
    }

    @Test
    fun `what is said is trimmed, and nothing is not said`() {
        phone.enter()
        desk.say("  olá ")
        desk.say("   ")
        assertEquals(listOf("say olá"), phone.line.done)
    }

    @Test
    fun `a call is placed, rings, connects and is ended`() {
        phone.enter()
        desk.call("rui")
        phone.changed(CallState.CALLING)
        assertEquals("rui" to Phase.CALLING, phone.call?.let { it.with to it.phase })
        phone.changed(CallState.CONNECTED)
        assertEquals(1000L, phone.call?.since)
        desk.hangUp()
        assertEquals(listOf("call rui", "hangUp"), phone.line.done)
        phone.ended(chamada.EndReason.HUNG_UP_LOCALLY)
        assertNull(phone.call)
        assertNull(phone.told, "whoever hung up knows it")
    }

    @Test
    fun `a call that comes in is answered or declined, and uses no device before`() {
        phone.rings()
        assertEquals(Phase.RINGING_LOCALLY, phone.call?.phase)
        assertFalse(phone.call!!.usesDevices)
        desk.accept()
        assertEquals(listOf("accept"), phone.line.done)
        desk.decline()
        assertEquals("decline", phone.line.done.last())
    }

    @Test
    fun `buttons of a call do what they say`() {
        phone.inCall()
        desk.toggleMicrophone()
        desk.toggleCamera()
        desk.flip()
        assertEquals(listOf("microphone false", "camera false", "flip"), phone.line.done)
        phone.changed(CallState.CONNECTED, local = FakePhone.ON.copy(audio = false, video = false, facing = FacingMode.ENVIRONMENT))
        assertEquals(listOf(false, false), phone.call?.let { listOf(it.microphone, it.camera) })
        desk.toggleCamera()
        assertEquals("camera true", phone.line.done.last())
    }

    @Test
    fun `what is lost on purpose is shown, and leaving gives it back`() {
        desk.outage(Outage.CALLS, true)
        assertEquals(emptySet<Outage>(), phone.state.outages, "there is nothing to lose at the door")
        phone.inCall()
        desk.outage(Outage.SERVER, true)
        desk.outage(Outage.CALLS, true)
        desk.outage(Outage.SERVER, false)
        assertEquals(listOf("drop signaling true", "drop media true", "drop signaling false"), phone.line.done)
        assertEquals(setOf(Outage.CALLS), phone.state.outages)
        desk.logout()
        assertEquals(emptySet<Outage>(), phone.state.outages)
    }

    @Test
    fun `another call that takes the sound silences ours until it is over`() {
        phone.inCall()
        desk.held(true)
        desk.held(true)
        phone.changed(CallState.CONNECTED, local = FakePhone.ON.copy(audio = false))
        assertTrue(phone.call!!.held && phone.call!!.microphone, "it is held, not muted")
        assertTrue(phone.around.hushed, "the other side is not heard into the other call")
        desk.held(false)
        assertFalse(phone.around.hushed)
        assertEquals(listOf("microphone false", "microphone true"), phone.line.done)
    }

    @Test
    fun `a call that ends while another has the sound leaves the next one its microphone and its speaker`() {
        phone.inCall()
        desk.held(true)
        phone.ended(chamada.EndReason.HUNG_UP_REMOTELY)
        assertEquals(listOf("microphone false", "microphone true"), phone.line.done)
        assertFalse(phone.around.hushed)
        desk.call("rui")
        phone.changed(CallState.CONNECTED)
        desk.held(true)
        desk.logout()
        assertFalse(phone.around.hushed, "nor does logging out leave it silent")
    }

    @Test
    fun `whoever can be called is asked once whether the app may tell of it`() {
        phone.around.grants += Need.NOTIFICATIONS to Grant(false)
        phone.around.afterAsking = phone.around.grants + (Need.NOTIFICATIONS to Grant(false, asked = true))
        phone.enter()
        assertEquals(listOf(listOf(Need.NOTIFICATIONS)), phone.around.asked)
        desk.logout()
        phone.enter()
        assertEquals(1, phone.around.asked.size, "a no is a no")
    }

    @Test
    fun `a microphone that was muted before another call took the sound stays muted after it`() {
        phone.inCall()
        phone.changed(CallState.CONNECTED, local = FakePhone.ON.copy(audio = false))
        desk.held(true)
        desk.held(false)
        assertEquals(emptyList<String>(), phone.line.done)
    }

    @Test
    fun `ways for sound can be chosen where there is more than one`() {
        phone.inCall()
        val (ear, speaker) = Route("e", RouteKind.EARPIECE) to Route("s", RouteKind.SPEAKER)
        desk.routes(listOf(speaker), speaker)
        assertFalse(phone.call!!.choice)
        desk.routes(listOf(ear, speaker), speaker)
        assertTrue(phone.call!!.choice)
    }

    @Test
    fun `the first call asks for permissions and goes on with what was allowed`() {
        phone.enter()
        phone.around.grants = mapOf(Need.CAMERA to Grant(false), Need.MICROPHONE to Grant(false))
        phone.around.afterAsking = mapOf(Need.CAMERA to Grant(true), Need.MICROPHONE to Grant(true))
        desk.call("rui")
        assertEquals(listOf(listOf(Need.CAMERA, Need.MICROPHONE)), phone.around.asked)
        assertEquals(listOf("call rui"), phone.line.done)
    }

    @Test
    fun `a camera that was not allowed last time is used again once it is`() {
        phone.enter()
        phone.around.grants = mapOf(Need.CAMERA to Grant(false, asked = true), Need.MICROPHONE to Grant(true))
        phone.around.afterAsking = phone.around.grants
        desk.call("rui")
        phone.ended(chamada.EndReason.HUNG_UP_REMOTELY)
        phone.around.grants = mapOf(Need.CAMERA to Grant(true), Need.MICROPHONE to Grant(true))
        desk.call("rui")
        assertEquals(listOf("camera false", "call rui", "camera true", "call rui"), phone.line.done)
    }

    @Test
    fun `the first letter of a name stands for a person, be it as wide as it may`() {
        assertEquals(listOf("A", "É", "🦜", ""), listOf("ana", "érica", "🦜rui", "").map(::initial))
    }

    @Test
    fun `logging out leaves nothing behind but what was typed at the door`() {
        phone.inCall()
        desk.logout()
        assertEquals(DeskState(server = "wss://call.example.org", name = "ana"), phone.state)
        assertEquals(listOf("logout", "close"), phone.line.done)
        phone.changed(CallState.CONNECTED)
        assertNull(phone.call, "what comes late is not heard")
    }

    @Test
    fun `only at home are unencrypted servers spoken to`() {
        assertTrue(configOf(" ws://192.168.1.7:6503 ", "ana").allowInsecure)
        assertFalse(configOf("wss://call.example.org/chat", "ana").allowInsecure)
        desk.login("  ws://10.0.2.2:6503 ", " ana ")
        assertEquals("ws://10.0.2.2:6503" to "ana", phone.around.configs.single().let { it.server to it.name })
    }

    @Test
    fun `what a demonstration lacks is told and not waited for`() {
        desk.demo("")
        assertEquals(Words.FAILED, phone.told?.words)
        assertFalse(phone.state.entering)
        phone.around.refuse = failure(ErrorKind.SERVER)
    }
}
