package chamada.android.plain

import kotlin.math.abs

/**
 * How far to turn a camera's picture clockwise so that it stands upright on the display.
 *
 * @param sensorDegrees `CameraCharacteristics.SENSOR_ORIENTATION`.
 * @param displayDegrees `Display.getRotation` in degrees: how far the drawing is turned against the display's natural position.
 * @param facesUser whether it is a front camera, which turns the other way round.
 */
public fun uprightDegrees(sensorDegrees: Int, displayDegrees: Int, facesUser: Boolean): Int {
    val display = if (facesUser) displayDegrees else -displayDegrees
    return Math.floorMod(sensorDegrees + display, 360)
}

/** How a picture fills a view of another shape. */
public enum class Scaling {
    /** All of it is seen, with bars where the shapes differ. */
    FIT,

    /** The view is full, and what juts out is cut off. */
    FILL,
}

/**
 * A rectangle around the view's middle, as parts of the view's size: 1 reaches both edges.
 *
 * @property x its width.
 * @property y its height.
 */
public data class Extent(public val x: Float, public val y: Float)

/** How large to draw a picture of `width` × `height` pixels, turned by `rotationDegrees`, in a view. */
public fun extent(width: Int, height: Int, rotationDegrees: Int, viewWidth: Int, viewHeight: Int, scaling: Scaling): Extent {
    if (width <= 0 || height <= 0 || viewWidth <= 0 || viewHeight <= 0) return Extent(0f, 0f)
    val lies = rotationDegrees % 180 != 0
    val picture = if (lies) height.toFloat() / width else width.toFloat() / height
    val ratio = picture / (viewWidth.toFloat() / viewHeight)
    if (abs(ratio - 1) < 0.001f) return Extent(1f, 1f)
    val wide = ratio > 1
    return when (scaling) {
        Scaling.FIT -> if (wide) Extent(1f, 1 / ratio) else Extent(ratio, 1f)
        Scaling.FILL -> if (wide) Extent(ratio, 1f) else Extent(1f, 1 / ratio)
    }
}

/** The stored picture's corners in clockwise order, as positions in it: (0, 0) is the first row's first pixel. */
private val ring = listOf(0f to 0f, 1f to 0f, 1f to 1f, 0f to 1f)

/**
 * Which place of the stored picture belongs into each corner of the upright one: x and y for bottom left, bottom right, top left,
 * top right, as a triangle strip has them.
 *
 * @param mirror whether left and right are swapped after the rotation.
 */
public fun corners(rotationDegrees: Int, mirror: Boolean): FloatArray {
    val turns = Math.floorMod(rotationDegrees / 90, 4)
    fun stored(corner: Int) = ring[Math.floorMod(corner - turns, 4)]
    val (topLeft, topRight, bottomRight, bottomLeft) = if (mirror) listOf(1, 0, 3, 2) else listOf(0, 1, 2, 3)
    return listOf(bottomLeft, bottomRight, topLeft, topRight)
        .flatMap { stored(it).toList() }
        .toFloatArray()
}

/**
 * How long ago a picture was taken, in nanoseconds; 0 if the camera's clock cannot be the one that it says.
 *
 * @param now of the clock that the camera stamps by.
 * @param timestamp the picture's.
 */
public fun ageNanos(now: Long, timestamp: Long): Long = (now - timestamp).takeIf { it in 0..LONGEST_AGE } ?: 0

/** Cameras are some tens of milliseconds late, never seconds. */
private const val LONGEST_AGE = 2_000_000_000L
