package chamada.android.plain

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import java.util.Base64

internal class WebPushKeysTest {
    private fun bytes(text: String): ByteArray = Base64.getUrlDecoder().decode(text)

    /** The example of RFC 8291, section 5. */
    private val keys = WebPushKeys(
        bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"),
        bytes("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    private val message = bytes(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6" +
            "cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
    )

    @Test
    fun `the example of the standard is read, and nothing that was changed on its way`() {
        assertEquals("When I grow up, I want to be a watermelon", keys.decrypt(message)?.decodeToString())
        for (at in message.indices) {
            val changed = message.copyOf().also { it[at] = (it[at] + 1).toByte() }
            // The size of a record is not needed to read one.
            if (at !in 16..19) assertNull(keys.decrypt(changed), "byte $at")
        }
        for (length in message.indices) assertNull(keys.decrypt(message.copyOf(length)), "the first $length bytes")
    }

    @Test
    fun `keys are made anew for each installation, kept, and read again`() {
        val made = WebPushKeys.generate()
        assertEquals(listOf(65, 32, 16), listOf(made.publicKey, made.privateKey, made.auth).map { it.size })
        assertNotEquals(made.p256dhText, WebPushKeys.generate().p256dhText)
        val again = WebPushKeys.of(made.save())!!
        assertArrayEquals(made.privateKey, again.privateKey)
        assertEquals(made.p256dhText to made.authText, again.p256dhText to again.authText)
        for (wrong in listOf("", "a b c", "?", made.p256dhText)) assertNull(WebPushKeys.of(wrong))
    }
}
