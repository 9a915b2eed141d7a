package chamada.app

import android.content.Context
import android.text.format.DateUtils
import androidx.compose.foundation.clickable
import androidx.compose.foundation.combinedClickable
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.DropdownMenu
import androidx.compose.material3.DropdownMenuItem
import androidx.compose.material3.IconButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextField
import androidx.compose.material3.TextFieldDefaults
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.text.style.TextOverflow
import androidx.compose.ui.unit.dp
import androidx.compose.material3.LocalContentColor
import chamada.AppAction
import chamada.AppHistoryEntry
import chamada.AppHistoryKind
import chamada.AppPerson
import chamada.AppState
import chamada.ui.Avatar
import chamada.ui.R
import chamada.ui.Symbol
import chamada.ui.text

/** From this size of letters on, as a part of the usual one, there is no room for all that stands beside a name, nor below a tab. */
internal const val LARGE_LETTERS = 1.5f

/** Who is there, with a search: a row calls with video. */
@Composable
internal fun People(app: AppState, dispatch: (AppAction) -> Unit, modifier: Modifier) {
    Column(modifier) {
        Search(app.search) { dispatch(AppAction.Search(it)) }
        app.nobody?.let { Empty(text(it)) }
        LazyColumn(Modifier.fillMaxSize(), contentPadding = PaddingValues(bottom = 16.dp)) {
            items(app.people, key = { it.name }) { Person(it, dispatch) }
        }
    }
}

@Composable
private fun Search(first: String, onChange: (String) -> Unit) {
    var text by rememberSaveable { mutableStateOf(first) }
    val change = { new: String ->
        text = new
        onChange(new)
    }
    TextField(
        text,
        change,
        Modifier.fillMaxWidth().padding(start = 16.dp, end = 16.dp, bottom = 8.dp),
        placeholder = { Text(stringResource(R.string.people_search)) },
        leadingIcon = { Symbol(R.drawable.ic_search) },
        trailingIcon = if (text.isEmpty()) null else ({ IconButton({ change("") }) { Symbol(R.drawable.ic_close, label = stringResource(R.string.people_search_clear)) } }),
        keyboardOptions = KeyboardOptions(autoCorrectEnabled = false, imeAction = ImeAction.Search),
        singleLine = true,
        shape = CircleShape,
        colors = TextFieldDefaults.colors(focusedIndicatorColor = Color.Transparent, unfocusedIndicatorColor = Color.Transparent),
    )
}

@Composable
internal fun Empty(text: String) {
    Text(text, Modifier.fillMaxWidth().padding(32.dp), MaterialTheme.colorScheme.onSurfaceVariant, textAlign = TextAlign.Center)
}

@Composable
private fun Person(person: AppPerson, dispatch: (AppAction) -> Unit) {
    var menu by remember { mutableStateOf(false) }
    val call = { dispatch(AppAction.Call(person.name, video = true)) }
    Entry(
        person.initial,
        person.name,
        if (person.blocked) stringResource(R.string.people_is_blocked) else if (person.away) stringResource(R.string.people_is_away) else null,
        Modifier.combinedClickable(
            onClickLabel = stringResource(R.string.people_call, person.name),
            role = Role.Button,
            onLongClick = { menu = true },
            onClick = call,
        ),
        if (person.blocked) R.drawable.ic_block else null,
    ) {
        val withoutVideo = stringResource(R.string.people_call_audio, person.name)
        val callWithoutVideo = { dispatch(AppAction.Call(person.name, video = false)) }
        // Large letters need the room: then a call without video is in the menu.
        val roomy = LocalDensity.current.fontScale <= LARGE_LETTERS
        if (roomy) {
            Tool(R.drawable.ic_camera, stringResource(R.string.people_call, person.name), call)
            Tool(R.drawable.ic_call, withoutVideo, callWithoutVideo)
        }
        Box {
            IconButton({ menu = true }) { Symbol(R.drawable.ic_more, label = stringResource(R.string.people_more, person.name)) }
            DropdownMenu(menu, { menu = false }) {
                val choose = { action: () -> Unit ->
                    menu = false
                    action()
                }
                if (!roomy) DropdownMenuItem({ Text(withoutVideo) }, { choose(callWithoutVideo) }, leadingIcon = { Symbol(R.drawable.ic_call) })
                val block = stringResource(if (person.blocked) R.string.people_unblock else R.string.people_block, person.name)
                DropdownMenuItem(
                    { Text(block) },
                    { choose { dispatch(AppAction.SetBlocked(person.name, !person.blocked)) } },
                    leadingIcon = { Symbol(R.drawable.ic_block) },
                )
            }
        }
    }
}

/** The calls that were: a row calls again. */
@Composable
internal fun Recents(calls: List<AppHistoryEntry>, dispatch: (AppAction) -> Unit, modifier: Modifier) {
    LazyColumn(modifier.fillMaxSize(), contentPadding = PaddingValues(bottom = 16.dp)) {
        if (calls.isEmpty()) item { Empty(stringResource(R.string.log_none)) }
        items(calls, key = { it.id }) { Recent(it, dispatch) }
    }
}

@Composable
private fun Recent(call: AppHistoryEntry, dispatch: (AppAction) -> Unit) {
    val (kind, icon) = when (call.kind) {
        AppHistoryKind.INCOMING -> R.string.log_incoming to R.drawable.ic_incoming
        AppHistoryKind.OUTGOING -> R.string.log_outgoing to R.drawable.ic_outgoing
        AppHistoryKind.MISSED -> R.string.log_missed to R.drawable.ic_missed
    }
    val again = stringResource(if (call.video) R.string.people_call else R.string.people_call_audio, call.with)
    val act = { dispatch(AppAction.Call(call.with, call.video)) }
    val missed = call.kind == AppHistoryKind.MISSED
    Entry(
        call.initial,
        call.with,
        stringResource(kind) + " · " + LocalContext.current.began(call),
        Modifier.clickable(onClickLabel = again, role = Role.Button, onClick = act),
        icon,
        if (missed) MaterialTheme.colorScheme.error else MaterialTheme.colorScheme.onSurfaceVariant,
    ) { Tool(if (call.video) R.drawable.ic_camera else R.drawable.ic_call, again, act) }
}

private fun Context.began(call: AppHistoryEntry) =
    DateUtils.getRelativeDateTimeString(this, call.beganMs.toLong(), DateUtils.MINUTE_IN_MILLIS, DateUtils.WEEK_IN_MILLIS, 0).toString()

/** A row with somebody's name, what is to be said of it, and what can be done. */
@Composable
private fun Entry(
    initial: String,
    name: String,
    about: String?,
    modifier: Modifier,
    icon: Int? = null,
    color: Color = MaterialTheme.colorScheme.onSurfaceVariant,
    tools: @Composable RowScope.() -> Unit,
) {
    Row(modifier.fillMaxWidth().heightIn(min = 72.dp).padding(start = 16.dp, end = 4.dp), verticalAlignment = Alignment.CenterVertically) {
        Avatar(initial, size = 44.dp)
        Column(Modifier.weight(1f).padding(horizontal = 16.dp, vertical = 8.dp)) {
            Text(name, style = MaterialTheme.typography.bodyLarge, maxLines = 1, overflow = TextOverflow.Ellipsis)
            if (about != null) {
                CompositionLocalProvider(LocalContentColor provides color) {
                    Row(verticalAlignment = Alignment.CenterVertically) {
                        if (icon != null) Symbol(icon, Modifier.padding(end = 4.dp).size(16.dp))
                        Text(about, style = MaterialTheme.typography.bodyMedium)
                    }
                }
            }
        }
        tools()
    }
}

@Composable
private fun Tool(icon: Int, label: String, onClick: () -> Unit) {
    IconButton(onClick) { CompositionLocalProvider(LocalContentColor provides MaterialTheme.colorScheme.primary) { Symbol(icon, label = label) } }
}
