package chamada.app

import android.content.Context
import chamada.android.plain.Route
import chamada.android.plain.RouteKind
import chamada.app.logic.Phase
import chamada.app.logic.QualityNotice
import chamada.app.logic.StatLabel
import chamada.app.logic.Way
import chamada.app.logic.Words

/** Which text stands for what. They come from docs/texts.json. */
internal fun text(words: Words): Int = when (words) {
    Words.SERVER_UNREACHABLE -> R.string.login_unreachable
    Words.ADDRESS_WRONG -> R.string.login_bad_address
    Words.NAME_WRONG -> R.string.login_bad_name
    Words.NAME_REFUSED -> R.string.login_refused
    Words.SERVER_LOST -> R.string.server_lost
    Words.SERVER_LOST_IN_CALL -> R.string.server_lost_in_call
    Words.SERVER_GONE -> R.string.server_gone
    Words.REFUSED -> R.string.server_refused
    Words.TOO_FAST -> R.string.server_too_fast
    Words.RENAMED -> R.string.chat_renamed
    Words.CAMERA_NOT_ALLOWED -> R.string.error_no_camera_permission
    Words.MICROPHONE_NOT_ALLOWED -> R.string.error_no_microphone_permission
    Words.NO_CAMERA -> R.string.error_no_camera
    Words.CAMERA_IN_USE -> R.string.error_camera_in_use
    Words.CAMERA_BROKEN -> R.string.media_no_camera
    Words.MICROPHONE_BROKEN -> R.string.media_no_microphone
    Words.SPEAKER_BROKEN -> R.string.media_speaker_failed
    Words.NO_SOUND -> R.string.media_no_sound_there
    Words.NO_PICTURE_THERE -> R.string.media_no_picture_there
    Words.UNREADABLE -> R.string.media_unreadable_there
    Words.SOUND_ALONE -> R.string.media_sound_alone
    Words.PICTURE_ALONE -> R.string.media_picture_alone
    Words.NO_NETWORK -> R.string.path_no_network_here
    Words.NO_RELAY_ANSWERS -> R.string.path_no_relay_here
    Words.NOTHING_FROM_THERE -> R.string.path_nothing_from_there
    Words.NO_RELAY -> R.string.path_no_relay
    Words.UNANSWERED -> R.string.path_unanswered
    Words.DEVICES_FAILED -> R.string.end_media_failed_here
    Words.NO_OTHER_CAMERA -> R.string.media_flip_failed
    Words.HUNG_UP_REMOTELY -> R.string.end_hung_up_there
    Words.DECLINED -> R.string.end_declined_there
    Words.BUSY -> R.string.end_busy
    Words.NO_ANSWER -> R.string.end_timeout
    Words.MISSED -> R.string.end_cancelled_there
    Words.GONE -> R.string.end_unreachable
    Words.NO_PATH -> R.string.end_no_path
    Words.CALL_LOST -> R.string.end_connection_failed
    Words.CALL_NOT_SET_UP -> R.string.end_negotiation_failed
    Words.NO_COMMON_CODEC -> R.string.end_no_common_codec
    Words.HANDSHAKE_FAILED -> R.string.end_handshake_failed
    Words.DEVICES_FAILED_REMOTELY -> R.string.end_media_failed_there
    Words.ANSWERED_ELSEWHERE -> R.string.end_answered_elsewhere
    Words.CALL_SELF -> R.string.refused_self_call
    Words.CALL_REFUSED -> R.string.refused_not_now
    Words.PHOTO_SAVED -> R.string.photo_taken
    Words.PHOTO_NOT_SAVED -> R.string.photo_not_saved
    Words.NO_PICTURE -> R.string.photo_failed
    Words.FAILED -> R.string.error_internal
}

internal fun text(way: Way): Int = when (way) {
    Way.TRY_AGAIN -> R.string.way_try_again
    Way.EDIT_SERVER -> R.string.way_change_address
    Way.EDIT_NAME -> R.string.way_change_name
    Way.ALLOW -> R.string.way_allow
    Way.SETTINGS -> R.string.way_open_settings
    Way.CAMERA_AGAIN -> R.string.way_camera_again
    Way.WITHOUT_CAMERA -> R.string.way_without_camera
    Way.CALL_AGAIN -> R.string.way_call_again
    Way.WRITE -> R.string.way_write
    Way.DISMISS -> R.string.way_dismiss
}

internal fun text(quality: QualityNotice): Int = when (quality) {
    QualityNotice.AUDIO_ONLY -> R.string.quality_audio_only
    QualityNotice.RECEIVED -> R.string.quality_received
    QualityNotice.SENT -> R.string.quality_sent
    QualityNotice.DELAY -> R.string.quality_delay
    QualityNotice.DEVICE -> R.string.quality_device
}

internal fun text(label: StatLabel): Int = when (label) {
    StatLabel.RECEIVED -> R.string.stats_received
    StatLabel.SENT -> R.string.stats_sent
    StatLabel.SOUND_MADE_UP -> R.string.stats_concealed
    StatLabel.ROUND_TRIP -> R.string.stats_rtt
    StatLabel.LOST -> R.string.stats_packets_lost
    StatLabel.PATH -> R.string.stats_path
}

/** None while all is well. */
internal fun text(phase: Phase): Int? = when (phase) {
    Phase.RINGING_LOCALLY -> R.string.call_ringing_here
    Phase.CALLING -> R.string.call_calling
    Phase.RINGING_REMOTELY -> R.string.call_ringing_there
    Phase.RINGING_BY_PUSH -> R.string.call_ringing_by_push
    Phase.CONNECTING -> R.string.call_connecting
    Phase.RECONNECTING -> R.string.call_reconnecting
    Phase.CONNECTED -> null
}

internal fun Context.name(route: Route): String = route.name ?: getString(
    when (route.kind) {
        RouteKind.EARPIECE -> R.string.route_earpiece
        RouteKind.SPEAKER -> R.string.route_speaker
        RouteKind.WIRED -> R.string.route_wired
        RouteKind.BLUETOOTH -> R.string.route_bluetooth
    },
)
