package chamada.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.LinkProperties
import android.net.Network
import android.net.NetworkCapabilities
import android.os.Handler
import android.os.Looper
import chamada.AppNetwork

/** Tells the default network, and each time that something about it changes; null while there is none. On the main thread. */
public class NetworkMonitor(context: Context, private val onNetwork: (AppNetwork?) -> Unit) : AutoCloseable {
    private val manager = context.getSystemService(ConnectivityManager::class.java)
    private var current: AppNetwork? = null

    private val callback = object : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) = change(network) { it }

        override fun onCapabilitiesChanged(network: Network, capabilities: NetworkCapabilities) =
            change(network) { it.copy(metered = !capabilities.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED)) }

        override fun onLinkPropertiesChanged(network: Network, properties: LinkProperties) =
            change(network) { known -> known.copy(addresses = properties.linkAddresses.map { it.toString() }) }

        override fun onLost(network: Network) {
            if (network.toString() != current?.id) return
            current = null
            onNetwork(null)
        }
    }

    init {
        manager.registerDefaultNetworkCallback(callback, Handler(Looper.getMainLooper()))
    }

    private fun change(network: Network, how: (AppNetwork) -> AppNetwork) {
        val id = network.toString()
        val known = current?.takeIf { it.id == id } ?: AppNetwork(id, emptyList(), metered = false)
        val now = how(known)
        if (now == current) return
        current = now
        onNetwork(now)
    }

    override fun close(): Unit = manager.unregisterNetworkCallback(callback)
}
