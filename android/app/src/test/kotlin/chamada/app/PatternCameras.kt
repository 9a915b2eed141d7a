package chamada.app

import chamada.CameraFormat
import chamada.CameraInfo
import chamada.CameraSettings
import chamada.CameraSink
import chamada.Cameras
import chamada.ChamadaException
import chamada.FacingMode
import chamada.Picture
import chamada.Plane
import chamada.android.plain.CameraNames
import chamada.android.plain.filled
import chamada.android.plain.refill
import chamada.pushI420
import java.nio.ByteBuffer
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread

/**
 * Cameras to film with in tests: a bright bar moves over a plain ground, blue at the front, orange at the rear.
 */
internal class PatternCameras(private val names: CameraNames) : Cameras {
    private var running: Thread? = null

    override fun listCameras(): List<CameraInfo> {
        val formats = SIZES.map { (width, height) -> CameraFormat(width, height, 5.0, 30.0) }
        return listOf(
            CameraInfo(FRONT, names.front, FacingMode.USER, formats),
            CameraInfo(REAR, names.rear, FacingMode.ENVIRONMENT, formats),
        )
    }

    override fun openCamera(settings: CameraSettings, sink: CameraSink) {
        running = thread(name = "pattern-camera", isDaemon = true) { film(settings, sink) }
    }

    override fun closeCamera(deviceId: String) {
        running?.interrupt()
        running?.join()
        running = null
    }

    private fun film(settings: CameraSettings, sink: CameraSink) {
        val (width, height) = settings.width.toInt() to settings.height.toInt()
        val (blue, red) = if (settings.facing == FacingMode.USER) 170 to 100 else 100 to 170
        val y = ByteBuffer.allocateDirect(width * height)
        val (u, v) = plane(width * height / 4, blue) to plane(width * height / 4, red)
        val row = ByteArray(width)
        val bar = width / 16
        val pause = (1e9 / settings.fps).toLong()
        var number = 0
        var next = System.nanoTime()
        while (!Thread.interrupted()) {
            val at = number++ * 6 % (width - bar)
            row.fill(60)
            row.fill(BRIGHT, at, at + bar)
            y.refill()
            repeat(height) { y.put(row) }
            y.filled()
            try {
                sink.pushI420(Picture(width, height), Plane(y, width), Plane(u, width / 2), Plane(v, width / 2))
            } catch (_: ChamadaException) {
                return // closed
            }
            next += pause
            LockSupport.parkNanos(next - System.nanoTime())
        }
    }

    private fun plane(size: Int, value: Int): ByteBuffer {
        val plane = ByteBuffer.allocateDirect(size)
        repeat(size) { plane.put(value.toByte()) }
        plane.filled()
        return plane
    }

    companion object {
        const val FRONT: String = "pattern-front"
        const val REAR: String = "pattern-rear"
        private val SIZES = listOf(1280u to 720u, 640u to 480u, 320u to 240u)
        private const val BRIGHT = 220.toByte()
    }
}
