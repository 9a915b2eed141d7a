@file:Suppress("DEPRECATION")

package chamada.android

import android.annotation.SuppressLint
import android.content.ComponentName
import android.content.Context
import android.net.Uri
import android.os.Bundle
import android.telecom.CallAudioState
import android.telecom.Connection
import android.telecom.ConnectionRequest
import android.telecom.ConnectionService
import android.telecom.DisconnectCause
import android.telecom.PhoneAccount
import android.telecom.PhoneAccountHandle
import android.telecom.TelecomManager
import android.telecom.VideoProfile
import android.util.Log
import chamada.android.plain.Route
import chamada.android.plain.RouteKind

/** What the system asks of a call: by a headset's button, a car, a watch, or because a phone call comes in. */
public interface TelecomListener {
    public fun onAnswer()
    public fun onReject()
    public fun onHangUp()

    /** Another call has the phone (true), or ours has it again. */
    public fun onHold(held: Boolean)
    public fun onMute(muted: Boolean)

    /** Show the incoming call; Telecom shows none for self-managed calls. */
    public fun onShowIncoming()

    /** Telecom routes the call's sound from now on by this, or (null) does not any more. */
    public fun onRoutes(routes: RouteDriver?)
}

/**
 * Calls in the system's own book, self-managed: it keeps them apart from phone calls, and headsets and cars know them. One call at a
 * time, as the core has it. Where Telecom refuses, calls go on without it. On the main thread.
 */
public class TelecomCalls(private val context: Context, label: String) {
    private val manager: TelecomManager? = context.getSystemService(TelecomManager::class.java)
    private val handle = PhoneAccountHandle(ComponentName(context, CallConnectionService::class.java), "chamada")

    /** Who is told; one for the whole process, since the system makes the service. */
    public var listener: TelecomListener?
        get() = CallConnectionService.listener
        set(value) {
            CallConnectionService.listener = value
        }

    init {
        val account = PhoneAccount.builder(handle, label)
            .setCapabilities(PhoneAccount.CAPABILITY_SELF_MANAGED or PhoneAccount.CAPABILITY_VIDEO_CALLING)
            .addSupportedUriScheme(SCHEME)
            .build()
        attempt("register") { manager?.registerPhoneAccount(account) }
    }

    /** Somebody calls. */
    public fun incoming(from: String) {
        CallConnectionService.wanted = Wanted.RINGING
        val extras = Bundle()
        extras.putParcelable(TelecomManager.EXTRA_INCOMING_CALL_ADDRESS, address(from))
        attempt("incoming") { manager?.addNewIncomingCall(handle, extras) }
    }

    /** We call. */
    @SuppressLint("MissingPermission") // MANAGE_OWN_CALLS is enough for self-managed calls.
    public fun outgoing(to: String) {
        CallConnectionService.wanted = Wanted.DIALING
        val extras = Bundle()
        extras.putParcelable(TelecomManager.EXTRA_PHONE_ACCOUNT_HANDLE, handle)
        extras.putInt(TelecomManager.EXTRA_START_CALL_WITH_VIDEO_STATE, VideoProfile.STATE_BIDIRECTIONAL)
        attempt("outgoing") { manager?.placeCall(address(to), extras) }
    }

    /** The call is connected. */
    public fun active() {
        CallConnectionService.wanted = Wanted.ACTIVE
        // One that is on hold stays so: to take it up would put the phone call on hold that the person is in.
        CallConnectionService.current?.takeIf { it.state != Connection.STATE_HOLDING }?.setActive()
    }

    /** Takes our call up again after another one, which the system does not do by itself. */
    public fun resume() {
        CallConnectionService.current?.takeIf { it.state == Connection.STATE_HOLDING }?.onUnhold()
    }

    /** The call is over. */
    public fun ended(cause: Int = DisconnectCause.REMOTE) {
        CallConnectionService.wanted = null
        CallConnectionService.current?.end(cause)
    }

    private fun address(name: String): Uri = Uri.fromParts(SCHEME, name, null)

    private fun attempt(what: String, act: () -> Unit) {
        try {
            act()
        } catch (e: SecurityException) {
            Log.w(TAG, "telecom refuses $what", e)
        } catch (e: UnsupportedOperationException) {
            Log.w(TAG, "telecom is not there for $what", e)
        }
    }

    private companion object {
        /** Names are no telephone numbers. */
        const val SCHEME = "chamada"
    }
}

/** Made by the system; in the manifest with the permission BIND_TELECOM_CONNECTION_SERVICE. */
public class CallConnectionService : ConnectionService() {
    override fun onCreateIncomingConnection(account: PhoneAccountHandle?, request: ConnectionRequest): Connection =
        connection(request)

    override fun onCreateOutgoingConnection(account: PhoneAccountHandle?, request: ConnectionRequest): Connection =
        connection(request)

    override fun onCreateIncomingConnectionFailed(account: PhoneAccountHandle?, request: ConnectionRequest?) {
        // Another call is in the way of the system's book and not of ours.
        Log.w(TAG, "telecom takes no incoming call now")
        listener?.onShowIncoming()
    }

    override fun onCreateOutgoingConnectionFailed(account: PhoneAccountHandle?, request: ConnectionRequest?) {
        Log.w(TAG, "telecom takes no outgoing call now")
    }

    /** The system asks some time after it was told; meanwhile the call may have gone on. */
    private fun connection(request: ConnectionRequest): Connection {
        val wanted = wanted ?: return Connection.createCanceledConnection()
        val connection = made(request)
        when (wanted) {
            Wanted.RINGING -> connection.setRinging()
            Wanted.DIALING -> connection.setDialing()
            Wanted.ACTIVE -> connection.setActive()
        }
        return connection
    }

    private fun made(request: ConnectionRequest): CallConnection = CallConnection().apply {
        setAddress(request.address, TelecomManager.PRESENTATION_ALLOWED)
        setCallerDisplayName(request.address?.schemeSpecificPart, TelecomManager.PRESENTATION_ALLOWED)
        connectionProperties = Connection.PROPERTY_SELF_MANAGED
        connectionCapabilities = Connection.CAPABILITY_HOLD or Connection.CAPABILITY_SUPPORT_HOLD or Connection.CAPABILITY_MUTE
        audioModeIsVoip = true
        videoState = VideoProfile.STATE_BIDIRECTIONAL
        current?.end(DisconnectCause.OTHER)
        current = this
        listener?.onRoutes(routes)
    }

    internal companion object {
        var listener: TelecomListener? = null
        var current: CallConnection? = null

        /** How the call stands on our side; null where there is none. */
        var wanted: Wanted? = null
    }
}

internal enum class Wanted { RINGING, DIALING, ACTIVE }

internal class CallConnection : Connection() {
    val routes = TelecomRoutes(this)
    private val listener get() = CallConnectionService.listener
    private var muted = false

    override fun onShowIncomingCallUi() = listener?.onShowIncoming() ?: Unit
    override fun onAnswer() = listener?.onAnswer() ?: Unit
    override fun onAnswer(videoState: Int) = onAnswer()
    override fun onReject() = listener?.onReject() ?: Unit
    override fun onDisconnect() = listener?.onHangUp() ?: Unit
    override fun onAbort() = onDisconnect()

    override fun onHold() {
        setOnHold()
        listener?.onHold(true)
    }

    override fun onUnhold() {
        setActive()
        listener?.onHold(false)
    }

    @Deprecated("by the system, for one of API 34")
    override fun onCallAudioStateChanged(state: CallAudioState) {
        // Told with every change of the route, too.
        if (state.isMuted != muted) {
            muted = state.isMuted
            listener?.onMute(muted)
        }
        routes.changed()
    }

    fun end(cause: Int) {
        listener?.onRoutes(null)
        setDisconnected(DisconnectCause(cause))
        destroy()
        if (CallConnectionService.current === this) CallConnectionService.current = null
    }
}

/** Telecom's own routes: a set of bits. */
internal class TelecomRoutes(private val connection: Connection) : RouteDriver {
    private var tell: ((List<Route>) -> Unit)? = null

    override fun start(onRoutes: (List<Route>) -> Unit) {
        tell = onRoutes
        changed()
    }

    override fun stop() {
        tell = null
    }

    override fun current(): Route? = connection.callAudioState?.route?.let { bit -> MASKS.entries.find { it.value == bit }?.key?.let(::route) }

    override fun select(route: Route): Boolean {
        connection.setAudioRoute(MASKS.getValue(route.kind))
        return true
    }

    fun changed() {
        val mask = connection.callAudioState?.supportedRouteMask ?: return
        tell?.invoke(MASKS.filterValues { it and mask != 0 }.keys.map(::route))
    }

    private fun route(kind: RouteKind) = Route(kind.name, kind)

    private companion object {
        val MASKS = mapOf(
            RouteKind.EARPIECE to CallAudioState.ROUTE_EARPIECE,
            RouteKind.SPEAKER to CallAudioState.ROUTE_SPEAKER,
            RouteKind.WIRED to CallAudioState.ROUTE_WIRED_HEADSET,
            RouteKind.BLUETOOTH to CallAudioState.ROUTE_BLUETOOTH,
        )
    }
}
