package chamada.android.plain

import chamada.AppCameraTrouble

/**
 * Decides what becomes of an open camera that the system takes away: it is opened again once it is free. Not for several threads.
 *
 * @param act carries out what was decided.
 */
public class CameraKeeper(private val act: Actions) {
    /** What a keeper has done. */
    public interface Actions {
        /** Open the device; [opened] or one of the others answers. */
        public fun open()

        /** Let go of the device, which may be dead. */
        public fun release()

        /** It gives no pictures. */
        public fun report(trouble: AppCameraTrouble)

        /** It gives pictures again after trouble. */
        public fun recovered()
    }

    private enum class State { CLOSED, OPENING, OPEN, WAITING, GIVEN_UP }

    private var state = State.CLOSED
    private var inTrouble = false
    private var failures = 0

    /** The core wants it. */
    public fun start() {
        if (state != State.CLOSED) return
        state = State.OPENING
        act.open()
    }

    /** The core does not want it any more. */
    public fun stop() {
        if (state == State.CLOSED) return
        state = State.CLOSED
        act.release()
    }

    /** The device is open. */
    public fun opened() {
        when (state) {
            State.OPENING -> state = State.OPEN
            // It was closed while it was being opened.
            State.CLOSED, State.GIVEN_UP -> act.release()
            State.OPEN, State.WAITING -> {}
        }
    }

    /** A picture came: the device works. */
    public fun picture() {
        if (state != State.OPEN) return
        failures = 0
        if (inTrouble) {
            inTrouble = false
            act.recovered()
        }
    }

    /** The system took it away or it failed. */
    public fun lost(trouble: AppCameraTrouble) {
        if (state == State.CLOSED || state == State.GIVEN_UP) return
        if (trouble == AppCameraTrouble.BROKEN) failures++
        state = if (failures >= PATIENCE) State.GIVEN_UP else State.WAITING
        act.release()
        if (!inTrouble || state == State.GIVEN_UP) act.report(trouble)
        inTrouble = true
    }

    /** The system says that the device is free. */
    public fun available() {
        if (state != State.WAITING) return
        state = State.OPENING
        act.open()
    }

    private companion object {
        /** A device that fails so often without a picture in between will not work. */
        const val PATIENCE = 3
    }
}
