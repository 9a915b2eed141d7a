package chamada.app

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent

/** Hears the distributor of UnifiedPush's, also while the app is closed. */
class PushReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        (context.applicationContext as ChamadaApp).container.push.received(intent)
    }
}
