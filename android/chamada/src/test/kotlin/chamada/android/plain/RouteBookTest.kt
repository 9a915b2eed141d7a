package chamada.android.plain

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test

internal class RouteBookTest {
    private val ear = Route("e", RouteKind.EARPIECE)
    private val speaker = Route("s", RouteKind.SPEAKER)
    private val wired = Route("w", RouteKind.WIRED)
    private val bluetooth = Route("b", RouteKind.BLUETOOTH, "Headset")

    @Test
    fun `video is heard from the loudspeaker, sound alone from the earpiece`() {
        val book = RouteBook()
        assertEquals(speaker, book.available(listOf(ear, speaker)))
        assertEquals(ear, book.video(false))
        assertEquals(speaker, RouteBook(video = false).available(listOf(speaker)), "a tablet has no earpiece")
    }

    @Test
    fun `a headset takes over when it comes and gives back when it goes`() {
        val book = RouteBook()
        book.available(listOf(ear, speaker))
        assertEquals(wired, book.available(listOf(ear, speaker, wired)))
        assertEquals(bluetooth, book.available(listOf(ear, speaker, wired, bluetooth)))
        assertEquals(wired, book.available(listOf(ear, speaker, wired)))
        assertEquals(speaker, book.available(listOf(ear, speaker)))
    }

    @Test
    fun `what the person chose stays until it goes or another headset comes`() {
        val book = RouteBook()
        book.available(listOf(ear, speaker, bluetooth))
        assertEquals(ear, book.choose("e"))
        assertEquals(ear, book.video(true))
        assertEquals(wired, book.available(listOf(ear, speaker, bluetooth, wired)))
        assertEquals(bluetooth, book.available(listOf(ear, speaker, bluetooth)))
        assertEquals(bluetooth, book.choose("gone"))
    }

    @Test
    fun `sound that somebody else moved stays where it is while no headset comes or goes`() {
        val book = RouteBook()
        book.available(listOf(ear, speaker))
        assertNull(book.available(listOf(speaker, ear)))
    }

    @Test
    fun `a new call starts without the wishes of the last, and without routes there is none`() {
        val book = RouteBook()
        book.available(listOf(ear, speaker))
        book.choose("e")
        book.reset()
        assertNull(book.best)
        assertEquals(speaker, book.available(listOf(ear, speaker)))
    }
}
