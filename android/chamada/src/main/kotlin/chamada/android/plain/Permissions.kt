package chamada.android.plain

/** What a call needs the person's word for. */
public enum class Need { CAMERA, MICROPHONE, NOTIFICATIONS, BLUETOOTH }

/**
 * How things stand with one of them.
 *
 * @property granted whether it is allowed.
 * @property explain whether the system asks us to say why before asking again (`shouldShowRequestPermissionRationale`).
 * @property asked whether it was asked for since the app was installed.
 */
public data class Grant(public val granted: Boolean, public val explain: Boolean = false, public val asked: Boolean = false) {
    /**
     * Whether only the system's settings help. True only of what was asked for just now: what was allowed for one time only looks the
     * same later, and then the system asks again.
     */
    public val blocked: Boolean get() = !granted && !explain

    /** It was asked for before and is not worth a question of its own. */
    internal val settled: Boolean get() = blocked && asked
}

/** What to do next on the way to a call. */
public sealed interface PermissionStep {
    /** Ask the person for these. */
    public data class Ask(public val needs: List<Need>) : PermissionStep

    /** Go on, with the camera or without. */
    public data class Go(public val video: Boolean) : PermissionStep

    /** It cannot go on without this one; `inSettings`: only the system's settings can change that. */
    public data class Stop(public val missing: Need, public val inSettings: Boolean) : PermissionStep
}

/** What to ask for once one can be called: nobody hears of a call that the app may not tell of. After a no it is not asked again. */
public fun neededToBeCalled(grants: Map<Need, Grant>): List<Need> =
    listOfNotNull(Need.NOTIFICATIONS.takeIf { need -> grants[need]?.let { !it.granted && !it.asked } == true })

/** What a call is about; the rest only helps. */
private val VITAL = setOf(Need.CAMERA, Need.MICROPHONE)

/**
 * The way through permissions to a call: asked once a call at most; a camera that is refused means a call without it, a microphone
 * that is refused means none. Notifications and Bluetooth are asked for along with them and never stop anything.
 *
 * @param grants how things stand; a need that the system does not know is left out.
 * @param askedNow whether the person was asked on the way to this call already.
 */
public fun nextStep(grants: Map<Need, Grant>, askedNow: Boolean): PermissionStep {
    val missing = grants.filterValues { !it.granted }
    if (!askedNow && missing.keys.any(VITAL::contains)) {
        // What the person refused for good the system refuses at once, without a question.
        return PermissionStep.Ask(missing.filter { (need, grant) -> need in VITAL || !grant.settled }.keys.sorted())
    }
    val microphone = grants[Need.MICROPHONE]
    if (microphone?.granted != true) return PermissionStep.Stop(Need.MICROPHONE, inSettings = microphone?.blocked == true)
    return PermissionStep.Go(video = grants[Need.CAMERA]?.granted == true)
}
