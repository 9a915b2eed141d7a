package chamada

import com.sun.jna.Pointer
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * One plane of a camera's picture.
 *
 * @property bytes its bytes from [ByteBuffer.position] to [ByteBuffer.limit], which are not changed. Direct, as Android's
 * `Image.Plane.buffer` is; the pixels are copied once, by the library.
 * @property rowStride from one row to the next, in bytes.
 */
public class Plane(public val bytes: ByteBuffer, public val rowStride: Int) {
    /** What the library borrows: its base is where the position is, whatever was read from the buffer before. */
    internal fun lent(): ByteBuffer {
        if (!bytes.isDirect) throw invalid("a plane must be a direct ByteBuffer (ByteBuffer.allocateDirect)")
        return bytes.slice()
    }

    internal fun stride(): UInt = unsigned(rowStride, "row stride")
}

/**
 * How a picture lies in its planes.
 *
 * @property width in pixels, before rotation.
 * @property height in pixels, before rotation.
 * @property rotationDegrees how far to turn it clockwise to stand upright: 0, 90, 180 or 270.
 * @property ageNanos how long ago it was captured: on Android `SystemClock.elapsedRealtimeNanos() - image.timestamp`.
 */
public class Picture(
    public val width: Int,
    public val height: Int,
    public val rotationDegrees: Int = 0,
    public val ageNanos: Long = 0,
) {
    internal fun width(): UInt = unsigned(width, "width")
    internal fun height(): UInt = unsigned(height, "height")
    internal fun rotation(): UInt = unsigned(rotationDegrees, "rotation")
    internal fun age(): ULong = maxOf(ageNanos, 0).toULong()
}

/** A picture of three planes, U and V at half width and half height. */
public fun CameraSink.pushI420(picture: Picture, y: Plane, u: Plane, v: Plane): Unit = pushI420(
    picture.width(), picture.height(), picture.rotation(), picture.age(),
    y.lent(), y.stride(), u.lent(), u.stride(), v.lent(), v.stride(),
)

/** A picture of two planes, the second with U and V interleaved, U first. */
public fun CameraSink.pushNv12(picture: Picture, y: Plane, uv: Plane): Unit = pushNv12(
    picture.width(), picture.height(), picture.rotation(), picture.age(), y.lent(), y.stride(), uv.lent(), uv.stride(),
)

/** A picture of two planes, the second with V and U interleaved, V first. */
public fun CameraSink.pushNv21(picture: Picture, y: Plane, vu: Plane): Unit = pushNv21(
    picture.width(), picture.height(), picture.rotation(), picture.age(), y.lent(), y.stride(), vu.lent(), vu.stride(),
)

/** A picture of one plane: blue, green, red, alpha. */
public fun CameraSink.pushBgra(picture: Picture, pixels: Plane): Unit = pushBgra(
    picture.width(), picture.height(), picture.rotation(), picture.age(), pixels.lent(), pixels.stride(),
)

/**
 * Android's `YUV_420_888`: the three planes of an `android.media.Image`.
 *
 * @param chromaPixelStride `pixelStride` of the second and third plane, which have the same.
 */
public fun CameraSink.pushYuv420888(picture: Picture, y: Plane, u: Plane, v: Plane, chromaPixelStride: Int) {
    if (u.rowStride != v.rowStride) throw invalid("U and V have row strides of ${u.rowStride} and ${v.rowStride} bytes")
    pushYuv420888(
        picture.width(), picture.height(), picture.rotation(), picture.age(),
        y.lent(), y.stride(), u.lent(), v.lent(), u.stride(), unsigned(chromaPixelStride, "pixel stride"),
    )
}

/** Takes 16-bit samples in native byte order from the buffer's position to its limit, which are not changed. */
public fun MicrophoneSink.pushFrom(samples: ByteBuffer) {
    if (!samples.isDirect) throw invalid("samples must be in a direct ByteBuffer (ByteBuffer.allocateDirect)")
    push(samples.slice())
}

/** The block's samples, in native byte order: a view that is filled anew by each `pull`. Good while the block is not closed. */
public fun AudioBlock.buffer(): ByteBuffer = view(address(), bytes().toLong()).order(ByteOrder.nativeOrder())

/**
 * Views of a frame's planes and how to show them. Good until the frame is closed.
 *
 * @property layout size, strides, rotation, mirror.
 * @property y luma: `height` rows.
 * @property u blue difference: half as many rows, rounded up.
 * @property v red difference: as many rows as [u].
 */
public class FramePlanes internal constructor(
    public val layout: FrameLayout,
    public val y: ByteBuffer,
    public val u: ByteBuffer,
    public val v: ByteBuffer,
)

/** Shows the frame by `how` and gives its memory back, whatever happens. */
public inline fun <R> Frame.show(how: (FramePlanes) -> R): R = use { how(planes()) }

/** Views of its planes, without a copy. */
public fun Frame.planes(): FramePlanes {
    val layout = layout()
    val luma = layout.yStride.toLong() * layout.height.toLong()
    val chroma = layout.uvStride.toLong() * ((layout.height.toLong() + 1) / 2)
    return FramePlanes(layout, view(layout.y, luma), view(layout.u, chroma), view(layout.v, chroma))
}

private fun view(address: ULong, bytes: Long): ByteBuffer = Pointer(address.toLong()).getByteBuffer(0, bytes)

private fun unsigned(value: Int, what: String): UInt {
    if (value < 0) throw invalid("a $what of $value")
    return value.toUInt()
}

private fun invalid(reason: String) = ChamadaException.Failure(ErrorKind.INVALID_ARGUMENT, reason, null)
