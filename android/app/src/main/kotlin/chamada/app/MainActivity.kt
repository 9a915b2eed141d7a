package chamada.app

import android.content.Intent
import android.os.Bundle
import android.text.Editable
import android.text.TextWatcher
import android.text.format.DateFormat
import android.text.format.DateUtils
import android.view.Gravity
import android.view.View
import android.view.ViewGroup
import android.view.inputmethod.EditorInfo
import android.widget.ArrayAdapter
import android.widget.Button
import android.widget.EditText
import android.widget.ImageButton
import android.widget.LinearLayout
import android.widget.ListView
import android.widget.PopupMenu
import android.widget.TextView
import chamada.AppAction
import chamada.AppChatLine
import chamada.AppField
import chamada.AppHistoryEntry
import chamada.AppHistoryKind
import chamada.AppPerson
import chamada.AppState
import chamada.AppTab
import chamada.android.plain.UiState
import java.util.Date

/** To sign in, and then people and chat. */
class MainActivity : BaseActivity() {
    private val server by lazy { findViewById<EditText>(R.id.server) }
    private val name by lazy { findViewById<EditText>(R.id.name) }
    private val token by lazy { findViewById<EditText>(R.id.token) }
    private val search by lazy { findViewById<EditText>(R.id.search) }
    private val words by lazy { findViewById<EditText>(R.id.words) }
    private val people by lazy { PeopleAdapter() }
    private val calls by lazy { CallsAdapter() }
    private val lines by lazy { LinesAdapter() }
    private var hadCall = false

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.main)
        if (state == null) {
            server.setText(viewModel.uiState.value.app.server)
            name.setText(viewModel.uiState.value.app.name)
        }
        findViewById<Button>(R.id.enter).setOnClickListener { enter() }
        findViewById<Button>(R.id.demo).apply {
            setOnClickListener { viewModel.dispatch(AppAction.StartDemo(name.text.toString())) }
            visibility = if (viewModel.uiState.value.app.hasDemo) View.VISIBLE else View.GONE
        }
        name.onDone(EditorInfo.IME_ACTION_DONE, ::enter)
        token.onDone(EditorInfo.IME_ACTION_DONE, ::enter)
        search.addTextChangedListener(object : TextWatcher {
            override fun afterTextChanged(text: Editable) = viewModel.dispatch(AppAction.Search(text.toString()))
            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) {}
            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) {}
        })
        findViewById<View>(R.id.recents).setOnClickListener {
            val recents = viewModel.uiState.value.app.tab == AppTab.RECENTS
            viewModel.dispatch(AppAction.ShowTab(if (recents) AppTab.PEOPLE else AppTab.RECENTS))
        }
        findViewById<View>(R.id.people_title).setOnLongClickListener {
            FaultMenu(this, viewModel).show()
            true
        }
        findViewById<Button>(R.id.leave).setOnClickListener { viewModel.dispatch(AppAction.SignOut) }
        findViewById<Button>(R.id.back_to_call).setOnClickListener { showCall() }
        findViewById<ListView>(R.id.people).apply {
            adapter = people
            setOnItemClickListener { _, _, position, _ -> people.getItem(position)?.let { viewModel.dispatch(AppAction.Call(it.name, video = true)) } }
            setOnItemLongClickListener { _, row, position, _ -> people.getItem(position)?.let { menu(row, it) } != null }
        }
        findViewById<ListView>(R.id.calls).apply {
            adapter = calls
            setOnItemClickListener { _, _, position, _ -> calls.getItem(position)?.let { viewModel.dispatch(AppAction.Call(it.with, it.video)) } }
        }
        findViewById<ListView>(R.id.chat).adapter = lines
        findViewById<Button>(R.id.send).setOnClickListener { say() }
        words.onDone(EditorInfo.IME_ACTION_SEND, ::say)
    }

    private fun EditText.onDone(action: Int, what: () -> Unit) = setOnEditorActionListener { _, done, _ ->
        (done == action).also { if (it) what() }
    }

    private fun enter() {
        viewModel.dispatch(AppAction.SignIn(server.text.toString(), name.text.toString(), token.text.toString().trim().ifEmpty { null }))
    }

    private fun say() {
        viewModel.dispatch(AppAction.Say(words.text.toString()))
        words.text.clear()
    }

    override fun show(state: UiState) {
        val app = state.app
        val signedIn = app.me != null
        findViewById<View>(R.id.sign_in).visibility = if (signedIn) View.GONE else View.VISIBLE
        findViewById<View>(R.id.home).visibility = if (signedIn) View.VISIBLE else View.GONE
        findViewById<Button>(R.id.enter).apply {
            isEnabled = !app.signingIn
            setText(if (app.signingIn) R.string.login_entering else R.string.login_enter)
        }
        findViewById<View>(R.id.demo).isEnabled = !app.signingIn
        lists(app, state.history)
        lines.show(state.chat)
        findViewById<View>(R.id.back_to_call).visibility = if (app.call == null) View.GONE else View.VISIBLE
        // A call opens its own screen once; who leaves it comes back by the button.
        if (app.call != null && !hadCall) showCall()
        hadCall = app.call != null
    }

    /** People, or the calls that were. */
    private fun lists(app: AppState, history: List<AppHistoryEntry>) {
        val recents = app.tab == AppTab.RECENTS
        people.show(app.people)
        calls.show(history)
        findViewById<View>(R.id.people).visibility = if (recents) View.GONE else View.VISIBLE
        findViewById<View>(R.id.calls).visibility = if (recents) View.VISIBLE else View.GONE
        search.visibility = if (recents) View.GONE else View.VISIBLE
        findViewById<TextView>(R.id.people_title).setText(if (recents) R.string.log else R.string.people)
        findViewById<ImageButton>(R.id.recents).apply {
            contentDescription = getString(if (recents) R.string.people else R.string.log)
            isActivated = app.missedCalls > 0u
        }
        val empty = if (recents) getString(R.string.log_none).takeIf { history.isEmpty() } else app.nobody?.let { text(it) }
        findViewById<TextView>(R.id.alone).apply {
            visibility = if (empty == null) View.GONE else View.VISIBLE
            text = empty
        }
    }

    private fun showCall() = startActivity(Intent(this, CallActivity::class.java))

    override suspend fun watch() = session.focus.collect {
        val field = when (it) {
            AppField.SERVER -> server
            AppField.NAME -> name
            AppField.CHAT -> words
        }
        field.requestFocus()
        field.selectAll()
    }

    /** What else can be done about somebody. */
    private fun menu(row: View, person: AppPerson) = PopupMenu(this, row).run {
        menu.add(getString(if (person.blocked) R.string.people_unblock else R.string.people_block, person.name))
        setOnMenuItemClickListener {
            viewModel.dispatch(AppAction.SetBlocked(person.name, !person.blocked))
            true
        }
        show()
    }

    /** Names, each a button that calls. */
    private inner class PeopleAdapter : Fresh<AppPerson>(R.layout.person) {
        override fun bind(view: View, item: AppPerson) {
            view.findViewById<TextView>(R.id.face).text = item.initial
            view.findViewById<TextView>(R.id.who).text = when {
                item.blocked -> getString(R.string.people_blocked, item.name)
                item.away -> getString(R.string.people_away, item.name)
                else -> item.name
            }
            view.contentDescription = getString(R.string.people_call, item.name)
            view.findViewById<ImageButton>(R.id.call_audio).apply {
                contentDescription = getString(R.string.people_call_audio, item.name)
                setOnClickListener { viewModel.dispatch(AppAction.Call(item.name, video = false)) }
            }
        }
    }

    /** Calls that were, each a button that calls again. */
    private inner class CallsAdapter : Fresh<AppHistoryEntry>(android.R.layout.simple_list_item_2) {
        override fun bind(view: View, item: AppHistoryEntry) {
            val kind = when (item.kind) {
                AppHistoryKind.INCOMING -> R.string.log_incoming
                AppHistoryKind.OUTGOING -> R.string.log_outgoing
                AppHistoryKind.MISSED -> R.string.log_missed
            }
            val began = DateUtils.getRelativeDateTimeString(
                this@MainActivity, item.beganMs.toLong(), DateUtils.MINUTE_IN_MILLIS, DateUtils.WEEK_IN_MILLIS, 0,
            )
            view.findViewById<TextView>(android.R.id.text1).text = item.with
            view.findViewById<TextView>(android.R.id.text2).text = getString(kind) + " · " + began
        }
    }

    private inner class LinesAdapter : Fresh<AppChatLine>(R.layout.line) {
        override fun isEnabled(position: Int) = false

        override fun bind(view: View, item: AppChatLine) {
            (view as LinearLayout).gravity = when {
                item.event != null -> Gravity.CENTER_HORIZONTAL
                item.own -> Gravity.END
                else -> Gravity.START
            }
            view.findViewById<TextView>(R.id.head).text = item.event?.let { text(it) } ?: run {
                val who = if (item.own) getString(R.string.people_me, item.from) else item.from.orEmpty()
                "$who  ${DateFormat.getTimeFormat(this@MainActivity).format(Date(item.atMs.toLong()))}"
            }
            view.findViewById<TextView>(R.id.said).apply {
                visibility = if (item.text == null) View.GONE else View.VISIBLE
                setBackgroundResource(if (item.own) R.drawable.own else R.drawable.card)
                // Plain text, whatever is in it.
                text = item.text
            }
        }
    }

    private abstract inner class Fresh<T : Any>(private val layout: Int) : ArrayAdapter<T>(this@MainActivity, layout) {
        private var shown: List<T> = emptyList()

        fun show(items: List<T>) {
            if (items == shown) return
            shown = items
            setNotifyOnChange(false)
            clear()
            addAll(items)
            notifyDataSetChanged()
        }

        abstract fun bind(view: View, item: T)

        override fun getView(position: Int, old: View?, parent: ViewGroup): View {
            val view = old ?: layoutInflater.inflate(layout, parent, false)
            getItem(position)?.let { bind(view, it) }
            return view
        }
    }
}
