package chamada.screens

import android.content.ComponentName
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import chamada.AppAction
import chamada.PushPlatform
import chamada.PushRegistration
import chamada.android.UnifiedPush
import chamada.android.plain.WebPushKeys
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.util.Base64

/** With a distributor that is only said to be there. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [32], application = android.app.Application::class)
internal class UnifiedPushTest {
    private val context = RuntimeEnvironment.getApplication()
    private val told = mutableListOf<AppAction>()

    /** The keys and the message of RFC 8291's example. */
    private val keys = WebPushKeys(
        bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"),
        bytes("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    private val message = bytes(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6" +
            "cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    )

    private fun bytes(text: String): ByteArray = Base64.getUrlDecoder().decode(text)

    private fun push(): UnifiedPush {
        context.getSharedPreferences("chamada-unifiedpush", Context.MODE_PRIVATE).edit().putString("keys", keys.save()).apply()
        return UnifiedPush(context, told::add)
    }

    private fun distributor() {
        val distributor = ComponentName("org.example.distributor", "Receiver")
        shadowOf(context.packageManager).addReceiverIfNotPresent(distributor)
        shadowOf(context.packageManager).addIntentFilterForReceiver(distributor, IntentFilter("org.unifiedpush.android.distributor.REGISTER"))
    }

    private fun UnifiedPush.hear(action: String, token: String?, fill: Intent.() -> Unit = {}) {
        received(Intent("org.unifiedpush.android.connector.$action").putExtra("token", token).apply(fill))
    }

    private fun sent() = shadowOf(context).broadcastIntents

    @Test
    fun `a distributor is asked, and its endpoint is told, at the next start too`() {
        distributor()
        val push = push()
        push.start()
        assertEquals("nothing is known yet", emptyList<AppAction>(), told)
        push.register("BKey")
        val asked = sent().single()
        assertEquals(listOf("org.example.distributor", "BKey"), listOf(asked.`package`, asked.getStringExtra("vapid")))
        push.hear("NEW_ENDPOINT", asked.getStringExtra("token")) { putExtra("endpoint", "https://push.example/1") }
        val registration = (told.single() as AppAction.PushRegistrationChanged).registration
        assertEquals(PushPlatform.UNIFIED_PUSH to "https://push.example/1", registration?.platform to registration?.endpoint)
        assertEquals(keys.p256dhText to keys.authText, registration?.keys?.run { p256dh to auth })
        UnifiedPush(context, told::add).start()
        assertEquals(2, told.size)
        push.hear("UNREGISTERED", asked.getStringExtra("token"))
        assertEquals(AppAction.PushRegistrationChanged(null as PushRegistration?), told.last())
        told.clear()
        UnifiedPush(context, told::add).start()
        assertEquals(emptyList<AppAction>(), told)
    }

    @Test
    fun `what was encrypted for this installation is a push, and what anybody else sends is not`() {
        distributor()
        val push = push()
        push.register(null)
        val token = sent().single().getStringExtra("token")
        push.hear("MESSAGE", token) { putExtra("bytesMessage", message).putExtra("id", "7") }
        assertEquals(listOf(AppAction.PushReceived("When I grow up, I want to be a watermelon")), told)
        assertEquals("7", sent().last().getStringExtra("id"))
        push.hear("MESSAGE", token) { putExtra("bytesMessage", "{}".toByteArray()) }
        push.hear("MESSAGE", "another") { putExtra("bytesMessage", message) }
        push.hear("MESSAGE", null) { putExtra("bytesMessage", message) }
        assertEquals(1, told.size)
    }

    @Test
    fun `without a distributor nobody is asked`() {
        push().register("BKey")
        assertTrue(sent().isEmpty())
    }
}
