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
import chamada.AppAudioRoute
import chamada.AppAudioRouteKind

/** From Android 12 on: the system's own list of devices to talk through. */
@TargetApi(Build.VERSION_CODES.S)
internal class CommunicationRouter(private val manager: AudioManager, private val handler: Handler) : AudioRouter {
    private var tell: ((List<AppAudioRoute>) -> Unit)? = null
    private val devices = object : AudioDeviceCallback() {
        override fun onAudioDevicesAdded(added: Array<out AudioDeviceInfo>) = changed()
        override fun onAudioDevicesRemoved(removed: Array<out AudioDeviceInfo>) = changed()
    }
    private val moved = AudioManager.OnCommunicationDeviceChangedListener { changed() }

    override fun start(onRoutes: (List<AppAudioRoute>) -> Unit) {
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

    override fun current(): String? = manager.communicationDevice?.id?.toString()

    override fun select(id: String): Boolean {
        val device = manager.availableCommunicationDevices.find { it.id.toString() == id } ?: return false
        return manager.setCommunicationDevice(device)
    }

    private fun changed() {
        tell?.invoke(manager.availableCommunicationDevices.mapNotNull(::route))
    }

    private fun route(device: AudioDeviceInfo): AppAudioRoute? {
        val kind = kind(device.type) ?: return null
        return AppAudioRoute(device.id.toString(), kind, name(kind, device))
    }
}

/** Before Android 12: the loudspeaker is a switch, Bluetooth a connection that takes a while. */
internal class ScoRouter(
    private val context: Context,
    private val manager: AudioManager,
    private val handler: Handler,
) : AudioRouter {
    private var tell: ((List<AppAudioRoute>) -> Unit)? = null
    private var taken: AppAudioRouteKind? = null

    private val devices = object : AudioDeviceCallback() {
        override fun onAudioDevicesAdded(added: Array<out AudioDeviceInfo>) = changed()
        override fun onAudioDevicesRemoved(removed: Array<out AudioDeviceInfo>) = changed()
    }

    private val sco = object : BroadcastReceiver() {
        override fun onReceive(context: Context, intent: Intent) {
            val state = intent.getIntExtra(AudioManager.EXTRA_SCO_AUDIO_STATE, AudioManager.SCO_AUDIO_STATE_ERROR)
            val over = state == AudioManager.SCO_AUDIO_STATE_DISCONNECTED || state == AudioManager.SCO_AUDIO_STATE_ERROR
            // The headset let go; the first news after registering is of the time before.
            if (over && !isInitialStickyBroadcast && taken == AppAudioRouteKind.BLUETOOTH && !manager.isBluetoothScoOn) taken = null
            changed()
        }
    }

    override fun start(onRoutes: (List<AppAudioRoute>) -> Unit) {
        tell = onRoutes
        manager.registerAudioDeviceCallback(devices, handler)
        context.registerReceiver(sco, IntentFilter(AudioManager.ACTION_SCO_AUDIO_STATE_UPDATED))
        changed()
    }

    override fun stop() {
        tell = null
        manager.unregisterAudioDeviceCallback(devices)
        context.unregisterReceiver(sco)
        select(AppAudioRouteKind.EARPIECE.name)
        taken = null
    }

    override fun current(): String? = taken?.takeIf { kind -> routes().any { it.kind == kind } }?.name

    override fun select(id: String): Boolean {
        val kind = AppAudioRouteKind.valueOf(id)
        if (kind == AppAudioRouteKind.BLUETOOTH) {
            manager.isSpeakerphoneOn = false
            manager.startBluetoothSco()
            manager.isBluetoothScoOn = true
        } else {
            if (taken == AppAudioRouteKind.BLUETOOTH) {
                manager.isBluetoothScoOn = false
                manager.stopBluetoothSco()
            }
            // Without the loudspeaker the system prefers a wired headset to the earpiece by itself.
            manager.isSpeakerphoneOn = kind == AppAudioRouteKind.SPEAKER
        }
        taken = kind
        // No device changes by it, and whoever asked wants to know.
        changed()
        return true
    }

    private fun routes(): List<AppAudioRoute> {
        val earpiece = context.packageManager.hasSystemFeature(PackageManager.FEATURE_TELEPHONY)
        return deviceNames(manager)
            .filter { (kind, _) -> kind != AppAudioRouteKind.EARPIECE || earpiece }
            .map { (kind, name) -> AppAudioRoute(kind.name, kind, name) }
    }

    private fun changed() {
        tell?.invoke(routes())
    }
}

/** A device's name for each kind that there is, as far as it has one. */
internal fun deviceNames(manager: AudioManager): Map<AppAudioRouteKind, String?> =
    manager.getDevices(AudioManager.GET_DEVICES_OUTPUTS).mapNotNull { device ->
        kind(device.type)?.let { it to name(it, device) }
    }.distinctBy { it.first }.toMap()

/** What is built in, or hangs on a cable, has the phone's own name. */
private fun name(kind: AppAudioRouteKind, device: AudioDeviceInfo): String? =
    if (kind == AppAudioRouteKind.BLUETOOTH) device.productName?.toString() else null

private fun kind(type: Int): AppAudioRouteKind? = when (type) {
    AudioDeviceInfo.TYPE_BUILTIN_EARPIECE -> AppAudioRouteKind.EARPIECE
    AudioDeviceInfo.TYPE_BUILTIN_SPEAKER -> AppAudioRouteKind.SPEAKER
    AudioDeviceInfo.TYPE_WIRED_HEADSET, AudioDeviceInfo.TYPE_WIRED_HEADPHONES, AudioDeviceInfo.TYPE_USB_HEADSET -> AppAudioRouteKind.WIRED
    AudioDeviceInfo.TYPE_BLUETOOTH_SCO, AudioDeviceInfo.TYPE_BLE_HEADSET, AudioDeviceInfo.TYPE_HEARING_AID -> AppAudioRouteKind.BLUETOOTH
    else -> null
}
