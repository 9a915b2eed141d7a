package chamada.ui

import android.text.format.DateFormat
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.widthIn
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
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.compose.ui.unit.dp
import java.util.Date

/** A message of somebody's: at the right what was written here. [head] is what stands above it beside the time. */
@Composable
public fun MessageBubble(words: String, head: String, atMs: ULong, own: Boolean) {
    Column(Modifier.fillMaxWidth(), horizontalAlignment = if (own) Alignment.End else Alignment.Start) {
        val time = DateFormat.getTimeFormat(LocalContext.current).format(Date(atMs.toLong()))
        val quiet = MaterialTheme.colorScheme.onSurfaceVariant
        Text("$head  $time".trim(), Modifier.padding(horizontal = 8.dp), quiet, style = MaterialTheme.typography.labelSmall)
        Surface(
            Modifier.widthIn(max = 480.dp).padding(start = if (own) 32.dp else 0.dp, top = 2.dp, end = if (own) 0.dp else 32.dp),
            RoundedCornerShape(20.dp),
            if (own) MaterialTheme.colorScheme.primaryContainer else MaterialTheme.colorScheme.surfaceContainerHigh,
        ) {
            // Plain text, whatever is in it.
            SelectionContainer { Text(words, Modifier.padding(horizontal = 16.dp, vertical = 10.dp)) }
        }
    }
}

/** Where a message is written, with the button that sends it. */
@Composable
public fun MessageField(typed: String, hint: String, onChange: (String) -> Unit, send: () -> Unit, modifier: Modifier = Modifier) {
    Row(Modifier.padding(start = 16.dp, top = 4.dp, end = 12.dp, bottom = 12.dp), verticalAlignment = Alignment.CenterVertically) {
        TextField(
            typed,
            onChange,
            modifier.weight(1f),
            placeholder = { Text(hint) },
            keyboardOptions = KeyboardOptions(KeyboardCapitalization.Sentences, imeAction = ImeAction.Send),
            keyboardActions = KeyboardActions(onSend = { send() }),
            maxLines = 4,
            shape = RoundedCornerShape(28.dp),
            colors = TextFieldDefaults.colors(focusedIndicatorColor = Color.Transparent, unfocusedIndicatorColor = Color.Transparent),
        )
        FilledIconButton(send, Modifier.padding(start = 8.dp), typed.isNotBlank()) { Symbol(R.drawable.ic_send, label = stringResource(R.string.chat_send)) }
    }
}
