package chamada.app

import android.annotation.SuppressLint
import android.view.MotionEvent
import android.view.View
import android.view.ViewConfiguration
import kotlin.math.hypot

/** Lets a view be dragged about in its parent, never out of it. */
@SuppressLint("ClickableViewAccessibility") // There is nothing to click; where it is matters to eyes alone.
internal class DragTouchListener(private val view: View) {
    private val slop = ViewConfiguration.get(view.context).scaledTouchSlop
    private var fromX = 0f
    private var fromY = 0f
    private var moving = false

    init {
        view.setOnTouchListener { _, event -> touched(event) }
        // After the parent turned, it may be outside.
        (view.parent as View).addOnLayoutChangeListener { _, _, _, _, _, _, _, _, _ -> move(view.x, view.y) }
    }

    private fun touched(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> {
                fromX = event.rawX - view.x
                fromY = event.rawY - view.y
                moving = false
            }
            MotionEvent.ACTION_MOVE -> {
                val (x, y) = event.rawX - fromX to event.rawY - fromY
                moving = moving || hypot(x - view.x, y - view.y) > slop
                if (moving) move(x, y)
            }
        }
        return true
    }

    private fun move(x: Float, y: Float) {
        val parent = view.parent as? View ?: return
        // The system's bars are the parent's padding.
        val (left, top) = parent.paddingLeft.toFloat() to parent.paddingTop.toFloat()
        view.x = x.coerceIn(left, maxOf(left, (parent.width - parent.paddingRight - view.width).toFloat()))
        view.y = y.coerceIn(top, maxOf(top, (parent.height - parent.paddingBottom - view.height).toFloat()))
    }
}
