package chamada.android.plain

import chamada.android.plain.PermissionStep.Ask
import chamada.android.plain.PermissionStep.Go
import chamada.android.plain.PermissionStep.Stop
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

internal class PermissionsTest {
    private val yes = Grant(granted = true)
    private val new = Grant(granted = false)
    private val no = Grant(granted = false, explain = true, asked = true)
    private val never = Grant(granted = false, explain = false, asked = true)

    private fun grants(camera: Grant, microphone: Grant, notifications: Grant = yes) =
        mapOf(Need.CAMERA to camera, Need.MICROPHONE to microphone, Need.NOTIFICATIONS to notifications)

    @Test
    fun `the first call asks for everything at once, the next for nothing`() {
        assertEquals(Ask(listOf(Need.CAMERA, Need.MICROPHONE, Need.NOTIFICATIONS)), nextStep(grants(new, new, new), false))
        assertEquals(Go(video = true), nextStep(grants(yes, yes), false))
    }

    @Test
    fun `to be called one needs notifications, which are asked for once`() {
        assertEquals(listOf(Need.NOTIFICATIONS), neededToBeCalled(grants(new, new, new)))
        assertEquals(emptyList<Need>(), neededToBeCalled(grants(new, new, no)))
        assertEquals(emptyList<Need>(), neededToBeCalled(grants(new, new, yes)))
        assertEquals(emptyList<Need>(), neededToBeCalled(emptyMap()), "older systems need no word for them")
    }

    @Test
    fun `a refused camera means a call without it, and the next call asks again`() {
        assertEquals(Go(video = false), nextStep(grants(no, yes), askedNow = true))
        assertEquals(Ask(listOf(Need.CAMERA)), nextStep(grants(no, yes), askedNow = false))
        assertEquals(Go(video = false), nextStep(grants(never, yes), askedNow = true))
    }

    @Test
    fun `what was allowed for one time only is asked for again`() {
        // The system forgets the answer when the time is over, and this is what is left.
        assertEquals(Ask(listOf(Need.CAMERA, Need.MICROPHONE)), nextStep(grants(never, never, never), askedNow = false))
    }

    @Test
    fun `a refused microphone stops the call and says whether asking can still help`() {
        assertEquals(Stop(Need.MICROPHONE, inSettings = false), nextStep(grants(yes, no), askedNow = true))
        assertEquals(Stop(Need.MICROPHONE, inSettings = true), nextStep(grants(yes, never), askedNow = true))
    }

    @Test
    fun `refused notifications are in the way of nothing`() {
        assertEquals(Go(video = true), nextStep(grants(yes, yes, new), askedNow = false))
        assertEquals(Go(video = true), nextStep(grants(yes, yes, never), askedNow = true))
    }
}
