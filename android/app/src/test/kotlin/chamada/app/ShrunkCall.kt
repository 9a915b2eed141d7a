package chamada.app

import chamada.AppAction
import chamada.AppEffect
import chamada.Demo
import kotlinx.coroutines.runBlocking
import kotlin.system.exitProcess

/**
 * A call, held by classes that R8 shrank and renamed: whatever JNA and the bindings find by name has to be there still.
 * A program and no test, since it runs without JUnit, which would have to be shrunk along with it.
 */
fun main() {
    val app = TestApp()
    // An error has to find its way through as well as a call.
    app.dispatch(AppAction.SignIn("ws://127.0.0.1:1", "ana", token = null))
    app.await("refusal") { state -> state.app.banners.any { it.message.key == "login.unreachable" } }
    // Not as the demonstration, whose cameras are not ours.
    val demo = runBlocking { Demo.start("eco") }
    app.dispatch(AppAction.SignIn(demo.server(), "ana", token = null))
    val peer = app.await("peer") { it.app.people.isNotEmpty() }.app.people.single().name
    app.dispatch(AppAction.Call(peer, video = true))
    app.awaitConnection()
    app.dispatch(AppAction.ShowStatistics(true))
    app.phone.awaitPictures(5)
    app.await("statistics") { it.statistics.isNotEmpty() }
    app.dispatch(AppAction.FlipCamera)
    app.await("rear camera") { it.app.call?.mirrorsPreview == false }
    app.dispatch(AppAction.TakePhoto)
    check(generateSequence(app.effects::take).any { it is AppEffect.SavePhoto }) { "no photo" }
    app.dispatch(AppAction.HangUp)
    app.await("end") { it.app.call == null }
    app.dispatch(AppAction.SignOut)
    println("shrunk classes held a call")
    exitProcess(0)
}
