package chamada.android.plain

import chamada.CameraFormat
import chamada.FacingMode
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

internal class CameraCatalogTest {
    private val names = CameraNames("Front", "Rear", "Other")
    private val hd = CameraSize(1280, 720, 33_333_333)
    private val fps = listOf(15..15, 7..30, 15..30, 30..30)

    @Test
    fun `front cameras come first, several of a kind are numbered, and one that looks nowhere is last`() {
        val cameras = listOf(
            CameraTraits("0", FacingMode.ENVIRONMENT, listOf(hd), fps),
            CameraTraits("9", null, listOf(hd), fps),
            CameraTraits("1", FacingMode.USER, listOf(hd), fps),
            CameraTraits("2", FacingMode.ENVIRONMENT, listOf(hd), fps),
        )
        val found = catalog(cameras, names)
        assertEquals(listOf("1" to "Front", "0" to "Rear", "2" to "Rear 2", "9" to "Other"), found.map { it.deviceId to it.label })
    }

    @Test
    fun `a size is as fast as both the size and the camera allow, and what is too large for a call is left out`() {
        val slow = CameraSize(1920, 1080, 66_666_666)
        val unknown = CameraSize(640, 480, 0)
        val huge = CameraSize(4000, 3000, 33_333_333)
        val camera = CameraTraits("0", FacingMode.USER, listOf(hd, slow, unknown, huge), fps)
        val expected = listOf(
            CameraFormat(1280u, 720u, 7.0, 30.0), CameraFormat(1920u, 1080u, 7.0, 15.0), CameraFormat(640u, 480u, 7.0, 30.0),
        )
        assertEquals(expected, catalog(listOf(camera), names).single().formats)
    }

    @Test
    fun `a camera that cannot film is none`() {
        val still = CameraTraits("0", FacingMode.USER, listOf(CameraSize(640, 480, 1_000_000_000)), fps)
        val silent = CameraTraits("1", FacingMode.USER, listOf(hd), emptyList())
        assertTrue(catalog(listOf(still, silent), names).isEmpty())
    }

    @Test
    fun `a camera may slow down in the dark but not run faster than it has to`() {
        assertEquals(7..30, fpsRange(fps, 30.0))
        assertEquals(15..15, fpsRange(fps, 15.0))
        assertEquals(7..30, fpsRange(fps, 24.0))
        assertEquals(7..30, fpsRange(fps, 60.0), "as fast as it can")
        assertNull(fpsRange(emptyList(), 30.0))
    }
}
