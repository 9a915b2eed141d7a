package chamada.app

import android.content.Context
import android.util.Log
import chamada.AppSavedSignIn
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import java.io.File
import java.io.IOException
import java.util.UUID

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
        val oneByOne = Dispatchers.IO.limitedParallelism(1)
    }
}
