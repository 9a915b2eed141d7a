package chamada.app

import android.app.Activity
import android.app.AlertDialog
import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import android.widget.Toast
import chamada.AppAction
import chamada.AppNetwork
import chamada.AppOutage
import chamada.android.plain.CallViewModel

/** For developers, behind a long press on the heading of the people or on the name of who one talks with: what goes wrong on the way, on demand. */
internal class FaultMenu(private val activity: Activity, private val viewModel: CallViewModel) {
    private val networks = activity.getSystemService(ConnectivityManager::class.java)

    fun show() {
        val now = viewModel.uiState.value.app
        val outages = AppOutage.entries
        AlertDialog.Builder(activity)
            .setTitle(R.string.faults)
            .setMultiChoiceItems(
                outages.map { activity.getString(label(it)) }.toTypedArray(),
                outages.map { it in now.outages }.toBooleanArray(),
            ) { _, which, on -> viewModel.dispatch(AppAction.SetOutage(outages[which], on)) }
            .setNeutralButton(R.string.faults_network) { _, _ ->
                if (!otherNetwork()) Toast.makeText(activity, R.string.faults_no_network, Toast.LENGTH_LONG).show()
            }
            .setPositiveButton(android.R.string.ok, null)
            .show()
    }

    private fun label(outage: AppOutage): Int = when (outage) {
        AppOutage.SERVER -> R.string.faults_signaling
        AppOutage.CALLS -> R.string.faults_media
    }

    /** Binds the process to the next network that has internet, as if the phone had changed to it; and back. */
    @Suppress("DEPRECATION") // The list of all networks is what is wanted here, now.
    private fun otherNetwork(): Boolean {
        if (networks.boundNetworkForProcess != null) {
            return bind(null)
        }
        val usable = networks.allNetworks.filter {
            networks.getNetworkCapabilities(it)?.hasCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET) == true
        }
        val other = usable.firstOrNull { it != networks.activeNetwork } ?: return false
        return bind(other)
    }

    private fun bind(network: Network?): Boolean {
        if (!networks.bindProcessToNetwork(network)) return false
        // The core is told as if it were the default one; of the default one the system tells.
        val id = (network ?: networks.activeNetwork)?.toString()
        viewModel.dispatch(AppAction.NetworkChanged(id?.let { AppNetwork(it, emptyList(), metered = false) }))
        return true
    }
}
