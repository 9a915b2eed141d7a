package chamada.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.selection.toggleable
import androidx.compose.foundation.clickable
import androidx.compose.material3.Badge
import androidx.compose.material3.BadgedBox
import androidx.compose.material3.FilledIconButton
import androidx.compose.material3.IconButtonDefaults
import androidx.compose.material3.RadioButton
import androidx.compose.material3.Switch
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppAudioRouteView
import chamada.AppCallView

/** What opens from the bottom of a call. */
internal enum class CallSheet { ROUTES, MORE }

/** The five that are used most, and the way out, in one row on any phone. */
@Composable
internal fun CallControls(call: AppCallView, dispatch: (AppAction) -> Unit, modifier: Modifier, open: (CallSheet) -> Unit) {
    BoxWithConstraints(modifier.fillMaxWidth().padding(start = 8.dp, end = 8.dp, bottom = 16.dp), Alignment.Center) {
        // 48 dp is the least that a finger hits.
        val gap = if (maxWidth < 360.dp) 3.dp else 8.dp
        val size = ((maxWidth - gap * 5) / 6).coerceIn(48.dp, 60.dp)
        Row(horizontalArrangement = Arrangement.spacedBy(gap), verticalAlignment = Alignment.CenterVertically) {
            val (microphone, mute) = if (call.microphoneOn) R.drawable.ic_microphone to R.string.call_mute else R.drawable.ic_microphone_off to R.string.call_unmute
            Control(microphone, stringResource(mute), size, off = !call.microphoneOn) { dispatch(AppAction.SetMicrophone(!call.microphoneOn)) }
            val (camera, hide) = if (call.cameraOn) R.drawable.ic_camera to R.string.call_camera_off else R.drawable.ic_camera_off to R.string.call_camera_on
            Control(camera, stringResource(hide), size, off = !call.cameraOn) { dispatch(AppAction.SetCamera(!call.cameraOn)) }
            Control(R.drawable.ic_flip, stringResource(R.string.call_flip), size, enabled = call.canFlip) { dispatch(AppAction.FlipCamera) }
            val route = call.audioRoutes.find { it.selected }?.let { name(it) }
            val sound = listOfNotNull(stringResource(R.string.call_speaker), route).joinToString(": ")
            Control(R.drawable.ic_route, sound, size, enabled = call.audioRoutes.size > 1) { open(CallSheet.ROUTES) }
            val unread = call.privateText?.unread ?: 0u
            BadgedBox({ if (unread > 0u) Badge { Text(unread.toString()) } }) {
                Control(R.drawable.ic_more_horizontal, stringResource(R.string.call_more), size) { open(CallSheet.MORE) }
            }
            Control(R.drawable.ic_hang_up, stringResource(R.string.call_hang_up), size, color = EndColor) { dispatch(AppAction.HangUp) }
        }
    }
}

/** A round button over the picture; what is off stands out. */
@Composable
private fun Control(icon: Int, label: String, size: Dp, off: Boolean = false, enabled: Boolean = true, color: Color = Color(0xCC2B3531), onClick: () -> Unit) {
    FilledIconButton(
        onClick,
        Modifier.size(size),
        enabled,
        colors = IconButtonDefaults.filledIconButtonColors(
            containerColor = if (off) Color.White else color,
            contentColor = if (off) Color(0xFF181D1A) else Color.White,
            disabledContainerColor = Color(0x802B3531),
            disabledContentColor = Color.White.copy(alpha = 0.4f),
        ),
    ) { Symbol(icon, Modifier.size(size * 0.42f), label) }
}

@Composable
internal fun CallSheetContent(sheet: CallSheet, call: AppCallView, actions: CallScreenActions, close: () -> Unit) {
    val after = { action: () -> Unit ->
        close()
        action()
    }
    when (sheet) {
        CallSheet.ROUTES -> Sheet(stringResource(R.string.call_speaker), close) {
            for (route in call.audioRoutes) {
                SheetRow(
                    name(route),
                    Modifier.selectable(route.selected, role = Role.RadioButton) { after { actions.dispatch(AppAction.ChooseAudioRoute(route.id)) } },
                ) { RadioButton(route.selected, onClick = null) }
            }
        }
        CallSheet.MORE -> Sheet(stringResource(R.string.call_more), close) {
            call.verification?.let { Verification(it, actions.dispatch) }
            call.privateText?.let { private ->
                val show = Modifier.clickable(role = Role.Button) { after { actions.dispatch(AppAction.ShowPrivateText(true)) } }
                SheetRow(text(private.title), show, R.drawable.ic_chat) { if (private.unread > 0u) Badge { Text(private.unread.toString()) } }
            }
            if (call.keypad != null) {
                val show = Modifier.clickable(role = Role.Button) { after { actions.dispatch(AppAction.ShowKeypad(true)) } }
                SheetRow(stringResource(R.string.keypad), show, R.drawable.ic_keypad)
            }
            SheetRow(stringResource(R.string.call_photo), Modifier.clickable(role = Role.Button) { after(actions.takePhoto) }, R.drawable.ic_photo)
            actions.enterSmallWindow?.takeIf { call.canShrink }?.let { enter ->
                SheetRow(stringResource(R.string.call_small_window), Modifier.clickable(role = Role.Button) { after(enter) }, R.drawable.ic_small_window)
            }
            SheetSwitch(stringResource(R.string.call_stats), call.showsStatistics, R.drawable.ic_stats) { actions.dispatch(AppAction.ShowStatistics(it)) }
            if (call.lowData) {
                SheetSwitch(stringResource(R.string.way_full_quality), call.fullQuality, R.drawable.ic_camera) { actions.dispatch(AppAction.SetFullQuality(it)) }
            }
        }
    }
}

/** A row of a [Sheet] for what is on or off. */
@Composable
public fun SheetSwitch(text: String, on: Boolean, icon: Int? = null, onChange: (Boolean) -> Unit) {
    SheetRow(text, Modifier.toggleable(on, role = Role.Switch, onValueChange = onChange), icon) { Switch(on, onCheckedChange = null) }
}

@Composable
private fun name(route: AppAudioRouteView) = route.name ?: text(route.label)
