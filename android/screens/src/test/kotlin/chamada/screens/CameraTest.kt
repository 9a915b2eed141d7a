package chamada.screens

import android.Manifest
import android.app.Application
import android.graphics.ImageFormat
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.util.Range
import android.util.Size
import chamada.AppCameraTrouble
import chamada.AppException
import chamada.CameraSettings
import chamada.CameraSink
import chamada.FacingMode
import chamada.NoHandle
import chamada.android.Camera2Cameras
import chamada.android.plain.CameraNames
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.StreamConfigurationMapBuilder
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit.SECONDS

/** The library's way with Camera2, on Robolectric's: which has devices and sessions, and no pictures. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [32], application = Application::class)
class CameraTest {
    private val app: Application = RuntimeEnvironment.getApplication()
    private val manager = shadowOf(app.getSystemService(CameraManager::class.java))
    private val troubles = LinkedBlockingQueue<AppCameraTrouble>()
    private val cameras = Camera2Cameras(app, CameraNames("Front", "Rear", "Other"), { 0 }) { it?.let(troubles::add) }
    private val sink = CameraSink(NoHandle)

    @Before
    fun phone() {
        shadowOf(app).grantPermissions(Manifest.permission.CAMERA)
        manager.addCamera("0", camera(CameraCharacteristics.LENS_FACING_BACK))
        manager.addCamera("1", camera(CameraCharacteristics.LENS_FACING_FRONT))
    }

    private fun camera(facing: Int): CameraCharacteristics {
        val about = ShadowCameraCharacteristics.newCameraCharacteristics()
        val sizes = StreamConfigurationMapBuilder.newBuilder().addOutputSize(ImageFormat.YUV_420_888, Size(640, 480)).build()
        shadowOf(about).run {
            set(CameraCharacteristics.LENS_FACING, facing)
            set(CameraCharacteristics.SENSOR_ORIENTATION, 90)
            set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, sizes)
            set(CameraCharacteristics.CONTROL_AE_AVAILABLE_TARGET_FPS_RANGES, arrayOf(Range(15, 30), Range(30, 30)))
        }
        return about
    }

    private fun settings(id: String, facing: FacingMode) = CameraSettings(id, facing, 640u, 480u, 30.0)

    @Test
    fun `what the system says of its cameras is what the core chooses from`() {
        val list = cameras.listCameras()
        assertEquals(listOf("Front" to FacingMode.USER, "Rear" to FacingMode.ENVIRONMENT), list.map { it.label to it.facing })
        assertEquals(listOf(640u to 480u), list.first().formats.map { it.width to it.height })
    }

    @Test
    fun `cameras are opened and closed one after the other`() {
        repeat(3) {
            cameras.openCamera(settings("1", FacingMode.USER), sink)
            cameras.closeCamera("1")
            cameras.openCamera(settings("0", FacingMode.ENVIRONMENT), sink)
            cameras.closeCamera("0")
        }
        assertEquals(emptyList<AppCameraTrouble>(), troubles.toList())
    }

    @Test
    fun `a camera that is not there, or not allowed, is refused as what it is`() {
        assertThrows(AppException.NotFound::class.java) { cameras.openCamera(settings("7", FacingMode.USER), sink) }
        shadowOf(app).denyPermissions(Manifest.permission.CAMERA)
        assertThrows(AppException.NotAllowed::class.java) { cameras.openCamera(settings("1", FacingMode.USER), sink) }
        assertEquals(listOf(AppCameraTrouble.NOT_ALLOWED), troubles.toList())
    }

    @Test
    fun `a camera that another app takes is told, and can be closed all the same`() {
        cameras.openCamera(settings("1", FacingMode.USER), sink)
        manager.triggerDisconnect()
        assertEquals(AppCameraTrouble.IN_USE, troubles.poll(10, SECONDS))
        cameras.closeCamera("1")
    }
}
