package chamada.android.plain

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test

internal class SmallTest {
    @Test
    fun `an app is seen while one of its screens is, and turning the phone does not hide it`() {
        val told = mutableListOf<Boolean>()
        val app = StartedActivities(told::add)
        app.started()
        app.started() // the next screen comes before the last one goes
        app.stopped(turning = false)
        app.stopped(turning = true)
        app.started()
        assertEquals(listOf(true), told)
        app.stopped(turning = false)
        app.started()
        assertEquals(listOf(true, false, true), told)
    }

    private class Thing : AutoCloseable {
        var closed = 0
        override fun close() {
            closed++
        }
    }

    @Test
    fun `what nobody took is closed by what comes after, and each thing once`() {
        val (first, second, third) = listOf(Thing(), Thing(), Thing())
        val slot = LatestFrameHolder<Thing>()
        slot.put(first)
        slot.put(second)
        assertEquals(second, slot.take())
        assertNull(slot.take())
        slot.put(third)
        slot.close()
        slot.close()
        assertEquals(listOf(1, 0, 1), listOf(first, second, third).map { it.closed })
        val late = Thing().also(slot::put)
        assertEquals(1, late.closed)
    }
}
