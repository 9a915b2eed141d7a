package chamada.ui

import androidx.compose.foundation.gestures.detectDragGestures
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.offset
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableFloatStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.input.pointer.pointerInput
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.DpSize
import androidx.compose.ui.unit.IntOffset
import androidx.compose.ui.unit.dp
import kotlin.math.roundToInt

/** The own picture: below at the end, above the buttons; where the person drags it, and never outside. */
@Composable
internal fun SelfView(preview: @Composable (Modifier) -> Unit) {
    BoxWithConstraints(Modifier.fillMaxSize().padding(16.dp)) {
        val size = if (maxHeight < 280.dp) DpSize(128.dp, 96.dp) else DpSize(minOf(108.dp, maxWidth / 3), minOf(144.dp, maxWidth * 4 / 9))
        val (roomX, roomY) = with(LocalDensity.current) { (maxWidth - size.width).toPx().coerceAtLeast(0f) to (maxHeight - size.height).toPx().coerceAtLeast(0f) }
        // As parts of the room that there is, which changes when the phone is turned.
        var x by rememberSaveable { mutableFloatStateOf(1f) }
        var y by rememberSaveable { mutableFloatStateOf(1f) }
        val description = stringResource(R.string.call_preview)
        preview(
            Modifier.offset { IntOffset((x * roomX).roundToInt(), (y * roomY).roundToInt()) }
                .size(size)
                .pointerInput(roomX, roomY) {
                    detectDragGestures { change, (right, down) ->
                        change.consume()
                        if (roomX > 0) x = (x + right / roomX).coerceIn(0f, 1f)
                        if (roomY > 0) y = (y + down / roomY).coerceIn(0f, 1f)
                    }
                }
                .clip(RoundedCornerShape(16.dp))
                .semantics { contentDescription = description },
        )
    }
}
