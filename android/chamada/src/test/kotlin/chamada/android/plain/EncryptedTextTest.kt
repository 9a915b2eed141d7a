package chamada.android.plain

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import java.security.GeneralSecurityException
import javax.crypto.KeyGenerator

internal class EncryptedTextTest {
    private fun key() = KeyGenerator.getInstance("AES").generateKey()

    @Test
    fun `text comes back by its key, and nothing of it is seen`() {
        val (key, text) = key() to "[{\"name\":\"Zoë 🐶\"}]"
        val kept = EncryptedText.encrypt(key, text)
        assertEquals(text, EncryptedText.decrypt(key, kept))
        assertFalse("name" in kept)
        assertNotEquals(kept, EncryptedText.encrypt(key, text), "another nonce each time")
    }

    @Test
    fun `another key, a changed text and nonsense are refused`() {
        val key = key()
        val kept = EncryptedText.encrypt(key, "text")
        val changed = kept.replaceRange(20, 21, if (kept[20] == 'A') "B" else "A")
        for ((by, what) in listOf(key() to kept, key to changed, key to "", key to "AAAA", key to "ñ")) {
            assertThrows(GeneralSecurityException::class.java, { EncryptedText.decrypt(by, what) }, what)
        }
    }
}
