package chamada.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.imePadding
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppPrivateLine
import chamada.AppPrivateText

/** What the two people of a call write to each other, and nobody else reads. */
@Composable
internal fun PrivateText(with: String, text: AppPrivateText, lines: List<AppPrivateLine>, dispatch: (AppAction) -> Unit) {
    var typed by rememberSaveable { mutableStateOf("") }
    Column(Modifier.fillMaxWidth().imePadding()) {
        val quiet = MaterialTheme.colorScheme.onSurfaceVariant
        Text(text(text.hint), Modifier.padding(horizontal = 24.dp), quiet, style = MaterialTheme.typography.bodySmall)
        // The newest stays in sight.
        LazyColumn(
            Modifier.heightIn(max = 320.dp).fillMaxWidth().padding(horizontal = 16.dp, vertical = 8.dp).semantics { liveRegion = LiveRegionMode.Polite },
            reverseLayout = true,
            verticalArrangement = Arrangement.spacedBy(8.dp, Alignment.Bottom),
        ) {
            items(lines.asReversed(), key = { it.id.toLong() }) { line ->
                MessageBubble(line.text, line.delivery?.let { text(it) } ?: with, line.atMs, line.own)
            }
        }
        Text(text.typing?.let { text(it) }.orEmpty(), Modifier.padding(horizontal = 24.dp), quiet, style = MaterialTheme.typography.labelMedium)
        MessageField(
            typed,
            stringResource(R.string.private_write, with),
            onChange = {
                typed = it.take(text.maxChars.toInt())
                dispatch(AppAction.SetTyping(typed.isNotEmpty()))
            },
            send = {
                dispatch(AppAction.SendPrivateText(typed))
                typed = ""
            },
        )
    }
}
