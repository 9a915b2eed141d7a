package chamada.android.plain

import java.util.UUID

/**
 * What a push of the server's says: somebody calls, or the call is over. The app's own `FirebaseMessagingService` (or whatever receives its pushes)
 * reads it and keeps to three rules, which [PushedCalls] knows:
 *
 * ```
 * override fun onNewToken(token: String) {
 *     // Kept, and told after each login: client.registerPush(PushRegistration(PushPlatform.FCM, token))
 * }
 * override fun onMessageReceived(message: RemoteMessage) {
 *     val call = PushedCall.read(message.data) ?: return
 *     when (val todo = pushedCalls.received(call, System.currentTimeMillis())) {
 *         is PushedCalls.Todo.LogIn -> app.login()      // the call itself comes over the connection, as Event.IncomingCall
 *         is PushedCalls.Todo.Stop -> app.stopRinging(call.callId)
 *         PushedCalls.Todo.Nothing -> {}
 *     }
 * }
 * ```
 *
 * @property callId the call's UUID, as in `CallSnapshot.callId`.
 * @property from who calls.
 * @property room the room that both are in; empty for the one without a name.
 * @property sentMs when the server sent it, in milliseconds since 1970.
 */
public data class PushedCall(val kind: Kind, val callId: String, val from: String, val room: String, val sentMs: Long) {
    /** What is to be done. */
    public enum class Kind { RING, CANCEL }

    public companion object {
        private const val LONGEST_NAME = 64

        /** Reads the data of a message; null for one that is no call of Chamada's. */
        public fun read(data: Map<String, String>): PushedCall? {
            val kind = when (data["kind"]) {
                "ring" -> Kind.RING
                "cancel" -> Kind.CANCEL
                else -> return null
            }
            val callId = data["call"]?.takeIf(::isUuid)?.lowercase() ?: return null
            val from = data["from"]?.takeIf { it.isNotEmpty() && isName(it) } ?: return null
            val room = (data["room"] ?: "").takeIf(::isName) ?: return null
            val sentMs = data["sent"]?.toLongOrNull() ?: return null
            return PushedCall(kind, callId, from, room, sentMs)
        }

        private fun isName(text: String) = text.codePointCount(0, text.length) <= LONGEST_NAME && text.none(Char::isISOControl)

        private fun isUuid(text: String) = text.length == 36 && runCatching { UUID.fromString(text) }.isSuccess
    }
}

/** Which pushes are worth waking up for. Not safe to be used by several threads at once. */
public class PushedCalls {
    /** What to do with a push. */
    public sealed interface Todo {
        /** Log in, if that is not done: the call comes over the connection. */
        public data class LogIn(val call: PushedCall) : Todo

        /** Take this call off the screen, if it is there and the connection has not said so already. */
        public data class Stop(val callId: String) : Todo

        /** It is over, or known already. */
        public data object Nothing : Todo
    }

    private val over = ArrayDeque<String>()
    private val ringing = ArrayDeque<String>()

    /** A push came: pushes may come late, twice, and in any order. */
    public fun received(call: PushedCall, nowMs: Long): Todo = when {
        call.kind == PushedCall.Kind.CANCEL -> {
            remember(over, call.callId)
            if (ringing.remove(call.callId)) Todo.Stop(call.callId) else Todo.Nothing
        }
        call.callId in over || call.callId in ringing || nowMs - call.sentMs > PATIENCE_MS -> Todo.Nothing
        else -> {
            remember(ringing, call.callId)
            Todo.LogIn(call)
        }
    }

    /** The connection says that this call is over. */
    public fun ended(callId: String) {
        ringing.remove(callId)
        remember(over, callId)
    }

    private fun remember(calls: ArrayDeque<String>, callId: String) {
        if (callId in calls) return
        calls.addLast(callId)
        while (calls.size > MOST_CALLS) calls.removeFirst()
    }

    private companion object {
        /** The server lets a call wait for 45 s; the clocks may differ a little. */
        const val PATIENCE_MS = 60_000L
        const val MOST_CALLS = 32
    }
}
