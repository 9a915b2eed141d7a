package chamada.android.plain

import chamada.AppAction
import chamada.AppChatLine
import chamada.AppConfig
import chamada.AppCore
import chamada.AppEffect
import chamada.AppHistoryEntry
import chamada.AppObserver
import chamada.AppPrivateLine
import chamada.AppState
import chamada.AppStatisticsLine
import chamada.AppUpdate
import chamada.Devices
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import java.util.concurrent.Executor

/** All that the screens show, to be drawn as it is. */
public data class UiState(
    public val app: AppState,
    public val chat: List<AppChatLine> = emptyList(),
    public val history: List<AppHistoryEntry> = emptyList(),
    public val statistics: List<AppStatisticsLine> = emptyList(),
    public val privateText: List<AppPrivateLine> = emptyList(),
)

/**
 * The core's decisions ([AppCore]) for an app with one thread that draws: actions in, [UiState] and effects out.
 *
 * @param device names this installation to the server, so that it can be rung by push: made at random once and kept.
 * @param main runs on the thread that draws, on which this is made and used.
 * @param carryOut does what is to be done, in this order. It may dispatch.
 */
public class CallViewModel(
    devices: Devices,
    device: String?,
    private val main: Executor,
    private val carryOut: (AppEffect) -> Unit,
) : AutoCloseable {
    private val observer: AppObserver = object : AppObserver {
        override fun onChange(): Unit = main.execute { if (!closed) take(core.poll()) }
    }

    // Whoever rings is the app, at Android's volume for it; a push without a call ends nothing there.
    private val core: AppCore = AppCore(AppConfig(systemRings = false, reportsEveryPush = false, device = device), devices, observer)
    private val waiting = ArrayDeque<AppEffect>()
    private var working = false
    private var closed = false
    private val now: MutableStateFlow<UiState>

    init {
        val first = core.poll()
        now = MutableStateFlow(UiState(checkNotNull(first.state) { "a core begins with a state" }))
        take(first)
    }

    /** What is to be seen. */
    public val uiState: StateFlow<UiState> = now.asStateFlow()

    /** Tells what happened. On the main thread. */
    public fun dispatch(action: AppAction) {
        if (!closed) take(core.dispatch(action))
    }

    /** The same from any thread, a moment later. */
    public fun post(action: AppAction): Unit = main.execute { dispatch(action) }

    private fun take(update: AppUpdate) {
        val before = now.value
        now.value = UiState(
            update.state ?: before.app,
            update.chat ?: before.chat,
            update.history ?: before.history,
            update.statistics ?: before.statistics,
            update.privateText ?: before.privateText,
        )
        waiting += update.effects
        // What is dispatched while an effect is carried out has its own effects after the rest of these.
        if (working) return
        working = true
        try {
            while (waiting.isNotEmpty()) carryOut(waiting.removeFirst())
        } finally {
            working = false
        }
    }

    /** Logs out and lets the core go: nothing is shown or done any more. */
    override fun close() {
        closed = true
        core.close()
    }
}
