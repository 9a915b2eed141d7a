package chamada.android

import android.Manifest
import android.content.Context
import android.content.pm.PackageManager
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import chamada.AppCameraTrouble
import chamada.AppException
import chamada.CameraInfo
import chamada.CameraSettings
import chamada.CameraSink
import chamada.Cameras
import chamada.FacingMode
import chamada.android.plain.CameraNames
import chamada.android.plain.CameraSize
import chamada.android.plain.CameraTraits
import chamada.android.plain.catalog

/**
 * The phone's cameras by Camera2. The core chooses one; it is opened here and its planes are handed over as they are.
 *
 * A camera that another app takes is opened again when it is free; the call goes on meanwhile. The system takes cameras from apps that
 * nobody sees: [SystemMonitor] tells the core when that is.
 *
 * @param names what people read.
 * @param displayDegrees `Display.getRotation` of now, in degrees; asked for each picture, from a camera's thread.
 * @param onTrouble a camera gives no pictures any more, or (null) gives them again. From any thread.
 */
public class Camera2Cameras(
    private val context: Context,
    private val names: CameraNames,
    private val displayDegrees: () -> Int,
    private val onTrouble: (AppCameraTrouble?) -> Unit,
) : Cameras {
    private val manager = context.getSystemService(CameraManager::class.java)
    private val lock = Any()
    private var open: OpenCamera? = null

    override fun listCameras(): List<CameraInfo> {
        val traits = try {
            manager.cameraIdList.mapNotNull { id -> about(id)?.let { traits(id, it) } }
        } catch (e: CameraAccessException) {
            throw AppException.NotReadable("the list of cameras: ${e.message}")
        }
        return catalog(traits, names)
    }

    /** None for a camera that was plugged out meanwhile. */
    private fun about(id: String): CameraCharacteristics? = try {
        manager.getCameraCharacteristics(id)
    } catch (_: IllegalArgumentException) {
        null
    }

    private fun traits(id: String, about: CameraCharacteristics): CameraTraits? {
        val sizes = about[CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP] ?: return null
        val facing = when (about[CameraCharacteristics.LENS_FACING]) {
            CameraCharacteristics.LENS_FACING_FRONT -> FacingMode.USER
            CameraCharacteristics.LENS_FACING_BACK -> FacingMode.ENVIRONMENT
            else -> null
        }
        val format = ImageFormat.YUV_420_888
        return CameraTraits(
            id,
            facing,
            sizes.getOutputSizes(format).orEmpty().map {
                CameraSize(it.width, it.height, sizes.getOutputMinFrameDuration(format, it))
            },
            fpsRanges(about),
        )
    }

    override fun openCamera(settings: CameraSettings, sink: CameraSink) {
        if (context.checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
            onTrouble(AppCameraTrouble.NOT_ALLOWED)
            throw AppException.NotAllowed("the permission CAMERA is not granted")
        }
        val about = try {
            about(settings.deviceId) ?: throw AppException.NotFound("there is no camera ${settings.deviceId} any more")
        } catch (e: CameraAccessException) {
            throw AppException.NotReadable("camera ${settings.deviceId}: ${e.message}")
        }
        val camera = OpenCamera(manager, about, settings, sink, displayDegrees, onTrouble)
        camera.start()
        synchronized(lock) { open.also { open = camera } }?.close()
    }

    override fun closeCamera(deviceId: String) {
        synchronized(lock) { open.also { open = null } }?.close()
    }
}

internal fun fpsRanges(about: CameraCharacteristics): List<IntRange> =
    about[CameraCharacteristics.CONTROL_AE_AVAILABLE_TARGET_FPS_RANGES].orEmpty().map { it.lower..it.upper }
