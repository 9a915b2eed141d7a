package chamada

import java.io.File
import kotlin.io.path.createTempDirectory
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

/** Real calls between Kotlin and the Rust command, over a real server. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
internal class CallTest {
    private lateinit var server: Server

    @BeforeAll
    fun start() {
        server = Server()
    }

    @AfterAll
    fun stop() = server.close()

    private fun answering(name: String, vararg more: String) = Command(
        "answer", "--server", server.url, "--name", name, "--video", "test:320x240@30", "--audio", "tone", "--json", *more,
    )

    @Test
    fun `calling the Rust peer shows and sounds both ways, flips, takes a photo and ends`() = runBlocking<Unit> {
        val phone = FakePhone()
        answering("rui").use { peer ->
            phone.login(server, "ana").use { session ->
                session.awaitUser("rui")
                val call = session.call("rui")
                assertEquals("rui", call.with())
                session.awaitState(CallState.CONNECTED)

                val layout = phone.remote.awaitFrames(30)
                assertEquals(320u to 240u, layout.width to layout.height)
                assertTrue(phone.remote.different > 15, "the picture moves")
                assertTrue(phone.audio.energy > 0.1, "the peer's tone is heard: ${phone.audio.energy}")
                assertTrue(phone.preview.awaitFrames(1).mirror, "a front camera's preview is a looking glass")
                val png = call.photo(PhotoOf.REMOTE, PhotoKind.PNG)
                assertEquals("PNG", png.copyOfRange(1, 4).decodeToString())

                assertEquals(FacingMode.ENVIRONMENT, call.flipCamera())
                val rear = session.await("rear camera") { event ->
                    (event as? Event.CameraOpened)?.settings?.takeIf { it.deviceId == FakeCameras.REAR }
                }
                assertEquals(FacingMode.ENVIRONMENT, rear.facing)
                assertEquals(listOf(FakeCameras.FRONT), phone.cameras.closed)
                phone.preview.awaitFrames(2)
                assertTrue(!phone.preview.awaitFrames(1).mirror, "a rear camera's is not")

                session.setDegradationPreference(DegradationPreference.MAINTAIN_FRAMERATE)
                session.setVideoBounds(VideoBounds(maxFps = 15.0, maxBitrate = 200_000u))
                session.setThermalState(ThermalState.FAIR)
                val stats = session.await("statistics") { event ->
                    (event as? Event.Measured)?.stats?.takeIf {
                        (it.receivedVideo?.frames ?: 0u) > 30u && (it.sentVideo?.targetBps ?: 0u) in 1u..200_000u
                    }
                }
                assertTrue((stats.receivedVideo?.bps ?: 0.0) > 0 && stats.loss != null, "$stats")
                assertTrue((stats.sentVideo?.frames ?: 0u) > 10u, "$stats")
                call.hangUp()
                assertEquals(EndReason.HUNG_UP_LOCALLY, session.awaitEnd())
                assertEquals(listOf(FakeCameras.FRONT, FakeCameras.REAR), phone.cameras.closed)
            }
            val summary = peer.summary()
            assertEquals("hung-up-there", summary.ended)
            assertTrue(summary.number("video_received", "frames_decoded") > 10, "Kotlin's pictures arrived")
            assertEquals(320.0, summary.number("video_received", "width"))
            assertTrue(summary.number("audio_received", "energy") > 0.001, "Kotlin's tone was heard")
        }
    }

    @Test
    fun `a call of the Rust peer is answered, and its end is told`() = runBlocking<Unit> {
        val phone = FakePhone()
        phone.login(server, "bia").use { session ->
            Command(
                "call", "bia", "--server", server.url, "--name", "edu", "--video", "test:320x240@30", "--audio", "tone",
                "--seconds", "4", "--json",
            ).use { peer ->
                val call = session.awaitIncoming()
                assertEquals("edu", call.with())
                call.accept()
                session.awaitState(CallState.CONNECTED)
                assertEquals(EndReason.HUNG_UP_REMOTELY, session.awaitEnd())
                assertTrue(phone.remote.different > 10, "${phone.remote.different} pictures were seen")
                assertEquals(0, peer.exitCode())
                assertTrue(peer.summary().number("video_received", "frames_decoded") > 10)
            }
        }
    }

    @Test
    fun `a peer that declines is told, and a call that is declined here ends there`() = runBlocking<Unit> {
        FakePhone().login(server, "cleo").use { session ->
            answering("nina", "--decline").use {
                session.awaitUser("nina")
                session.call("nina")
                assertEquals(EndReason.DECLINED_REMOTELY, session.awaitEnd())
            }
            Command("call", "cleo", "--server", server.url, "--name", "otto", "--video", "none", "--audio", "none").use { peer ->
                session.awaitIncoming().decline()
                assertEquals(EndReason.DECLINED_LOCALLY, session.awaitEnd())
                assertEquals(4, peer.exitCode())
            }
        }
    }

    @Test
    fun `two sessions of one process call each other with words and data`() = runBlocking<Unit> {
        val (here, there) = FakePhone() to FakePhone()
        here.login(server, "dora").use { dora ->
            there.login(server, "davi").use { davi ->
                dora.awaitUser("davi")
                dora.say("olá")
                assertEquals("dora", davi.await("chat") { (it as? Event.Chat)?.takeIf { chat -> chat.text == "olá" } }.from)
                val call = dora.call("davi")
                davi.awaitIncoming().accept()
                davi.awaitState(CallState.CONNECTED)
                dora.awaitState(CallState.CONNECTED)
                here.remote.awaitFrames(10)
                there.remote.awaitFrames(10)
                call.sendData("bytes".encodeToByteArray())
                assertEquals("bytes", davi.await("data") { (it as? Event.DataReceived)?.data }.decodeToString())
                call.sendDtmf("4#")
                val keys = List(2) { davi.await("key") { (it as? Event.DtmfReceived)?.tone } }
                assertEquals(listOf("4", "#"), keys)
                assertEquals(ErrorKind.INVALID_ARGUMENT, failure { call.sendDtmf("4 2", durationMs = 40u) }.kind)
                dora.setCamera(false)
                davi.await("camera off") { (it as? Event.CallChanged)?.takeIf { change -> !change.now.remote.video } }
                call.hangUp()
                assertEquals(EndReason.HUNG_UP_REMOTELY, davi.awaitEnd())
            }
        }
    }

    @Test
    fun `both sides see the same words, say so, and know each other in the next call`() = runBlocking<Unit> {
        val (here, there) = FakePhone() to FakePhone()
        var known = emptyList<RememberedPerson>() to emptyList<RememberedPerson>()
        for (expected in listOf(VerificationResult.COMPARE, VerificationResult.REMEMBERED)) {
            here.login(server, "iara", known.first).use { iara ->
                there.login(server, "ivo", known.second).use { ivo ->
                    iara.awaitUser("ivo")
                    val call = iara.call("ivo")
                    val ringing = ivo.awaitIncoming()
                    ringing.accept()
                    val words = iara.awaitChecked(expected).words
                    assertEquals(4, words.size)
                    assertEquals(words, ivo.awaitChecked(expected).words)
                    if (expected == VerificationResult.COMPARE) {
                        call.confirmVerification(true)
                        ringing.confirmVerification(true)
                        val (ofIvo, ofIara) = listOf(iara, ivo).map { session ->
                            session.awaitChecked(VerificationResult.CONFIRMED)
                            session.await("memory") { (it as? Event.Remember)?.person }
                        }
                        assertEquals("ivo" to "iara", ofIvo.name to ofIara.name)
                        known = listOf(ofIvo) to listOf(ofIara)
                    }
                    call.hangUp()
                    assertEquals(EndReason.HUNG_UP_REMOTELY, ivo.awaitEnd())
                    assertEquals(ErrorKind.CALL, failure { ringing.confirmVerification(true) }.kind)
                    // The names are to be free for the next time.
                    iara.logout()
                    ivo.logout()
                }
            }
        }
        val half = RememberedPerson("ivo", listOf(ByteArray(16)))
        val refused = failure { here.login(server, "iara", listOf(half)) }
        assertEquals(ErrorKind.INVALID_ARGUMENT, refused.kind)
    }

    fun `people write to each other alone and send each other files`() = runBlocking<Unit> {
        val folder = createTempDirectory("chamada-files").toFile()
        try {
            val sent = folder.resolve("férias.png").apply { writeBytes(ByteArray(300_000) { (it * 31).toByte() }) }
            val into = folder.resolve("into").apply { mkdir() }
            FakePhone().login(server, "lia", messages = true).use { lia ->
                FakePhone().login(server, "leo", messages = true).use { leo ->
                    lia.awaitUser("leo")
                    val call = lia.call("leo")
                    leo.awaitIncoming().let { incoming ->
                        incoming.accept()
                        for (one in listOf(lia, leo)) one.await("text") { event -> text(event) as? TextEvent.Available }
                        incoming.setTyping(true)
                        assertEquals(true, lia.await("typing") { event -> text(event) as? TextEvent.Typing }.on)
                        val id = call.sendText("olá leo")
                        assertEquals("olá leo", leo.await("text") { event -> text(event) as? TextEvent.Received }.text)
                        assertEquals(id, lia.await("mark") { event -> text(event) as? TextEvent.Delivered }.id)

                        val name = call.sendFile(sent.path)
                        val offered = leo.await("offer") { event -> file(event) as? FileEvent.Offered }
                        assertEquals(listOf("férias.png", "image/png", name), listOf(offered.name, offered.mediaType, offered.id))
                        incoming.acceptFile(offered.id, into.path, offered.name)
                        val path = leo.await("file") { event -> file(event) as? FileEvent.Done }.path
                        lia.await("end of the file") { event -> file(event) as? FileEvent.Done }
                        assertTrue(File(path!!).readBytes().contentEquals(sent.readBytes()))

                        call.sendFile(sent.path)
                        val again = leo.await("offer") { event -> file(event) as? FileEvent.Offered }
                        incoming.endFile(again.id, FileEnd.DECLINED)
                        assertEquals(FileEnd.DECLINED, lia.await("refusal") { event -> file(event) as? FileEvent.Ended }.why)
                        assertEquals(ErrorKind.CALL, failure { incoming.pauseFile(again.id, true) }.kind)
                        assertEquals(ErrorKind.INVALID_ARGUMENT, failure { call.sendFile(folder.path) }.kind)
                        assertEquals(ErrorKind.INVALID_ARGUMENT, failure { call.sendText(" ") }.kind)
                    }
                }
            }
        } finally {
            folder.deleteRecursively()
        }
    }

    private fun text(event: Event): TextEvent? = (event as? Event.Text)?.event

    private fun file(event: Event): FileEvent? = (event as? Event.File)?.event

    @Test
    fun `what fails has a kind, a reason and, where there is one, a detail`() = runBlocking<Unit> {
        assertEquals(ErrorKind.SERVER, failure { Session.connect(Config("ws://127.0.0.1:1", "gil")) }.kind)
        assertEquals(ErrorKind.INVALID_ARGUMENT, failure { Session.connect(Config("::", "gil")) }.kind)
        assertEquals(ErrorKind.INVALID_ARGUMENT, failure { Session.connect(Config(server.url, "")) }.kind)
        val phone = FakePhone()
        phone.login(server, "gil").use { session ->
            session.awaitUser("gil")
            assertEquals("you cannot call yourself", failure { session.call("gil") }.reason)
            val left = parseConstraints("""{"video": {"facingMode": {"exact": "left"}}}""").video!!
            val over = failure { session.setConstraints(left) }
            assertEquals(ErrorKind.OVERCONSTRAINED to "facingMode", over.kind to over.detail)
            val nonsense = failure { parseConstraints("""{"video": {"width": "wide"}}""") }
            assertEquals("video.width", nonsense.detail)
            session.logout()
            assertEquals(ErrorKind.CLOSED, failure { session.call("rui") }.kind)
            assertNull(session.await("end") { it as? Event.Closed }.why)
        }
    }

    @Test
    fun `a camera that cannot be opened is told, and the call goes on without it`() = runBlocking<Unit> {
        val broken = object : Cameras by FakeCameras() {
            override fun openCamera(settings: CameraSettings, sink: CameraSink) =
                throw AppException.NotAllowed("the person said no")
        }
        val config = Config(server.url, "hugo")
        Session.connect(config, Devices(cameras = broken)).use { session ->
            answering("ines").use {
                session.awaitUser("ines")
                val call = session.call("ines")
                val failed = session.await("failure") { it as? Event.DeviceFailed }
                assertEquals(DeviceKind.CAMERA to ErrorKind.DEVICE_NOT_ALLOWED, failed.device to failed.why.kind)
                session.awaitState(CallState.CONNECTED)
                call.hangUp()
                assertEquals(EndReason.HUNG_UP_LOCALLY, session.awaitEnd())
            }
        }
    }
}

/** What `act` throws. */
internal inline fun failure(act: () -> Unit): ChamadaException {
    try {
        act()
    } catch (e: ChamadaException) {
        return e
    }
    throw AssertionError("it was taken")
}
