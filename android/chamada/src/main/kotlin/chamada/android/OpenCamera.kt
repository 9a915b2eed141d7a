package chamada.android

import android.annotation.SuppressLint
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.hardware.camera2.params.OutputConfiguration
import android.hardware.camera2.params.SessionConfiguration
import android.media.Image
import android.media.ImageReader
import android.os.Build
import android.os.Handler
import android.os.HandlerThread
import android.os.SystemClock
import android.util.Log
import android.util.Range
import chamada.AppCameraTrouble
import chamada.AppException
import chamada.CameraSettings
import chamada.CameraSink
import chamada.ChamadaException
import chamada.ErrorKind
import chamada.FacingMode
import chamada.Picture
import chamada.Plane
import chamada.android.plain.CameraKeeper
import chamada.android.plain.ageNanos
import chamada.android.plain.fpsRange
import chamada.android.plain.uprightDegrees
import chamada.kind
import chamada.pushYuv420888
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/** One camera from its opening to its end. Everything but [start] and [close] happens on its own thread. */
internal class OpenCamera(
    private val manager: CameraManager,
    private val about: CameraCharacteristics,
    private val settings: CameraSettings,
    private val sink: CameraSink,
    private val displayDegrees: () -> Int,
    private val onTrouble: (AppCameraTrouble?) -> Unit,
) : CameraKeeper.Actions {
    private val sensorDegrees = about[CameraCharacteristics.SENSOR_ORIENTATION] ?: 0
    private val stampsByBoot = about[CameraCharacteristics.SENSOR_INFO_TIMESTAMP_SOURCE] ==
        CameraCharacteristics.SENSOR_INFO_TIMESTAMP_SOURCE_REALTIME
    private val thread = HandlerThread("chamada-camera").apply { start() }
    private val handler = Handler(thread.looper)
    private val keeper = CameraKeeper(this)
    private val reader = ImageReader.newInstance(
        settings.width.toInt(), settings.height.toInt(), ImageFormat.YUV_420_888, IMAGES,
    )
    private val first = CompletableFuture<Unit>()
    private var device: CameraDevice? = null
    private var complained = false

    private val availability = object : CameraManager.AvailabilityCallback() {
        override fun onCameraAvailable(cameraId: String) {
            if (cameraId == settings.deviceId) keeper.available()
        }
    }

    /** Waits until the device gives pictures or says why not. */
    fun start() {
        reader.setOnImageAvailableListener({ take() }, handler)
        handler.post { keeper.start() }
        try {
            first.get(OPENING_SECONDS, TimeUnit.SECONDS)
        } catch (e: ExecutionException) {
            close()
            throw e.cause ?: e
        } catch (_: TimeoutException) {
            close()
            throw AppException.NotReadable("camera ${settings.deviceId} does not open")
        }
        // Only now: what the first opening finds is told by an exception.
        manager.registerAvailabilityCallback(availability, handler)
    }

    /** Waits until the device is closed. */
    fun close() {
        manager.unregisterAvailabilityCallback(availability)
        handler.post {
            keeper.stop()
            // Here and not outside: a device that is being opened right now reports to this thread before it ends, and is closed.
            thread.quitSafely()
        }
        thread.join()
        reader.close()
    }

    @SuppressLint("MissingPermission") // Camera2Cameras has checked; the system says so if it was withdrawn since.
    override fun open() {
        try {
            manager.openCamera(settings.deviceId, device(), handler)
        } catch (e: CameraAccessException) {
            failed(troubleOf(e), e.message)
        } catch (e: SecurityException) {
            failed(AppCameraTrouble.NOT_ALLOWED, e.message)
        } catch (e: IllegalArgumentException) {
            failed(AppCameraTrouble.GONE, e.message)
        }
    }

    override fun release() {
        device?.close()
        device = null
    }

    override fun report(trouble: AppCameraTrouble) {
        onTrouble(trouble)
    }

    override fun recovered() {
        onTrouble(null)
    }

    private fun device() = object : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            device = camera
            keeper.opened()
            if (device != null) configure(camera)
        }

        // Both come instead of onOpened, too, and about a device that was left behind, which is no news.

        override fun onDisconnected(camera: CameraDevice) {
            camera.close()
            if (device == null || device === camera) failed(AppCameraTrouble.IN_USE, "another app took camera ${camera.id}")
        }

        override fun onError(camera: CameraDevice, error: Int) {
            camera.close()
            val trouble = when (error) {
                ERROR_CAMERA_IN_USE, ERROR_MAX_CAMERAS_IN_USE -> AppCameraTrouble.IN_USE
                ERROR_CAMERA_DISABLED -> AppCameraTrouble.NOT_ALLOWED
                else -> AppCameraTrouble.BROKEN
            }
            if (device == null || device === camera) failed(trouble, "camera ${camera.id} failed with error $error")
        }
    }

    private fun configure(camera: CameraDevice) {
        try {
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
                val output = listOf(OutputConfiguration(reader.surface))
                val type = SessionConfiguration.SESSION_REGULAR
                camera.createCaptureSession(SessionConfiguration(type, output, { handler.post(it) }, session()))
            } else {
                @Suppress("DEPRECATION")
                camera.createCaptureSession(listOf(reader.surface), session(), handler)
            }
        } catch (e: CameraAccessException) {
            failed(troubleOf(e), e.message)
        } catch (e: IllegalStateException) {
            failed(AppCameraTrouble.BROKEN, e.message)
        }
    }

    private fun session() = object : CameraCaptureSession.StateCallback() {
        override fun onConfigured(session: CameraCaptureSession) {
            if (session.device !== device) return
            try {
                session.setRepeatingRequest(request(session.device), null, handler)
                first.complete(Unit)
            } catch (e: CameraAccessException) {
                failed(troubleOf(e), e.message)
            } catch (e: IllegalStateException) {
                failed(AppCameraTrouble.BROKEN, e.message)
            }
        }

        override fun onConfigureFailed(session: CameraCaptureSession) {
            if (session.device === device) failed(AppCameraTrouble.BROKEN, "camera ${settings.deviceId} does not take ${settings.width}x${settings.height}")
        }
    }

    private fun request(camera: CameraDevice): CaptureRequest {
        val request = camera.createCaptureRequest(CameraDevice.TEMPLATE_RECORD)
        request.addTarget(reader.surface)
        fpsRange(fpsRanges(about), settings.fps)?.let {
            request[CaptureRequest.CONTROL_AE_TARGET_FPS_RANGE] = Range(it.first, it.last)
        }
        val focus = about[CameraCharacteristics.CONTROL_AF_AVAILABLE_MODES] ?: intArrayOf()
        if (CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_VIDEO in focus) {
            request[CaptureRequest.CONTROL_AF_MODE] = CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_VIDEO
        }
        return request.build()
    }

    /** The first time by an exception of [start], later by [onTrouble]. */
    private fun failed(trouble: AppCameraTrouble, why: String?) {
        Log.w(TAG, "camera: $why")
        keeper.lost(trouble)
        val reason = why ?: trouble.name
        first.completeExceptionally(
            when (trouble) {
                AppCameraTrouble.NOT_ALLOWED -> AppException.NotAllowed(reason)
                AppCameraTrouble.GONE -> AppException.NotFound(reason)
                else -> AppException.NotReadable(reason)
            },
        )
    }

    private fun take() {
        val image = reader.acquireLatestImage() ?: return
        image.use {
            keeper.picture()
            push(it)
        }
    }

    private fun push(image: Image) {
        val now = if (stampsByBoot) SystemClock.elapsedRealtimeNanos() else System.nanoTime()
        val rotation = uprightDegrees(sensorDegrees, displayDegrees(), settings.facing == FacingMode.USER)
        val picture = Picture(image.width, image.height, rotation, ageNanos(now, image.timestamp))
        val planes = image.planes
        val (y, u, v) = planes.map { Plane(it.buffer, it.rowStride) }
        try {
            sink.pushYuv420888(picture, y, u, v, planes[1].pixelStride)
        } catch (e: ChamadaException) {
            // Closed: pictures that were on their way. All others would come with each picture.
            if (e.kind != ErrorKind.CLOSED && !complained) Log.e(TAG, "the core refuses pictures of this camera", e)
            complained = true
        }
    }

    private companion object {
        /** One that is being copied, one that waits, one that the camera fills. */
        const val IMAGES = 3
        const val OPENING_SECONDS = 6L
    }
}

internal const val TAG = "chamada"

private fun troubleOf(e: CameraAccessException): AppCameraTrouble = when (e.reason) {
    CameraAccessException.CAMERA_IN_USE, CameraAccessException.MAX_CAMERAS_IN_USE -> AppCameraTrouble.IN_USE
    CameraAccessException.CAMERA_DISABLED -> AppCameraTrouble.NOT_ALLOWED
    CameraAccessException.CAMERA_DISCONNECTED -> AppCameraTrouble.IN_USE
    else -> AppCameraTrouble.BROKEN
}
