package chamada.android

import android.content.Context
import android.media.AudioAttributes
import android.media.AudioManager
import android.media.Ringtone
import android.media.RingtoneManager
import android.media.ToneGenerator
import android.os.Build
import android.os.VibrationEffect
import android.os.Vibrator
import android.util.Log

/** The ringtone, its vibration, and the tone that says that it rings at the other end. The system keeps the first two quiet while the person
 * is not to be disturbed. On the main thread. */
public class CallTones(private val context: Context) {
    private val usage = AudioAttributes.Builder()
        .setUsage(AudioAttributes.USAGE_NOTIFICATION_RINGTONE)
        .setContentType(AudioAttributes.CONTENT_TYPE_SONIFICATION)
        .build()
    private val vibrator = context.getSystemService(Vibrator::class.java)
    private var ringtone: Ringtone? = null
    private var ringback: ToneGenerator? = null

    /** `AppEffect.Ring`. */
    public fun ring(on: Boolean) {
        ringtone?.stop()
        ringtone = null
        if (!on) return
        val uri = RingtoneManager.getActualDefaultRingtoneUri(context, RingtoneManager.TYPE_RINGTONE) ?: return
        ringtone = RingtoneManager.getRingtone(context, uri)?.apply {
            audioAttributes = usage
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) isLooping = true
            play()
        }
    }

    /** `AppEffect.Vibrate`. */
    @Suppress("DEPRECATION") // By VibrationAttributes, which Android 12 and older have not.
    public fun vibrate(on: Boolean) {
        vibrator.cancel()
        if (on) vibrator.vibrate(VibrationEffect.createWaveform(PATTERN, 0), usage)
    }

    /** `AppEffect.Ringback`. */
    public fun ringback(on: Boolean) {
        ringback?.release()
        ringback = null
        if (!on) return
        ringback = try {
            ToneGenerator(AudioManager.STREAM_VOICE_CALL, VOLUME).apply { startTone(ToneGenerator.TONE_SUP_RINGTONE) }
        } catch (e: RuntimeException) {
            // So the system says that it has no more of them.
            Log.w(TAG, "no ringback tone", e)
            null
        }
    }

    private companion object {
        /** Of 100. */
        const val VOLUME = 60

        /** Milliseconds of pause and vibration in turn. */
        val PATTERN = longArrayOf(0, 1000, 1000)
    }
}
