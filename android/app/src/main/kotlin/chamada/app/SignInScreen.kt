package chamada.app

import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.KeyboardActions
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.remember
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.autofill.ContentType
import androidx.compose.ui.draw.rotate
import androidx.compose.ui.focus.FocusRequester
import androidx.compose.ui.focus.focusRequester
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.contentType
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardType
import androidx.compose.ui.text.input.PasswordVisualTransformation
import androidx.compose.ui.text.input.VisualTransformation
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppField
import chamada.AppState
import chamada.ui.Banners
import chamada.ui.R
import chamada.ui.Symbol

/** A name is all that most people type; where to sign in, and by what right, stands under "Advanced". */
@Composable
fun SignInScreen(app: AppState, typed: MainViewModel, dispatch: (AppAction) -> Unit) {
    val server = typed.server ?: app.server
    val name = typed.name ?: app.name
    // Without an address nothing can be done: then it is the first thing to be asked.
    val showsAdvanced = typed.showsAdvanced || app.server.isEmpty()
    val join = { dispatch(AppAction.SignIn(server, name, typed.token.trim().ifEmpty { null })) }
    LaunchedEffect(typed.focus) { if (typed.focus == AppField.SERVER) typed.showsAdvanced = true }
    Surface(Modifier.fillMaxSize()) {
        Column(
            Modifier.safeDrawingPadding().verticalScroll(rememberScrollState()).padding(24.dp),
            horizontalAlignment = Alignment.CenterHorizontally,
        ) {
            Column(Modifier.widthIn(max = 440.dp).fillMaxWidth()) {
                Surface(Modifier.padding(top = 24.dp), RoundedCornerShape(20.dp), MaterialTheme.colorScheme.primary) {
                    Symbol(R.drawable.ic_call, Modifier.padding(16.dp).size(32.dp))
                }
                Text(
                    stringResource(R.string.title),
                    Modifier.padding(top = 20.dp).semantics { heading() },
                    style = MaterialTheme.typography.headlineLarge,
                )
                Text(stringResource(R.string.tagline), color = MaterialTheme.colorScheme.onSurfaceVariant, style = MaterialTheme.typography.bodyLarge)
                Spacer(Modifier.heightIn(min = 16.dp))
                Banners(app.banners, dispatch)
                Field(R.string.login_name, name, { typed.name = it }, typed, AppField.NAME, Modifier.semantics { contentType = ContentType.Username }, ImeAction.Done, join)
                Button(join, Modifier.padding(top = 16.dp).fillMaxWidth().heightIn(min = 52.dp), enabled = !app.signingIn) {
                    Text(stringResource(if (app.signingIn) R.string.login_entering else R.string.login_join), style = MaterialTheme.typography.titleMedium)
                }
                if (app.hasDemo) {
                    TextButton({ dispatch(AppAction.StartDemo(name)) }, Modifier.padding(top = 4.dp).fillMaxWidth().heightIn(min = 48.dp), !app.signingIn) {
                        Text(stringResource(R.string.login_demo))
                    }
                }
                TextButton({ typed.showsAdvanced = !typed.showsAdvanced }, Modifier.padding(top = 8.dp).heightIn(min = 48.dp), contentPadding = PaddingValues(horizontal = 4.dp)) {
                    Text(stringResource(R.string.login_advanced))
                    Symbol(R.drawable.ic_expand, Modifier.padding(start = 8.dp).size(16.dp).rotate(if (showsAdvanced) 180f else 0f))
                }
                if (showsAdvanced) {
                    val hint = stringResource(R.string.login_server_hint)
                    Field(R.string.login_server, server, { typed.server = it }, typed, AppField.SERVER, next = ImeAction.Next, kind = KeyboardType.Uri, hint = hint)
                    Field(R.string.login_token_field, typed.token, { typed.token = it }, typed, done = join, kind = KeyboardType.Password)
                }
            }
        }
    }
}

@Composable
private fun Field(
    label: Int,
    value: String,
    onChange: (String) -> Unit,
    typed: MainViewModel,
    field: AppField? = null,
    modifier: Modifier = Modifier,
    next: ImeAction = ImeAction.Done,
    done: () -> Unit = {},
    kind: KeyboardType = KeyboardType.Text,
    hint: String? = null,
) {
    OutlinedTextField(
        value,
        onChange,
        modifier.fillMaxWidth().padding(top = 8.dp).focusedBy(typed, field),
        label = { Text(stringResource(label)) },
        placeholder = hint?.let { { Text(it) } },
        visualTransformation = if (kind == KeyboardType.Password) PasswordVisualTransformation() else VisualTransformation.None,
        keyboardOptions = KeyboardOptions(autoCorrectEnabled = false, keyboardType = kind, imeAction = next),
        keyboardActions = KeyboardActions(onDone = { done() }),
        singleLine = true,
    )
}

/** Takes the cursor when the core wants it there. */
@Composable
internal fun Modifier.focusedBy(typed: MainViewModel, field: AppField?): Modifier {
    val requester = remember { FocusRequester() }
    LaunchedEffect(typed.focus) {
        if (field == null || typed.focus != field) return@LaunchedEffect
        requester.requestFocus()
        typed.focus = null
    }
    return focusRequester(requester)
}
