package chamada.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.material3.LocalContentColor
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Brush
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.android.plain.UiState

/** What a call needs of the activity that shows it. */
public class CallScreenActions(
    public val dispatch: (AppAction) -> Unit,
    /** Take a photo: some systems want a permission for it first. */
    public val takePhoto: () -> Unit = { dispatch(AppAction.TakePhoto) },
    /** The call is to be small in a corner; none where the system has no such window. */
    public val enterSmallWindow: (() -> Unit)? = null,
    /** The name was pressed for long. */
    public val onNameHeld: () -> Unit = {},
)

/**
 * A call, whatever its state: ringing here, ringing there, going on. Nothing is drawn without one. Always dark, as pictures want it.
 *
 * @param remote the other side's picture, [VideoSurface] say; it may be covered.
 * @param preview the own one.
 * @param small whether the window is a small one in a corner: then there is the picture alone.
 */
@Composable
public fun CallScreen(
    state: UiState,
    actions: CallScreenActions,
    remote: @Composable (Modifier) -> Unit,
    preview: @Composable (Modifier) -> Unit,
    modifier: Modifier = Modifier,
    small: Boolean = false,
) {
    val call = state.app.call ?: return
    ChamadaTheme(dark = true) {
        CompositionLocalProvider(LocalContentColor provides Color.White) {
            Box(modifier.fillMaxSize().background(Color.Black)) {
                if (!call.canAnswer) {
                    val name = stringResource(R.string.call_picture_of, call.with)
                    remote(Modifier.fillMaxSize().semantics { contentDescription = name })
                }
                if (!call.showsRemote) NoPicture(call.initial, showsFace = !call.canAnswer, small)
                when {
                    small -> {}
                    call.canAnswer -> IncomingCall(call, state.app.banners, actions.dispatch)
                    else -> InCall(state, call, actions, preview)
                }
            }
        }
    }
}

/** In place of the other side's picture. */
@Composable
private fun NoPicture(initial: String, showsFace: Boolean, small: Boolean) {
    val shade = Brush.verticalGradient(listOf(Color(0xFF12563F), Color(0xFF0B231B), Color(0xFF080D0B)))
    Box(Modifier.fillMaxSize().background(shade), Alignment.Center) {
        if (showsFace) Avatar(initial, size = if (small) 56.dp else 128.dp)
    }
}
