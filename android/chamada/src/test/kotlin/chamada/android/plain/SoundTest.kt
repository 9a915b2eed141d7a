package chamada.android.plain

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

internal class SoundTest {
    private val told = mutableListOf<Boolean>()
    private val sound = Sound { told += it }

    @Test
    fun `a phone call holds ours until the system gives the focus back`() {
        sound.reset()
        sound.focus(FocusNews.GAINED)
        sound.focus(FocusNews.LENT)
        assertFalse(sound.isLost, "it comes back by itself")
        sound.focus(FocusNews.GAINED)
        assertEquals(listOf(true, false), told)
    }

    @Test
    fun `a call that begins during a phone call is silent until that is over`() {
        sound.reset()
        sound.focus(FocusNews.LENT)
        assertEquals(listOf(true), told)
        sound.focus(FocusNews.GAINED)
        assertEquals(listOf(true, false), told)
    }

    @Test
    fun `focus that is lost for good has to be asked for again`() {
        sound.reset()
        sound.focus(FocusNews.LOST)
        assertTrue(sound.isLost && sound.asksForFocus)
        sound.focus(FocusNews.LOST)
        sound.focus(FocusNews.GAINED)
        assertEquals(listOf(true, false), told)
    }

    @Test
    fun `Telecom takes the focus for our own call, which holds nothing`() {
        sound.reset()
        sound.focus(FocusNews.GAINED)
        sound.telecom(true)
        assertFalse(sound.asksForFocus)
        sound.focus(FocusNews.LENT)
        sound.focus(FocusNews.LOST)
        assertFalse(sound.isLost)
        assertEquals(emptyList<Boolean>(), told)
        sound.hold(true)
        sound.focus(FocusNews.GAINED)
        sound.hold(false)
        assertEquals(listOf(true, false), told)
    }

    @Test
    fun `when Telecom lets go of a call on hold, focus counts again`() {
        sound.reset()
        sound.telecom(true)
        sound.hold(true)
        sound.telecom(false)
        assertTrue(sound.asksForFocus)
        sound.focus(FocusNews.LENT)
        assertEquals(listOf(true, false, true), told)
    }

    @Test
    fun `the next call begins with its own sound, though Telecom had it first`() {
        sound.reset()
        sound.focus(FocusNews.LOST)
        sound.reset()
        assertFalse(sound.isLost)
        sound.telecom(true)
        sound.reset()
        assertFalse(sound.asksForFocus)
        sound.focus(FocusNews.LENT)
        assertEquals(listOf(true), told)
    }
}
