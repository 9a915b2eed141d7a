package chamada

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit

/** An app as Kotlin holds it: tells actions, remembers what it is to draw and what it was to do. */
internal class FakeApp(phone: FakePhone) : AutoCloseable {
    private val changes = Semaphore(0)
    private val core = AppCore(
        AppConfig(systemRings = false, reportsEveryPush = false),
        phone.devices,
        object : AppObserver {
            override fun onChange() = changes.release()
        },
    )
    val effects = mutableListOf<AppEffect>()
    var history = emptyList<AppHistoryEntry>()
    var chat = emptyList<AppChatLine>()
    lateinit var state: AppState

    init {
        val granted = AppPermissionStatus.GRANTED
        tell(AppAction.Started(null, null, AppPermissions(granted, granted, granted, granted)))
    }

    fun tell(action: AppAction) = take(core.dispatch(action))

    private fun take(update: AppUpdate) {
        update.state?.let { state = it }
        update.history?.let { history = it }
        update.chat?.let { chat = it }
        effects += update.effects
    }

    fun await(what: String, isSo: (AppState) -> Boolean) {
        while (!isSo(state)) {
            check(changes.tryAcquire(PATIENCE, TimeUnit.SECONDS)) { "no $what: $state, $effects" }
            take(core.poll())
        }
    }

    override fun close() = core.close()
}

/** What both apps decide by, from Kotlin. */
internal class AppTest {
    @Test
    fun `one call from the login to the history, by actions, states and effects alone`() {
        val phone = FakePhone()
        Server().use { server ->
            Command("answer", "--server", server.url, "--name", "rui", "--video", "test:320x240@30", "--audio", "tone").use {
                FakeApp(phone).use { app ->
                    app.tell(AppAction.SignIn(server.url, " ana ", null))
                    assertTrue(app.state.signingIn)
                    app.await("user") { state -> state.people.any { it.name == "rui" } }
                    assertEquals(AppScreen.HOME to "ana", app.state.screen to app.state.me)
                    assertEquals("chat.welcome", app.chat.first().event?.key)

                    app.tell(AppAction.Call("rui", video = true))
                    app.await("connection") { it.call?.phase == AppCallPhase.CONNECTED }
                    assertNotNull(app.state.call?.sinceMs)
                    phone.remote.awaitFrames(10)
                    assertTrue(AppEffect.StartAudio(true) in app.effects, "${app.effects}")

                    app.tell(AppAction.SetCamera(false))
                    assertEquals(false, app.state.call?.showsPreview)
                    app.tell(AppAction.HangUp)
                    app.await("end") { it.call == null }
                    assertTrue(AppEffect.StopAudio in app.effects, "${app.effects}")
                    assertEquals("rui" to AppHistoryKind.OUTGOING, app.history.single().run { with to kind })

                    app.tell(AppAction.Call("ana", video = true))
                    val banner = app.state.banners.single { it.topic == AppTopic.CALL }
                    assertEquals("refused.self-call", banner.message.key)
                    app.tell(AppAction.Recover(banner.id, banner.buttons.single().recovery))
                    assertTrue(app.state.banners.isEmpty())
                    app.tell(AppAction.SignOut)
                    assertEquals(AppScreen.SIGN_IN, app.state.screen)
                }
            }
        }
    }

    @Test
    fun `the words of a call are shown, compared and kept`() {
        Server().use { server ->
            Command(
                "answer", "--server", server.url, "--name", "rui", "--video", "none", "--audio", "none", "--json", "--verify",
            ).use { rui ->
                FakeApp(FakePhone()).use { app ->
                    app.tell(AppAction.SignIn(server.url, "ana", null))
                    app.await("user") { state -> state.people.any { it.name == "rui" } }
                    app.tell(AppAction.Call("rui", video = false))
                    app.await("words") { it.call?.verification?.canAnswer == true }
                    val seen = app.state.call!!.verification!!
                    assertEquals("verification.compare" to AppTrust.UNKNOWN, seen.message.key to seen.trust)
                    val there = rui.lineWith("\"result\":\"compare\"")
                    assertTrue(seen.words.joinToString(",") { "\"${it.emoji}\"" } in there, "$seen, $there")

                    app.tell(AppAction.ConfirmVerification(same = true))
                    assertEquals("verification.waiting", app.state.call?.verification?.message?.key)
                    rui.type("yes")
                    app.await("confirmation") { it.call?.verification?.trust == AppTrust.VERIFIED }
                    app.await("memory") { app.effects.any { it is AppEffect.SaveRemembered } }
                }
            }
        }
    }
}
