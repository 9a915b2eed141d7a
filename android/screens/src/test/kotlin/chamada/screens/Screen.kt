package chamada.screens

import android.app.Application
import android.os.Looper
import chamada.AppAction
import chamada.android.plain.UiState
import chamada.app.AppContainer
import chamada.app.ChamadaApp
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
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
        frames(1)
    }
}
