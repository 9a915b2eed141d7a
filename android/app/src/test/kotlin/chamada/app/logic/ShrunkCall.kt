package chamada.app.logic

import chamada.FacingMode
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import java.util.concurrent.Executors
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.seconds

/**
 * The demonstration, held by classes that R8 shrank and renamed: whatever JNA and the bindings find by name has to be there still.
 * A program and no test, since it runs without JUnit, which would have to be shrunk along with it.
 */
fun main() {
    val main = Executors.newSingleThreadExecutor().asCoroutineDispatcher()
    val around = RealSurroundings()
    val desk = Desk(CoroutineScope(main), around)
    fun press(what: Desk.() -> Unit) = runBlocking(main) { desk.what() }
    fun await(what: String, condition: (DeskState) -> Boolean) = runBlocking {
        println("waits for $what")
        withTimeout(PATIENCE.seconds) { desk.state.first(condition) }
    }
    // An error has to find its way through as well as a call.
    press { login("ws://127.0.0.1:1", "ana") }
    await("refusal") { it.notice?.words == Words.SERVER_UNREACHABLE }
    press { demo("ana") }
    val peer = await("peer") { it.people.size == 2 }.people.first { it != "ana" }
    press { call(peer) }
    await("pictures") { (it.call?.stats?.receivedVideo?.frames ?: 0u) > 5u }
    press { flip() }
    await("rear camera") { it.call?.facing == FacingMode.ENVIRONMENT }
    press { photo() }
    await("photo") { it.notice?.words == Words.PHOTO_SAVED }
    press { hangUp() }
    await("end") { it.call == null }
    check(around.screen.get() > 0) { "no picture reached the screen" }
    press { logout() }
    println("shrunk classes held a call: ${around.screen.get()} pictures shown")
    exitProcess(0)
}
