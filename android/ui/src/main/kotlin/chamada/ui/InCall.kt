package chamada.ui

import android.text.format.DateUtils
import androidx.compose.foundation.gestures.detectTapGestures
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.FilledTonalButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableLongStateOf
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.input.pointer.pointerInput
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.onLongClick
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppCallView
import chamada.AppStatisticsLine
import chamada.android.plain.UiState
import kotlinx.coroutines.delay

private val OVER_PICTURE = Color(0x99000000)

/** Over the pictures of a call that goes on, or that is being made: with whom, how it is, the own picture, and what can be done. */
@Composable
internal fun InCall(state: UiState, call: AppCallView, actions: CallScreenActions, preview: @Composable (Modifier) -> Unit) {
    var sheet by rememberSaveable { mutableStateOf<CallSheet?>(null) }
    // What a sheet covers is not to be reached by TalkBack.
    val covered = if (sheet == null && call.keypad?.open != true && call.privateText?.open != true) Modifier else Modifier.clearAndSetSemantics {}
    Box(Modifier.fillMaxSize().then(covered)) {
        Column(Modifier.fillMaxSize().safeDrawingPadding()) {
            Banners(state.app.banners, actions.dispatch, Modifier.padding(horizontal = 12.dp))
            Box(Modifier.weight(1f).fillMaxWidth()) {
                Head(call, state.statistics, actions)
                if (call.showsPreview) SelfView(preview)
            }
            CallControls(call, actions.dispatch, Modifier.align(Alignment.CenterHorizontally)) { sheet = it }
        }
    }
    sheet?.let { CallSheetContent(it, call, actions) { sheet = null } }
    call.keypad?.takeIf { it.open }?.let { keypad ->
        Sheet(stringResource(R.string.keypad), { actions.dispatch(AppAction.ShowKeypad(false)) }) { Keypad(keypad, actions.dispatch) }
    }
    call.privateText?.takeIf { it.open }?.let { private ->
        Sheet(text(private.title), { actions.dispatch(AppAction.ShowPrivateText(false)) }) {
            PrivateText(call.with, private, state.privateText, actions.dispatch)
        }
    }
}

@Composable
private fun Head(call: AppCallView, statistics: List<AppStatisticsLine>, actions: CallScreenActions) {
    // With large letters not all of it has room.
    Column(Modifier.verticalScroll(rememberScrollState()).padding(12.dp).widthIn(max = 560.dp)) {
        // To be read over any picture.
        Surface(shape = MaterialTheme.shapes.large, color = OVER_PICTURE, contentColor = Color.White) {
            Column(Modifier.padding(horizontal = 14.dp, vertical = 8.dp)) {
                Text(
                    call.with,
                    Modifier.semantics {
                        heading()
                        onLongClick { actions.onNameHeld().let { true } }
                    }.pointerInput(actions) { detectTapGestures(onLongPress = { actions.onNameHeld() }) },
                    style = MaterialTheme.typography.titleLarge,
                    maxLines = 1,
                    overflow = TextOverflow.Ellipsis,
                )
                val since = call.sinceMs
                val status = call.status
                if (status != null) Text(text(status), Modifier.semantics { liveRegion = LiveRegionMode.Polite })
                if (status == null && since != null) Lasts(since.toLong())
                call.quality?.let { Text(text(it), Modifier.semantics { liveRegion = LiveRegionMode.Polite }, color = Color(0xFFFFE2A8)) }
            }
        }
        if (call.held) FilledTonalButton({ actions.dispatch(AppAction.SetHold(false)) }) { Text(stringResource(R.string.call_take_sound)) }
        if (call.showsStatistics) Statistics(statistics)
    }
}

/** How long it has lasted, once a second. */
@Composable
private fun Lasts(since: Long) {
    var now by remember { mutableLongStateOf(System.currentTimeMillis()) }
    LaunchedEffect(since) {
        while (true) {
            now = System.currentTimeMillis()
            delay(1000 - Math.floorMod(now - since, 1000L))
        }
    }
    Text(DateUtils.formatElapsedTime(maxOf(0, now - since) / 1000))
}

@Composable
private fun Statistics(lines: List<AppStatisticsLine>) {
    Surface(Modifier.padding(top = 8.dp), MaterialTheme.shapes.large, OVER_PICTURE, Color.White) {
        Column(Modifier.padding(12.dp)) {
            for (line in lines) {
                Row(Modifier.semantics(mergeDescendants = true) {}) {
                    Text(text(line.label) + ": ", color = Color.White.copy(alpha = 0.8f), style = MaterialTheme.typography.bodySmall)
                    Text(line.value, style = MaterialTheme.typography.bodySmall)
                }
            }
        }
    }
}
