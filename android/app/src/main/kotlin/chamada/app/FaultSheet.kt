package chamada.app

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import android.widget.Toast
import androidx.compose.foundation.clickable
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.Role
import chamada.AppAction
import chamada.AppNetwork
import chamada.AppOutage
import chamada.AppState
import chamada.ui.R
import chamada.ui.Sheet
import chamada.ui.SheetRow
import chamada.ui.SheetSwitch

/** For developers, behind a long press on a heading or on the name of who one talks with: what goes wrong on the way, on demand. */
@Composable
fun FaultSheet(app: AppState, dispatch: (AppAction) -> Unit, close: () -> Unit) {
    val context = LocalContext.current
    Sheet(stringResource(R.string.faults), close) {
        for (outage in AppOutage.entries) {
            SheetSwitch(stringResource(label(outage)), outage in app.outages) { dispatch(AppAction.SetOutage(outage, it)) }
        }
        SheetRow(
            stringResource(R.string.faults_network),
            Modifier.clickable(role = Role.Button) {
                if (!changeNetwork(context, dispatch)) Toast.makeText(context, R.string.faults_no_network, Toast.LENGTH_LONG).show()
            },
        )
    }
}

private fun label(outage: AppOutage): Int = when (outage) {
    AppOutage.SERVER -> R.string.faults_signaling
    AppOutage.CALLS -> R.string.faults_media
}

/** Binds the process to the next network that has internet, as if the phone had changed to it; and back. */
@Suppress("DEPRECATION") // The list of all networks is what is wanted here, now.
private fun changeNetwork(context: Context, dispatch: (AppAction) -> Unit): Boolean {
    val networks = context.getSystemService(ConnectivityManager::class.java)
    var other: Network? = null
    if (networks.boundNetworkForProcess == null) {
        val usable = networks.allNetworks.filter { networks.getNetworkCapabilities(it)?.hasCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET) == true }
        other = usable.firstOrNull { it != networks.activeNetwork } ?: return false
    }
    if (!networks.bindProcessToNetwork(other)) return false
    // The core is told as if it were the default one; of the default one the system tells.
    val id = (other ?: networks.activeNetwork)?.toString()
    dispatch(AppAction.NetworkChanged(id?.let { AppNetwork(it, emptyList(), metered = false) }))
    return true
}
