package chamada.android.plain

import java.nio.Buffer

// Buffers of one type have these functions of their own only since Android 9; called by the common type they are there in all.

/** To be written from its start. */
public fun Buffer.refill() {
    clear()
}

/** What was written is to be read. */
public fun Buffer.filled() {
    flip()
}

/** So many bytes from its start are to be read. */
public fun Buffer.holds(count: Int) {
    clear()
    limit(count)
}
