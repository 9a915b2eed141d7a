package chamada.screens

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.Canvas
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.view.inspector.WindowInspector
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.node.RootForTest
import androidx.compose.ui.semantics.AccessibilityAction
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.SemanticsPropertyKey
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.text.AnnotatedString
import androidx.compose.ui.text.TextLayoutResult
import java.io.File
import java.time.Duration
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowChoreographer

private val FRAME: Duration = Duration.ofMillis(16)

/** Composables are drawn frame by frame: one step of the clock of any length draws but one, and a cursor that blinks never ends. */
internal fun stepByFrames() {
    ShadowChoreographer.setPaused(true)
    ShadowChoreographer.setFrameDelay(FRAME)
}

/** Lets so many frames be drawn. */
internal fun frames(count: Int = 2) = repeat(count) { shadowOf(Looper.getMainLooper()).idleFor(FRAME) }

/** Longer than any animation of the screens. */
internal fun settle() = frames(40)

private fun roots(view: View): List<RootForTest> {
    if (view.visibility != View.VISIBLE) return emptyList()
    val children = (view as? ViewGroup)?.let { group -> (0 until group.childCount).flatMap { roots(group.getChildAt(it)) } }
    return listOfNotNull(view as? RootForTest) + children.orEmpty()
}

private fun nodes(view: View, merged: Boolean) = roots(view).flatMap { root ->
    // A list makes its rows when it is laid out, and nothing here asks for that but drawing.
    root.measureAndLayoutForTest()
    val owner = root.semanticsOwner
    nodesBelow(if (merged) owner.rootSemanticsNode else owner.unmergedRootSemanticsNode)
}

private fun nodesBelow(node: SemanticsNode): List<SemanticsNode> = listOf(node) + node.children.flatMap(::nodesBelow)

/** What TalkBack reads of it. */
internal val SemanticsNode.label: String
    get() = listOfNotNull(
        config.getOrNull(SemanticsProperties.ContentDescription)?.joinToString(" "),
        config.getOrNull(SemanticsProperties.Text)?.joinToString(" "),
        config.getOrNull(SemanticsProperties.EditableText)?.text,
    ).filter(String::isNotEmpty).joinToString(" ")

/** All that TalkBack would find, in every window that is there: menus have their own. */
internal fun found(): List<SemanticsNode> = WindowInspector.getGlobalWindowViews().flatMap { nodes(it, merged = true) }

internal fun says(text: String): Boolean = found().any { text in it.label }

/** Waits for something with this text that can be pressed, and presses it. */
internal fun press(text: String) = act(text, SemanticsActions.OnClick)

internal fun hold(text: String) = act(text, SemanticsActions.OnLongClick)

private fun act(text: String, action: SemanticsPropertyKey<AccessibilityAction<() -> Boolean>>) {
    fun wanted() = found().filter { action in it.config && it.isEnabled }.run { find { it.label == text } ?: find { it.label.startsWith(text) } }
    untilSo("'$text'", { found().map { it.label }.filter(String::isNotEmpty) }) { wanted() != null }
    check(wanted()!!.config[action].action!!()) { "'$text' was pressed, and nothing came of it" }
    settle()
}

private val SemanticsNode.isEnabled get() = SemanticsProperties.Disabled !in config

/** Types into the field with this label. */
internal fun type(label: String, text: String) {
    fun field() = found().find { SemanticsActions.SetText in it.config && label in it.label }
    untilSo("field '$label'", { found().map { it.label } }) { field() != null }
    check(field()!!.config[SemanticsActions.SetText].action!!(AnnotatedString(text)))
    settle()
}

internal fun hasFocus(label: String) = found().any { label in it.label && it.config.getOrNull(SemanticsProperties.Focused) == true }

/** Draws what is seen, and keeps it as a picture. */
internal fun Activity.draw(name: String) {
    val root = window.decorView
    val picture = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
    root.draw(Canvas(picture))
    val file = File(System.getProperty("chamada.pictures"), "$name.png")
    file.parentFile!!.mkdirs()
    file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
}

/** Looks at it as somebody would who has thick fingers, poor eyes or no sight. */
internal fun Activity.complaints(): List<String> {
    val (root, density) = window.decorView to resources.displayMetrics.density
    val pressed = nodes(root, merged = true).filter { node -> PRESSED.any { it in node.config } }
    val whole = pressed.filter { it.isWhole(density) }
    return pressed.flatMap { touch(it, root, density) } + whole.flatMap { one -> whole.mapNotNull { overlap(one, it) } } +
        nodes(root, merged = false).flatMap(::letters)
}

private val PRESSED = listOf(SemanticsActions.OnClick, SemanticsActions.SetText)

private fun touch(node: SemanticsNode, root: View, density: Float): List<String> {
    val complaints = mutableListOf<String>()
    val name = "'${node.label}'"
    val (width, height) = node.size.width to node.size.height
    // What can be touched is less where it is scrolled out of sight.
    val (touched, least) = node.touchBoundsInRoot to 48 * density - 1
    if (node.isWhole(density) && (touched.width < least || touched.height < least)) complaints += "$name is $width × $height of ${least.toInt()}, too small to hit"
    if (node.label.isBlank()) complaints += "something of $width × $height at ${node.positionInRoot} has no label"
    // What is further down is scrolled to.
    val scrolls = generateSequence(node.parent) { it.parent }.any { SemanticsActions.ScrollBy in it.config }
    val (place, seen) = node.positionInRoot to node.boundsInRoot
    val inside = place.x >= -1 && place.y >= -1 && place.x + width <= root.width + 1 && place.y + height <= root.height + 1
    if (!scrolls && (!inside || seen.width < width - 1 || seen.height < height - 1)) complaints += "$name is cut off: $seen of $width × $height"
    return complaints
}

/** Compose lets the touch of a small thing reach over its edges: there it may hit another. */
private fun overlap(one: SemanticsNode, other: SemanticsNode): String? {
    val inside = generateSequence(one) { it.parent }.any { it.id == other.id } || generateSequence(other) { it.parent }.any { it.id == one.id }
    val both = one.touchBoundsInRoot.intersect(other.touchBoundsInRoot)
    return "'${one.label}' and '${other.label}' are too near".takeIf { one.id < other.id && !inside && both.width > 1 && both.height > 1 }
}

/** Not scrolled out of sight, not even what can be touched around it in part. */
private fun SemanticsNode.isWhole(density: Float): Boolean {
    val list = generateSequence(parent) { it.parent }.find { SemanticsActions.ScrollBy in it.config }?.boundsInRoot ?: return true
    val (center, least) = Offset(positionInRoot.x + size.width / 2f, positionInRoot.y + size.height / 2f) to 48 * density
    val (reachX, reachY) = maxOf(size.width.toFloat(), least) / 2 - 1 to maxOf(size.height.toFloat(), least) / 2 - 1
    return center.x - reachX >= list.left && center.x + reachX <= list.right && center.y - reachY >= list.top && center.y + reachY <= list.bottom
}

private fun letters(node: SemanticsNode): List<String> {
    val results = mutableListOf<TextLayoutResult>()
    node.config.getOrNull(SemanticsActions.GetTextLayoutResult)?.action?.invoke(results)
    return results.flatMap { layout ->
        val text = layout.layoutInput.text.text
        val lines = 0 until layout.lineCount
        listOfNotNull(
            "'$text' is cut".takeIf { layout.didOverflowHeight || layout.multiParagraph.didExceedMaxLines || lines.any(layout::isLineEllipsized) },
            "'$text' is broken within a word".takeIf { lines.any { brokenAfter(text, layout, it) } },
        )
    }
}

private fun brokenAfter(text: String, layout: TextLayoutResult, line: Int): Boolean {
    val end = layout.getLineEnd(line)
    return line < layout.lineCount - 1 && end in 1 until text.length && text[end - 1].isLetterOrDigit() && text[end].isLetterOrDigit()
}
