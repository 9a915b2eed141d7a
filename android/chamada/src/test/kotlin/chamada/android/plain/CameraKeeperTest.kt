package chamada.android.plain

import chamada.AppCameraTrouble
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

internal class CameraKeeperTest {
    private val done = mutableListOf<String>()
    private val keeper = CameraKeeper(object : CameraKeeper.Actions {
        override fun open() = done.plusAssign("open")
        override fun release() = done.plusAssign("release")
        override fun report(trouble: AppCameraTrouble) = done.plusAssign("$trouble")
        override fun recovered() = done.plusAssign("recovered")
    })

    private fun isDone(vararg expected: String) {
        assertEquals(expected.toList(), done)
        done.clear()
    }

    private fun running() {
        keeper.start()
        keeper.opened()
        keeper.picture()
        isDone("open")
    }

    @Test
    fun `a camera that another app takes is opened again once it is free, and that is told once`() {
        running()
        keeper.lost(AppCameraTrouble.IN_USE)
        isDone("release", "IN_USE")
        keeper.available()
        isDone("open")
        keeper.lost(AppCameraTrouble.IN_USE)
        isDone("release")
        keeper.available()
        keeper.opened()
        keeper.picture()
        keeper.picture()
        isDone("open", "recovered")
    }

    @Test
    fun `a camera that is free while nobody lost it is left alone`() {
        keeper.available()
        running()
        keeper.available()
        isDone()
    }

    @Test
    fun `one that is closed while it opens is released, and nothing opens it again`() {
        keeper.start()
        keeper.stop()
        keeper.opened()
        keeper.lost(AppCameraTrouble.IN_USE)
        keeper.available()
        keeper.picture()
        isDone("open", "release", "release")
    }

    @Test
    fun `one that keeps failing is given up`() {
        running()
        repeat(2) {
            keeper.lost(AppCameraTrouble.BROKEN)
            keeper.available()
        }
        isDone("release", "BROKEN", "open", "release", "open")
        keeper.lost(AppCameraTrouble.BROKEN)
        keeper.available()
        isDone("release", "BROKEN")
    }
}
