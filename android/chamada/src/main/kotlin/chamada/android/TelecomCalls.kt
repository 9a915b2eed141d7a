@file:Suppress("DEPRECATION")

package chamada.android

import android.annotation.SuppressLint
import android.content.ComponentName
import android.content.Context
import android.media.AudioManager
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
import chamada.AppAudioRoute
import chamada.AppAudioRouteKind
import chamada.AppSystemCall
import chamada.AppSystemCallNews
import chamada.AppSystemEnd

/** What Telecom tells of a call. */
public interface TelecomListener {
    /** `AppAction.SystemCall`: a headset's button, a car, a watch, or a phone call that comes in. */
    public fun onNews(call: String, news: AppSystemCallNews)

    /** Telecom routes the call's sound from now on by this, or (null) does not any more. */
    public fun onRoutes(routes: AudioRouter?)
}

/**
 * Calls in Telecom, self-managed: it keeps them apart from phone calls, and headsets and cars know them. It is told what `AppEffect.SystemCall`
 * says. Where it is not there, calls go on without it. On the main thread.
 */
public class TelecomCalls(context: Context, label: String) {
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

    /** Carries out what the core wants of the system's calls. */
    public fun tell(told: AppSystemCall) {
        when (told) {
            is AppSystemCall.Incoming -> incoming(told.call, told.from.orEmpty())
            is AppSystemCall.Outgoing -> outgoing(told.call, told.to)
            is AppSystemCall.Renamed -> connection(told.call)?.name(told.from)
            is AppSystemCall.Answered -> active(told.call)
            is AppSystemCall.Connected -> active(told.call)
            is AppSystemCall.RequestHold -> connection(told.call)?.run { if (told.held) onHold() else onUnhold() }
            is AppSystemCall.Ended -> ended(told.call, cause(told.reason))
            // It is dialling until it is connected, and reads no mute from us.
            is AppSystemCall.Connecting, is AppSystemCall.Muted -> {}
        }
    }

    private fun incoming(call: String, from: String) {
        CallConnectionService.wanted = Wanted(call, Connection.STATE_RINGING)
        val extras = Bundle()
        extras.putParcelable(TelecomManager.EXTRA_INCOMING_CALL_ADDRESS, address(from))
        attempt("incoming") { manager?.addNewIncomingCall(handle, extras) }
    }

    @SuppressLint("MissingPermission") // MANAGE_OWN_CALLS is enough for self-managed calls.
    private fun outgoing(call: String, to: String) {
        CallConnectionService.wanted = Wanted(call, Connection.STATE_DIALING)
        val extras = Bundle()
        extras.putParcelable(TelecomManager.EXTRA_PHONE_ACCOUNT_HANDLE, handle)
        extras.putInt(TelecomManager.EXTRA_START_CALL_WITH_VIDEO_STATE, VideoProfile.STATE_BIDIRECTIONAL)
        attempt("outgoing") { manager?.placeCall(address(to), extras) }
    }

    private fun active(call: String) {
        val wanted = CallConnectionService.wanted?.takeIf { it.call == call } ?: return
        CallConnectionService.wanted = wanted.copy(state = Connection.STATE_ACTIVE)
        // One that is on hold stays so: to take it up would put the phone call on hold that the person is in.
        connection(call)?.takeIf { it.state != Connection.STATE_HOLDING }?.setActive()
    }

    private fun ended(call: String, cause: Int) {
        if (CallConnectionService.wanted?.call == call) CallConnectionService.wanted = null
        connection(call)?.end(cause)
    }

    private fun connection(call: String) = CallConnectionService.current?.takeIf { it.call == call }

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

        fun address(name: String): Uri = Uri.fromParts(SCHEME, name, null)

        fun cause(reason: AppSystemEnd): Int = when (reason) {
            AppSystemEnd.LOCAL -> DisconnectCause.LOCAL
            AppSystemEnd.REJECTED -> DisconnectCause.REJECTED
            AppSystemEnd.REMOTE, AppSystemEnd.UNANSWERED -> DisconnectCause.REMOTE
            AppSystemEnd.MISSED -> DisconnectCause.MISSED
            AppSystemEnd.BUSY -> DisconnectCause.BUSY
            AppSystemEnd.ANSWERED_ELSEWHERE -> DisconnectCause.ANSWERED_ELSEWHERE
            AppSystemEnd.FAILED -> DisconnectCause.ERROR
        }
    }
}

/** Made by the system; in the manifest with the permission BIND_TELECOM_CONNECTION_SERVICE. */
public class CallConnectionService : ConnectionService() {
    override fun onCreateIncomingConnection(account: PhoneAccountHandle?, request: ConnectionRequest): Connection =
        connection(request)

    override fun onCreateOutgoingConnection(account: PhoneAccountHandle?, request: ConnectionRequest): Connection =
        connection(request)

    override fun onCreateIncomingConnectionFailed(account: PhoneAccountHandle?, request: ConnectionRequest?) = refused()

    override fun onCreateOutgoingConnectionFailed(account: PhoneAccountHandle?, request: ConnectionRequest?) = refused()

    /** The person is in a call that cannot be put on hold, say. */
    private fun refused() {
        val call = wanted?.call ?: return
        Log.w(TAG, "telecom does not let the call be")
        wanted = null
        listener?.onNews(call, AppSystemCallNews.Refused)
    }

    /** The system asks some time after it was told; meanwhile the call may have gone on. */
    private fun connection(request: ConnectionRequest): Connection {
        val (call, state) = wanted ?: return Connection.createCanceledConnection()
        val connection = made(call, request)
        when (state) {
            Connection.STATE_RINGING -> connection.setRinging()
            Connection.STATE_DIALING -> connection.setDialing()
            else -> connection.setActive()
        }
        listener?.onNews(call, AppSystemCallNews.Taken)
        listener?.onRoutes(connection.routes)
        return connection
    }

    private fun made(call: String, request: ConnectionRequest): CallConnection = CallConnection(call, getSystemService(AudioManager::class.java)).apply {
        setAddress(request.address, TelecomManager.PRESENTATION_ALLOWED)
        name(request.address?.schemeSpecificPart.orEmpty())
        connectionProperties = Connection.PROPERTY_SELF_MANAGED
        connectionCapabilities = Connection.CAPABILITY_HOLD or Connection.CAPABILITY_SUPPORT_HOLD or Connection.CAPABILITY_MUTE
        audioModeIsVoip = true
        videoState = VideoProfile.STATE_BIDIRECTIONAL
        current?.end(DisconnectCause.OTHER)
        current = this
    }

    internal companion object {
        var listener: TelecomListener? = null
        var current: CallConnection? = null

        /** The call that Telecom is to have; null where there is none. */
        var wanted: Wanted? = null
    }
}

/** A call by the core's name for it, and how it stands on our side. */
internal data class Wanted(val call: String, val state: Int)

internal class CallConnection(val call: String, audio: AudioManager) : Connection() {
    val routes = TelecomRouter(this, audio)
    private val listener get() = CallConnectionService.listener
    private var muted = false

    fun name(name: String) = setCallerDisplayName(name, TelecomManager.PRESENTATION_ALLOWED)

    private fun tell(news: AppSystemCallNews) = listener?.onNews(call, news) ?: Unit

    override fun onAnswer() = onAnswer(VideoProfile.STATE_BIDIRECTIONAL)

    override fun onAnswer(videoState: Int) {
        setActive()
        // A headset's button says nothing of the camera, and what began with video is answered with it.
        tell(AppSystemCallNews.Answered(video = true))
    }

    override fun onReject() = over(DisconnectCause.REJECTED)
    override fun onReject(reason: Int) = onReject()
    override fun onReject(replyMessage: String?) = onReject()
    override fun onDisconnect() = over(DisconnectCause.LOCAL)
    override fun onAbort() = onDisconnect()
    override fun onSilence() = tell(AppSystemCallNews.Silenced)

    private fun over(cause: Int) {
        end(cause)
        tell(AppSystemCallNews.Ended)
    }

    override fun onHold() {
        setOnHold()
        tell(AppSystemCallNews.Held(held = true))
    }

    override fun onUnhold() {
        setActive()
        tell(AppSystemCallNews.Held(held = false))
    }

    @Deprecated("by the system, for one of API 34")
    override fun onCallAudioStateChanged(state: CallAudioState) {
        // Told with every change of the route, too.
        if (state.isMuted != muted) {
            muted = state.isMuted
            tell(AppSystemCallNews.Muted(muted))
        }
        routes.changed()
    }

    fun end(cause: Int) {
        setDisconnected(DisconnectCause(cause))
        destroy()
        if (CallConnectionService.current !== this) return
        CallConnectionService.current = null
        listener?.onRoutes(null)
    }
}

/** Telecom's own routes: a set of bits, without names, which the system's audio devices have. */
internal class TelecomRouter(private val connection: Connection, private val audio: AudioManager) : AudioRouter {
    private var tell: ((List<AppAudioRoute>) -> Unit)? = null

    override fun start(onRoutes: (List<AppAudioRoute>) -> Unit) {
        tell = onRoutes
        changed()
    }

    override fun stop() {
        tell = null
    }

    override fun current(): String? = connection.callAudioState?.route?.let { bit -> MASKS.entries.find { it.value == bit }?.key?.name }

    override fun select(id: String): Boolean {
        connection.setAudioRoute(MASKS.getValue(AppAudioRouteKind.valueOf(id)))
        return true
    }

    fun changed() {
        val mask = connection.callAudioState?.supportedRouteMask ?: return
        val names = deviceNames(audio)
        tell?.invoke(MASKS.filterValues { it and mask != 0 }.keys.map { AppAudioRoute(it.name, it, names[it]) })
    }

    private companion object {
        val MASKS = mapOf(
            AppAudioRouteKind.EARPIECE to CallAudioState.ROUTE_EARPIECE,
            AppAudioRouteKind.SPEAKER to CallAudioState.ROUTE_SPEAKER,
            AppAudioRouteKind.WIRED to CallAudioState.ROUTE_WIRED_HEADSET,
            AppAudioRouteKind.BLUETOOTH to CallAudioState.ROUTE_BLUETOOTH,
        )
    }
}
