package chamada.android.plain

import chamada.CameraFormat
import chamada.CameraInfo
import chamada.FacingMode

/** One size that a camera delivers, and the shortest time between two pictures of it in nanoseconds; 0 if it does not say. */
public data class CameraSize(public val width: Int, public val height: Int, public val shortestNanos: Long)

/** What the system says about a camera. */
public data class CameraTraits(
    public val id: String,
    public val facing: FacingMode?,
    public val sizes: List<CameraSize>,
    public val fps: List<IntRange>,
)

/** What people read in place of a camera's number. */
public data class CameraNames(public val front: String, public val rear: String, public val other: String)

/** The largest picture worth offering for a call: what the codecs of phones take. */
private const val MOST_PIXELS = 1920 * 1088

/** The cameras in the words of the core, front cameras first: they are the usual choice for a call. */
public fun catalog(cameras: List<CameraTraits>, names: CameraNames): List<CameraInfo> {
    val usable = cameras.map { it to formats(it) }.filter { (_, formats) -> formats.isNotEmpty() }
    val ordered = usable.sortedBy { (camera, _) -> order(camera.facing) }
    return ordered.mapIndexed { index, (camera, formats) ->
        val before = ordered.take(index).count { (other, _) -> other.facing == camera.facing }
        val name = name(camera.facing, names)
        CameraInfo(camera.id, if (before == 0) name else "$name ${before + 1}", camera.facing, formats)
    }
}

private fun order(facing: FacingMode?): Int = when (facing) {
    FacingMode.USER -> 0
    FacingMode.ENVIRONMENT -> 1
    else -> 2
}

private fun name(facing: FacingMode?, names: CameraNames): String = when (facing) {
    FacingMode.USER -> names.front
    FacingMode.ENVIRONMENT -> names.rear
    else -> names.other
}

private fun formats(camera: CameraTraits): List<CameraFormat> {
    val slowest = camera.fps.minOfOrNull { it.first } ?: return emptyList()
    val fastest = camera.fps.maxOf { it.last }
    return camera.sizes.filter { it.width * it.height <= MOST_PIXELS }.mapNotNull { size ->
        // Durations are rounded down: 33,333,333 ns is meant as 30 a second.
        val most = if (size.shortestNanos > 0) Math.round(1e9 / size.shortestNanos).toInt() else fastest
        val max = minOf(most, fastest)
        if (max < slowest) null
        else CameraFormat(size.width.toUInt(), size.height.toUInt(), slowest.toDouble(), max.toDouble())
    }
}

/**
 * The range to set for so many pictures a second: one that ends there or as soon after as possible, and of those the one that
 * may go slowest, so that a dark room gives a bright picture rather than a fast one. None if the camera names no range.
 */
public fun fpsRange(ranges: List<IntRange>, fps: Double): IntRange? {
    val wanted = Math.round(fps).toInt()
    val enough = ranges.filter { it.last >= wanted }
    val end = enough.minOfOrNull { it.last } ?: ranges.maxOfOrNull { it.last } ?: return null
    return ranges.filter { it.last == end }.minByOrNull { it.first }
}
