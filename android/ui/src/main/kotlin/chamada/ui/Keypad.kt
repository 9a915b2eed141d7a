package chamada.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.width
import androidx.compose.material3.FilledTonalButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppKeypad

private val ROWS = listOf("123", "456", "789", "*0#")

/** The keys of a phone, for whoever answers by a menu. */
@Composable
internal fun Keypad(keypad: AppKeypad, dispatch: (AppAction) -> Unit) {
    Column(Modifier.fillMaxWidth().padding(horizontal = 24.dp), Arrangement.spacedBy(8.dp), Alignment.CenterHorizontally) {
        // What was pressed here, and what came from there.
        for (pressed in listOf(keypad.sent, keypad.received)) {
            if (pressed.isNotEmpty()) {
                Text(
                    pressed,
                    Modifier.semantics { liveRegion = LiveRegionMode.Polite },
                    style = MaterialTheme.typography.titleLarge,
                    maxLines = 1,
                    overflow = TextOverflow.StartEllipsis,
                )
            }
        }
        for (row in ROWS) {
            Row(horizontalArrangement = Arrangement.spacedBy(16.dp)) {
                for (key in row) {
                    val press = { dispatch(AppAction.PressKey(key.toString())) }
                    FilledTonalButton(press, Modifier.width(72.dp).heightIn(min = 52.dp), contentPadding = PaddingValues(0.dp)) {
                        Text(key.toString(), style = MaterialTheme.typography.titleLarge)
                    }
                }
            }
        }
    }
}
