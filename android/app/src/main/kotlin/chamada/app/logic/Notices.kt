package chamada.app.logic

import chamada.ChamadaException
import chamada.DeviceKind
import chamada.EndReason
import chamada.ErrorKind
import chamada.MediaKind
import chamada.MissingMedia
import chamada.NoPath
import chamada.android.plain.CameraTrouble
import chamada.kind

/** Why one is not let in. The name was looked at before, so what cannot be right is the address. */
fun loginNotice(e: ChamadaException): Notice = when (e.kind) {
    ErrorKind.LOGIN_REFUSED -> Notice(Words.NAME_REFUSED, listOf(Way.EDIT_NAME, Way.EDIT_SERVER))
    ErrorKind.INVALID_ARGUMENT -> Notice(Words.ADDRESS_WRONG, listOf(Way.EDIT_SERVER))
    ErrorKind.SERVER -> Notice(Words.SERVER_UNREACHABLE, listOf(Way.TRY_AGAIN, Way.EDIT_SERVER))
    else -> Notice(Words.FAILED, listOf(Way.TRY_AGAIN))
}

/** Why something was not done while one is logged in. */
fun refusal(e: ChamadaException): Notice? = when (e.kind) {
    ErrorKind.SERVER -> Notice(Words.SERVER_LOST, listOf(Way.DISMISS))
    ErrorKind.CALL -> Notice(Words.CALL_REFUSED, listOf(Way.DISMISS))
    ErrorKind.OVERCONSTRAINED -> Notice(Words.NO_OTHER_CAMERA, listOf(Way.DISMISS))
    ErrorKind.DEVICE_NOT_FOUND -> Notice(Words.NO_CAMERA, listOf(Way.DISMISS))
    ErrorKind.DEVICE_NOT_ALLOWED -> Notice(Words.CAMERA_NOT_ALLOWED, listOf(Way.ALLOW, Way.DISMISS))
    ErrorKind.DEVICE_NOT_READABLE -> Notice(Words.CAMERA_IN_USE, listOf(Way.CAMERA_AGAIN, Way.DISMISS))
    ErrorKind.NO_PICTURE -> Notice(Words.NO_PICTURE, listOf(Way.DISMISS))
    ErrorKind.INVALID_ARGUMENT, ErrorKind.LOGIN_REFUSED -> Notice(Words.REFUSED, listOf(Way.DISMISS))
    ErrorKind.TOO_FAST -> Notice(Words.TOO_FAST, listOf(Way.DISMISS))
    // It ended while one pressed the button; its end is told anyway.
    ErrorKind.CLOSED -> null
    ErrorKind.INTERNAL -> Notice(Words.FAILED, listOf(Way.DISMISS))
}

/** Why a camera gives no pictures while a call goes on. */
fun troubleNotice(trouble: CameraTrouble): Notice = when (trouble) {
    CameraTrouble.IN_USE -> Notice(Words.CAMERA_IN_USE, listOf(Way.CAMERA_AGAIN, Way.WITHOUT_CAMERA))
    CameraTrouble.NOT_ALLOWED -> Notice(Words.CAMERA_NOT_ALLOWED, listOf(Way.ALLOW, Way.WITHOUT_CAMERA))
    CameraTrouble.GONE -> Notice(Words.NO_CAMERA, listOf(Way.WITHOUT_CAMERA))
    CameraTrouble.BROKEN -> Notice(Words.CAMERA_BROKEN, listOf(Way.CAMERA_AGAIN, Way.WITHOUT_CAMERA))
}

/** What a call goes on without. */
fun deviceNotice(device: DeviceKind): Notice = when (device) {
    DeviceKind.CAMERA -> Notice(Words.CAMERA_BROKEN, listOf(Way.CAMERA_AGAIN, Way.WITHOUT_CAMERA))
    DeviceKind.MICROPHONE -> Notice(Words.MICROPHONE_BROKEN, listOf(Way.DISMISS))
    DeviceKind.SPEAKER -> Notice(Words.SPEAKER_BROKEN, listOf(Way.DISMISS))
}

/** What of the other side does not come. */
fun missingNotice(kind: MediaKind, why: MissingMedia, with: String): Notice {
    val words = when (why) {
        MissingMedia.NO_COMMON_CODEC -> if (kind == MediaKind.VIDEO) Words.SOUND_ALONE else Words.PICTURE_ALONE
        MissingMedia.NO_PACKETS -> if (kind == MediaKind.VIDEO) Words.NO_PICTURE_THERE else Words.NO_SOUND
        MissingMedia.NOT_DECODABLE -> Words.UNREADABLE
    }
    return Notice(words, listOf(Way.DISMISS), with)
}

/** Why a call that was accepted is not connected yet. */
fun pathNotice(why: NoPath, with: String): Notice = when (why) {
    NoPath.NO_NETWORK_HERE -> Notice(Words.NO_NETWORK, listOf(Way.DISMISS))
    NoPath.NO_RELAY_HERE -> Notice(Words.NO_RELAY_ANSWERS, listOf(Way.DISMISS))
    NoPath.NOTHING_FROM_THERE -> Notice(Words.NOTHING_FROM_THERE, listOf(Way.DISMISS), with)
    NoPath.NO_RELAY -> Notice(Words.NO_RELAY, listOf(Way.DISMISS))
    NoPath.UNANSWERED -> Notice(Words.UNANSWERED, listOf(Way.DISMISS))
}

/** Whether it tells of a path that was not found yet. */
fun isOfPath(words: Words) = words in OF_PATH

/** Whether it tells of a call that goes on, so that the call's end is the end of it. */
fun isOfCall(words: Words) = words in OF_CALL

private val OF_PATH =
    setOf(Words.NO_NETWORK, Words.NO_RELAY_ANSWERS, Words.NOTHING_FROM_THERE, Words.NO_RELAY, Words.UNANSWERED)

private val OF_CALL = OF_PATH + setOf(
    Words.NO_SOUND, Words.NO_PICTURE_THERE, Words.UNREADABLE, Words.SOUND_ALONE, Words.PICTURE_ALONE,
    Words.SERVER_LOST_IN_CALL,
)

/**
 * How a call ended; null where the person ended it and needs no telling.
 *
 * @param trouble of the camera in this call, if there was any.
 */
fun endNotice(reason: EndReason, with: String, trouble: CameraTrouble?): Notice? = when (reason) {
    EndReason.HUNG_UP_LOCALLY, EndReason.DECLINED_LOCALLY, EndReason.CANCELLED_LOCALLY -> null
    EndReason.HUNG_UP_REMOTELY -> Notice(Words.HUNG_UP_REMOTELY, listOf(Way.DISMISS), with)
    EndReason.DECLINED_REMOTELY -> Notice(Words.DECLINED, listOf(Way.WRITE, Way.DISMISS), with)
    EndReason.BUSY -> Notice(Words.BUSY, listOf(Way.CALL_AGAIN, Way.WRITE, Way.DISMISS), with)
    EndReason.TIMEOUT -> Notice(Words.NO_ANSWER, listOf(Way.CALL_AGAIN, Way.WRITE, Way.DISMISS))
    EndReason.CANCELLED_REMOTELY -> Notice(Words.MISSED, listOf(Way.CALL_AGAIN, Way.DISMISS), with)
    EndReason.UNREACHABLE -> Notice(Words.GONE, listOf(Way.DISMISS), with)
    EndReason.NO_PATH -> Notice(Words.NO_PATH, listOf(Way.CALL_AGAIN, Way.WRITE, Way.DISMISS), with)
    EndReason.CONNECTION_FAILED -> Notice(Words.CALL_LOST, listOf(Way.CALL_AGAIN, Way.DISMISS), with)
    EndReason.NEGOTIATION_FAILED -> Notice(Words.CALL_NOT_SET_UP, listOf(Way.CALL_AGAIN, Way.DISMISS), with)
    EndReason.NO_COMMON_CODEC -> Notice(Words.NO_COMMON_CODEC, listOf(Way.WRITE, Way.DISMISS), with)
    EndReason.HANDSHAKE_FAILED -> Notice(Words.HANDSHAKE_FAILED, listOf(Way.CALL_AGAIN, Way.DISMISS), with)
    EndReason.MEDIA_FAILED_REMOTELY -> Notice(Words.DEVICES_FAILED_REMOTELY, listOf(Way.CALL_AGAIN, Way.DISMISS), with)
    EndReason.ANSWERED_ELSEWHERE -> Notice(Words.ANSWERED_ELSEWHERE, listOf(Way.DISMISS), with)
    EndReason.MEDIA_FAILED_LOCALLY -> when (trouble) {
        null -> Notice(Words.DEVICES_FAILED, listOf(Way.CALL_AGAIN, Way.WITHOUT_CAMERA, Way.DISMISS))
        else -> troubleNotice(trouble).let { it.copy(ways = it.ways.map(::again).distinct() + Way.DISMISS) }
    }
}

/** The camera comes back with the next call, not with a switch. */
private fun again(way: Way) = if (way == Way.CAMERA_AGAIN) Way.CALL_AGAIN else way
