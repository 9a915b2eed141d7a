package chamada.android

import android.app.Activity
import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.Person
import android.app.Service
import android.content.Context
import android.content.Intent
import android.graphics.drawable.Icon
import android.os.Build
import chamada.AppCallService

/** What notifications say, in the person's language, and what they open. */
public class CallLook(
    public val icon: Int,
    public val activity: Class<out Activity>,
    public val service: Class<out Service>,
    public val incomingChannel: String,
    public val ongoingChannel: String,
    public val missedChannel: String,
    public val incoming: String,
    public val ongoing: String,
    public val accept: String,
    public val decline: String,
    public val hangUp: String,
    /** Where missed calls are seen. */
    public val home: Class<out Activity>,
    /** What is said of a call that was missed. */
    public val missed: (from: String) -> String,
    /** In place of a name that nobody told. */
    public val somebody: String,
)

/** Notifications of a call that rings, of one that goes on, with buttons to answer and to end it, and of calls that were missed. */
public class CallNotifications(private val context: Context, private val look: CallLook) {
    private val manager = context.getSystemService(NotificationManager::class.java)

    init {
        val incoming = NotificationChannel(INCOMING, look.incomingChannel, NotificationManager.IMPORTANCE_HIGH)
        // The core says when to ring: see CallTones.
        incoming.setSound(null, null)
        incoming.enableVibration(false)
        incoming.lockscreenVisibility = Notification.VISIBILITY_PUBLIC
        val ongoing = NotificationChannel(ONGOING, look.ongoingChannel, NotificationManager.IMPORTANCE_LOW)
        val missed = NotificationChannel(MISSED, look.missedChannel, NotificationManager.IMPORTANCE_DEFAULT)
        manager.createNotificationChannels(listOf(incoming, ongoing, missed))
    }

    /** What the service of a call shows. */
    public fun of(call: AppCallService): Notification {
        val with = call.with.ifEmpty { look.somebody }
        return if (call.ringing) ringing(with) else ongoing(with, call.sinceMs?.toLong())
    }

    /** `AppEffect.NotifyMissedCall`. */
    public fun missed(call: String, from: String, at: Long) {
        val intent = Intent(context, look.home).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
        val notification = Notification.Builder(context, MISSED)
            .setSmallIcon(look.icon)
            .setContentTitle(from)
            .setContentText(look.missed(from))
            .setContentIntent(PendingIntent.getActivity(context, 0, intent, PendingIntent.FLAG_IMMUTABLE))
            .setCategory(Notification.CATEGORY_MISSED_CALL)
            .setWhen(at)
            .setShowWhen(true)
            .setAutoCancel(true)
            .build()
        manager.notify(call, MISSED_ID, notification)
    }

    /** `AppEffect.ClearMissedCalls`. */
    public fun clearMissed() {
        for (shown in manager.activeNotifications) if (shown.id == MISSED_ID) manager.cancel(shown.tag, MISSED_ID)
    }

    /** Somebody calls: over everything, also on a locked phone. */
    private fun ringing(from: String): Notification {
        val open = open(null)
        val builder = builder(INCOMING, from, look.incoming, open).setFullScreenIntent(open, true)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            builder.setStyle(Notification.CallStyle.forIncomingCall(person(from), tell(DECLINE), open(ACCEPT)))
        } else {
            builder.addAction(action(look.decline, tell(DECLINE))).addAction(action(look.accept, open(ACCEPT)))
        }
        return builder.build()
    }

    /** A call goes on, since so many milliseconds of 1970; none while it is not connected. */
    public fun ongoing(with: String, since: Long?): Notification {
        val builder = builder(ONGOING, with, look.ongoing, open(null))
        if (since != null) builder.setWhen(since).setUsesChronometer(true).setShowWhen(true)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            builder.setStyle(Notification.CallStyle.forOngoingCall(person(with), tell(HANG_UP)))
        } else {
            builder.addAction(action(look.hangUp, tell(HANG_UP)))
        }
        return builder.build()
    }

    private fun builder(channel: String, title: String, text: String, open: PendingIntent): Notification.Builder =
        Notification.Builder(context, channel)
            .setSmallIcon(look.icon)
            .setContentTitle(title)
            .setContentText(text)
            .setContentIntent(open)
            .setCategory(Notification.CATEGORY_CALL)
            .setVisibility(Notification.VISIBILITY_PUBLIC)
            .setOngoing(true)

    private fun person(name: String): Person = Person.Builder().setName(name).setImportant(true).build()

    private fun action(text: String, intent: PendingIntent): Notification.Action =
        Notification.Action.Builder(Icon.createWithResource(context, look.icon), text, intent).build()

    /** The call's activity; answering must start it directly, since a service may not any more. */
    private fun open(action: String?): PendingIntent {
        val intent = Intent(context, look.activity).setAction(action).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
        return PendingIntent.getActivity(context, 0, intent, PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT)
    }

    /** Has the service do this: [DECLINE], [MUTE] or [HANG_UP]. */
    public fun tell(action: String): PendingIntent {
        val intent = Intent(context, look.service).setAction(action)
        return PendingIntent.getService(context, 0, intent, PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT)
    }

    public companion object {
        /** Action of the activity: answer. */
        public const val ACCEPT: String = "chamada.ACCEPT"

        /** Action of the service: refuse. */
        public const val DECLINE: String = "chamada.DECLINE"

        /** Action of the service: microphone off or on. */
        public const val MUTE: String = "chamada.MUTE"

        /** Action of the service: end. */
        public const val HANG_UP: String = "chamada.HANG_UP"

        private const val INCOMING = "chamada.incoming"
        private const val ONGOING = "chamada.ongoing"
        private const val MISSED = "chamada.missed"
        private const val MISSED_ID = 6505
    }
}
