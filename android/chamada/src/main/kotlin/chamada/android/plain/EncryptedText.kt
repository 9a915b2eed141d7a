package chamada.android.plain

import java.security.GeneralSecurityException
import java.util.Base64
import javax.crypto.Cipher
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** Text that is kept encrypted (AES-GCM), by a key that the phone's Keystore does not give out. */
public object EncryptedText {
    /**
     * What to keep of [text].
     *
     * @throws GeneralSecurityException if the key cannot be used.
     */
    public fun encrypt(key: SecretKey, text: String): String {
        val cipher = Cipher.getInstance(ALGORITHM)
        // The Keystore makes the nonce itself.
        cipher.init(Cipher.ENCRYPT_MODE, key)
        return Base64.getEncoder().encodeToString(cipher.iv + cipher.doFinal(text.toByteArray()))
    }

    /**
     * The text again.
     *
     * @throws GeneralSecurityException if it was encrypted with another key or has changed since, or is none.
     */
    public fun decrypt(key: SecretKey, kept: String): String {
        val bytes = try {
            Base64.getDecoder().decode(kept)
        } catch (e: IllegalArgumentException) {
            throw GeneralSecurityException(e)
        }
        if (bytes.size < NONCE) throw GeneralSecurityException("too short")
        val cipher = Cipher.getInstance(ALGORITHM)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(128, bytes, 0, NONCE))
        return cipher.doFinal(bytes, NONCE, bytes.size - NONCE).decodeToString()
    }

    private const val ALGORITHM = "AES/GCM/NoPadding"
    private const val NONCE = 12
}
