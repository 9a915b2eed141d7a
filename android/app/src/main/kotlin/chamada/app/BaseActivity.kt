package chamada.app

import android.app.Activity
import android.content.Context
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import chamada.AppAction
import chamada.AppBanner
import chamada.AppMessage
import chamada.android.plain.CallViewModel
import chamada.android.plain.UiState
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch

/** What both screens have in common: they show the state while they are seen, and ask what is to be asked. */
abstract class BaseActivity : Activity() {
    protected val container: AppContainer get() = (application as ChamadaApp).container
    protected val viewModel: CallViewModel get() = container.viewModel
    protected val session: CallSession get() = container.session
    private var watching: Job? = null
    private var shown: List<AppBanner> = emptyList()

    /** What stands behind a banner. */
    protected open val bannerBackground: Int = R.drawable.card

    protected abstract fun show(state: UiState)

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        shown = emptyList()
    }

    override fun onStart() {
        super.onStart()
        watching = container.scope.launch {
            launch {
                viewModel.uiState.collect {
                    show(it)
                    banners(it.app.banners)
                }
            }
            launch { session.asking.collect { question -> question?.let { session.ask(this@BaseActivity, it) } } }
            watch()
        }
    }

    /** What else is looked at while this is seen. */
    protected open suspend fun watch() {}

    override fun onResume() {
        super.onResume()
        // The person may have been in the system's settings.
        viewModel.dispatch(AppAction.PermissionsChanged(container.permissions.status(this)))
    }

    override fun onStop() {
        watching?.cancel()
        super.onStop()
    }

    override fun onDestroy() {
        if (isFinishing) session.answered(this)
        super.onDestroy()
    }

    override fun onRequestPermissionsResult(code: Int, names: Array<out String>, results: IntArray) {
        super.onRequestPermissionsResult(code, names, results)
        session.answered(this)
    }

    private fun banners(banners: List<AppBanner>) {
        if (banners == shown) return
        shown = banners
        val box = findViewById<LinearLayout>(R.id.banners)
        box.removeAllViews()
        for (banner in banners) box.addView(view(banner, box))
    }

    private fun view(banner: AppBanner, box: ViewGroup): View {
        val view = layoutInflater.inflate(R.layout.banner, box, false)
        view.setBackgroundResource(bannerBackground)
        view.findViewById<TextView>(R.id.banner_text).text = text(banner.message)
        val row = view.findViewById<LinearLayout>(R.id.banner_buttons)
        for (way in banner.buttons) {
            val button = Button(this, null, 0, R.style.TextButton)
            button.text = text(way.label)
            button.setOnClickListener { viewModel.dispatch(AppAction.Recover(banner.id, way.recovery)) }
            row.addView(button, ViewGroup.LayoutParams.WRAP_CONTENT, ViewGroup.LayoutParams.WRAP_CONTENT)
        }
        row.orientation = if (width(row) <= widthFor(row)) LinearLayout.HORIZONTAL else LinearLayout.VERTICAL
        return view
    }

    private fun width(row: LinearLayout): Int = (0 until row.childCount).sumOf { index ->
        row.getChildAt(index).run {
            measure(View.MeasureSpec.UNSPECIFIED, View.MeasureSpec.UNSPECIFIED)
            measuredWidth
        }
    }

    /** What is left of the screen's width, margins of the banner and of its buttons taken off. */
    private fun widthFor(row: LinearLayout): Int = resources.displayMetrics.run { widthPixels - (48 * density).toInt() } - row.paddingStart - row.paddingEnd
}

internal fun Context.text(message: AppMessage): String = text(message.key, message.arguments)
