package chamada.app

import android.app.Application
import android.os.Handler
import android.os.Looper
import android.util.Log
import chamada.AppAction
import chamada.AppException
import chamada.android.CallDevices
import chamada.android.CallPermissions
import chamada.android.SystemMonitor
import chamada.android.UnifiedPush
import chamada.android.plain.CallViewModel
import chamada.android.plain.CameraNames
import chamada.ui.R
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import java.util.concurrent.Executor

/** Everything that lives as long as the app. On the main thread. */
class AppContainer(application: Application) : AutoCloseable {
    private val main = Handler(Looper.getMainLooper()).let { handler -> Executor { handler.post(it) } }
    val scope: CoroutineScope = CoroutineScope(SupervisorJob() + main.asCoroutineDispatcher())

    val devices: CallDevices = CallDevices(
        application,
        application.run { CameraNames(getString(R.string.camera_front), getString(R.string.camera_rear), getString(R.string.camera_other)) },
        onTrouble = { viewModel.post(AppAction.CameraTrouble(it)) },
        onReport = { Log.i("chamada", it) },
    )
    val permissions: CallPermissions = CallPermissions(application)
    val store: AppStore = AppStore(application, scope)
    val viewModel: CallViewModel = CallViewModel(devices.devices, store.device(), main) { session.carryOut(it) }

    /** What rings this phone while the app is closed; an app with Firebase has another one. */
    val push: UnifiedPush = UnifiedPush(application) { viewModel.dispatch(it) }
    val session: CallSession = CallSession(application, this)
    val monitor: SystemMonitor

    init {
        viewModel.dispatch(AppAction.CamerasChanged(hasCamera()))
        monitor = SystemMonitor(application, viewModel::dispatch)
        push.start()
        val permissions = permissions.status(null)
        viewModel.dispatch(AppAction.Started(store.signIn(), store.history(), permissions, store.blocked(), store.remembered()))
    }

    /** Whether the phone has a camera at all. */
    private fun hasCamera(): Boolean = try {
        devices.cameras.listCameras().isNotEmpty()
    } catch (e: AppException) {
        Log.w("chamada", "no cameras", e)
        false
    }

    /** For tests, which begin an app after another in one process. */
    override fun close() {
        viewModel.close()
        scope.cancel()
    }
}
