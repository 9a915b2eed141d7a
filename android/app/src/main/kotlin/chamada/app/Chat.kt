package chamada.app

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.imePadding
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppChatLine
import chamada.AppField
import chamada.ui.MessageBubble
import chamada.ui.MessageField
import chamada.ui.R
import chamada.ui.text

/** As long as a line may be, in UTF-16 units. */
private const val LONGEST = 256

/** What everybody here says and reads. */
@Composable
internal fun Chat(lines: List<AppChatLine>, typed: MainViewModel, dispatch: (AppAction) -> Unit, modifier: Modifier) {
    val send = {
        dispatch(AppAction.Say(typed.message))
        typed.message = ""
    }
    Column(modifier.fillMaxSize().imePadding()) {
        // The newest stays in sight.
        LazyColumn(
            Modifier.weight(1f).fillMaxWidth().semantics { liveRegion = LiveRegionMode.Polite },
            reverseLayout = true,
            contentPadding = PaddingValues(16.dp, 8.dp),
            verticalArrangement = Arrangement.spacedBy(8.dp, Alignment.Bottom),
        ) { items(lines.asReversed(), key = { it.id.toLong() }) { Line(it) } }
        MessageField(
            typed.message,
            stringResource(R.string.chat_write),
            { typed.message = it.take(LONGEST) },
            send,
            Modifier.focusedBy(typed, AppField.CHAT),
        )
    }
}

@Composable
private fun Line(line: AppChatLine) {
    line.event?.let {
        val quiet = MaterialTheme.colorScheme.onSurfaceVariant
        return Text(text(it), Modifier.fillMaxWidth(), quiet, style = MaterialTheme.typography.bodySmall, textAlign = TextAlign.Center)
    }
    val who = if (line.own) stringResource(R.string.people_me, line.from.orEmpty()) else line.from.orEmpty()
    MessageBubble(line.text.orEmpty(), who, line.atMs, line.own)
}
