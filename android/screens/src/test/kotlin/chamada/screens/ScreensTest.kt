package chamada.screens

import android.Manifest
import android.app.Notification
import android.content.Intent
import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.ImageButton
import android.widget.ListView
import android.widget.TextView
import chamada.AppAction
import chamada.AppCallPhase
import chamada.AppOutage
import chamada.AppScreen
import chamada.Demo
import chamada.android.CallNotifications
import chamada.app.CallActivity
import chamada.app.CallForegroundService
import chamada.app.MainActivity
import chamada.app.R
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowAlertDialog

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

    private fun main() = Robolectric.buildActivity(MainActivity::class.java).setup().get()

    private fun call() = Robolectric.buildActivity(CallActivity::class.java).setup().get()

    @After
    fun leave() {
        dispatch(AppAction.SignOut)
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
        val screen = main()
        screen.look("sign-in")
        screen.findViewById<EditText>(R.id.server).setText("ws://127.0.0.1:1")
        screen.findViewById<EditText>(R.id.name).setText("ana")
        screen.findViewById<Button>(R.id.enter).performClick()
        await("refusal") { it.app.banners.isNotEmpty() }
        screen.look("server-unreachable")
        val ways = screen.findViewById<android.widget.LinearLayout>(R.id.banner_buttons)
        assertEquals(listOf("Try again", "Change the address"), (0 until ways.childCount).map { (ways.getChildAt(it) as Button).text })
        screen.findViewById<EditText>(R.id.name).requestFocus()
        ways.getChildAt(1).performClick()
        await("focus") { screen.findViewById<EditText>(R.id.server).hasFocus() }
        await("no banner") { screen.findViewById<android.widget.LinearLayout>(R.id.banners).childCount == 0 }
    }

    @Test
    @Config(qualifiers = "pt-rBR-w320dp-h480dp-night-hdpi")
    fun `the smallest phone in Portuguese and in the dark has room for every button`() {
        val screen = main()
        screen.look("sign-in-small-dark-pt")
        inCall()
        call().look("call-small-pt")
    }

    @Test
    @Config(qualifiers = "w320dp-h640dp-xhdpi", fontScale = 2f)
    fun `letters twice as large leave every button in reach on a narrow phone`() {
        val screen = main()
        screen.look("sign-in-large-letters")
        val demo = called()
        screen.look("home-large-letters")
        val ringing = call()
        ringing.look("incoming-large-letters")
        ringing.findViewById<ImageButton>(R.id.decline).performClick()
        await("end") { it.app.call == null }
        dispatch(AppAction.SignOut)
        demo.close()
        inCall()
        call().look("call-large-letters")
    }

    @Test
    fun `after signing in there are people and chat`() {
        val screen = main()
        among("ana")
        dispatch(AppAction.Say("olá"))
        await("chat") { it.chat.any { line -> line.text == "olá" } }
        screen.look("home")
        assertEquals(View.GONE, screen.findViewById<View>(R.id.sign_in).visibility)
    }

    @Test
    @Config(qualifiers = TABLET)
    fun `on a tablet people and chat stand side by side`() {
        val screen = main()
        among("ana")
        screen.look("home-tablet")
        val (people, chat) = listOf(R.id.people, R.id.chat).map { id ->
            IntArray(2).also(screen.findViewById<View>(id)::getLocationInWindow)
        }
        assertTrue("${people.toList()} ${chat.toList()}", people[0] < chat[0])
    }

    @Test
    fun `a call has its buttons, its details and the person's name`() {
        inCall()
        val people = main()
        val back = people.findViewById<Button>(R.id.back_to_call)
        await("way back") { back.visibility == View.VISIBLE }
        val screen = call()
        screen.findViewById<ImageButton>(R.id.stats).performClick()
        await("details") { screen.findViewById<TextView>(R.id.measured).text.contains("Received") }
        screen.look("call")
        assertEquals("eco", screen.findViewById<TextView>(R.id.with).text)
        assertEquals("Mute microphone", screen.findViewById<View>(R.id.microphone).contentDescription)
        screen.findViewById<ImageButton>(R.id.microphone).performClick()
        await("mute") { it.app.call?.microphoneOn == false }
        await("label") { screen.findViewById<View>(R.id.microphone).contentDescription == "Unmute microphone" }
        assertTrue("what is off is seen to be", screen.findViewById<View>(R.id.microphone).isActivated)
        assertEquals(View.VISIBLE, screen.findViewById<View>(R.id.lasts).visibility)
        screen.findViewById<ImageButton>(R.id.hang_up).performClick()
        await("end") { it.app.call == null }
        await("finish") { screen.isFinishing }
        await("no way back") { back.visibility == View.GONE }
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
        val screen = main()
        among("ana")
        val search = screen.findViewById<EditText>(R.id.search)
        search.setText("zzz")
        await("nobody") { it.app.nobody?.key == "people.no-match" }
        search.setText("ec")
        val people = screen.findViewById<ListView>(R.id.people)
        untilSo("row", { state.app }) { people.getChildAt(0)?.findViewById<TextView>(R.id.who)?.text == "eco" }
        people.getChildAt(0).findViewById<View>(R.id.call_audio).performClick()
        await("connection") { it.app.call?.phase == AppCallPhase.CONNECTED }
        assertEquals(false, state.app.call?.cameraOn)
        dispatch(AppAction.HangUp)
        await("end") { it.app.call == null && it.history.size == 1 }
        screen.findViewById<View>(R.id.recents).performClick()
        val calls = screen.findViewById<ListView>(R.id.calls)
        untilSo("call in the list", { state }) { calls.isShown && calls.childCount == 1 }
        screen.look("recents")
        screen.findViewById<View>(R.id.recents).performClick()
        untilSo("people again", { state }) { people.isShown && !calls.isShown }
    }

    @Test
    fun `among people a long press on their heading opens the hidden menu`() {
        val screen = main()
        among("ana")
        val heading = screen.findViewById<View>(R.id.people_title)
        assertTrue("it is there to be pressed", heading.isShown)
        heading.performLongClick()
        ShadowAlertDialog.getLatestAlertDialog().dismiss()
    }

    @Test
    fun `what the notification of one call said answers no later one from the list of recent apps`() {
        val demo = called()
        val old = Intent(CallNotifications.ACCEPT).addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY)
        val screen = Robolectric.buildActivity(CallActivity::class.java, old).setup().get()
        assertNull("nothing is asked on the way to an answer", shadowOf(screen).lastRequestedPermission)
        screen.findViewById<ImageButton>(R.id.decline).performClick()
        await("end") { it.app.call == null }
        demo.close()
    }

    @Test
    fun `a question that nobody answers is over with the screen that asked it`() {
        val demo = called()
        val answering = Robolectric.buildActivity(CallActivity::class.java, Intent(CallNotifications.ACCEPT)).setup()
        val screen = answering.get()
        await("question") { shadowOf(screen).lastRequestedPermission != null }
        assertTrue(container.session.asking.value != null)
        dispatch(AppAction.HangUp)
        await("end") { it.app.call == null && screen.isFinishing }
        answering.destroy()
        assertNull(container.session.asking.value)
        demo.close()
    }

    @Test
    fun `the hidden menu takes away what a call needs and gives it back`() {
        inCall()
        val screen = call()
        screen.findViewById<View>(R.id.with).performLongClick()
        val menu = ShadowAlertDialog.getLatestAlertDialog()
        val outages = menu.listView
        val labels = (0 until outages.count).map { outages.adapter.getItem(it) }
        assertEquals(listOf("No connection to the server", "Calls lose every packet"), labels)
        outages.performItemClick(outages.getChildAt(1), 1, 1)
        await("outage") { it.app.call?.phase == AppCallPhase.RECONNECTING }
        assertEquals(listOf(AppOutage.CALLS), state.app.outages)
        outages.performItemClick(outages.getChildAt(1), 1, 1)
        await("recovery") { it.app.call?.phase == AppCallPhase.CONNECTED }
        menu.dismiss()
    }

    @Test
    fun `a call that comes in can be answered and declined, and shows no buttons of a call`() {
        val demo = called()
        val screen = call()
        screen.look("incoming")
        assertEquals(View.GONE, screen.findViewById<View>(R.id.controls).visibility)
        screen.findViewById<ImageButton>(R.id.decline).performClick()
        await("end") { it.app.call == null }
        demo.close()
    }

    @Test
    fun `a call that comes in is answered without video by a button of its own`() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.RECORD_AUDIO, Manifest.permission.CAMERA)
        val demo = called()
        val screen = call()
        screen.findViewById<ImageButton>(R.id.accept_audio).performClick()
        await("connection") { it.app.call?.phase == AppCallPhase.CONNECTED }
        assertEquals(false, state.app.call?.cameraOn)
        demo.close()
    }

    @Test
    @Config(qualifiers = "w720dp-h360dp-land-xhdpi")
    fun `a phone that lies shows the same call`() {
        inCall()
        call().look("call-land")
    }
}

private const val PHONE = "w360dp-h720dp-xhdpi"
private const val TABLET = "w1280dp-h800dp-mdpi"
