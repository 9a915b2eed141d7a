package chamada.app

import android.content.Intent
import android.os.Bundle
import android.text.format.DateFormat
import android.view.Gravity
import android.view.View
import android.view.ViewGroup
import android.view.inputmethod.EditorInfo
import android.widget.ArrayAdapter
import android.widget.Button
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ListView
import android.widget.TextView
import chamada.app.logic.ChatLine
import chamada.app.logic.DeskState
import chamada.app.logic.Effect
import chamada.app.logic.initial
import java.util.Date

/** The door, and behind it people and chat. */
class MainActivity : DeskActivity() {
    private val memory by lazy { getSharedPreferences("door", MODE_PRIVATE) }
    private val server by lazy { findViewById<EditText>(R.id.server) }
    private val name by lazy { findViewById<EditText>(R.id.name) }
    private val words by lazy { findViewById<EditText>(R.id.words) }
    private val people by lazy { PeopleAdapter() }
    private val lines by lazy { LinesAdapter() }

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.main)
        if (state == null) {
            server.setText(memory.getString("server", ""))
            name.setText(memory.getString("name", ""))
        }
        findViewById<Button>(R.id.enter).setOnClickListener { enter() }
        findViewById<Button>(R.id.demo).apply {
            setOnClickListener { desk.demo(name.text.toString()) }
            visibility = if (chamada.demoAvailable()) View.VISIBLE else View.GONE
        }
        name.onDone(EditorInfo.IME_ACTION_DONE, ::enter)
        findViewById<View>(R.id.people_title).setOnLongClickListener {
            FaultMenu(this, house).show()
            true
        }
        findViewById<Button>(R.id.leave).setOnClickListener { desk.logout() }
        findViewById<Button>(R.id.back_to_call).setOnClickListener { showCall() }
        findViewById<ListView>(R.id.people).apply {
            adapter = people
            setOnItemClickListener { _, _, position, _ -> people.getItem(position)?.let(desk::call) }
        }
        findViewById<ListView>(R.id.chat).adapter = lines
        findViewById<Button>(R.id.send).setOnClickListener { say() }
        words.onDone(EditorInfo.IME_ACTION_SEND, ::say)
    }

    private fun EditText.onDone(action: Int, what: () -> Unit) = setOnEditorActionListener { _, done, _ ->
        (done == action).also { if (it) what() }
    }

    private fun enter() {
        memory.edit().putString("server", server.text.toString()).putString("name", name.text.toString()).apply()
        desk.login(server.text.toString(), name.text.toString())
    }

    private fun say() {
        desk.say(words.text.toString())
        words.text.clear()
    }

    override fun show(state: DeskState) {
        val inside = state.me != null
        findViewById<View>(R.id.door).visibility = if (inside) View.GONE else View.VISIBLE
        findViewById<View>(R.id.room).visibility = if (inside) View.VISIBLE else View.GONE
        findViewById<Button>(R.id.enter).apply {
            isEnabled = !state.entering
            setText(if (state.entering) R.string.login_entering else R.string.login_enter)
        }
        findViewById<View>(R.id.demo).isEnabled = !state.entering
        val others = state.people.filter { it != state.me }
        people.away = state.away.toSet()
        people.show(others + state.away)
        findViewById<View>(R.id.alone).visibility = if (others.isEmpty() && state.away.isEmpty()) View.VISIBLE else View.GONE
        lines.show(state.chat)
        findViewById<View>(R.id.welcome).visibility = if (state.chat.isEmpty()) View.VISIBLE else View.GONE
        findViewById<View>(R.id.back_to_call).visibility = if (state.call == null) View.GONE else View.VISIBLE
        if (state.call != null && !house.callScreen) {
            house.callScreen = true
            showCall()
        }
    }

    private fun showCall() = startActivity(Intent(this, CallActivity::class.java))

    override fun act(effect: Effect) {
        val field = when (effect) {
            Effect.FOCUS_SERVER -> server
            Effect.FOCUS_NAME -> name
            Effect.FOCUS_CHAT -> words
            Effect.OPEN_SETTINGS -> return
        }
        field.requestFocus()
        field.selectAll()
    }

    /** Names, each a button that calls. */
    private inner class PeopleAdapter : Fresh<String>(R.layout.person) {
        var away = emptySet<String>()

        override fun bind(view: View, item: String) {
            view.findViewById<TextView>(R.id.face).text = initial(item)
            view.findViewById<TextView>(R.id.who).text = if (item in away) getString(R.string.people_away, item) else item
            view.contentDescription = getString(R.string.people_call, item)
        }
    }

    private inner class LinesAdapter : Fresh<ChatLine>(R.layout.line) {
        override fun isEnabled(position: Int) = false

        override fun bind(view: View, item: ChatLine) {
            (view as LinearLayout).gravity = when {
                item.kind != ChatLine.Kind.SAID -> Gravity.CENTER_HORIZONTAL
                item.own -> Gravity.END
                else -> Gravity.START
            }
            view.findViewById<TextView>(R.id.head).text = when (item.kind) {
                ChatLine.Kind.ARRIVED -> getString(R.string.chat_arrived, item.who)
                ChatLine.Kind.LEFT -> getString(R.string.chat_left, item.who)
                ChatLine.Kind.SAID -> {
                    val who = if (item.own) getString(R.string.people_me, item.who) else item.who
                    "$who  ${DateFormat.getTimeFormat(this@MainActivity).format(Date(item.at))}"
                }
            }
            view.findViewById<TextView>(R.id.said).apply {
                visibility = if (item.kind == ChatLine.Kind.SAID) View.VISIBLE else View.GONE
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
