package chamada.screens

import android.app.Activity
import android.app.Application
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.PorterDuff
import android.graphics.Rect
import android.os.Looper
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.TextView
import chamada.AppAction
import chamada.android.plain.UiState
import chamada.app.AppContainer
import chamada.app.ChamadaApp
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.util.concurrent.TimeUnit.SECONDS

internal val container: AppContainer get() = (RuntimeEnvironment.getApplication() as Application as ChamadaApp).container

internal fun dispatch(action: AppAction) = container.viewModel.dispatch(action)

internal val state: UiState get() = container.viewModel.uiState.value

/** Lets the main thread work until this is so of what the app shows. */
internal fun await(what: String, condition: (UiState) -> Boolean) = untilSo(what, { state }) { condition(state) }

/** Lets the main thread work until this is so; `now` says how things are where it does not come to be. */
internal fun untilSo(what: String, now: () -> Any, condition: () -> Boolean) {
    val until = System.nanoTime() + SECONDS.toNanos(40)
    while (!condition()) {
        check(System.nanoTime() < until) { "no $what; it is ${now()}" }
        // What happens comes from the library's threads; the test's own thread is the main one and has to hand it on.
        Thread.sleep(5)
        shadowOf(Looper.getMainLooper()).idle()
    }
}

/** Draws what is seen, keeps it as a picture, and looks at it as somebody would who has thick fingers or no sight. */
internal fun Activity.look(name: String) {
    shadowOf(Looper.getMainLooper()).idle()
    val root = window.decorView
    val picture = Bitmap.createBitmap(root.width, root.height, Bitmap.Config.ARGB_8888)
    root.draw(Canvas(picture))
    // Where pictures of a call belong there is nothing yet, and a phone's screen is black behind them.
    Canvas(picture).drawColor(Color.BLACK, PorterDuff.Mode.DST_OVER)
    val file = File(System.getProperty("chamada.pictures"), "$name.png")
    file.parentFile!!.mkdirs()
    file.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
    val wrong = seen(root).flatMap { complaints(it, root) }
    check(wrong.isEmpty()) { "$name: ${wrong.joinToString("; ")}" }
}

private fun seen(view: View): List<View> {
    if (view.visibility != View.VISIBLE) return emptyList()
    val children = (view as? ViewGroup)?.let { group -> (0 until group.childCount).flatMap { seen(group.getChildAt(it)) } }
    return listOf(view) + children.orEmpty()
}

private fun complaints(view: View, root: View): List<String> {
    val name = if (view.id ushr 24 == 0x7f) view.resources.getResourceEntryName(view.id) else view.javaClass.simpleName
    val complaints = mutableListOf<String>()
    if (view.isClickable && view.hasOnClickListeners()) {
        // What is further down is scrolled to.
        view.requestRectangleOnScreen(Rect(0, 0, view.width, view.height), true)
        val place = Rect()
        val visible = view.getGlobalVisibleRect(place)
        val smallest = (48 * view.resources.displayMetrics.density).toInt()
        if (view.width < smallest || view.height < smallest) complaints += "$name is ${view.width} × ${view.height}, too small to hit"
        if (!visible || place.width() < view.width || place.height() < view.height) complaints += "$name is cut off at $place of ${root.width} × ${root.height}"
        if (view.contentDescription.isNullOrBlank() && (view as? TextView)?.text.isNullOrBlank()) complaints += "$name has no label"
    }
    val lines = (view as? TextView)?.takeIf { it !is EditText }?.layout
    if (lines != null && (0 until lines.lineCount).any { lines.getLineWidth(it) > view.width + 1 }) complaints += "$name is too long"
    return complaints
}
