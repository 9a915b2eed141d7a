package chamada.ui

import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.SideEffect
import androidx.compose.runtime.remember
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.viewinterop.AndroidView
import androidx.lifecycle.compose.LifecycleStartEffect
import chamada.android.VideoOutput
import chamada.android.VideoView
import chamada.android.plain.Scaling

/**
 * Pictures of a call, drawn by OpenGL: [VideoView] as a composable. It takes the pictures of [output] while it is seen.
 *
 * @param shown whether there are pictures; when there are none any more, the last one is forgotten.
 * @param onSize width and height of the upright picture, at each change; on the thread that draws.
 */
@Composable
public fun VideoSurface(
    output: VideoOutput,
    modifier: Modifier = Modifier,
    scaling: Scaling = Scaling.FILL,
    shown: Boolean = true,
    onSize: (Int, Int) -> Unit = { _, _ -> },
) {
    val context = LocalContext.current
    val view = remember(context) { VideoView(context) }
    SideEffect {
        view.scaling = scaling
        view.onSize = onSize
    }
    LaunchedEffect(view, shown) { if (!shown) view.clear() }
    LifecycleStartEffect(output, view) {
        output.attach(view)
        onStopOrDispose { output.detach(view) }
    }
    AndroidView({ view }, modifier)
}
