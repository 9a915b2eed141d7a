package chamada.screens

import android.app.Application
import android.media.AudioDeviceInfo
import android.media.AudioManager
import android.os.Looper
import chamada.AppAction
import chamada.AppAudioInterruption
import chamada.AppAudioInterruption.BEGAN
import chamada.AppAudioInterruption.ENDED
import chamada.AppAudioInterruption.LOST
import chamada.AppAudioRoute
import chamada.AppAudioRouteKind
import chamada.android.CallAudio
import chamada.android.AudioRouter
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
    private val told = mutableListOf<AppAction>()
    private val interruptions get() = told.filterIsInstance<AppAction.AudioInterrupted>().map { it.interruption }
    private val audio = CallAudio(app, told::add)

    private fun focus(change: Int) {
        system.lastAudioFocusRequest.audioFocusRequest.onAudioFocusChangeListener!!.onAudioFocusChange(change)
        shadowOf(Looper.getMainLooper()).idle()
    }

    @Test
    fun `a call has focus and mode for as long as it goes on`() {
        audio.start()
        assertEquals(AudioManager.MODE_IN_COMMUNICATION, manager.mode)
        assertNotNull(system.lastAudioFocusRequest)
        audio.stop()
        assertEquals(AudioManager.MODE_NORMAL, manager.mode)
        assertEquals(system.lastAudioFocusRequest.audioFocusRequest, system.lastAbandonedAudioFocusRequest)
    }

    @Test
    fun `a mode that another call set before is not put back`() {
        manager.mode = AudioManager.MODE_RINGTONE
        audio.start()
        audio.stop()
        assertEquals(AudioManager.MODE_NORMAL, manager.mode)
    }

    @Test
    fun `whoever takes the sound is told, and its return once`() {
        audio.start()
        focus(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT)
        focus(AudioManager.AUDIOFOCUS_GAIN)
        // As the core wants after each interruption.
        audio.reclaim()
        focus(AudioManager.AUDIOFOCUS_LOSS)
        audio.reclaim()
        assertEquals(listOf(BEGAN, ENDED, LOST, ENDED), interruptions)
    }

    @Test
    fun `a call that begins during a phone call waits for its sound`() {
        system.setNextFocusRequestResponse(AudioManager.AUDIOFOCUS_REQUEST_DELAYED)
        audio.start()
        assertEquals(listOf(BEGAN), interruptions)
        focus(AudioManager.AUDIOFOCUS_GAIN)
        assertEquals(listOf(BEGAN, ENDED), interruptions)
    }

    @Test
    fun `what Telecom takes of ours is no interruption`() {
        audio.start()
        assertNull(system.lastAbandonedAudioFocusRequest)
        audio.telecom(NoRoutes)
        assertNotNull(system.lastAbandonedAudioFocusRequest)
        focus(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT)
        assertEquals(emptyList<AppAudioInterruption>(), interruptions)
    }

    @Test
    fun `the ways that the system has are told, and the one chosen is taken`() {
        val (ear, speaker) = listOf(AudioDeviceInfo.TYPE_BUILTIN_EARPIECE, AudioDeviceInfo.TYPE_BUILTIN_SPEAKER)
            .map { AudioDeviceInfoBuilder.newBuilder().setType(it).build() }
        system.setAvailableCommunicationDevices(listOf(ear, speaker))
        audio.start()
        val routes = told.filterIsInstance<AppAction.AudioRoutesChanged>().last().routes
        assertEquals(setOf(AppAudioRouteKind.EARPIECE, AppAudioRouteKind.SPEAKER), routes.map { it.kind }.toSet())
        audio.select(routes.first().id)
        assertEquals(routes.first().id, manager.communicationDevice?.id?.toString())
        audio.stop()
        assertNull(manager.communicationDevice)
    }
}

private object NoRoutes : AudioRouter {
    override fun start(onRoutes: (List<AppAudioRoute>) -> Unit) {}
    override fun stop() {}
    override fun current(): String? = null
    override fun select(id: String) = false
}
