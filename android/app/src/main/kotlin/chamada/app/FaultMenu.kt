package chamada.app

import android.app.Activity
import android.app.AlertDialog
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import android.widget.Toast

/** For developers, behind a long press on the title: what goes wrong on the way, on demand. From the next login on. */
internal class FaultMenu(private val activity: Activity, private val house: House) {
    private val networks = activity.getSystemService(ConnectivityManager::class.java)

    fun show() {
        house.faults = true
        val things = listOf(R.string.fault_signaling to ::cutSignaling, R.string.fault_network to ::otherNetwork)
        AlertDialog.Builder(activity)
            .setTitle(R.string.faults)
            .setItems(things.map { activity.getString(it.first) }.toTypedArray()) { _, which ->
                if (!things[which].second()) Toast.makeText(activity, R.string.fault_unavailable, Toast.LENGTH_LONG).show()
            }
            .show()
    }

    private fun cutSignaling(): Boolean = (house.relay?.cut() ?: 0) > 0

    /** Binds the process to the next network that has internet, as if the phone had changed to it. */
    @Suppress("DEPRECATION") // The list of all networks is what is wanted here, now.
    private fun otherNetwork(): Boolean {
        val usable = networks.allNetworks.filter {
            networks.getNetworkCapabilities(it)?.hasCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET) == true
        }
        val now = networks.boundNetworkForProcess ?: networks.activeNetwork
        val other = usable.firstOrNull { it != now } ?: return false
        return networks.bindProcessToNetwork(other).also { if (it) house.networkChanged() }
    }
}
