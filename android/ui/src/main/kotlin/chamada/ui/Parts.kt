package chamada.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppBanner
import chamada.AppMessage

/** A message of the core's in the person's language. */
@Composable
public fun text(message: AppMessage): String = LocalContext.current.text(message.key, message.arguments)

/** The text of a key that the core names. */
@Composable
public fun text(key: String): String = LocalContext.current.text(key)

/** A symbol of this library's, in the colour of the text around it. */
@Composable
public fun Symbol(id: Int, modifier: Modifier = Modifier, label: String? = null): Unit = Icon(painterResource(id), label, modifier)

/** A letter in a circle stands for a person. TalkBack passes it over: the name stands beside it. */
@Composable
public fun Avatar(initial: String, modifier: Modifier = Modifier, size: Dp = 40.dp) {
    Box(
        modifier.size(size).background(MaterialTheme.colorScheme.primaryContainer, CircleShape).clearAndSetSemantics {},
        contentAlignment = Alignment.Center,
    ) {
        // As large as the circle wants it, whatever the person's size of letters.
        val letter = with(LocalDensity.current) { (size * 0.42f).toSp() }
        Text(initial, color = MaterialTheme.colorScheme.onPrimaryContainer, fontSize = letter, lineHeight = letter, fontWeight = FontWeight.Medium)
    }
}

/** What is told, each with its ways forward. */
@Composable
public fun Banners(banners: List<AppBanner>, dispatch: (AppAction) -> Unit, modifier: Modifier = Modifier) {
    Column(modifier.fillMaxWidth().semantics { liveRegion = LiveRegionMode.Assertive }, horizontalAlignment = Alignment.CenterHorizontally) {
        for (banner in banners) {
            Surface(
                Modifier.widthIn(max = 600.dp).fillMaxWidth().padding(vertical = 4.dp),
                shape = MaterialTheme.shapes.large,
                color = MaterialTheme.colorScheme.surfaceContainerHigh,
            ) {
                Column(Modifier.padding(start = 16.dp, top = 12.dp, end = 8.dp, bottom = 4.dp)) {
                    Text(text(banner.message), Modifier.padding(end = 8.dp), style = MaterialTheme.typography.bodyMedium)
                    FlowRow(Modifier.fillMaxWidth(), Arrangement.End) {
                        for (button in banner.buttons) {
                            TextButton({ dispatch(AppAction.Recover(banner.id, button.recovery)) }) { Text(text(button.label)) }
                        }
                    }
                }
            }
        }
    }
}
