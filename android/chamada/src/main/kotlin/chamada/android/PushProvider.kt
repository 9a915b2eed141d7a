package chamada.android

import chamada.PushPlatform

/**
 * A push service, so that calls come although the app is closed: Firebase Cloud Messaging, [UnifiedPush], or one of the app's own.
 *
 * The library depends on none of them. What one gives and receives goes to the core, with Firebase:
 *
 * ```
 * override fun onNewToken(token: String) =
 *     calls.post(AppAction.PushRegistrationChanged(PushRegistration(PushPlatform.FCM, token)))
 *
 * override fun onMessageReceived(message: RemoteMessage) =
 *     calls.post(AppAction.PushReceived(JSONObject(message.data as Map<*, *>).toString()))
 * ```
 */
public interface PushProvider {
    /** What it reaches devices by. One that the server does not know is not asked. */
    public val platform: PushPlatform

    /**
     * Ask it for what reaches this device, which `AppAction.PushRegistrationChanged` tells: `AppEffect.RequestPushToken`. On the main thread.
     *
     * @param applicationServerKey the server's VAPID key (RFC 8292), for a subscription by Web Push.
     */
    public fun register(applicationServerKey: String?)
}
