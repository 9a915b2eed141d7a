package chamada.app

import android.content.Context
import chamada.android.plain.Route
import chamada.android.plain.RouteKind
import chamada.app.logic.Phase
import chamada.app.logic.StatLabel
import chamada.app.logic.Way
import chamada.app.logic.Words

/** Which text stands for what. Those of every platform come from docs/texts.json, the rest from this app's own file. */
internal fun text(words: Words): Int = when (words) {
    Words.SERVER_UNREACHABLE -> R.string.server_unreachable
    Words.ADDRESS_WRONG -> R.string.address_wrong
    Words.NAME_WRONG -> R.string.login_bad_name
    Words.NAME_REFUSED -> R.string.name_refused
    Words.SERVER_LOST -> R.string.server_lost
    Words.SERVER_LOST_IN_CALL -> R.string.server_lost_in_call
    Words.SERVER_GONE -> R.string.server_gone
    Words.REFUSED -> R.string.server_refused
    Words.TOO_FAST -> R.string.server_too_fast
    Words.RENAMED -> R.string.renamed
    Words.CAMERA_NOT_ALLOWED -> R.string.camera_not_allowed
    Words.MICROPHONE_NOT_ALLOWED -> R.string.microphone_not_allowed
    Words.NO_CAMERA -> R.string.no_camera
    Words.CAMERA_IN_USE -> R.string.camera_in_use
    Words.CAMERA_BROKEN -> R.string.camera_broken
    Words.DEVICES_FAILED -> R.string.devices_failed
    Words.NO_OTHER_CAMERA -> R.string.no_other_camera
    Words.HUNG_UP_THERE -> R.string.end_hung_up_there
    Words.DECLINED -> R.string.end_declined_there
    Words.BUSY -> R.string.end_busy
    Words.NO_ANSWER -> R.string.no_answer
    Words.MISSED -> R.string.end_cancelled_there
    Words.GONE -> R.string.end_unreachable
    Words.CALL_LOST -> R.string.call_lost
    Words.CALL_NOT_SET_UP -> R.string.end_negotiation_failed
    Words.DEVICES_FAILED_THERE -> R.string.devices_failed_there
    Words.ANSWERED_ELSEWHERE -> R.string.answered_elsewhere
    Words.CALL_SELF -> R.string.refused_self_call
    Words.CALL_REFUSED -> R.string.call_refused
    Words.PHOTO_SAVED -> R.string.photo_saved
    Words.PHOTO_NOT_SAVED -> R.string.photo_not_saved
    Words.NO_PICTURE -> R.string.no_picture
    Words.FAILED -> R.string.failed
}

internal fun text(way: Way): Int = when (way) {
    Way.TRY_AGAIN -> R.string.way_try_again
    Way.EDIT_SERVER -> R.string.way_edit_server
    Way.EDIT_NAME -> R.string.way_edit_name
    Way.ALLOW -> R.string.way_allow
    Way.SETTINGS -> R.string.way_open_settings
    Way.CAMERA_AGAIN -> R.string.way_camera_again
    Way.WITHOUT_CAMERA -> R.string.way_without_camera
    Way.CALL_AGAIN -> R.string.way_call_again
    Way.WRITE -> R.string.way_write
    Way.DISMISS -> R.string.way_dismiss
}

internal fun text(label: StatLabel): Int = when (label) {
    StatLabel.RECEIVED -> R.string.stats_received
    StatLabel.SENT -> R.string.stats_sent
    StatLabel.SOUND_MADE_UP -> R.string.stats_sound_made_up
    StatLabel.ROUND_TRIP -> R.string.stats_rtt
    StatLabel.LOST -> R.string.stats_lost
    StatLabel.PATH -> R.string.stats_path
}

/** None while all is well. */
internal fun text(phase: Phase): Int? = when (phase) {
    Phase.RINGING_HERE -> R.string.phase_ringing_here
    Phase.CALLING -> R.string.call_calling
    Phase.RINGING_THERE -> R.string.call_ringing_there
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
