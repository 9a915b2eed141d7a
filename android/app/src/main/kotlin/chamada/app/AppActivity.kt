package chamada.app

import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.result.contract.ActivityResultContracts.RequestMultiplePermissions
import androidx.compose.runtime.Composable
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.lifecycleScope
import androidx.lifecycle.repeatOnLifecycle
import chamada.AppAction
import chamada.android.plain.CallViewModel
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch

/** What both screens have in common: they draw the state, and ask what is to be asked while they are seen. */
abstract class AppActivity : ComponentActivity() {
    protected val container: AppContainer get() = (application as ChamadaApp).container
    protected val viewModel: CallViewModel get() = container.viewModel
    protected val session: CallSession get() = container.session
    private val permissions = registerForActivityResult(RequestMultiplePermissions()) { session.answered(this) }

    @Composable
    protected abstract fun Content()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        drawEdgeToEdge()
        setContent { Content() }
        whileSeen {
            session.asking.collect { question -> question?.let { session.ask(this@AppActivity, it)?.let(permissions::launch) } }
        }
    }

    /** Behind the system's bars, too. */
    protected open fun drawEdgeToEdge() = enableEdgeToEdge()

    /** Begins anew each time that the activity is seen. */
    protected fun whileSeen(work: suspend CoroutineScope.() -> Unit) {
        lifecycleScope.launch { repeatOnLifecycle(Lifecycle.State.STARTED, work) }
    }

    override fun onResume() {
        super.onResume()
        // The person may have been in the system's settings.
        viewModel.dispatch(AppAction.PermissionsChanged(container.permissions.status(this)))
    }

    override fun onDestroy() {
        if (isFinishing) session.answered(this)
        super.onDestroy()
    }
}
