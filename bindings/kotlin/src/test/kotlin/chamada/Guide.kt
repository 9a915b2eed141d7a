package chamada

import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

// ANCHOR: call
/** Calls somebody as soon as they are there, hangs up once both are connected, and says why the call ended. */
internal suspend fun callOnce(server: String, to: String, devices: Devices): EndReason =
    Session.connect(Config(server, "ana"), devices).use { session ->
        var call: Call? = null
        var connected = false
        val end = session.events.first { event ->
            when (event) {
                is Event.Users -> if (call == null && to in event.names) call = session.call(to)
                is Event.CallChanged -> if (!connected && event.now.state == CallState.CONNECTED) {
                    connected = true
                    call?.hangUp()
                }
                else -> {}
            }
            event is Event.CallEnded
        }
        (end as Event.CallEnded).reason
    }
// ANCHOR_END: call

// ANCHOR: answer
/** Takes every call until the session is closed. */
internal suspend fun answerAll(session: Session) = session.events.collect { event ->
    if (event is Event.IncomingCall) event.call.accept()
}
// ANCHOR_END: answer

// ANCHOR: constraints
/** The rear camera, 720p where there is that, at most 30 frames per second. */
internal suspend fun rearCamera(session: Session) {
    val asked = """{"video": {"height": {"ideal": 720}, "frameRate": {"max": 30}, "facingMode": "environment"}}"""
    parseConstraints(asked).video?.let { session.setConstraints(it) }
}
// ANCHOR_END: constraints

// ANCHOR: sparing
/** On a path that costs money: small pictures, and smooth ones where not even those fit. */
internal suspend fun sparing(session: Session) {
    session.setVideoBounds(VideoBounds(maxWidth = 640u, maxHeight = 360u))
    session.setDegradationPreference(DegradationPreference.MAINTAIN_FRAMERATE)
}
// ANCHOR_END: sparing

// ANCHOR: quality
/** What to show above the picture, if anything. */
internal fun notice(event: Event.QualityChanged): String? = when {
    event.received.audioOnly -> "The connection carries sound alone."
    event.received.level == QualityLevel.BAD -> "The connection is bad."
    event.sent.level == QualityLevel.BAD -> "The other side hears and sees you badly."
    else -> null
}
// ANCHOR_END: quality

// ANCHOR: push
/** Once after each login, and again when Firebase gives the app another token. */
internal suspend fun ringByPush(session: Session, token: String) =
    session.registerPush(PushRegistration(PushPlatform.FCM, token = token))
// ANCHOR_END: push

/** The Kotlin that docs/site shows, and that it does what it says. */
internal class GuideTest {
    @Test
    fun `the guide's first call connects and ends as it says`() = runBlocking {
        Server().use { server ->
            Command("answer", "--server", server.url, "--name", "rui", "--video", "test:320x240@30", "--audio", "tone").use {
                assertEquals(EndReason.HUNG_UP_LOCALLY, callOnce(server.url, "rui", FakePhone().devices))
            }
        }
    }

    @Test
    fun `the guide's constraints and bounds are taken`() = runBlocking {
        Server().use { server ->
            FakePhone().login(server, "ana").use { session ->
                rearCamera(session)
                sparing(session)
            }
        }
    }

    @Test
    fun `the guide tells of a bad connection and of none that is good`() {
        val good = DirectionQuality(QualityLevel.GOOD, null, audioOnly = false)
        val bad = DirectionQuality(QualityLevel.BAD, QualityReason.LOSS, audioOnly = false)
        assertEquals(null, notice(Event.QualityChanged(good, good)))
        assertEquals("The connection is bad.", notice(Event.QualityChanged(good, bad)))
    }
}
