package chamada.app

import android.content.Intent
import android.os.Bundle
import androidx.activity.viewModels
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.lifecycle.ViewModel
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import chamada.AppField
import chamada.ui.ChamadaTheme
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch

/** What is typed and opened on the screens of [MainActivity], for as long as the activity is, however often it is made anew. */
class MainViewModel : ViewModel() {
    var server by mutableStateOf<String?>(null)
    var name by mutableStateOf<String?>(null)
    var token by mutableStateOf("")
    var showsAdvanced by mutableStateOf(false)
    var message by mutableStateOf("")
    var showsFaults by mutableStateOf(false)

    /** Where the cursor is to go. */
    var focus by mutableStateOf<AppField?>(null)

    /** The call that was shown: each opens its own screen once; who leaves it comes back by the button. */
    var hadCall = false
}

/** To sign in, and then people, calls and chat. */
class MainActivity : AppActivity() {
    private val typed by viewModels<MainViewModel>()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        whileSeen {
            launch { session.focus.collect { typed.focus = it } }
            viewModel.uiState.map { it.app.call != null }.distinctUntilChanged().collect { hasCall ->
                if (hasCall && !typed.hadCall) showCall()
                typed.hadCall = hasCall
            }
        }
    }

    @Composable
    override fun Content() {
        val state by viewModel.uiState.collectAsStateWithLifecycle()
        ChamadaTheme {
            if (state.app.me == null) {
                SignInScreen(state.app, typed, viewModel::dispatch)
            } else {
                HomeScreen(state, typed, viewModel::dispatch, ::showCall)
            }
        }
    }

    private fun showCall() = startActivity(Intent(this, CallActivity::class.java))
}
