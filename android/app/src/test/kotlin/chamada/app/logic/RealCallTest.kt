package chamada.app.logic

import chamada.FacingMode
import chamada.android.plain.CameraTrouble
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.Executors
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds

/** The app's own desk in real calls: native library, real server, the peer written in Rust; only camera and sound are made up. */
internal class RealCallTest {
    private val main = Executors.newSingleThreadExecutor { Thread(it, "main") }
    private val dispatcher = main.asCoroutineDispatcher()
    private val around = RealSurroundings()
    private val desk = Desk(CoroutineScope(dispatcher), around).also { desk ->
        around.onTrouble = { trouble -> main.execute { desk.cameraTrouble(trouble) } }
    }

    @AfterEach
    fun leave() {
        dispatcher.close()
    }

    /** As a screen does it: on the one thread. */
    private fun press(what: Desk.() -> Unit) = runBlocking(dispatcher) { desk.what() }

    private fun await(what: String, condition: (DeskState) -> Boolean): DeskState = runBlocking {
        try {
            withTimeout(PATIENCE.seconds) { desk.state.first(condition) }
        } catch (e: TimeoutCancellationException) {
            throw AssertionError("no $what; it is ${desk.state.value}", e)
        }
    }

    private fun peer(server: Server, name: String, vararg more: String) = Command(
        "answer", "--server", server.url, "--name", name, "--video", "test:320x240@30", "--audio", "tone", "--json", *more,
    )

    private fun loginAndAwait(server: Server, name: String) {
        press { login(server.url, "ana") }
        await(name) { name in it.people }
    }

    @Test
    fun `the desk calls, shows and hears the other side, flips, takes a photo and hangs up`() {
        Server().use { server ->
            peer(server, "rui").use { rui ->
                loginAndAwait(server, "rui")
                press { call("rui") }
                val call = await("connection") { it.call?.phase == Phase.CONNECTED }.call!!
                assertEquals("rui" to true, call.with to call.camera)
                await("pictures") { (it.call?.stats?.receivedVideo?.frames ?: 0u) > 20u }
                assertTrue(around.screen.get() > 10, "pictures reached the screen")

                press { flip() }
                await("rear camera") { it.call?.facing == FacingMode.ENVIRONMENT }
                press { photo() }
                await("photo") { it.notice?.words == Words.PHOTO_SAVED }
                val jpeg = around.photo.get()!!
                assertEquals(listOf(0xFF, 0xD8), jpeg.take(2).map { it.toInt() and 0xFF })

                press { toggleMicrophone() }
                await("mute") { it.call?.microphone == false }
                press { hangUp() }
                await("end") { it.call == null }
                val summary = rui.lineWith("\"event\":\"summary\"")
                assertTrue("\"ended\":\"hung-up-there\"" in summary, summary)
                val seen = Regex("\"frames_decoded\":(\\d+)").find(summary)!!.groupValues[1].toInt()
                assertTrue(seen > 10, "the other side saw $seen pictures of the desk's camera")
            }
        }
    }

    @Test
    fun `a call that comes in is answered, and its end at the other side is told`() {
        Server().use { server ->
            press { login(server.url, "ana") }
            await("login") { it.people == listOf("ana") }
            Command(
                "call", "ana", "--server", server.url, "--name", "edu", "--video", "test:320x240@30", "--audio", "tone",
                "--seconds", "2", "--json",
            ).use {
                await("ringing") { it.call?.run { phase to with } == (Phase.RINGING_LOCALLY to "edu") }
                press { accept() }
                await("connection") { it.call?.phase == Phase.CONNECTED }
                assertEquals(Notice(Words.HUNG_UP_REMOTELY, listOf(Way.DISMISS), "edu"), await("end") { it.call == null }.notice)
            }
        }
    }

    @Test
    fun `a camera that another app has is told, and the call goes on without it`() {
        Server().use { server ->
            peer(server, "rui").use {
                around.taken = true
                loginAndAwait(server, "rui")
                press { call("rui") }
                val state = await("call without a camera") {
                    it.notice?.words == Words.CAMERA_IN_USE && it.call?.phase == Phase.CONNECTED
                }
                assertEquals(listOf(Way.CAMERA_AGAIN, Way.WITHOUT_CAMERA), state.notice!!.ways)
                assertEquals(false, state.call!!.camera)
                press { hangUp() }
                await("end") { it.call == null }
            }
        }
    }

    @Test
    fun `a camera that gave up in a call is opened anew when the person asks for it`() {
        Server().use { server ->
            peer(server, "rui").use {
                loginAndAwait(server, "rui")
                press { call("rui") }
                await("connection") { it.call?.phase == Phase.CONNECTED }
                assertEquals(1, around.opened.get())
                around.onTrouble(CameraTrouble.BROKEN)
                await("trouble") { it.notice?.words == Words.CAMERA_BROKEN }
                press { take(Way.CAMERA_AGAIN) }
                await("camera") { it.call?.camera == true && around.opened.get() == 2 }
                press { hangUp() }
                await("end") { it.call == null }
            }
        }
    }

    @Test
    fun `somebody who declines and a server out of reach are told as they are`() {
        press { login("ws://127.0.0.1:1", "ana") }
        assertEquals(Words.SERVER_UNREACHABLE, await("refusal") { it.notice != null }.notice?.words)
        press { login("::", "ana") }
        assertEquals(Words.ADDRESS_WRONG, await("refusal") { it.notice?.words != Words.SERVER_UNREACHABLE && it.notice != null }.notice?.words)
        Server().use { server ->
            peer(server, "nina", "--decline").use {
                loginAndAwait(server, "nina")
                press { call("nina") }
                assertEquals(Words.DECLINED, await("end") { it.notice != null }.notice?.words)
            }
        }
    }

    @Test
    fun `a call goes on without the server, comes back after its packets were lost, and says so`() {
        Server().use { server ->
            peer(server, "rui").use {
                loginAndAwait(server, "rui")
                press { call("rui") }
                await("connection") { it.call?.phase == Phase.CONNECTED }
                press { outage(Outage.SERVER, true) }
                val lost = await("loss") { it.notice?.words == Words.SERVER_LOST_IN_CALL }
                assertEquals(Phase.CONNECTED to setOf(Outage.SERVER), lost.call?.phase to lost.outages)
                press { outage(Outage.SERVER, false) }
                val back = await("return") { it.online && it.notice == null }
                assertEquals("ana" to Phase.CONNECTED, back.me to back.call?.phase)
                press { outage(Outage.CALLS, true) }
                await("outage") { it.call?.phase == Phase.RECONNECTING }
                press { outage(Outage.CALLS, false) }
                await("recovery") { it.call?.phase == Phase.CONNECTED }
                press { hangUp() }
                await("end") { it.call == null }
            }
        }
    }

    @Test
    fun `the demonstration needs neither a server nor a permission`() {
        around.allowed = false
        press { demo("") }
        val peer = await("peer") { it.people.size == 2 }.people.first { it != "demo" }
        press { call(peer) }
        await("pictures") { (it.call?.stats?.receivedVideo?.frames ?: 0u) > 5u }
        assertNull(desk.state.value.notice)
        press { logout() }
        await("door") { it.me == null }
        press { demo("ana") }
        assertEquals("ana", await("again") { it.people.size == 2 }.me)
        press { logout() }
    }
}
