package chamada.app

import android.app.Activity
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import chamada.app.logic.Desk
import chamada.app.logic.DeskState
import chamada.app.logic.Effect
import chamada.app.logic.Notice
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch

/** What both screens have in common: they show the desk's state while they are seen, and ask what it wants asked. */
abstract class DeskActivity : Activity() {
    protected val house: House get() = (application as ChamadaApp).house
    protected val desk: Desk get() = house.desk
    private var watching: Job? = null
    private var acting: Job? = null
    private var shown: Notice? = null

    protected abstract fun show(state: DeskState)

    /** What only the screen can do, other than opening the system's settings. */
    protected open fun act(effect: Effect) {}

    override fun onStart() {
        super.onStart()
        watching = house.scope.launch {
            desk.state.collect {
                show(it)
                notice(it.notice)
            }
        }
    }

    override fun onResume() {
        super.onResume()
        house.front = this
        acting = house.scope.launch {
            desk.effects.collect { if (it == Effect.OPEN_SETTINGS) startActivity(house.permissions.settings()) else act(it) }
        }
    }

    override fun onPause() {
        acting?.cancel()
        super.onPause()
    }

    override fun onStop() {
        // One that nobody sees can ask for nothing.
        if (house.front === this) house.front = null
        watching?.cancel()
        super.onStop()
    }

    override fun onDestroy() {
        if (isFinishing) house.answered(this)
        super.onDestroy()
    }

    override fun onRequestPermissionsResult(code: Int, names: Array<out String>, results: IntArray) {
        super.onRequestPermissionsResult(code, names, results)
        house.answered(this)
    }

    private fun notice(notice: Notice?) {
        if (notice == shown) return
        shown = notice
        val box = findViewById<View>(R.id.notice)
        box.visibility = if (notice == null) View.GONE else View.VISIBLE
        val ways = findViewById<LinearLayout>(R.id.notice_ways)
        ways.removeAllViews()
        if (notice == null) return
        // Without gaps it is taken as it is: formatting would read its per cent signs.
        findViewById<TextView>(R.id.notice_text).text =
            if (notice.gaps.isEmpty()) getString(text(notice.words)) else getString(text(notice.words), *notice.gaps.toTypedArray())
        for (way in notice.ways) {
            val button = Button(this, null, 0, R.style.TextButton)
            button.setText(text(way))
            button.setOnClickListener { desk.take(way) }
            ways.addView(button, ViewGroup.LayoutParams.WRAP_CONTENT, ViewGroup.LayoutParams.WRAP_CONTENT)
        }
        ways.orientation = if (width(ways) <= room(ways)) LinearLayout.HORIZONTAL else LinearLayout.VERTICAL
    }

    private fun width(ways: LinearLayout): Int = (0 until ways.childCount).sumOf { index ->
        ways.getChildAt(index).run {
            measure(View.MeasureSpec.UNSPECIFIED, View.MeasureSpec.UNSPECIFIED)
            measuredWidth
        }
    }

    /** What is left of the screen's width, margins of the notice and of its buttons taken off. */
    private fun room(ways: LinearLayout): Int = resources.displayMetrics.run { widthPixels - (48 * density).toInt() } - ways.paddingStart - ways.paddingEnd

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        shown = null
    }
}
