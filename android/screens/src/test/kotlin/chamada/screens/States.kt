package chamada.screens

import chamada.AppAudioRouteKind
import chamada.AppAudioRouteView
import chamada.AppBanner
import chamada.AppButton
import chamada.AppCallPhase
import chamada.AppCallView
import chamada.AppChatLine
import chamada.AppHistoryEntry
import chamada.AppHistoryKind
import chamada.AppKeypad
import chamada.AppMessage
import chamada.AppPerson
import chamada.AppPrivateLine
import chamada.AppPrivateText
import chamada.AppRecovery
import chamada.AppScreen
import chamada.AppState
import chamada.AppStatisticsLine
import chamada.AppTab
import chamada.AppTopic
import chamada.android.plain.UiState

/** States as the core makes them, put together by hand: for pictures of what is hard to come by in a test. */
internal object States {
    private const val MINUTE = 60_000uL

    val signIn = AppState(
        screen = AppScreen.SIGN_IN, server = "wss://call.example.org", name = "Ana", signingIn = false, hasDemo = true, me = null, online = false,
        demo = false, tab = AppTab.PEOPLE, search = "", people = emptyList(), nobody = null, missedCalls = 0u, unreadChat = 0u, call = null,
        banners = emptyList(), outages = emptyList(),
    )

    val firstSignIn = signIn.copy(server = "", name = "")

    val refused = signIn.copy(
        banners = listOf(banner(AppTopic.SERVER, "login.unreachable", AppRecovery.TRY_AGAIN to "way.try-again", AppRecovery.CHANGE_ADDRESS to "way.change-address")),
    )

    val home = signIn.copy(
        screen = AppScreen.HOME, me = "Ana", online = true, missedCalls = 2u, unreadChat = 5u,
        people = listOf("Beatriz", "Carlos", "Davi", "Elisa", "Fábio", "Helena", "João", "Lúcia", "Marcos").map {
            AppPerson(it, it.take(1), away = it == "Davi", blocked = it == "Fábio")
        },
    )

    fun history(now: ULong) = listOf(
        call("Beatriz", AppHistoryKind.MISSED, now - 3uL * MINUTE),
        call("Beatriz", AppHistoryKind.OUTGOING, now - 30uL * MINUTE),
        call("Carlos", AppHistoryKind.INCOMING, now - 130uL * MINUTE, video = false),
        call("Lúcia", AppHistoryKind.INCOMING, now - 1500uL * MINUTE),
        call("João", AppHistoryKind.OUTGOING, now - 4500uL * MINUTE),
    )

    fun chat(now: ULong) = listOf(
        AppChatLine(1uL, now, null, null, AppMessage("chat.welcome", emptyMap()), own = false),
        AppChatLine(2uL, now, "Beatriz", "Bom dia! Quem vem ao almoço de domingo?", null, own = false),
        AppChatLine(3uL, now, "Ana", "Eu vou, e levo a sobremesa.", null, own = true),
        AppChatLine(4uL, now, null, null, AppMessage("chat.arrived", mapOf("name" to "Carlos")), own = false),
        AppChatLine(5uL, now, "Carlos", "<b>Eu</b> também 🙂 A que horas?", null, own = false),
        AppChatLine(6uL, now, "Ana", "Ao meio-dia.", null, own = true),
    )

    val statistics = listOf(
        AppStatisticsLine("stats.received", "1280×720, 30 fps, 1480 kbit/s"),
        AppStatisticsLine("stats.sent", "960×540, 30 fps, 1120 kbit/s"),
        AppStatisticsLine("stats.rtt", "38 ms"),
        AppStatisticsLine("stats.packets-lost", "0.4 %"),
    )

    val connected = AppCallView(
        id = "9b2f7a0e-6f0b-4a52-8f0e-3f5b7f0b2c11", with = "Beatriz", initial = "B", outgoing = true, video = true, phase = AppCallPhase.CONNECTED,
        status = null, quality = null, sinceMs = System.currentTimeMillis().toULong() - 277_000uL, canAnswer = false, microphoneOn = true, cameraOn = true, canFlip = true, showsPreview = true,
        mirrorsPreview = true, showsRemote = true, held = false, soundElsewhere = false, canShrink = true,
        audioRoutes = listOf(
            AppAudioRouteView("1", AppAudioRouteKind.SPEAKER, null, "route.speaker", selected = true),
            AppAudioRouteView("2", AppAudioRouteKind.EARPIECE, null, "route.earpiece", selected = false),
            AppAudioRouteView("3", AppAudioRouteKind.BLUETOOTH, "Fones da Ana", "route.bluetooth", selected = false),
        ),
        showsStatistics = false, lowData = false, fullQuality = false,
    )

    val ringing = connected.copy(
        phase = AppCallPhase.RINGING, outgoing = false, status = AppMessage("call.ringing-here", emptyMap()), sinceMs = null, canAnswer = true,
        cameraOn = false, showsPreview = false, showsRemote = false, canShrink = false, audioRoutes = emptyList(),
    )

    val calling = connected.copy(
        phase = AppCallPhase.RINGING_REMOTELY, status = AppMessage("call.ringing-there", emptyMap()), sinceMs = null, showsRemote = false, canShrink = false,
    )

    val troubled = connected.copy(
        microphoneOn = false, quality = AppMessage("quality.received", mapOf("name" to "Beatriz")), lowData = true, showsStatistics = true,
    )

    val held = connected.copy(
        status = AppMessage("call.on-hold", emptyMap()), held = true, showsPreview = false, showsRemote = false, canFlip = false,
    )

    val metered = banner(AppTopic.NETWORK, "network.metered", AppRecovery.FULL_QUALITY to "way.full-quality", AppRecovery.DISMISS to "way.dismiss")

    private val private = AppPrivateText(
        title = AppMessage("private.title", mapOf("name" to "Beatriz")), hint = AppMessage("private.hint", mapOf("name" to "Beatriz")), open = false,
        unread = 2u, typing = null, maxChars = 2000u,
    )

    val rich = connected.copy(keypad = AppKeypad(open = false, sent = "", received = ""), privateText = private)

    val keypad = rich.copy(keypad = AppKeypad(open = true, sent = "123#", received = ""))

    val writing = rich.copy(privateText = private.copy(open = true, unread = 0u, typing = AppMessage("private.typing", mapOf("name" to "Beatriz"))))

    fun privateText(now: ULong) = listOf(
        AppPrivateLine(0uL, now, "O código do portão é 4711.", own = true, delivery = "private.delivered"),
        AppPrivateLine(1uL, now, "<b>Anotado</b>, obrigada!", own = false, delivery = null),
        AppPrivateLine(2uL, now, "Até já.", own = true, delivery = "private.sending"),
    )

    fun ui(call: AppCallView, vararg banners: AppBanner) = UiState(home.copy(screen = AppScreen.IN_CALL, call = call, banners = banners.toList()), statistics = statistics)

    private fun banner(topic: AppTopic, key: String, vararg ways: Pair<AppRecovery, String>) =
        AppBanner(1uL, topic, AppMessage(key, emptyMap()), ways.map { (recovery, label) -> AppButton(recovery, label) })

    private fun call(with: String, kind: AppHistoryKind, at: ULong, video: Boolean = true) =
        AppHistoryEntry("$with-$at", with, with.take(1), kind, at, 0uL, video)
}
