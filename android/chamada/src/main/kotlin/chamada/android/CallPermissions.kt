package chamada.android

import android.Manifest
import android.app.Activity
import android.app.NotificationManager
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.provider.Settings
import chamada.AppPermission
import chamada.AppPermissionStatus
import chamada.AppPermissions
import chamada.AppSettingsPage

/** How permissions stand, how to ask for them, and where the system lets people change them. What to ask when is the core's. */
public class CallPermissions(private val context: Context) {
    private val asked = context.getSharedPreferences("chamada-permissions", Context.MODE_PRIVATE)

    /** As they stand. `activity` knows whether the system would ask again; without one what was asked for and not allowed is refused. */
    public fun status(activity: Activity?): AppPermissions = AppPermissions(
        camera = status(AppPermission.CAMERA, activity),
        microphone = status(AppPermission.MICROPHONE, activity),
        notifications = status(AppPermission.NOTIFICATIONS, activity),
        fullScreenIntent = if (mayShowFullScreen()) AppPermissionStatus.GRANTED else AppPermissionStatus.DENIED,
    )

    private fun status(permission: AppPermission, activity: Activity?): AppPermissionStatus {
        // What this system does not guard is allowed.
        val name = name(permission) ?: return AppPermissionStatus.GRANTED
        return when {
            context.checkSelfPermission(name) == PackageManager.PERMISSION_GRANTED -> AppPermissionStatus.GRANTED
            activity?.shouldShowRequestPermissionRationale(name) == true -> AppPermissionStatus.UNDECIDED
            asked.getBoolean(name, false) -> AppPermissionStatus.DENIED
            else -> AppPermissionStatus.UNDECIDED
        }
    }

    private fun mayShowFullScreen() = Build.VERSION.SDK_INT < Build.VERSION_CODES.UPSIDE_DOWN_CAKE ||
        context.getSystemService(NotificationManager::class.java).canUseFullScreenIntent()

    /** What the system calls them, to be asked for now: `ActivityResultContracts.RequestMultiplePermissions`. [status] knows the answer. */
    public fun ask(permissions: List<AppPermission>): Array<String> {
        val names = permissions.mapNotNull(::name)
        asked.edit().apply { names.forEach { putBoolean(it, true) } }.apply()
        return names.toTypedArray()
    }

    /** The system's page. */
    public fun settings(page: AppSettingsPage): Intent {
        val app = Uri.fromParts("package", context.packageName, null)
        val fullScreen = page == AppSettingsPage.FULL_SCREEN_INTENT && Build.VERSION.SDK_INT >= Build.VERSION_CODES.UPSIDE_DOWN_CAKE
        val action = if (fullScreen) Settings.ACTION_MANAGE_APP_USE_FULL_SCREEN_INTENT else Settings.ACTION_APPLICATION_DETAILS_SETTINGS
        return Intent(action, app).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
    }

    private companion object {
        fun name(permission: AppPermission): String? = when (permission) {
            AppPermission.CAMERA -> Manifest.permission.CAMERA
            AppPermission.MICROPHONE -> Manifest.permission.RECORD_AUDIO
            AppPermission.NOTIFICATIONS -> since(Build.VERSION_CODES.TIRAMISU, Manifest.permission.POST_NOTIFICATIONS)
            // A page of the settings, and no question.
            AppPermission.FULL_SCREEN_INTENT -> null
        }

        fun since(version: Int, permission: String) = permission.takeIf { Build.VERSION.SDK_INT >= version }
    }
}
