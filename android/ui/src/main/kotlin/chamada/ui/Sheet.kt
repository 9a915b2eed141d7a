package chamada.ui

import androidx.activity.compose.BackHandler
import androidx.compose.animation.AnimatedVisibility
import androidx.compose.animation.core.MutableTransitionState
import androidx.compose.animation.slideInVertically
import androidx.compose.foundation.background
import androidx.compose.foundation.gestures.detectTapGestures
import androidx.compose.foundation.gestures.detectVerticalDragGestures
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.navigationBarsPadding
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.statusBarsPadding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.IconButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.remember
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.input.pointer.pointerInput
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.dismiss
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.paneTitle
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp

/**
 * A modal sheet at the bottom, in the window of what it covers: Material's own opens a window, which a locked screen may hide and a small
 * window cannot hold. It goes by its button, a touch beside it, a drag downwards, or the way back. What it covers has to be hidden from
 * TalkBack by whoever shows it.
 */
@Composable
public fun Sheet(title: String, onDismiss: () -> Unit, content: @Composable ColumnScope.() -> Unit) {
    BackHandler(onBack = onDismiss)
    val shown = remember { MutableTransitionState(false) }.apply { targetState = true }
    Box(Modifier.fillMaxSize(), Alignment.BottomCenter) {
        // TalkBack has the button.
        Spacer(Modifier.fillMaxSize().background(Color.Black.copy(alpha = 0.4f)).pointerInput(onDismiss) { detectTapGestures { onDismiss() } })
        AnimatedVisibility(shown, enter = slideInVertically { it }) {
            Surface(
                Modifier.statusBarsPadding().widthIn(max = 560.dp).fillMaxWidth().semantics {
                    paneTitle = title
                    dismiss {
                        onDismiss()
                        true
                    }
                },
                shape = RoundedCornerShape(topStart = 28.dp, topEnd = 28.dp),
                color = MaterialTheme.colorScheme.surfaceContainerLow,
            ) {
                Column {
                    Row(
                        Modifier.padding(start = 24.dp, top = 12.dp, end = 12.dp, bottom = 4.dp)
                            .pointerInput(onDismiss) {
                                var pulled = 0f
                                detectVerticalDragGestures({ pulled = 0f }) { _, amount ->
                                    pulled += amount
                                    if (pulled > 48.dp.toPx()) onDismiss()
                                }
                            },
                        verticalAlignment = Alignment.CenterVertically,
                    ) {
                        Text(title, Modifier.weight(1f).semantics { heading() }, style = MaterialTheme.typography.titleLarge)
                        IconButton(onDismiss) { Symbol(R.drawable.ic_close, label = stringResource(R.string.sheet_close)) }
                    }
                    Column(Modifier.verticalScroll(rememberScrollState()).navigationBarsPadding().padding(bottom = 16.dp), content = content)
                }
            }
        }
    }
}

/** A row of a [Sheet]; [control] is what stands at its end. `modifier` makes it one that can be pressed. */
@Composable
public fun SheetRow(text: String, modifier: Modifier = Modifier, icon: Int? = null, control: @Composable () -> Unit = {}) {
    Row(modifier.fillMaxWidth().heightIn(min = 56.dp).padding(horizontal = 24.dp, vertical = 8.dp), verticalAlignment = Alignment.CenterVertically) {
        if (icon != null) Symbol(icon, Modifier.padding(end = 16.dp))
        Text(text, Modifier.weight(1f), style = MaterialTheme.typography.bodyLarge)
        control()
    }
}
