package chamada.app

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.Log
import chamada.AppSavedSignIn
import chamada.android.plain.EncryptedText
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.ProviderException
import java.util.UUID
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey

/** What the app keeps for its next start, in its own folder, which no other app reads and no backup takes along. */
class AppStore(context: Context, private val scope: CoroutineScope) {
    private val preferences = context.getSharedPreferences("sign-in", Context.MODE_PRIVATE)
    private val historyFile = File(context.filesDir, "history.json")

    /** The last login. */
    fun signIn(): AppSavedSignIn? {
        val name = preferences.getString("name", null) ?: return null
        val server = preferences.getString("server", null).orEmpty()
        return AppSavedSignIn(server, name, preferences.getString("token", null), preferences.getBoolean("stay", false))
    }

    fun save(signIn: AppSavedSignIn) = preferences.edit()
        .putString("server", signIn.server)
        .putString("name", signIn.name)
        .putString("token", signIn.token)
        .putBoolean("stay", signIn.stay)
        .apply()

    /** Names this installation to servers. */
    fun device(): String = preferences.getString("device", null)
        ?: UUID.randomUUID().toString().also { preferences.edit().putString("device", it).apply() }

    /** Who is blocked. */
    fun blocked(): String? = preferences.getString("blocked", null)

    fun saveBlocked(json: String): Unit = preferences.edit().putString("blocked", json).apply()

    /** Whose devices were checked. */
    fun remembered(): String? = preferences.getString("remembered", null)?.let { kept ->
        withKeystore { EncryptedText.decrypt(it, kept) }
    }

    fun saveRemembered(json: String) {
        val kept = withKeystore { EncryptedText.encrypt(it, json) }
        if (kept != null) preferences.edit().putString("remembered", kept).apply()
    }

    /** Without its key the app knows nobody, and people compare again. */
    private fun withKeystore(use: (SecretKey) -> String): String? = try {
        use(key())
    } catch (e: GeneralSecurityException) {
        Log.w("chamada", "the Keystore fails", e)
        null
    } catch (e: ProviderException) {
        Log.w("chamada", "the Keystore fails", e)
        null
    }

    private fun key(): SecretKey {
        val keystore = KeyStore.getInstance(KEYSTORE).apply { load(null) }
        (keystore.getKey(KEY, null) as? SecretKey)?.let { return it }
        val spec = KeyGenParameterSpec.Builder(KEY, KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .build()
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, KEYSTORE).apply { init(spec) }.generateKey()
    }

    /** The calls that were. */
    fun history(): String? = try {
        historyFile.takeIf { it.exists() }?.readText()
    } catch (e: IOException) {
        Log.w("chamada", "no history", e)
        null
    }

    fun saveHistory(json: String) {
        // One after the other, the newest last.
        scope.launch(oneByOne) {
            try {
                historyFile.writeText(json)
            } catch (e: IOException) {
                Log.w("chamada", "the history is not kept", e)
            }
        }
    }

    private companion object {
        const val KEYSTORE = "AndroidKeyStore"
        const val KEY = "remembered"
        val oneByOne = Dispatchers.IO.limitedParallelism(1)
    }
}
