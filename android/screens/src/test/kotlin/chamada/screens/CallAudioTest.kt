package chamada.screens

import android.app.Application
import android.media.AudioDeviceInfo
import android.media.AudioManager
import android.os.Looper
import chamada.android.CallAudio
import chamada.android.RouteDriver
import chamada.android.plain.Route
import chamada.android.plain.RouteKind
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.AudioDeviceInfoBuilder

/** The library's way with focus, mode and routes, on Robolectric's audio system. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [32], application = Application::class)
class CallAudioTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val manager: AudioManager = app.getSystemService(AudioManager::class.java)
    private val system = shadowOf(manager)
    private val held = mutableListOf<Boolean>()
    private val audio = CallAudio(app, { _, _ -> }, held::add)

    private fun focus(change: Int) {
        system.lastAudioFocusRequest.audioFocusRequest.onAudioFocusChangeListener!!.onAudioFocusChange(change)
        shadowOf(Looper.getMainLooper()).idle()
    }

    @Test
    fun `a call has focus and mode for as long as it goes on`() {
        audio.begin(video = true)
        assertEquals(AudioManager.MODE_IN_COMMUNICATION, manager.mode)
        assertNotNull(system.lastAudioFocusRequest)
        audio.end()
        assertEquals(AudioManager.MODE_NORMAL, manager.mode)
        assertEquals(system.lastAudioFocusRequest.audioFocusRequest, system.lastAbandonedAudioFocusRequest)
    }

    @Test
    fun `a mode that another call set before is not put back`() {
        manager.mode = AudioManager.MODE_RINGTONE
        audio.begin(video = true)
        audio.end()
        assertEquals(AudioManager.MODE_NORMAL, manager.mode)
    }

    @Test
    fun `a phone call holds ours, and music until the person is back`() {
        audio.begin(video = true)
        focus(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT)
        audio.back()
        assertEquals("a phone call is not interrupted", listOf(true), held)
        focus(AudioManager.AUDIOFOCUS_GAIN)
        focus(AudioManager.AUDIOFOCUS_LOSS)
        audio.back()
        assertEquals(listOf(true, false, true, false), held)
    }

    @Test
    fun `a call that begins during a phone call waits for its sound`() {
        system.setNextFocusRequestResponse(AudioManager.AUDIOFOCUS_REQUEST_DELAYED)
        audio.begin(video = true)
        assertEquals(listOf(true), held)
        focus(AudioManager.AUDIOFOCUS_GAIN)
        assertEquals(listOf(true, false), held)
    }

    @Test
    fun `what Telecom takes of ours holds nothing, but its word does`() {
        audio.begin(video = true)
        assertNull(system.lastAbandonedAudioFocusRequest)
        audio.telecom(NoRoutes)
        assertNotNull(system.lastAbandonedAudioFocusRequest)
        focus(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT)
        assertEquals(emptyList<Boolean>(), held)
        audio.hold(true)
        audio.hold(false)
        assertEquals(listOf(true, false), held)
    }

    @Test
    fun `the ways that the system has are told, and the one chosen is taken`() {
        val (ear, speaker) = listOf(AudioDeviceInfo.TYPE_BUILTIN_EARPIECE, AudioDeviceInfo.TYPE_BUILTIN_SPEAKER)
            .map { AudioDeviceInfoBuilder.newBuilder().setType(it).build() }
        system.setAvailableCommunicationDevices(listOf(ear, speaker))
        var told: Pair<List<Route>, Route?>? = null
        val audio = CallAudio(app, { routes, now -> told = routes to now }, {})
        audio.begin(video = true)
        assertEquals(setOf(RouteKind.EARPIECE, RouteKind.SPEAKER), told!!.first.map { it.kind }.toSet())
        audio.end()
        assertNull(manager.communicationDevice)
    }
}

private object NoRoutes : RouteDriver {
    override fun start(onRoutes: (List<Route>) -> Unit) {}
    override fun stop() {}
    override fun current(): Route? = null
    override fun select(route: Route) = false
}
