@file:Suppress("DEPRECATION")

package chamada.android

import android.annotation.TargetApi
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.content.pm.PackageManager
import android.media.AudioDeviceCallback
import android.media.AudioDeviceInfo
import android.media.AudioManager
import android.os.Build
import android.os.Handler
import chamada.android.plain.Route
import chamada.android.plain.RouteKind

/** From Android 12 on: the system's own list of devices to talk through. */
@TargetApi(Build.VERSION_CODES.S)
internal class CommunicationRoutes(private val manager: AudioManager, private val handler: Handler) : RouteDriver {
    private var tell: ((List<Route>) -> Unit)? = null
    private val devices = object : AudioDeviceCallback() {
        override fun onAudioDevicesAdded(added: Array<out AudioDeviceInfo>) = changed()
        override fun onAudioDevicesRemoved(removed: Array<out AudioDeviceInfo>) = changed()
    }
    private val moved = AudioManager.OnCommunicationDeviceChangedListener { changed() }

    override fun start(onRoutes: (List<Route>) -> Unit) {
        tell = onRoutes
        manager.registerAudioDeviceCallback(devices, handler)
        manager.addOnCommunicationDeviceChangedListener({ handler.post(it) }, moved)
        changed()
    }

    override fun stop() {
        tell = null
        manager.unregisterAudioDeviceCallback(devices)
        manager.removeOnCommunicationDeviceChangedListener(moved)
        manager.clearCommunicationDevice()
    }

    override fun current(): Route? = manager.communicationDevice?.let(::route)

    override fun select(route: Route): Boolean {
        val device = manager.availableCommunicationDevices.find { it.id.toString() == route.id } ?: return false
        return manager.setCommunicationDevice(device)
    }

    private fun changed() {
        tell?.invoke(manager.availableCommunicationDevices.mapNotNull(::route))
    }

    private fun route(device: AudioDeviceInfo): Route? {
        val kind = kind(device.type) ?: return null
        return Route(device.id.toString(), kind, name(kind, device))
    }
}

/** Before Android 12: the loudspeaker is a switch, Bluetooth a connection that takes a while. */
internal class ScoRoutes(
    private val context: Context,
    private val manager: AudioManager,
    private val handler: Handler,
) : RouteDriver {
    private var tell: ((List<Route>) -> Unit)? = null
    private var taken: RouteKind? = null

    private val devices = object : AudioDeviceCallback() {
        override fun onAudioDevicesAdded(added: Array<out AudioDeviceInfo>) = changed()
        override fun onAudioDevicesRemoved(removed: Array<out AudioDeviceInfo>) = changed()
    }

    private val sco = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            val state = intent.getIntExtra(AudioManager.EXTRA_SCO_AUDIO_STATE, AudioManager.SCO_AUDIO_STATE_ERROR)
            val over = state == AudioManager.SCO_AUDIO_STATE_DISCONNECTED || state == AudioManager.SCO_AUDIO_STATE_ERROR
            // The headset let go; the first news after registering is of the time before.
            if (over && !isInitialStickyBroadcast && taken == RouteKind.BLUETOOTH && !manager.isBluetoothScoOn) taken = null
            changed()
        }
    }

    override fun start(onRoutes: (List<Route>) -> Unit) {
        tell = onRoutes
        manager.registerAudioDeviceCallback(devices, handler)
        context.registerReceiver(sco, IntentFilter(AudioManager.ACTION_SCO_AUDIO_STATE_UPDATED))
        changed()
    }

    override fun stop() {
        tell = null
        manager.unregisterAudioDeviceCallback(devices)
        context.unregisterReceiver(sco)
        select(Route("", RouteKind.EARPIECE))
        taken = null
    }

    override fun current(): Route? = taken?.let { kind -> routes().find { it.kind == kind } }

    override fun select(route: Route): Boolean {
        if (route.kind == RouteKind.BLUETOOTH) {
            manager.isSpeakerphoneOn = false
            manager.startBluetoothSco()
            manager.isBluetoothScoOn = true
        } else {
            if (taken == RouteKind.BLUETOOTH) {
                manager.isBluetoothScoOn = false
                manager.stopBluetoothSco()
            }
            // Without the loudspeaker the system prefers a wired headset to the earpiece by itself.
            manager.isSpeakerphoneOn = route.kind == RouteKind.SPEAKER
        }
        taken = route.kind
        return true
    }

    private fun routes(): List<Route> {
        val kinds = manager.getDevices(AudioManager.GET_DEVICES_OUTPUTS).mapNotNull { device ->
            kind(device.type)?.let { it to name(it, device) }
        }
        val earpiece = context.packageManager.hasSystemFeature(PackageManager.FEATURE_TELEPHONY)
        return kinds.distinctBy { it.first }
            .filter { (kind, _) -> kind != RouteKind.EARPIECE || earpiece }
            .map { (kind, name) -> Route(kind.name, kind, name) }
    }

    private fun changed() {
        tell?.invoke(routes())
    }
}

/** What is built in, or hangs on a cable, has the phone's own name. */
private fun name(kind: RouteKind, device: AudioDeviceInfo): String? =
    if (kind == RouteKind.BLUETOOTH) device.productName?.toString() else null

private fun kind(type: Int): RouteKind? = when (type) {
    AudioDeviceInfo.TYPE_BUILTIN_EARPIECE -> RouteKind.EARPIECE
    AudioDeviceInfo.TYPE_BUILTIN_SPEAKER -> RouteKind.SPEAKER
    AudioDeviceInfo.TYPE_WIRED_HEADSET, AudioDeviceInfo.TYPE_WIRED_HEADPHONES, AudioDeviceInfo.TYPE_USB_HEADSET -> RouteKind.WIRED
    AudioDeviceInfo.TYPE_BLUETOOTH_SCO, AudioDeviceInfo.TYPE_BLE_HEADSET, AudioDeviceInfo.TYPE_HEARING_AID -> RouteKind.BLUETOOTH
    else -> null
}
