package chamada.app.logic

import chamada.CallState
import chamada.CandidateType
import chamada.DeviceKind
import chamada.EndReason
import chamada.ErrorKind
import chamada.Event
import chamada.MediaKind
import chamada.MissingMedia
import chamada.NoPath
import chamada.android.plain.CameraTrouble
import chamada.android.plain.Grant
import chamada.android.plain.Need
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Everything that can go wrong: what people are told, and that the way forward leads somewhere. */
internal class ErrorsTest {
    private val phone = FakePhone()
    private val desk = phone.desk

    private fun told(words: Words, vararg ways: Way, gaps: List<String> = emptyList()) =
        assertEquals(Notice(words, ways.toList(), gaps), phone.told)

    private fun effect() = runBlocking { desk.effects.first() }

    private fun login(kind: ErrorKind) {
        phone.around.refuse = failure(kind)
        desk.login("wss://call.example.org", "ana")
        assertTrue(!phone.state.entering && phone.state.me == null)
        phone.around.refuse = null
    }

    @Test
    fun `a server out of reach can be tried again`() {
        login(ErrorKind.SERVER)
        told(Words.SERVER_UNREACHABLE, Way.TRY_AGAIN, Way.EDIT_SERVER)
        desk.take(Way.TRY_AGAIN)
        assertEquals("ana", phone.state.me)
        assertNull(phone.told)
    }

    @Test
    fun `an address that is none leads back to its field`() {
        login(ErrorKind.INVALID_ARGUMENT)
        told(Words.ADDRESS_WRONG, Way.EDIT_SERVER)
        desk.take(Way.EDIT_SERVER)
        assertEquals(Effect.FOCUS_SERVER, effect())
        desk.login(" ", "ana")
        told(Words.ADDRESS_WRONG, Way.EDIT_SERVER)
    }

    @Test
    fun `a name that is refused, here or there, leads back to its field`() {
        login(ErrorKind.LOGIN_REFUSED)
        told(Words.NAME_REFUSED, Way.EDIT_NAME, Way.EDIT_SERVER)
        for (name in listOf("", "  ", "a\nb", "x".repeat(33))) {
            desk.login("wss://call.example.org", name)
            told(Words.NAME_WRONG, Way.EDIT_NAME)
        }
        desk.take(Way.EDIT_NAME)
        assertEquals(Effect.FOCUS_NAME, effect())
        desk.login("wss://call.example.org", "🙂".repeat(32))
        assertNotNull(phone.state.me, "characters are counted, not their halves")
    }

    @Test
    fun `a refused microphone stops the call and says where to allow it`() {
        phone.enter()
        phone.around.grants = mapOf(Need.CAMERA to Grant(true), Need.MICROPHONE to Grant(false, explain = true, asked = true))
        phone.around.afterAsking = phone.around.grants
        desk.call("rui")
        told(Words.MICROPHONE_NOT_ALLOWED, Way.TRY_AGAIN, Way.DISMISS)
        assertEquals(emptyList<String>(), phone.line.done)
        phone.around.afterAsking = mapOf(Need.CAMERA to Grant(true), Need.MICROPHONE to Grant(true))
        desk.take(Way.TRY_AGAIN)
        assertEquals(listOf("call rui"), phone.line.done)
    }

    @Test
    fun `a microphone that is refused for good is a matter for the system's settings`() {
        phone.rings()
        phone.around.grants = mapOf(Need.CAMERA to Grant(true), Need.MICROPHONE to Grant(false, asked = true))
        phone.around.afterAsking = phone.around.grants
        desk.accept()
        told(Words.MICROPHONE_NOT_ALLOWED, Way.SETTINGS, Way.DISMISS)
        desk.take(Way.SETTINGS)
        assertEquals(Effect.OPEN_SETTINGS, effect())
        assertEquals(emptyList<String>(), phone.line.done, "it rings on")
    }

    @Test
    fun `a refused camera means a call without it, which can be changed in the call`() {
        phone.enter()
        phone.around.grants = mapOf(Need.CAMERA to Grant(false), Need.MICROPHONE to Grant(true))
        phone.around.afterAsking = mapOf(Need.CAMERA to Grant(false, explain = true, asked = true), Need.MICROPHONE to Grant(true))
        desk.call("rui")
        told(Words.CAMERA_NOT_ALLOWED, Way.ALLOW, Way.DISMISS)
        phone.changed(CallState.CONNECTED, local = FakePhone.ON.copy(video = false))
        phone.around.afterAsking = mapOf(Need.CAMERA to Grant(true), Need.MICROPHONE to Grant(true))
        desk.take(Way.ALLOW)
        assertEquals(listOf("camera false", "call rui", "camera true"), phone.line.done)
    }

    @Test
    fun `a phone without a camera calls without one`() {
        phone.enter()
        phone.around.camera = false
        desk.call("rui")
        told(Words.NO_CAMERA, Way.DISMISS)
        assertEquals(listOf("camera false", "call rui"), phone.line.done)
    }

    @Test
    fun `a camera that another app has is told, and once it is back the notice goes`() {
        phone.inCall()
        desk.cameraTrouble(CameraTrouble.IN_USE)
        told(Words.CAMERA_IN_USE, Way.CAMERA_AGAIN, Way.WITHOUT_CAMERA)
        desk.cameraTrouble(null)
        assertNull(phone.told)
        desk.cameraTrouble(CameraTrouble.IN_USE)
        desk.take(Way.WITHOUT_CAMERA)
        assertEquals(listOf("camera false"), phone.line.done)
    }

    @Test
    fun `a call that ended because another app had the camera can be made without`() {
        phone.enter()
        desk.call("rui")
        phone.changed(CallState.CALLING)
        desk.cameraTrouble(CameraTrouble.IN_USE)
        phone.ended(EndReason.MEDIA_FAILED_LOCALLY)
        told(Words.CAMERA_IN_USE, Way.CALL_AGAIN, Way.WITHOUT_CAMERA, Way.DISMISS)
        desk.take(Way.WITHOUT_CAMERA)
        assertEquals(listOf("call rui", "camera false", "call rui"), phone.line.done)
    }

    @Test
    fun `the other ways a camera fails each have their words`() {
        phone.inCall()
        desk.cameraTrouble(CameraTrouble.BROKEN)
        told(Words.CAMERA_BROKEN, Way.CAMERA_AGAIN, Way.WITHOUT_CAMERA)
        desk.take(Way.CAMERA_AGAIN)
        assertEquals(listOf("camera false", "camera true"), phone.line.done)
        desk.cameraTrouble(CameraTrouble.GONE)
        told(Words.NO_CAMERA, Way.WITHOUT_CAMERA)
        desk.cameraTrouble(CameraTrouble.NOT_ALLOWED)
        told(Words.CAMERA_NOT_ALLOWED, Way.ALLOW, Way.WITHOUT_CAMERA)
        phone.around.grants = mapOf(Need.CAMERA to Grant(false, asked = true))
        phone.around.afterAsking = phone.around.grants
        desk.take(Way.ALLOW)
        assertEquals(Effect.OPEN_SETTINGS, effect())
    }

    @Test
    fun `a phone with one camera only says so when it is to be switched`() {
        phone.inCall()
        phone.line.failNext = failure(ErrorKind.OVERCONSTRAINED, "facingMode")
        desk.flip()
        told(Words.NO_OTHER_CAMERA, Way.DISMISS)
    }

    private fun endsWith(reason: EndReason, words: Words, vararg ways: Way, gaps: List<String> = listOf("rui")) {
        phone.changed(CallState.CALLING)
        phone.ended(reason)
        told(words, *ways, gaps = gaps)
    }

    @Test
    fun `somebody busy, out of reach of the phone or cut off can be called again`() {
        phone.enter()
        val (again, write, ok) = Triple(Way.CALL_AGAIN, Way.WRITE, Way.DISMISS)
        desk.call("rui")
        endsWith(EndReason.BUSY, Words.BUSY, again, write, ok)
        endsWith(EndReason.TIMEOUT, Words.NO_ANSWER, again, write, ok, gaps = emptyList())
        endsWith(EndReason.NO_PATH, Words.NO_PATH, again, write, ok)
        endsWith(EndReason.CONNECTION_FAILED, Words.CALL_LOST, again, ok)
        endsWith(EndReason.NEGOTIATION_FAILED, Words.CALL_NOT_SET_UP, again, ok)
        endsWith(EndReason.NO_COMMON_CODEC, Words.NO_COMMON_CODEC, write, ok)
        endsWith(EndReason.HANDSHAKE_FAILED, Words.HANDSHAKE_FAILED, again, ok)
        endsWith(EndReason.MEDIA_FAILED_REMOTELY, Words.DEVICES_FAILED_REMOTELY, again, ok)
        endsWith(EndReason.CANCELLED_REMOTELY, Words.MISSED, again, ok)
        desk.take(Way.CALL_AGAIN)
        assertEquals(listOf("call rui", "call rui"), phone.line.done)
    }

    @Test
    fun `somebody who declines can be written to, and somebody who is gone is only told of`() {
        phone.enter()
        endsWith(EndReason.DECLINED_REMOTELY, Words.DECLINED, Way.WRITE, Way.DISMISS)
        desk.take(Way.WRITE)
        assertEquals(Effect.FOCUS_CHAT, effect())
        endsWith(EndReason.UNREACHABLE, Words.GONE, Way.DISMISS)
        endsWith(EndReason.HUNG_UP_REMOTELY, Words.HUNG_UP_REMOTELY, Way.DISMISS)
        endsWith(EndReason.ANSWERED_ELSEWHERE, Words.ANSWERED_ELSEWHERE, Way.DISMISS)
    }

    @Test
    fun `a call lost for want of a microphone can be tried again`() {
        phone.inCall()
        phone.ended(EndReason.MEDIA_FAILED_LOCALLY)
        told(Words.DEVICES_FAILED, Way.CALL_AGAIN, Way.WITHOUT_CAMERA, Way.DISMISS)
    }

    @Test
    fun `each device that fails is told by its name, and the camera by what the phone says of it`() {
        phone.inCall()
        phone.line.tell(Event.DeviceFailed(DeviceKind.CAMERA, failure(ErrorKind.DEVICE_NOT_READABLE)))
        told(Words.CAMERA_BROKEN, Way.CAMERA_AGAIN, Way.WITHOUT_CAMERA)
        phone.line.tell(Event.DeviceFailed(DeviceKind.MICROPHONE, failure(ErrorKind.DEVICE_NOT_READABLE)))
        told(Words.MICROPHONE_BROKEN, Way.DISMISS)
        phone.line.tell(Event.DeviceFailed(DeviceKind.SPEAKER, failure(ErrorKind.DEVICE_NOT_READABLE)))
        told(Words.SPEAKER_BROKEN, Way.DISMISS)
    }

    @Test
    fun `what of the other side does not come is told until it comes`() {
        phone.inCall()
        phone.line.tell(Event.MediaMissing(MediaKind.VIDEO, MissingMedia.NO_PACKETS))
        told(Words.NO_PICTURE_THERE, Way.DISMISS, gaps = listOf("rui"))
        phone.line.tell(Event.MediaMissing(MediaKind.AUDIO, null))
        told(Words.NO_PICTURE_THERE, Way.DISMISS, gaps = listOf("rui"))
        phone.line.tell(Event.MediaMissing(MediaKind.VIDEO, null))
        assertNull(phone.told)
        phone.line.tell(Event.MediaMissing(MediaKind.VIDEO, MissingMedia.NO_COMMON_CODEC))
        told(Words.SOUND_ALONE, Way.DISMISS, gaps = listOf("rui"))
        phone.ended(EndReason.HUNG_UP_LOCALLY)
        assertNull(phone.told)
    }

    @Test
    fun `why a call takes long to connect is told until it is connected`() {
        phone.enter()
        desk.call("rui")
        phone.changed(CallState.CONNECTING)
        phone.line.tell(Event.NoPathYet(NoPath.NO_RELAY, listOf(CandidateType.HOST), listOf(CandidateType.HOST)))
        told(Words.NO_RELAY, Way.DISMISS)
        phone.changed(CallState.CONNECTED)
        assertNull(phone.told)
    }

    @Test
    fun `a server that is lost in a call leaves the call alone, and its return takes the notice away`() {
        phone.inCall()
        phone.line.tell(Event.Reconnecting(1u, 500u, failure(ErrorKind.SERVER)))
        told(Words.SERVER_LOST_IN_CALL, Way.DISMISS)
        assertEquals(Phase.CONNECTED, phone.call?.phase)
        phone.line.tell(Event.LoggedIn("ana", true))
        assertNull(phone.told)
        phone.ended(EndReason.HUNG_UP_LOCALLY)
        phone.line.tell(Event.Reconnecting(1u, 500u, failure(ErrorKind.SERVER)))
        told(Words.SERVER_LOST, Way.DISMISS)
    }

    @Test
    fun `a server that throws one out leads back to the door`() {
        phone.inCall()
        phone.line.tell(Event.Closed(failure(ErrorKind.SERVER)))
        told(Words.SERVER_GONE, Way.TRY_AGAIN, Way.EDIT_SERVER)
        assertNull(phone.state.me)
    }

    @Test
    fun `photos that cannot be taken or kept say so`() {
        phone.inCall()
        desk.photo()
        told(Words.PHOTO_SAVED, Way.DISMISS)
        phone.around.gallery = false
        desk.photo()
        told(Words.PHOTO_NOT_SAVED, Way.DISMISS)
        phone.line.failNext = failure(ErrorKind.NO_PICTURE)
        desk.photo()
        told(Words.NO_PICTURE, Way.DISMISS)
    }

    @Test
    fun `what the core refuses is told and changes nothing`() {
        phone.inCall()
        desk.call("ana")
        told(Words.CALL_SELF, Way.DISMISS)
        for ((kind, words) in listOf(
            ErrorKind.CALL to Words.CALL_REFUSED, ErrorKind.SERVER to Words.SERVER_LOST, ErrorKind.INVALID_ARGUMENT to Words.REFUSED,
            ErrorKind.INTERNAL to Words.FAILED, ErrorKind.TOO_FAST to Words.TOO_FAST,
        )) {
            phone.line.failNext = failure(kind)
            desk.say("olá")
            told(words, Way.DISMISS)
        }
        phone.line.tell(Event.Refused(failure(ErrorKind.INVALID_ARGUMENT)))
        told(Words.REFUSED, Way.DISMISS)
        phone.line.tell(Event.Refused(failure(ErrorKind.TOO_FAST)))
        told(Words.TOO_FAST, Way.DISMISS)
        assertEquals(Phase.CONNECTED, phone.call?.phase)
    }
}
