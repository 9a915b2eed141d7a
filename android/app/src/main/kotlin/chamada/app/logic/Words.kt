package chamada.app.logic

/** What the app tells people about. */
enum class Words {
    // At the door.
    SERVER_UNREACHABLE, ADDRESS_WRONG, NAME_WRONG, NAME_REFUSED,

    // The server, later.
    SERVER_LOST, SERVER_LOST_IN_CALL, SERVER_GONE, REFUSED, TOO_FAST, RENAMED,

    // Devices.
    CAMERA_NOT_ALLOWED, MICROPHONE_NOT_ALLOWED, NO_CAMERA, CAMERA_IN_USE, CAMERA_BROKEN, MICROPHONE_BROKEN, SPEAKER_BROKEN,
    DEVICES_FAILED, NO_OTHER_CAMERA,

    // What does not come of the other side.
    NO_SOUND, NO_PICTURE_THERE, UNREADABLE, SOUND_ALONE, PICTURE_ALONE,

    // No way to the other side yet.
    NO_NETWORK, NO_RELAY_ANSWERS, NOTHING_FROM_THERE, NO_RELAY, UNANSWERED,

    // How a call ended.
    HUNG_UP_REMOTELY, DECLINED, BUSY, NO_ANSWER, MISSED, GONE, NO_PATH, CALL_LOST, CALL_NOT_SET_UP, NO_COMMON_CODEC, HANDSHAKE_FAILED,
    DEVICES_FAILED_REMOTELY, ANSWERED_ELSEWHERE,

    // Calls that do not begin.
    CALL_SELF, CALL_REFUSED,

    // Photos.
    PHOTO_SAVED, PHOTO_NOT_SAVED, NO_PICTURE,

    // Nobody's fault but ours.
    FAILED,
}

/** A way forward: a button under what is told. */
enum class Way {
    TRY_AGAIN,
    EDIT_SERVER,
    EDIT_NAME,
    ALLOW,
    SETTINGS,
    CAMERA_AGAIN,
    WITHOUT_CAMERA,
    CALL_AGAIN,
    WRITE,
    DISMISS,
}

/**
 * Something that people are told.
 *
 * @property ways forward, the best one first; never none.
 * @property gaps what goes into the text's gaps, in the order of their numbers, such as the person it is about.
 */
data class Notice(val words: Words, val ways: List<Way>, val gaps: List<String> = emptyList()) {
    constructor(words: Words, ways: List<Way>, gap: String) : this(words, ways, listOf(gap))
}

/** What only the screen can do. */
enum class Effect { OPEN_SETTINGS, FOCUS_SERVER, FOCUS_NAME, FOCUS_CHAT }
