package chamada.app.logic

import chamada.CallSnapshot
import chamada.CallState
import chamada.CallStats
import chamada.FacingMode
import chamada.android.plain.Route

/** All that the screens show. */
data class DeskState(
    val server: String = "",
    val name: String = "",
    val entering: Boolean = false,
    /** One's name at the server; null at the door. */
    val me: String? = null,
    val online: Boolean = false,
    val people: List<String> = emptyList(),
    /** Who is not there, but can be rung. */
    val away: List<String> = emptyList(),
    val chat: List<ChatLine> = emptyList(),
    val call: CallView? = null,
    val notice: Notice? = null,
    /** What is lost on purpose. */
    val outages: Set<Outage> = emptySet(),
)

/** A part of the network that the hidden fault menu can take away. */
enum class Outage { SERVER, CALLS }

/** A line of the chat, or somebody who comes or goes. */
data class ChatLine(val kind: Kind, val who: String, val text: String, val at: Long, val own: Boolean = false) {
    enum class Kind { SAID, ARRIVED, LEFT }
}

/** A call as its screen shows it. */
data class CallView(
    val with: String,
    val phase: Phase,
    val microphone: Boolean = true,
    val camera: Boolean = true,
    val cameraThere: Boolean = true,
    val microphoneThere: Boolean = true,
    val facing: FacingMode? = null,
    /** Another call has the phone's sound. */
    val held: Boolean = false,
    /** When it was connected first, in milliseconds since 1970. */
    val since: Long? = null,
    val stats: CallStats? = null,
    /** What is to be told of the call's quality; null while it is good. */
    val quality: QualityNotice? = null,
    val routes: List<Route> = emptyList(),
    val route: Route? = null,
) {
    /** Which way sound goes can be chosen. */
    val choice: Boolean get() = routes.size > 1

    /** It was answered, and is not over. */
    val goesOn: Boolean get() = phase == Phase.CONNECTED || phase == Phase.RECONNECTING

    /** Sound and camera are in use: not while it only rings here. */
    val usesDevices: Boolean get() = phase != Phase.RINGING_LOCALLY
}

enum class Phase { RINGING_LOCALLY, CALLING, RINGING_REMOTELY, RINGING_BY_PUSH, CONNECTING, CONNECTED, RECONNECTING }

/** Null where there is no call. */
fun phase(state: CallState): Phase? = when (state) {
    CallState.IDLE -> null
    CallState.CALLING -> Phase.CALLING
    CallState.RINGING_REMOTELY -> Phase.RINGING_REMOTELY
    CallState.RINGING_BY_PUSH -> Phase.RINGING_BY_PUSH
    CallState.RINGING_LOCALLY -> Phase.RINGING_LOCALLY
    CallState.CONNECTING -> Phase.CONNECTING
    CallState.CONNECTED -> Phase.CONNECTED
    CallState.RECONNECTING -> Phase.RECONNECTING
}

/** The view after the core told how the call is now. */
fun CallView?.after(snapshot: CallSnapshot, now: Long): CallView? {
    val phase = phase(snapshot.state) ?: return this
    val with = snapshot.with ?: return this
    val before = this?.takeIf { it.with == with } ?: CallView(with, phase)
    return before.copy(
        phase = phase,
        microphone = if (before.held) before.microphone else snapshot.local.audio,
        camera = snapshot.local.video,
        facing = snapshot.local.facing,
        cameraThere = snapshot.remote.video,
        microphoneThere = snapshot.remote.audio,
        since = before.since ?: now.takeIf { phase == Phase.CONNECTED },
    )
}

/** What stands for a person in place of a picture: the first letter of the name. */
fun initial(name: String): String = if (name.isEmpty()) "" else String(Character.toChars(name.codePointAt(0))).uppercase()

/** The chat after the user list changed from `before` to `now`; the first list is no news. */
fun List<ChatLine>.comingsAndGoings(before: List<String>, now: List<String>, me: String?, at: Long): List<ChatLine> {
    if (before.isEmpty()) return this
    val arrived = (now - before.toSet()).filter { it != me }.map { ChatLine(ChatLine.Kind.ARRIVED, it, "", at) }
    val left = (before - now.toSet()).filter { it != me }.map { ChatLine(ChatLine.Kind.LEFT, it, "", at) }
    return (this + arrived + left).takeLast(LINES)
}

/** More than anybody scrolls back. */
const val LINES: Int = 300
