package chamada.android

import android.content.Context
import android.net.ConnectivityManager
import android.net.LinkProperties
import android.net.Network
import android.os.Handler
import android.os.Looper
import chamada.android.plain.NetworkJudge

/**
 * Tells when the phone has another network, e.g. from Wi-Fi to mobile: hand it to `Client.networkChanged`. On the main thread.
 */
public class NetworkWatch(context: Context, private val onChange: () -> Unit) : AutoCloseable {
    private val manager = context.getSystemService(ConnectivityManager::class.java)
    private val judge = NetworkJudge()

    private val callback = object : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) {
            if (judge.available(network.toString())) onChange()
        }

        override fun onLinkPropertiesChanged(network: Network, properties: LinkProperties) {
            val addresses = properties.linkAddresses.map { it.toString() }.toSet()
            if (judge.addresses(network.toString(), addresses)) onChange()
        }

        override fun onLost(network: Network) = judge.lost(network.toString())
    }

    init {
        manager.registerDefaultNetworkCallback(callback, Handler(Looper.getMainLooper()))
    }

    override fun close(): Unit = manager.unregisterNetworkCallback(callback)
}
