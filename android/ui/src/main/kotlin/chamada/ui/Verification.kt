package chamada.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Button
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalConfiguration
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppTrust
import chamada.AppVerification

/** The check of the other end: what two people say aloud to each other, and what is known. */
@Composable
internal fun Verification(check: AppVerification, dispatch: (AppAction) -> Unit) {
    val portuguese = LocalConfiguration.current.locales[0].language == "pt"
    Column(Modifier.fillMaxWidth().padding(horizontal = 24.dp, vertical = 8.dp)) {
        Text(text(check.title), Modifier.semantics { heading() }, style = MaterialTheme.typography.titleMedium)
        FlowRow(Modifier.fillMaxWidth().padding(vertical = 8.dp), Arrangement.SpaceEvenly) {
            for (word in check.words) {
                val name = if (portuguese) word.ptBr else word.en
                // The name alone is read aloud: TalkBack has names of its own for emoji.
                Column(Modifier.padding(4.dp).clearAndSetSemantics { contentDescription = name }, horizontalAlignment = Alignment.CenterHorizontally) {
                    Text(word.emoji, style = MaterialTheme.typography.displaySmall)
                    Text(name, style = MaterialTheme.typography.labelLarge)
                }
            }
        }
        val doubtful = check.trust == AppTrust.DOUBTFUL
        Text(
            text(check.message),
            Modifier.semantics { liveRegion = LiveRegionMode.Polite },
            if (doubtful) MaterialTheme.colorScheme.error else MaterialTheme.colorScheme.onSurfaceVariant,
            style = MaterialTheme.typography.bodyMedium,
        )
        if (check.canAnswer) {
            FlowRow(Modifier.align(Alignment.End), Arrangement.spacedBy(8.dp)) {
                OutlinedButton({ dispatch(AppAction.ConfirmVerification(same = false)) }) { Text(text(check.different)) }
                Button({ dispatch(AppAction.ConfirmVerification(same = true)) }) { Text(text(check.same)) }
            }
        }
    }
}
