package chamada.android.plain

import java.math.BigInteger
import java.security.GeneralSecurityException
import java.security.KeyFactory
import java.security.KeyPairGenerator
import java.security.SecureRandom
import java.security.interfaces.ECPrivateKey
import java.security.interfaces.ECPublicKey
import java.security.spec.ECFieldFp
import java.security.spec.ECGenParameterSpec
import java.security.spec.ECPoint
import java.security.spec.ECPrivateKeySpec
import java.security.spec.ECPublicKeySpec
import java.security.spec.EllipticCurve
import java.util.Base64
import javax.crypto.Cipher
import javax.crypto.KeyAgreement
import javax.crypto.Mac
import javax.crypto.spec.GCMParameterSpec
import javax.crypto.spec.SecretKeySpec

/**
 * The keys of a Web Push subscription, which UnifiedPush takes too, and what is encrypted for them (RFC 8291, in the content coding
 * `aes128gcm` of RFC 8188). The push services in between read nothing.
 *
 * @property publicKey the subscription's public key: a point of P-256, uncompressed, 65 bytes.
 * @property privateKey its private number, 32 bytes.
 * @property auth its authentication secret, 16 bytes.
 */
public class WebPushKeys(public val publicKey: ByteArray, public val privateKey: ByteArray, public val auth: ByteArray) {
    /** As `PushKeys.p256dh` has it. */
    public val p256dhText: String get() = text(publicKey)

    /** As `PushKeys.auth` has it. */
    public val authText: String get() = text(auth)

    /** To be kept where only the app can read it; [of] reads it again. */
    public fun save(): String = listOf(publicKey, privateKey, auth).joinToString(" ", transform = ::text)

    /** What was encrypted for these keys; null for what was not, or was changed on its way. */
    public fun decrypt(message: ByteArray): ByteArray? {
        // Salt, size of a record, length of the sender's key and that key; then one record: a push has no room for more.
        if (message.size <= HEADER + TAG || message[20].toInt() != POINT) return null
        val (salt, sender) = message.copyOfRange(0, 16) to message.copyOfRange(21, HEADER)
        return try {
            val shared = agree(sender)
            val keyInfo = "WebPush: info".toByteArray() + 0 + publicKey + sender
            val input = expand(hmac(auth, shared), keyInfo, 32)
            val secret = hmac(salt, input)
            val key = SecretKeySpec(expand(secret, "Content-Encoding: aes128gcm".toByteArray() + 0, 16), "AES")
            val nonce = expand(secret, "Content-Encoding: nonce".toByteArray() + 0, 12)
            val cipher = Cipher.getInstance("AES/GCM/NoPadding")
            cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(128, nonce))
            val record = cipher.doFinal(message, HEADER, message.size - HEADER)
            // Content, a 2 for the last record, and any number of zeros.
            val end = record.indexOfLast { it.toInt() != 0 }
            if (end < 0 || record[end].toInt() != 2) null else record.copyOf(end)
        } catch (_: GeneralSecurityException) {
            null
        }
    }

    private fun agree(sender: ByteArray): ByteArray {
        val factory = KeyFactory.getInstance("EC")
        // The curve is that of the key pair's maker.
        val curve = curve()
        val theirs = point(sender)
        if (!isOnCurve(theirs, curve.curve)) throw GeneralSecurityException("no point of the curve")
        return KeyAgreement.getInstance("ECDH").run {
            init(factory.generatePrivate(ECPrivateKeySpec(BigInteger(1, privateKey), curve)))
            doPhase(factory.generatePublic(ECPublicKeySpec(theirs, curve)), true)
            generateSecret()
        }
    }

    public companion object {
        private const val POINT = 65
        private const val HEADER = 21 + POINT

        /** What shows at the end of a record that nobody changed it. */
        private const val TAG = 16

        /** New ones, for this installation. */
        public fun generate(): WebPushKeys {
            val pair = pair()
            val point = (pair.public as ECPublicKey).w
            val publicKey = byteArrayOf(4) + fixed(point.affineX) + fixed(point.affineY)
            val auth = ByteArray(16).also(SecureRandom()::nextBytes)
            return WebPushKeys(publicKey, fixed((pair.private as ECPrivateKey).s), auth)
        }

        /** What [save] wrote; null for anything else. */
        public fun of(saved: String): WebPushKeys? {
            val parts = try {
                saved.split(' ').map(Base64.getUrlDecoder()::decode)
            } catch (_: IllegalArgumentException) {
                return null
            }
            return parts.takeIf { it.map(ByteArray::size) == listOf(POINT, 32, 16) }?.let { (publicKey, privateKey, auth) ->
                WebPushKeys(publicKey, privateKey, auth)
            }
        }

        private fun pair() = KeyPairGenerator.getInstance("EC").run {
            initialize(ECGenParameterSpec("secp256r1"))
            generateKeyPair()
        }

        private fun curve() = (pair().public as ECPublicKey).params

        private fun point(bytes: ByteArray): ECPoint {
            if (bytes[0].toInt() != 4) throw GeneralSecurityException("no uncompressed point")
            return ECPoint(BigInteger(1, bytes.copyOfRange(1, 33)), BigInteger(1, bytes.copyOfRange(33, POINT)))
        }

        /** Not every provider looks: a point beside the curve gives away the private number bit by bit. */
        private fun isOnCurve(point: ECPoint, curve: EllipticCurve): Boolean {
            val p = (curve.field as ECFieldFp).p
            val (x, y) = point.affineX to point.affineY
            if (x >= p || y >= p) return false
            return y.pow(2).mod(p) == (x.pow(3) + curve.a * x + curve.b).mod(p)
        }

        private fun fixed(number: BigInteger): ByteArray {
            val bytes = number.toByteArray().dropWhile { it.toInt() == 0 }.toByteArray()
            return ByteArray(32 - bytes.size) + bytes
        }

        private fun hmac(key: ByteArray, data: ByteArray): ByteArray = Mac.getInstance("HmacSHA256").run {
            init(SecretKeySpec(key, "HmacSHA256"))
            doFinal(data)
        }

        /** HKDF's second step (RFC 5869), of which one block is enough here. */
        private fun expand(key: ByteArray, info: ByteArray, length: Int) = hmac(key, info + 1).copyOf(length)

        private fun text(bytes: ByteArray) = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)
    }
}
