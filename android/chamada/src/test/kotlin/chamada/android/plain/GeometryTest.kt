package chamada.android.plain

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

internal class GeometryTest {
    @Test
    fun `a phone that is turned either way has upright pictures of both cameras`() {
        // Sensors of phones lie: 90 at the rear, 270 at the front. Held upright, turned to the left, upside down, to the right.
        assertEquals(listOf(90, 0, 270, 180), listOf(0, 90, 180, 270).map { uprightDegrees(90, it, facesUser = false) })
        assertEquals(listOf(270, 0, 90, 180), listOf(0, 90, 180, 270).map { uprightDegrees(270, it, facesUser = true) })
    }

    @Test
    fun `fit shows all of a picture and fill leaves no bar`() {
        assertEquals(Extent(1f, 0.5f), extent(200, 100, 0, 100, 100, Scaling.FIT))
        assertEquals(Extent(2f, 1f), extent(200, 100, 0, 100, 100, Scaling.FILL))
        assertEquals(Extent(0.5f, 1f), extent(200, 100, 90, 100, 100, Scaling.FIT), "turned, it is tall")
        assertEquals(Extent(1f, 2f), extent(200, 100, 270, 100, 100, Scaling.FILL))
        assertEquals(Extent(1f, 1f), extent(1280, 720, 0, 640, 360, Scaling.FIT))
        assertEquals(Extent(0f, 0f), extent(0, 0, 0, 100, 100, Scaling.FIT), "nothing to show")
    }

    @Test
    fun `each corner shows the place of the stored picture that belongs there`() {
        // Bottom left, bottom right, top left, top right.
        assertArrayEquals(floatArrayOf(0f, 1f, 1f, 1f, 0f, 0f, 1f, 0f), corners(0, mirror = false))
        // Turned clockwise, the stored picture's bottom left is the upright one's top left.
        assertArrayEquals(floatArrayOf(1f, 1f, 1f, 0f, 0f, 1f, 0f, 0f), corners(90, mirror = false))
        assertArrayEquals(floatArrayOf(1f, 0f, 0f, 0f, 1f, 1f, 0f, 1f), corners(180, mirror = false))
        assertArrayEquals(floatArrayOf(0f, 0f, 0f, 1f, 1f, 0f, 1f, 1f), corners(270, mirror = false))
        assertArrayEquals(floatArrayOf(1f, 1f, 0f, 1f, 1f, 0f, 0f, 0f), corners(0, mirror = true))
        assertArrayEquals(floatArrayOf(1f, 0f, 1f, 1f, 0f, 0f, 0f, 1f), corners(90, mirror = true), "mirrored after turning")
    }

    @Test
    fun `a picture stamped by another clock counts as new`() {
        assertEquals(30, ageNanos(1_030, 1_000))
        assertEquals(0, ageNanos(1_000, 1_030))
        assertEquals(0, ageNanos(90_000_000_000, 1_000))
    }
}
