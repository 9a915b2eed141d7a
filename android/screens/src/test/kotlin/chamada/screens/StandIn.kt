package chamada.screens

import androidx.compose.foundation.Canvas
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.CornerRadius
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Brush
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.Path
import androidx.compose.ui.graphics.drawscope.DrawScope
import androidx.compose.ui.graphics.drawscope.clipRect

/** Whoever stands before a camera, in place of its pictures: there is no OpenGL here. */
internal class StandIn(val wall: List<Color>, val light: Color, val hair: Color, val skin: Color, val shirt: Color, val long: Boolean) {
    companion object {
        val REMOTE = StandIn(listOf(Color(0xFFE9C9A4), Color(0xFFB98A63)), Color(0xFFFFF3DC), Color(0xFF2E1D16), Color(0xFFC98F68), Color(0xFF2F6F73), long = true)
        val SELF = StandIn(listOf(Color(0xFFA9C3D6), Color(0xFF5F8199)), Color(0xFFEAF6FF), Color(0xFF4A3528), Color(0xFFE0AE8B), Color(0xFFD9A441), long = false)
    }
}

/** It fills the place, as a picture of a camera does: what juts out is cut off. */
@Composable
internal fun Picture(who: StandIn, modifier: Modifier) = Canvas(modifier) {
    clipRect {
        drawRect(Brush.verticalGradient(who.wall))
        window(who)
        plant()
        // A person of 100 × 100 units, as large as the place wants it.
        val unit = minOf(size.width * 0.95f, size.height * 0.8f) / 100
        person(who, unit, Offset(size.width / 2 - 50 * unit, size.height - 100 * unit))
    }
}

private fun DrawScope.window(who: StandIn) {
    val (w, h) = size.width * 0.34f to size.height * 0.34f
    val at = Offset(size.width * 0.06f, size.height * 0.1f)
    drawRoundRect(Color(0x33000000), at + Offset(6f, 8f), Size(w, h), CornerRadius(10f))
    drawRoundRect(Color.White, at, Size(w, h), CornerRadius(10f))
    drawRect(Brush.verticalGradient(listOf(who.light, Color(0xFFBBD9C4)), at.y, at.y + h), at + Offset(w * 0.05f, w * 0.05f), Size(w * 0.9f, h - w * 0.1f))
    drawRect(Color.White, at + Offset(w * 0.475f, 0f), Size(w * 0.05f, h))
    drawRect(Color.White, at + Offset(0f, h * 0.48f), Size(w, w * 0.05f))
}

private fun DrawScope.plant() {
    val foot = Offset(size.width * 0.88f, size.height * 0.62f)
    val reach = minOf(size.width, size.height) * 0.22f
    for ((turn, length) in listOf(-0.9f to 0.8f, -0.4f to 1.1f, 0.1f to 1.25f, 0.5f to 1f, 0.95f to 0.75f)) {
        val tip = foot + Offset(turn * reach, -length * reach)
        val bow = Offset((tip.y - foot.y) * 0.16f, (foot.x - tip.x) * 0.16f)
        val middle = (foot + tip) / 2f
        drawPath(
            Path().apply {
                moveTo(foot.x, foot.y)
                quadraticTo(middle.x + bow.x, middle.y + bow.y, tip.x, tip.y)
                quadraticTo(middle.x - bow.x, middle.y - bow.y, foot.x, foot.y)
            },
            Color(0xFF3E7A55),
        )
    }
    drawRoundRect(Color(0xFF8E4A33), foot + Offset(-reach * 0.3f, -2f), Size(reach * 0.6f, reach * 0.6f), CornerRadius(reach * 0.08f))
}

private fun DrawScope.person(who: StandIn, unit: Float, origin: Offset) {
    fun at(x: Float, y: Float) = origin + Offset(x * unit, y * unit)
    fun size(w: Float, h: Float) = Size(w * unit, h * unit)
    fun curve(color: Color, vararg points: Float) {
        val path = Path()
        at(points[0], points[1]).let { path.moveTo(it.x, it.y) }
        for (i in 2 until points.size step 4) {
            val (bow, end) = at(points[i], points[i + 1]) to at(points[i + 2], points[i + 3])
            path.quadraticTo(bow.x, bow.y, end.x, end.y)
        }
        path.close()
        drawPath(path, color)
    }
    val shade = Color(0x22000000)
    if (who.long) curve(who.hair, 31f, 32f, 30f, 2f, 50f, 3f, 70f, 2f, 69f, 32f, 76f, 62f, 68f, 70f, 50f, 76f, 32f, 70f, 24f, 62f, 31f, 32f)
    // Neck, shoulders, face.
    drawRect(who.skin, at(43f, 50f), size(14f, 20f))
    curve(shade, 43f, 52f, 50f, 64f, 57f, 52f, 57f, 56f, 57f, 58f, 50f, 68f, 43f, 58f)
    curve(who.shirt, 8f, 101f, 10f, 74f, 40f, 66f, 50f, 78f, 60f, 66f, 90f, 74f, 92f, 101f)
    drawOval(who.skin, at(34f, 14f), size(32f, 42f))
    if (who.long) {
        curve(who.hair, 33f, 36f, 32f, 6f, 52f, 8f, 68f, 8f, 67f, 36f, 66f, 24f, 55f, 19f, 44f, 24f, 33f, 36f)
    } else {
        curve(who.hair, 33f, 34f, 28f, 4f, 52f, 5f, 72f, 5f, 67f, 34f, 65f, 20f, 56f, 19f, 42f, 22f, 37f, 20f, 35f, 22f, 33f, 34f)
    }
    for (x in listOf(41.5f, 54.5f)) {
        drawOval(Color(0xFF2A1B16), at(x, 34f), size(4f, 4.4f))
        drawOval(Color.White, at(x + 0.7f, 34.7f), size(1.2f, 1.2f))
        drawRoundRect(who.hair, at(x - 1.5f, 29.5f), size(7f, 1.4f), CornerRadius(unit))
    }
    curve(shade, 50f, 36f, 53f, 43f, 49f, 43f)
    curve(Color(0xFF9C3F3A), 43f, 46.5f, 50f, 48f, 57f, 46.5f, 50f, 55f, 43f, 46.5f)
    curve(Color.White, 45f, 47.2f, 50f, 48.4f, 55f, 47.2f, 50f, 51f, 45f, 47.2f)
}
