package chamada.android

import android.content.Context
import android.content.Intent
import android.util.Log
import chamada.AppAction
import chamada.PushKeys
import chamada.PushPlatform
import chamada.PushRegistration
import chamada.android.plain.WebPushKeys
import java.util.UUID

/**
 * Pushes by [UnifiedPush](https://unifiedpush.org/developers/spec/android/): an app of the person's choice, the distributor, receives them for
 * all others. It speaks by broadcasts, and needs no library. What comes is encrypted for this installation, so that whoever sends such a
 * broadcast without the server's word is not listened to.
 *
 * @param dispatch tells the core; on the main thread.
 */
public class UnifiedPush(private val context: Context, private val dispatch: (AppAction) -> Unit) : PushProvider {
    private val kept = context.getSharedPreferences("chamada-unifiedpush", Context.MODE_PRIVATE)
    private val keys = kept.getString(KEYS, null)?.let { WebPushKeys.of(it) }
        ?: WebPushKeys.generate().also { kept.edit().putString(KEYS, it.save()).apply() }

    override val platform: PushPlatform = PushPlatform.UNIFIED_PUSH

    /** What was known at the last start: to be called at each, before anybody logs in. */
    public fun start() {
        kept.getString(ENDPOINT, null)?.let(::tell)
    }

    override fun register(applicationServerKey: String?) {
        val distributor = distributor() ?: return
        val token = kept.getString(TOKEN, null) ?: UUID.randomUUID().toString()
        kept.edit().putString(TOKEN, token).putString(DISTRIBUTOR, distributor).apply()
        val intent = Intent(REGISTER).setPackage(distributor).putExtra("token", token).putExtra("application", context.packageName)
        applicationServerKey?.let { intent.putExtra("vapid", it) }
        context.sendBroadcast(intent)
    }

    /** The one that was asked before, or any that there is. */
    private fun distributor(): String? {
        val there = context.packageManager.queryBroadcastReceivers(Intent(REGISTER), 0).map { it.activityInfo.packageName }
        return kept.getString(DISTRIBUTOR, null)?.takeIf { it in there } ?: there.firstOrNull()
    }

    /** What a receiver of the app's heard from the distributor: it is named in the manifest, with the four actions. */
    public fun received(intent: Intent) {
        val token = intent.getStringExtra("token")
        if (token == null || token != kept.getString(TOKEN, null)) return
        when (intent.action) {
            NEW_ENDPOINT -> intent.getStringExtra("endpoint")?.let {
                kept.edit().putString(ENDPOINT, it).apply()
                tell(it)
            }
            MESSAGE -> {
                acknowledge(intent, token)
                val message = intent.getByteArrayExtra("bytesMessage")?.let { keys.decrypt(it) } ?: return
                dispatch(AppAction.PushReceived(message.decodeToString()))
            }
            UNREGISTERED, REGISTRATION_FAILED -> {
                Log.w(TAG, "the distributor does not push: ${intent.getStringExtra("reason")}")
                kept.edit().remove(ENDPOINT).apply()
                dispatch(AppAction.PushRegistrationChanged(null))
            }
        }
    }

    private fun acknowledge(intent: Intent, token: String) {
        val id = intent.getStringExtra("id") ?: return
        val distributor = kept.getString(DISTRIBUTOR, null) ?: return
        context.sendBroadcast(Intent(ACKNOWLEDGE).setPackage(distributor).putExtra("token", token).putExtra("id", id))
    }

    private fun tell(endpoint: String) = dispatch(
        AppAction.PushRegistrationChanged(
            PushRegistration(PushPlatform.UNIFIED_PUSH, endpoint = endpoint, keys = PushKeys(keys.p256dhText, keys.authText)),
        ),
    )

    private companion object {
        const val KEYS = "keys"
        const val TOKEN = "token"
        const val ENDPOINT = "endpoint"
        const val DISTRIBUTOR = "distributor"
        const val REGISTER = "org.unifiedpush.android.distributor.REGISTER"
        const val ACKNOWLEDGE = "org.unifiedpush.android.distributor.MESSAGE_ACK"
        const val NEW_ENDPOINT = "org.unifiedpush.android.connector.NEW_ENDPOINT"
        const val MESSAGE = "org.unifiedpush.android.connector.MESSAGE"
        const val UNREGISTERED = "org.unifiedpush.android.connector.UNREGISTERED"
        const val REGISTRATION_FAILED = "org.unifiedpush.android.connector.REGISTRATION_FAILED"
    }
}
