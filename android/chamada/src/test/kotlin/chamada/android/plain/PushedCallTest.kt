package chamada.android.plain

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test

internal class PushedCallTest {
    private val id = "67e55044-10b1-426f-9247-bb680e5fe0c8"
    private val data = mapOf("kind" to "ring", "call" to id, "from" to "Zoë", "room" to "", "sent" to "1000")
    private val ring = PushedCall(PushedCall.Kind.RING, id, "Zoë", "", 1000)
    private val cancel = ring.copy(kind = PushedCall.Kind.CANCEL)

    @Test
    fun `a push is read, and what is no call is none`() {
        assertEquals(ring, PushedCall.read(data))
        assertEquals(cancel, PushedCall.read(data + ("kind" to "cancel") + ("call" to id.uppercase())))
        val bad = listOf(
            "kind" to "dance", "call" to "7", "from" to "", "from" to "x".repeat(65), "from" to "a\nb", "room" to "a\u0000",
            "sent" to "soon",
        )
        for (field in bad) assertNull(PushedCall.read(data + field), "$field")
        assertNull(PushedCall.read(emptyMap()))
    }

    @Test
    fun `a call rings once and stops once, in whatever order its pushes come`() {
        val calls = PushedCalls()
        assertEquals(PushedCalls.Todo.LogIn(ring), calls.received(ring, 2000))
        assertEquals(PushedCalls.Todo.Nothing, calls.received(ring, 2000))
        assertEquals(PushedCalls.Todo.Stop(id), calls.received(cancel, 3000))
        assertEquals(PushedCalls.Todo.Nothing, calls.received(cancel, 3000))
        assertEquals(PushedCalls.Todo.Nothing, calls.received(ring, 3000))
    }

    @Test
    fun `nothing rings that is late, was cancelled before, or is over`() {
        assertEquals(PushedCalls.Todo.Nothing, PushedCalls().received(ring, 61_001))
        val calls = PushedCalls()
        assertEquals(PushedCalls.Todo.Nothing, calls.received(cancel, 1000))
        assertEquals(PushedCalls.Todo.Nothing, calls.received(ring, 1000))
        val answered = PushedCalls()
        answered.received(ring, 1000)
        answered.ended(id)
        assertEquals(PushedCalls.Todo.Nothing, answered.received(cancel, 2000))
    }
}
