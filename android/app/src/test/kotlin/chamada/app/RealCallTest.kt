package chamada.app

import chamada.AppAction
import chamada.AppCallPhase
import chamada.AppEffect
import chamada.AppOutage
import chamada.AppRecovery
import chamada.AppScreen
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.TimeUnit

/** The app without its screens in real calls: native library, real server, the peer written in Rust; only camera and sound are made up. */
internal class RealCallTest {
    private fun peer(server: Server, name: String, vararg more: String) = Command(
        "answer", "--server", server.url, "--name", name, "--video", "test:320x240@30", "--audio", "tone", "--json", *more,
    )

    private fun TestApp.signInAndAwait(server: Server, name: String) {
        dispatch(AppAction.SignIn(server.url, "ana", token = null))
        await(name) { state -> state.app.people.any { it.name == name } }
    }

    private fun TestApp.recover(key: String, recovery: AppRecovery) {
        val banner = state.app.banners.single { it.message.key == key }
        dispatch(AppAction.Recover(banner.id, recovery))
    }

    @Test
    fun `the app calls, shows and hears the other side, flips, takes a photo and hangs up`() {
        Server().use { server ->
            peer(server, "rui").use { rui ->
                TestApp().use { app ->
                    app.signInAndAwait(server, "rui")
                    app.dispatch(AppAction.Call("rui", video = true))
                    val call = app.awaitConnection().app.call!!
                    assertEquals(listOf("rui", true, true), listOf(call.with, call.cameraOn, call.mirrorsPreview))
                    app.dispatch(AppAction.ShowStatistics(true))
                    app.phone.awaitPictures(20)
                    app.await("statistics") { it.statistics.isNotEmpty() }

                    app.dispatch(AppAction.FlipCamera)
                    app.await("rear camera") { it.app.call?.mirrorsPreview == false }
                    app.dispatch(AppAction.TakePhoto)
                    val photo = generateSequence { app.effects.poll(PATIENCE, TimeUnit.SECONDS) }.first { it is AppEffect.SavePhoto }
                    val jpeg = (photo as AppEffect.SavePhoto).jpeg
                    assertEquals(listOf(0xFF, 0xD8), jpeg.take(2).map { it.toInt() and 0xFF })

                    app.dispatch(AppAction.HangUp)
                    app.await("end") { it.app.call == null }
                    val summary = rui.lineWith("\"event\":\"summary\"")
                    assertTrue("\"ended\":\"hung-up-there\"" in summary, summary)
                    val seen = Regex("\"frames_decoded\":(\\d+)").find(summary)!!.groupValues[1].toInt()
                    assertTrue(seen > 10, "the other side saw $seen pictures of the app's camera")
                }
            }
        }
    }

    @Test
    fun `a call that comes in is answered, and its end at the other side is told`() {
        Server().use { server ->
            TestApp().use { app ->
                app.dispatch(AppAction.SignIn(server.url, "ana", token = null))
                app.await("login") { it.app.me == "ana" }
                Command(
                    "call", "ana", "--server", server.url, "--name", "edu", "--video", "test:320x240@30", "--audio", "tone",
                    "--seconds", "2", "--json",
                ).use {
                    app.await("ringing") { it.app.screen == AppScreen.INCOMING && it.app.call?.with == "edu" }
                    app.dispatch(AppAction.Accept(video = true))
                    app.awaitConnection()
                    val after = app.await("end") { it.app.call == null }
                    assertEquals(listOf("end.hung-up-there" to mapOf("name" to "edu")), after.app.banners.map { it.message.key to it.message.arguments })
                    app.await("history") { state -> state.history.map { it.with to it.initial } == listOf("edu" to "E") }
                }
            }
        }
    }

    @Test
    fun `a camera that another app has is told, the call goes on without it, and it is opened when it is free`() {
        Server().use { server ->
            peer(server, "rui").use {
                TestApp().use { app ->
                    app.phone.taken = true
                    app.signInAndAwait(server, "rui")
                    app.dispatch(AppAction.Call("rui", video = true))
                    val key = "error.camera-in-use"
                    app.await("call without a camera") { state ->
                        state.app.call?.run { phase == AppCallPhase.CONNECTED && !cameraOn } == true && state.app.banners.any { it.message.key == key }
                    }
                    app.phone.taken = false
                    app.recover(key, AppRecovery.CAMERA_AGAIN)
                    assertTrue(app.phone.opened.tryAcquire(PATIENCE, TimeUnit.SECONDS), "it is opened")
                    assertEquals(true, app.state.app.call?.cameraOn)
                }
            }
        }
    }

    @Test
    fun `a call goes on without the server, comes back after its packets were lost, and says so`() {
        Server().use { server ->
            peer(server, "rui").use {
                TestApp().use { app ->
                    app.signInAndAwait(server, "rui")
                    app.dispatch(AppAction.Call("rui", video = true))
                    app.awaitConnection()
                    app.dispatch(AppAction.SetOutage(AppOutage.SERVER, on = true))
                    app.await("loss") { !it.app.online }
                    assertEquals(listOf("server.lost-in-call"), app.told())
                    app.dispatch(AppAction.SetOutage(AppOutage.SERVER, on = false))
                    assertEquals(AppCallPhase.CONNECTED, app.await("return") { it.app.online }.app.call?.phase)
                    app.dispatch(AppAction.SetOutage(AppOutage.CALLS, on = true))
                    app.await("outage") { it.app.call?.phase == AppCallPhase.RECONNECTING }
                    app.dispatch(AppAction.SetOutage(AppOutage.CALLS, on = false))
                    app.awaitConnection()
                }
            }
        }
    }

    @Test
    fun `a server out of reach is told as it is, and the demonstration needs neither one nor a permission`() {
        TestApp(granted = false).use { app ->
            app.dispatch(AppAction.SignIn("ws://127.0.0.1:1", "ana", token = null))
            app.await("refusal") { it.app.banners.isNotEmpty() }
            assertEquals(listOf("login.unreachable"), app.told())
            app.dispatch(AppAction.StartDemo(""))
            val peer = app.await("peer") { it.app.people.isNotEmpty() }.app.people.single().name
            app.dispatch(AppAction.Call(peer, video = true))
            app.awaitConnection()
            app.phone.awaitPictures(5)
            assertEquals(emptyList<String>(), app.told())
            assertEquals(0, app.phone.opened.availablePermits(), "no camera of the phone")
            app.dispatch(AppAction.SignOut)
            assertNull(app.state.app.me)
        }
    }
}
