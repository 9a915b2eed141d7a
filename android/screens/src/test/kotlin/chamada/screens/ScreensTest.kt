package chamada.screens

import android.Manifest
import android.app.Activity
import android.app.Notification
import android.content.Intent
import chamada.AppAction
import chamada.AppCallPhase
import chamada.AppOutage
import chamada.AppSavedSignIn
import chamada.AppScreen
import chamada.Demo
import chamada.android.CallNotifications
import chamada.app.CallActivity
import chamada.app.CallForegroundService
import chamada.app.MainActivity
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/**
 * The app's own activities with the native library behind them; the system is Robolectric's. There is no OpenGL in it: where
 * pictures of a call belong, screens are black.
 */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [32], qualifiers = PHONE)
internal class ScreensTest {
    @get:Rule
    val card = SoundCard()

    private val opened = mutableListOf<ActivityController<*>>()

    @Before
    fun begin() = stepByFrames()

    private fun <T : Activity> open(activity: Class<T>, intent: Intent? = null): T {
        val controller = Robolectric.buildActivity(activity, intent).setup()
        opened += controller
        frames()
        return controller.get()
    }

    private fun main() = open(MainActivity::class.java)

    private fun call() = open(CallActivity::class.java)

    /** What TalkBack would read. */
    private fun seen() = found().map { it.label }.filter(String::isNotEmpty)

    /** Compose's dispatcher lives as long as the process: what it waits for when a test ends, it would wait for in the next. */
    @After
    fun leave() {
        dispatch(AppAction.SignOut)
        opened.forEach { it.close() }
        frames()
        container.close()
    }

    private fun among(name: String) {
        dispatch(AppAction.StartDemo(name))
        await("people") { it.app.people.isNotEmpty() }
    }

    /** Signed in where somebody calls; a real login and no demonstration, so that permissions count. */
    private fun called(): Demo {
        val demo = runBlocking { Demo.start("rui") }
        dispatch(AppAction.SignIn(demo.server(), "ana", token = null))
        await("people") { it.app.people.isNotEmpty() }
        runBlocking { demo.call("ana") }
        await("ringing") { it.app.screen == AppScreen.INCOMING }
        return demo
    }

    private fun inCall() {
        among("ana")
        dispatch(AppAction.Call("eco", video = true))
        await("connection") { it.app.call?.phase == AppCallPhase.CONNECTED }
    }

    @Test
    fun `the sign-in shows why one is not let in, and the way leads to the field`() {
        main()
        type("Server address", "ws://127.0.0.1:1")
        type("Your name", "ana")
        press("Join")
        await("refusal") { it.app.banners.isNotEmpty() }
        untilSo("banner", ::seen) { says("The server cannot be reached") && says("Try again") }
        press("Change the address")
        untilSo("focus", ::seen) { hasFocus("Server address") }
        untilSo("no banner", ::seen) { !says("The server cannot be reached") }
    }

    @Test
    fun `who signed in before types no address, and finds it under Advanced`() {
        container.store.save(AppSavedSignIn("wss://call.example.org", "ana", null, stay = false))
        dispatch(AppAction.Started(container.store.signIn(), null, container.permissions.status(null), null))
        main()
        untilSo("name", ::seen) { says("ana") }
        assertFalse("the address is not shown", says("Server address"))
        press("Advanced")
        untilSo("address", ::seen) { says("wss://call.example.org") }
    }

    @Test
    fun `after signing in there are people, the calls that were and the chat, each behind its tab`() {
        main()
        among("ana")
        untilSo("people", ::seen) { says("eco") && !says("Your name") }
        press("Recents")
        untilSo("no calls", ::seen) { says("No calls yet.") }
        press("Chat")
        type("Write a message", "olá")
        press("Send")
        await("chat") { it.chat.any { line -> line.text == "olá" } }
        untilSo("line", ::seen) { says("olá") }
        press("Account")
        press("Log out")
        untilSo("sign-in", ::seen) { says("Join") }
    }

    @Test
    @Config(qualifiers = TABLET)
    fun `on a tablet people and chat stand side by side`() {
        main()
        among("ana")
        untilSo("both", ::seen) { says("eco") && says("Write a message") }
        val (search, chat) = listOf("Search for a name", "Write a message").map { label -> found().first { label in it.label }.positionInRoot.x }
        assertTrue("$search $chat", search < chat)
    }

    @Test
    fun `a person is blocked by the menu of their row, is marked, and heard of again`() {
        main()
        among("ana")
        press("More about eco")
        press("Block eco")
        await("block") { it.app.people.single().blocked }
        untilSo("mark", ::seen) { says("Blocked") }
        hold("eco")
        press("Unblock eco")
        await("no block") { !it.app.people.single().blocked }
    }

    @Test
    fun `a call has its buttons, its details and the person's name`() {
        inCall()
        main()
        untilSo("way back", ::seen) { says("Back to the call") }
        val screen = call()
        untilSo("name", ::seen) { says("eco") }
        press("More")
        press("Connection details")
        press("Close")
        untilSo("details", ::seen) { says("Received: ") }
        assertEquals(emptyList<String>(), screen.complaints())
        press("Mute microphone")
        await("mute") { it.app.call?.microphoneOn == false }
        untilSo("label", ::seen) { says("Unmute microphone") }
        press("Turn camera off")
        await("camera off") { it.app.call?.cameraOn == false }
        press("Hang up")
        await("end") { it.app.call == null }
        untilSo("finish", ::seen) { screen.isFinishing }
        untilSo("no way back", ::seen) { !says("Back to the call") }
    }

    @Test
    fun `the way back closes what a call has opened, and then leaves the call on`() {
        inCall()
        val screen = call()
        press("More")
        assertFalse("what is covered is not to be reached", says("Hang up"))
        screen.onBackPressedDispatcher.onBackPressed()
        settle()
        assertTrue(says("Hang up"))
        screen.onBackPressedDispatcher.onBackPressed()
        assertTrue(!screen.isFinishing && state.app.call != null)
    }

    @Test
    fun `the service shows the call, and its buttons mute and end it`() {
        inCall()
        val running = Robolectric.buildService(CallForegroundService::class.java).create().startCommand(0, 1)
        val shown = shadowOf(running.get()).lastForegroundNotification
        assertEquals("eco", shown.extras.getString(Notification.EXTRA_TITLE))
        assertTrue(shown.flags and Notification.FLAG_ONGOING_EVENT != 0)
        val mute = Intent(RuntimeEnvironment.getApplication(), CallForegroundService::class.java).setAction(CallNotifications.MUTE)
        running.withIntent(mute).startCommand(0, 2)
        await("mute") { it.app.call?.microphoneOn == false }
        val hangUp = Intent(RuntimeEnvironment.getApplication(), CallForegroundService::class.java).setAction(CallNotifications.HANG_UP)
        running.withIntent(hangUp).startCommand(0, 3)
        await("end") { it.app.call == null }
        running.withIntent(Intent()).startCommand(0, 4)
        assertTrue("without a call there is nothing to serve", shadowOf(running.get()).isStoppedBySelf)
        running.destroy()
    }

    @Test
    fun `one looks for somebody, calls without video, and finds the call among those that were`() {
        main()
        among("ana")
        type("Search for a name", "zzz")
        await("nobody") { it.app.nobody?.key == "people.no-match" }
        type("zzz", "ec")
        press("Call eco without video")
        await("connection") { it.app.call?.phase == AppCallPhase.CONNECTED }
        assertEquals(false, state.app.call?.cameraOn)
        dispatch(AppAction.HangUp)
        await("end") { it.app.call == null && it.history.size == 1 }
        press("Recents")
        untilSo("call in the list", ::seen) { says("Made · ") }
        press("Call eco without video")
        await("the same again") { it.app.call != null }
        press("People")
        untilSo("people again", ::seen) { says("Clear the search") }
    }

    @Test
    fun `among people a long press on their heading opens the hidden menu`() {
        main()
        among("ana")
        hold("People")
        untilSo("menu", ::seen) { says("Calls lose every packet") }
        press("Close")
        untilSo("people", ::seen) { says("eco") }
    }

    @Test
    fun `what the notification of one call said answers no later one from the list of recent apps`() {
        val demo = called()
        val old = Intent(CallNotifications.ACCEPT).addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY)
        val screen = open(CallActivity::class.java, old)
        assertNull("nothing is asked on the way to an answer", shadowOf(screen).lastRequestedPermission)
        press("Decline")
        await("end") { it.app.call == null }
        demo.close()
    }

    @Test
    fun `a question that nobody answers is over with the screen that asked it`() {
        val demo = called()
        val screen = open(CallActivity::class.java, Intent(CallNotifications.ACCEPT))
        await("question") { shadowOf(screen).lastRequestedPermission != null }
        assertTrue(container.session.asking.value != null)
        dispatch(AppAction.HangUp)
        await("end") { it.app.call == null && screen.isFinishing }
        opened.removeLast().destroy()
        assertNull(container.session.asking.value)
        demo.close()
    }

    @Test
    fun `the hidden menu takes away what a call needs and gives it back`() {
        inCall()
        call()
        hold("eco")
        press("Calls lose every packet")
        await("outage") { it.app.call?.phase == AppCallPhase.RECONNECTING }
        assertEquals(listOf(AppOutage.CALLS), state.app.outages)
        press("Calls lose every packet")
        await("recovery") { it.app.call?.phase == AppCallPhase.CONNECTED }
    }

    @Test
    fun `a call that comes in can be answered and declined, and shows no buttons of a call`() {
        val demo = called()
        call()
        untilSo("answers", ::seen) { listOf("rui", "Accept", "Without video", "Decline and block").all(::says) }
        assertFalse(says("Hang up"))
        press("Decline")
        await("end") { it.app.call == null }
        demo.close()
    }

    @Test
    fun `whoever calls is refused and blocked by one button`() {
        val demo = called()
        call()
        press("Decline and block")
        await("end") { it.app.call == null && it.app.people.single().blocked }
        demo.close()
    }

    @Test
    fun `a call that comes in is answered without video by a button of its own`() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.RECORD_AUDIO, Manifest.permission.CAMERA)
        val demo = called()
        call()
        press("Without video")
        await("connection") { it.app.call?.phase == AppCallPhase.CONNECTED }
        assertEquals(false, state.app.call?.cameraOn)
        demo.close()
    }
}

private const val PHONE = "w360dp-h720dp-xhdpi"
private const val TABLET = "w1280dp-h800dp-mdpi"
