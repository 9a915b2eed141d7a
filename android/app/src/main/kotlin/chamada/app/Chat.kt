package chamada.app

import android.text.format.DateFormat
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.imePadding
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.KeyboardActions
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.foundation.text.selection.SelectionContainer
import androidx.compose.material3.FilledIconButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TextField
import androidx.compose.material3.TextFieldDefaults
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppChatLine
import chamada.AppField
import chamada.ui.R
import chamada.ui.Symbol
import chamada.ui.text
import java.util.Date

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
        Row(Modifier.padding(start = 16.dp, top = 4.dp, end = 12.dp, bottom = 12.dp), verticalAlignment = Alignment.CenterVertically) {
            TextField(
                typed.message,
                { typed.message = it.take(LONGEST) },
                Modifier.weight(1f).focusedBy(typed, AppField.CHAT),
                placeholder = { Text(stringResource(R.string.chat_write)) },
                keyboardOptions = KeyboardOptions(KeyboardCapitalization.Sentences, imeAction = ImeAction.Send),
                keyboardActions = KeyboardActions(onSend = { send() }),
                maxLines = 4,
                shape = RoundedCornerShape(28.dp),
                colors = TextFieldDefaults.colors(focusedIndicatorColor = Color.Transparent, unfocusedIndicatorColor = Color.Transparent),
            )
            FilledIconButton(send, Modifier.padding(start = 8.dp), typed.message.isNotBlank()) { Symbol(R.drawable.ic_send, label = stringResource(R.string.chat_send)) }
        }
    }
}

@Composable
private fun Line(line: AppChatLine) {
    val quiet = MaterialTheme.colorScheme.onSurfaceVariant
    line.event?.let {
        return Text(text(it), Modifier.fillMaxWidth(), quiet, style = MaterialTheme.typography.bodySmall, textAlign = TextAlign.Center)
    }
    Column(Modifier.fillMaxWidth(), horizontalAlignment = if (line.own) Alignment.End else Alignment.Start) {
        val who = if (line.own) stringResource(R.string.people_me, line.from.orEmpty()) else line.from.orEmpty()
        val time = DateFormat.getTimeFormat(LocalContext.current).format(Date(line.atMs.toLong()))
        Text("$who  $time", Modifier.padding(horizontal = 8.dp), quiet, style = MaterialTheme.typography.labelSmall)
        Surface(
            Modifier.widthIn(max = 480.dp).padding(start = if (line.own) 32.dp else 0.dp, top = 2.dp, end = if (line.own) 0.dp else 32.dp),
            RoundedCornerShape(20.dp),
            if (line.own) MaterialTheme.colorScheme.primaryContainer else MaterialTheme.colorScheme.surfaceContainerHigh,
        ) {
            // Plain text, whatever is in it.
            SelectionContainer { Text(line.text.orEmpty(), Modifier.padding(horizontal = 16.dp, vertical = 10.dp)) }
        }
    }
}
