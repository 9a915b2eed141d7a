package chamada.android

import android.Manifest
import android.app.Activity
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.provider.Settings
import chamada.android.plain.Grant
import chamada.android.plain.Need

/** How permissions stand and how to ask for them; what to do about it decides `chamada.android.plain.nextStep`. */
public class PhonePermissions(private val context: Context) {
    private val memory = context.getSharedPreferences("chamada-permissions", Context.MODE_PRIVATE)

    /** As they stand. `activity` knows whether the system wants a reason; without one it is taken for no. */
    public fun grants(activity: Activity?): Map<Need, Grant> = NAMES.mapNotNull { (need, name) ->
        val permission = name() ?: return@mapNotNull null
        val granted = context.checkSelfPermission(permission) == PackageManager.PERMISSION_GRANTED
        val explain = activity?.shouldShowRequestPermissionRationale(permission) == true
        need to Grant(granted, explain, memory.getBoolean(permission, false))
    }.toMap()

    /** Asks; the activity's `onRequestPermissionsResult` hears of the answer, and [grants] knows it. */
    public fun ask(activity: Activity, needs: List<Need>, requestCode: Int) {
        val names = needs.mapNotNull { NAMES[it]?.invoke() }
        memory.edit().apply { names.forEach { putBoolean(it, true) } }.apply()
        activity.requestPermissions(names.toTypedArray(), requestCode)
    }

    /** The system's page about this app, where a refusal can be taken back. */
    public fun settings(): Intent =
        Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", context.packageName, null))
            .addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)

    private companion object {
        val NAMES: Map<Need, () -> String?> = mapOf(
            Need.CAMERA to { Manifest.permission.CAMERA },
            Need.MICROPHONE to { Manifest.permission.RECORD_AUDIO },
            Need.NOTIFICATIONS to { since(Build.VERSION_CODES.TIRAMISU, Manifest.permission.POST_NOTIFICATIONS) },
            Need.BLUETOOTH to { since(Build.VERSION_CODES.S, Manifest.permission.BLUETOOTH_CONNECT) },
        )

        fun since(version: Int, permission: String) = permission.takeIf { Build.VERSION.SDK_INT >= version }
    }
}
