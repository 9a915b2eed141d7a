package chamada.app

import androidx.compose.foundation.clickable
import androidx.compose.foundation.gestures.detectTapGestures
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.WindowInsets
import androidx.compose.foundation.layout.WindowInsetsSides
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.only
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawing
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.layout.consumeWindowInsets
import androidx.compose.material3.Badge
import androidx.compose.material3.BadgedBox
import androidx.compose.material3.DropdownMenu
import androidx.compose.material3.DropdownMenuItem
import androidx.compose.material3.ExperimentalMaterial3Api
import androidx.compose.material3.IconButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.NavigationBar
import androidx.compose.material3.NavigationBarItem
import androidx.compose.material3.NavigationRail
import androidx.compose.material3.NavigationRailItem
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.material3.TopAppBar
import androidx.compose.material3.VerticalDivider
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.input.pointer.pointerInput
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.onLongClick
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import chamada.AppAction
import chamada.AppState
import chamada.AppTab
import chamada.android.plain.UiState
import chamada.ui.Banners
import chamada.ui.R
import chamada.ui.Symbol

/** From this width on the tabs stand at the side, and from the second on the chat beside the others (Material's window size classes). */
private val MEDIUM = 600.dp
private val EXPANDED = 840.dp

/** People, the calls that were, and the chat. */
@Composable
fun HomeScreen(state: UiState, typed: MainViewModel, dispatch: (AppAction) -> Unit, showCall: () -> Unit) {
    BoxWithConstraints {
        val (rail, twoPanes) = (maxWidth >= MEDIUM) to (maxWidth >= EXPANDED)
        // Where the chat stands beside the others it is no tab.
        val tab = if (twoPanes && state.app.tab == AppTab.CHAT) AppTab.PEOPLE else state.app.tab
        val tabs = AppTab.entries.filter { !twoPanes || it != AppTab.CHAT }
        val covered = if (typed.showsFaults) Modifier.clearAndSetSemantics {} else Modifier
        Row(Modifier.fillMaxSize().then(covered)) {
            if (rail) {
                NavigationRail {
                    for (each in tabs) {
                        NavigationRailItem(tab == each, { dispatch(AppAction.ShowTab(each)) }, { TabIcon(each, state.app, named = false) }, label = { Text(stringResource(title(each))) })
                    }
                }
            }
            Scaffold(
                topBar = { TopBar(if (twoPanes) R.string.title else title(tab), state.app, dispatch, atSide = rail) { typed.showsFaults = true } },
                bottomBar = {
                    if (!rail) {
                        val labelled = LocalDensity.current.fontScale <= LARGE_LETTERS
                        NavigationBar {
                            for (each in tabs) {
                                val name = @Composable { Text(stringResource(title(each))) }
                                NavigationBarItem(tab == each, { dispatch(AppAction.ShowTab(each)) }, { TabIcon(each, state.app, !labelled) }, label = name.takeIf { labelled })
                            }
                        }
                    }
                },
                contentWindowInsets = WindowInsets.safeDrawing,
            ) { inner -> Panes(state, tab, twoPanes, typed, dispatch, showCall, inner) }
        }
        if (typed.showsFaults) FaultSheet(state.app, dispatch) { typed.showsFaults = false }
    }
}

@Composable
private fun Panes(state: UiState, tab: AppTab, two: Boolean, typed: MainViewModel, dispatch: (AppAction) -> Unit, showCall: () -> Unit, inner: PaddingValues) {
    Column(Modifier.padding(inner).consumeWindowInsets(inner)) {
        if (state.app.call != null) BackToCall(showCall)
        Banners(state.app.banners, dispatch, Modifier.padding(horizontal = 12.dp))
        Row(Modifier.weight(1f)) {
            val first = if (two) Modifier.width(400.dp) else Modifier.weight(1f)
            when (tab) {
                AppTab.PEOPLE -> People(state.app, dispatch, first)
                AppTab.RECENTS -> Recents(state.history, dispatch, first)
                AppTab.CHAT -> Chat(state.chat, typed, dispatch, first)
            }
            if (two) {
                VerticalDivider()
                Chat(state.chat, typed, dispatch, Modifier.weight(1f))
            }
        }
    }
}

@Composable
private fun TabIcon(tab: AppTab, app: AppState, named: Boolean) {
    val (icon, news) = when (tab) {
        AppTab.PEOPLE -> R.drawable.ic_people to 0u
        AppTab.RECENTS -> R.drawable.ic_recents to app.missedCalls
        AppTab.CHAT -> R.drawable.ic_chat to app.unreadChat
    }
    BadgedBox({ if (news > 0u) Badge { Text(if (news > 99u) "99+" else news.toString()) } }) { Symbol(icon, label = if (named) stringResource(title(tab)) else null) }
}

private fun title(tab: AppTab) = when (tab) {
    AppTab.PEOPLE -> R.string.people
    AppTab.RECENTS -> R.string.log_tab
    AppTab.CHAT -> R.string.chat
}

/** Its title, pressed for long, opens the menu of faults. */
@OptIn(ExperimentalMaterial3Api::class)
@Composable
private fun TopBar(title: Int, app: AppState, dispatch: (AppAction) -> Unit, atSide: Boolean, onHeld: () -> Unit) {
    val sides = if (atSide) WindowInsetsSides.Top + WindowInsetsSides.End else WindowInsetsSides.Top + WindowInsetsSides.Horizontal
    TopAppBar(
        {
            Text(
                stringResource(title),
                Modifier.semantics {
                    heading()
                    onLongClick { onHeld().let { true } }
                }.pointerInput(Unit) { detectTapGestures(onLongPress = { onHeld() }) },
            )
        },
        actions = {
            var open by remember { mutableStateOf(false) }
            Box {
                IconButton({ open = true }) { Symbol(R.drawable.ic_person, label = stringResource(R.string.account)) }
                DropdownMenu(open, { open = false }) {
                    DropdownMenuItem({ Text(stringResource(R.string.people_me, app.me.orEmpty())) }, {}, enabled = false)
                    DropdownMenuItem({ Text(stringResource(R.string.leave)) }, { dispatch(AppAction.SignOut) })
                }
            }
        },
        windowInsets = WindowInsets.safeDrawing.only(sides),
    )
}

@Composable
private fun BackToCall(showCall: () -> Unit) {
    Surface(Modifier.fillMaxWidth().padding(12.dp, 4.dp), MaterialTheme.shapes.large, MaterialTheme.colorScheme.primary) {
        Row(
            Modifier.clickable(role = Role.Button, onClick = showCall).heightIn(min = 48.dp).padding(horizontal = 16.dp, vertical = 8.dp),
            verticalAlignment = Alignment.CenterVertically,
        ) {
            Symbol(R.drawable.ic_call)
            Text(stringResource(R.string.call_back), Modifier.padding(start = 12.dp), style = MaterialTheme.typography.titleMedium)
        }
    }
}
