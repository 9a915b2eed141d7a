package chamada.app

import android.content.ContentValues
import android.content.Context
import android.net.Uri
import android.os.Build
import android.os.Environment
import android.provider.MediaStore
import android.util.Log
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import java.io.IOException

/** Where photos go. */
class PhotoStore(private val context: Context) {
    /** Writes a JPEG file. Returns whether that worked; nothing half-written stays. */
    suspend fun save(jpeg: ByteArray, now: Long): Boolean = withContext(Dispatchers.IO) {
        val about = ContentValues().apply {
            put(MediaStore.Images.Media.DISPLAY_NAME, "chamada-$now.jpg")
            put(MediaStore.Images.Media.MIME_TYPE, "image/jpeg")
            put(MediaStore.Images.Media.DATE_TAKEN, now)
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
                put(MediaStore.Images.Media.RELATIVE_PATH, "${Environment.DIRECTORY_PICTURES}/Chamada")
                put(MediaStore.Images.Media.IS_PENDING, 1)
            }
        }
        val resolver = context.contentResolver
        val place = try {
            resolver.insert(MediaStore.Images.Media.EXTERNAL_CONTENT_URI, about)
        } catch (e: RuntimeException) {
            // Not allowed, no room, no name for it, no such store: the system's store of media says it in many ways.
            Log.w("chamada", "no photo", e)
            null
        } ?: return@withContext false
        try {
            resolver.openOutputStream(place).use { (it ?: throw IOException("no stream")).write(jpeg) }
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
                resolver.update(place, ContentValues().apply { put(MediaStore.Images.Media.IS_PENDING, 0) }, null, null)
            }
            true
        } catch (e: IOException) {
            gone(place, e)
        } catch (e: RuntimeException) {
            gone(place, e)
        }
    }

    private fun gone(place: Uri, why: Exception): Boolean {
        Log.w("chamada", "no photo", why)
        try {
            context.contentResolver.delete(place, null, null)
        } catch (e: RuntimeException) {
            Log.w("chamada", "half a photo stays", e)
        }
        return false
    }
}
