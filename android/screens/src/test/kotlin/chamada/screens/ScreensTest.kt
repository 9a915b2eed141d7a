package chamada.screens

import android.app.Notification
import android.content.Intent
import android.view.View
import android.widget.Button
import android.widget.EditText
import android.widget.ImageButton
import android.widget.TextView
import chamada.Demo
import chamada.android.CallNotifications
import chamada.app.CallActivity
import chamada.app.MainActivity
import chamada.app.R
import chamada.app.TalkService
import chamada.app.logic.Outage
import chamada.app.logic.Phase
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
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
        house.desk.logout()
        await("door") { it.me == null }
    }

    private fun among(name: String) {
        house.desk.demo(name)
        await("people") { it.people.size == 2 }
    }

    private fun inCall() {
        among("ana")
        house.desk.call("eco")
        await("pictures") { it.call?.phase == Phase.CONNECTED && (it.call?.stats?.receivedVideo?.frames ?: 0u) > 0u }
    }

    @Test
    fun `the door shows why one is not let in, and the way leads to the field`() {
        val screen = main()
        screen.look("door")
        screen.findViewById<EditText>(R.id.server).setText("ws://127.0.0.1:1")
        screen.findViewById<EditText>(R.id.name).setText("ana")
        screen.findViewById<Button>(R.id.enter).performClick()
        await("refusal") { it.notice != null }
        screen.look("server-unreachable")
        val ways = screen.findViewById<android.widget.LinearLayout>(R.id.notice_ways)
        assertEquals(listOf("Try again", "Change the address"), (0 until ways.childCount).map { (ways.getChildAt(it) as Button).text })
        screen.findViewById<EditText>(R.id.name).requestFocus()
        ways.getChildAt(1).performClick()
        await("focus") { screen.findViewById<EditText>(R.id.server).hasFocus() }
        assertEquals(View.GONE, screen.findViewById<View>(R.id.notice).visibility)
    }

    @Test
    @Config(qualifiers = "pt-rBR-w320dp-h480dp-night-hdpi")
    fun `the smallest phone in Portuguese and in the dark has room for every button`() {
        val screen = main()
        screen.look("door-small-dark-pt")
        inCall()
        call().look("call-small-pt")
    }

    @Test
    fun `behind the door are people and chat`() {
        val screen = main()
        among("ana")
        house.desk.say("olá")
        await("chat") { it.chat.isNotEmpty() }
        screen.look("room")
        assertEquals(View.GONE, screen.findViewById<View>(R.id.door).visibility)
    }

    @Test
    @Config(qualifiers = TABLET)
    fun `on a tablet people and chat stand side by side`() {
        val screen = main()
        among("ana")
        screen.look("room-tablet")
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
        await("details") { screen.findViewById<TextView>(R.id.measured).text.contains("fps") }
        screen.look("call")
        assertEquals("eco", screen.findViewById<TextView>(R.id.with).text)
        assertEquals("Mute microphone", screen.findViewById<View>(R.id.microphone).contentDescription)
        screen.findViewById<ImageButton>(R.id.microphone).performClick()
        await("mute") { it.call?.microphone == false }
        await("label") { screen.findViewById<View>(R.id.microphone).contentDescription == "Unmute microphone" }
        assertTrue("what is off is seen to be", screen.findViewById<View>(R.id.microphone).isActivated)
        assertEquals(View.VISIBLE, screen.findViewById<View>(R.id.lasts).visibility)
        screen.findViewById<ImageButton>(R.id.hang_up).performClick()
        await("end") { it.call == null }
        await("finish") { screen.isFinishing }
        await("no way back") { back.visibility == View.GONE }
    }

    @Test
    fun `the service shows the call, and its button ends it`() {
        inCall()
        val running = Robolectric.buildService(TalkService::class.java).create().startCommand(0, 1)
        val shown = shadowOf(running.get()).lastForegroundNotification
        assertEquals("eco", shown.extras.getString(Notification.EXTRA_TITLE))
        assertTrue(shown.flags and Notification.FLAG_ONGOING_EVENT != 0)
        val hangUp = Intent(RuntimeEnvironment.getApplication(), TalkService::class.java).setAction(CallNotifications.HANG_UP)
        running.withIntent(hangUp).startCommand(0, 2)
        await("end") { it.call == null }
        running.withIntent(Intent()).startCommand(0, 3)
        assertTrue("without a call there is nothing to serve", shadowOf(running.get()).isStoppedBySelf)
        running.destroy()
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
        val demo = runBlocking { Demo.start("rui") }
        house.desk.login(demo.server(), "ana")
        await("people") { it.people.size == 2 }
        runBlocking { demo.call("ana") }
        await("ringing") { it.call?.phase == Phase.RINGING_LOCALLY }
        val old = Intent(CallNotifications.ACCEPT).addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY)
        val screen = Robolectric.buildActivity(CallActivity::class.java, old).setup().get()
        assertNull("nothing is asked on the way to an answer", shadowOf(screen).lastRequestedPermission)
        screen.findViewById<ImageButton>(R.id.decline).performClick()
        await("end") { it.call == null }
        demo.close()
    }

    @Test
    fun `a question that nobody answers is over with the screen that asked it`() {
        val demo = runBlocking { Demo.start("rui") }
        house.desk.login(demo.server(), "ana")
        await("people") { it.people.size == 2 }
        runBlocking { demo.call("ana") }
        await("ringing") { it.call?.phase == Phase.RINGING_LOCALLY }
        val answering = Robolectric.buildActivity(CallActivity::class.java, Intent(CallNotifications.ACCEPT)).setup()
        val screen = answering.get()
        await("question") { shadowOf(screen).lastRequestedPermission != null }
        assertTrue(house.isAsking)
        house.desk.hangUp()
        await("end") { it.call == null && screen.isFinishing }
        answering.destroy()
        assertFalse(house.isAsking)
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
        await("outage") { it.call?.phase == Phase.RECONNECTING }
        assertEquals(setOf(Outage.CALLS), house.desk.state.value.outages)
        outages.performItemClick(outages.getChildAt(1), 1, 1)
        await("recovery") { it.call?.phase == Phase.CONNECTED }
        menu.dismiss()
    }

    @Test
    fun `a call that comes in can be answered and declined, and shows no buttons of a call`() {
        val demo = runBlocking { Demo.start("rui") }
        house.desk.login(demo.server(), "ana")
        await("people") { it.people.size == 2 }
        runBlocking { demo.call("ana") }
        await("ringing") { it.call?.phase == Phase.RINGING_LOCALLY }
        val screen = call()
        screen.look("incoming")
        assertEquals(View.GONE, screen.findViewById<View>(R.id.controls).visibility)
        screen.findViewById<ImageButton>(R.id.decline).performClick()
        await("end") { it.call == null }
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
