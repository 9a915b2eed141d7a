package chamada.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppBanner
import chamada.AppCallView

/** Who calls, and the ways to answer. */
@Composable
internal fun IncomingCall(call: AppCallView, banners: List<AppBanner>, dispatch: (AppAction) -> Unit) {
    BoxWithConstraints(Modifier.fillMaxSize().safeDrawingPadding()) {
        // A phone that lies has no room for one below the other.
        if (maxHeight < 480.dp && maxWidth > maxHeight) {
            Row(Modifier.fillMaxSize(), verticalAlignment = Alignment.CenterVertically) {
                Column(Modifier.weight(1f).verticalScroll(rememberScrollState())) {
                    Banners(banners, dispatch, Modifier.padding(horizontal = 12.dp))
                    Caller(call)
                }
                Column(Modifier.weight(1f).verticalScroll(rememberScrollState())) { Answers(call, dispatch) }
            }
        } else {
            // What does not fit, with large letters, is scrolled to.
            Column(Modifier.fillMaxSize().verticalScroll(rememberScrollState()).heightIn(min = maxHeight)) {
                Banners(banners, dispatch, Modifier.padding(horizontal = 12.dp))
                Box(Modifier.weight(1f).fillMaxWidth(), Alignment.Center) { Caller(call) }
                Answers(call, dispatch)
            }
        }
    }
}

@Composable
private fun Caller(call: AppCallView) {
    Column(Modifier.fillMaxWidth().padding(24.dp), horizontalAlignment = Alignment.CenterHorizontally) {
        Avatar(call.initial, size = 128.dp)
        Text(
            call.with,
            Modifier.padding(top = 24.dp).semantics { heading() },
            style = MaterialTheme.typography.headlineLarge,
            textAlign = TextAlign.Center,
        )
        Text(
            call.status?.let { text(it) }.orEmpty(),
            Modifier.padding(top = 8.dp),
            style = MaterialTheme.typography.bodyLarge,
            color = Color.White.copy(alpha = 0.8f),
            textAlign = TextAlign.Center,
        )
    }
}

@Composable
private fun Answers(call: AppCallView, dispatch: (AppAction) -> Unit) {
    Column(Modifier.fillMaxWidth().padding(bottom = 16.dp), horizontalAlignment = Alignment.CenterHorizontally) {
        Row(Modifier.widthIn(max = 480.dp).fillMaxWidth().padding(horizontal = 4.dp), Arrangement.Center) {
            Answer(R.drawable.ic_hang_up, stringResource(R.string.incoming_decline), EndColor) { dispatch(AppAction.Decline) }
            Answer(R.drawable.ic_call, stringResource(R.string.incoming_accept_audio), AcceptColor) { dispatch(AppAction.Accept(video = false)) }
            Answer(R.drawable.ic_camera, stringResource(R.string.incoming_accept), AcceptColor) { dispatch(AppAction.Accept(video = true)) }
        }
        // A push may not have said who it is.
        if (call.with.isNotEmpty()) {
            TextButton({ dispatch(AppAction.SetBlocked(call.with, block = true)) }, Modifier.padding(top = 16.dp)) {
                Text(stringResource(R.string.incoming_block), color = Color.White, textAlign = TextAlign.Center)
            }
        }
    }
}

/** A round button with its label below. */
@Composable
private fun RowScope.Answer(icon: Int, label: String, color: Color, onClick: () -> Unit) {
    Column(
        Modifier.weight(1f).clip(RoundedCornerShape(16.dp)).clickable(role = Role.Button, onClick = onClick).padding(vertical = 8.dp),
        horizontalAlignment = Alignment.CenterHorizontally,
    ) {
        Box(Modifier.size(72.dp).background(color, CircleShape), Alignment.Center) { Symbol(icon, Modifier.size(32.dp)) }
        Text(label, Modifier.padding(top = 8.dp), style = MaterialTheme.typography.labelMedium, textAlign = TextAlign.Center)
    }
}
