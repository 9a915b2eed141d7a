package chamada.screens

import android.app.Application
import android.content.ComponentName
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import chamada.AppState
import chamada.AppTab
import chamada.android.plain.UiState
import chamada.app.FaultSheet
import chamada.app.HomeScreen
import chamada.app.MainViewModel
import chamada.app.SignInScreen
import chamada.ui.CallScreen
import chamada.ui.CallScreenActions
import chamada.ui.ChamadaTheme
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/**
 * Every screen, drawn into `target/android/pictures` and looked at: no text is cut, and whatever is pressed is large enough, in reach and has a
 * label. On each size of display in both themes and both languages, with letters twice as large too.
 */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [32], application = Application::class)
internal class PicturesTest {
    private var shown by mutableStateOf<Pair<String, @Composable () -> Unit>?>(null)
    private val wrong = mutableListOf<String>()
    private lateinit var activity: ComponentActivity

    @Before
    fun begin() {
        stepByFrames()
        val app = RuntimeEnvironment.getApplication()
        shadowOf(app.packageManager).addActivityIfNotPresent(ComponentName(app, ComponentActivity::class.java))
    }

    @Test
    @Config(qualifiers = "w360dp-h720dp-xhdpi")
    fun `a phone`() = all("phone")

    @Test
    @Config(qualifiers = "pt-rBR-w360dp-h720dp-night-xhdpi")
    fun `a phone in Portuguese and in the dark`() = all("phone-pt-dark")

    @Test
    @Config(qualifiers = "w320dp-h480dp-night-hdpi")
    fun `the smallest phone in the dark`() = all("small-dark")

    @Test
    @Config(qualifiers = "pt-rBR-w320dp-h480dp-hdpi")
    fun `the smallest phone in Portuguese`() = all("small-pt")

    @Test
    @Config(qualifiers = "w720dp-h360dp-land-xhdpi")
    fun `a phone that lies`() = all("land")

    @Test
    @Config(qualifiers = "pt-rBR-w720dp-h360dp-land-night-xhdpi")
    fun `a phone that lies in Portuguese and in the dark`() = all("land-pt-dark")

    @Test
    @Config(qualifiers = "w1280dp-h800dp-night-mdpi")
    fun `a tablet in the dark`() = all("tablet-dark")

    @Test
    @Config(qualifiers = "pt-rBR-w1280dp-h800dp-mdpi")
    fun `a tablet in Portuguese`() = all("tablet-pt")

    @Test
    @Config(qualifiers = "w673dp-h841dp-hdpi")
    fun `a phone unfolded`() = all("foldable")

    @Test
    @Config(qualifiers = "w320dp-h640dp-xhdpi", fontScale = 2f)
    fun `letters twice as large on a narrow phone`() = all("letters")

    @Test
    @Config(qualifiers = "pt-rBR-w320dp-h640dp-night-xhdpi", fontScale = 2f)
    fun `letters twice as large in Portuguese and in the dark`() = all("letters-pt-dark")

    private fun all(folder: String) {
        val controller = Robolectric.buildActivity(ComponentActivity::class.java).setup()
        activity = controller.get()
        activity.enableEdgeToEdge()
        activity.setContent { shown?.let { (name, content) -> key(name) { content() } } }
        home(folder)
        calls(folder)
        controller.close()
        frames()
        assertEquals(wrong.joinToString("\n"), 0, wrong.size)
    }

    private fun home(folder: String) {
        look("$folder/sign-in-first") { Themed { SignIn(States.firstSignIn) } }
        look("$folder/sign-in") { Themed { SignIn(States.signIn) } }
        look("$folder/sign-in-refused") { Themed { SignIn(States.refused) } }
        val now = System.currentTimeMillis().toULong()
        val state = UiState(States.home, States.chat(now), States.history(now))
        look("$folder/people") { Themed { Home(state) } }
        look("$folder/recents") { Themed { Home(state.tab(AppTab.RECENTS)) } }
        look("$folder/chat") { Themed { Home(state.tab(AppTab.CHAT).run { copy(app = app.copy(call = States.connected)) }) } }
        look("$folder/faults") { Themed { FaultSheet(States.home, {}) {} } }
    }

    private fun calls(folder: String) {
        look("$folder/incoming") { Call(States.ui(States.ringing)) }
        look("$folder/calling") { Call(States.ui(States.calling)) }
        look("$folder/call") { Call(States.ui(States.connected)) }
        look("$folder/call-troubled") { Call(States.ui(States.troubled)) }
        look("$folder/call-held") { Call(States.ui(States.held)) }
        look("$folder/call-metered") { Call(States.ui(States.connected, States.metered)) }
        look("$folder/call-in-the-corner") { Call(States.ui(States.connected), small = true) }
        look("$folder/call-unread") { Call(States.ui(States.rich)) }
        look("$folder/call-keypad") { Call(States.ui(States.keypad)) }
        val lines = States.privateText(System.currentTimeMillis().toULong())
        look("$folder/call-private") { Call(States.ui(States.writing).copy(privateText = lines)) }
        show("$folder/call-more-rich") { Call(States.ui(States.rich)) }
        open("$folder/call-more-rich", "More", "Mais")
        show("$folder/call-more") { Call(States.ui(States.troubled.copy(showsStatistics = false))) }
        open("$folder/call-more", "More", "Mais")
        show("$folder/call-routes") { Call(States.ui(States.connected)) }
        open("$folder/call-routes", "Sound output", "Saída de som")
    }

    private fun UiState.tab(tab: AppTab) = copy(app = app.copy(tab = tab))

    private fun show(name: String, content: @Composable () -> Unit) {
        shown = name to content
        settle()
    }

    private fun look(name: String, content: @Composable () -> Unit) {
        show(name, content)
        look(name)
    }

    private fun look(name: String) {
        activity.draw(name)
        wrong += activity.complaints().map { "$name: $it" }
    }

    private fun open(name: String, vararg labels: String) {
        press(labels.first(::says))
        look(name)
    }

    @Composable
    private fun Themed(content: @Composable () -> Unit) = ChamadaTheme(content = content)

    @Composable
    private fun SignIn(app: AppState) = SignInScreen(app, MainViewModel()) {}

    @Composable
    private fun Home(state: UiState) = HomeScreen(state, MainViewModel(), {}) {}

    @Composable
    private fun Call(state: UiState, small: Boolean = false) = CallScreen(
        state,
        CallScreenActions({}, enterSmallWindow = {}),
        { Picture(StandIn.REMOTE, it) },
        { Picture(StandIn.SELF, it) },
        Modifier,
        small,
    )
}
