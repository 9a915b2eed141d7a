import Chamada
import Foundation
import XCTest

/// An app as Swift holds it: tells actions, remembers what it is to draw and what it was to do.
private final class FakeApp {
    private let changes = DispatchSemaphore(value: 0)
    private let core: AppCore
    private(set) var effects: [AppEffect] = []
    private(set) var history: [AppHistoryEntry] = []
    private(set) var chat: [AppChatLine] = []
    private(set) var state: AppState?

    init(_ phone: FakePhone) throws {
        let devices = Devices(cameras: phone.cameras, audio: phone.audio, remote: phone.remote, preview: phone.preview)
        core = try AppCore(
            config: AppConfig(systemRings: true, reportsEveryPush: true), devices: devices, observer: Listener(changes))
        let permissions = AppPermissions(
            camera: .granted, microphone: .granted, notifications: .granted, fullScreenIntent: .granted)
        tell(.started(saved: nil, history: nil, permissions: permissions))
    }

    func tell(_ action: AppAction) {
        take(core.dispatch(action: action))
    }

    private func take(_ update: AppUpdate) {
        if let new = update.state { state = new }
        if let new = update.history { history = new }
        if let new = update.chat { chat = new }
        effects += update.effects
    }

    func wait(_ what: String, _ isSo: (AppState) -> Bool) throws {
        while !(state.map(isSo) ?? false) {
            guard changes.wait(timeout: .now() + patience) == .success else {
                throw Missing("no \(what): \(String(describing: state)), \(effects)")
            }
            take(core.poll())
        }
    }
}

/// Tells a semaphore, so that the app and its observer do not keep each other.
private final class Listener: AppObserver, @unchecked Sendable {
    private let changes: DispatchSemaphore

    init(_ changes: DispatchSemaphore) { self.changes = changes }

    func onChange() { changes.signal() }
}

/// What both apps decide by, from Swift.
final class AppTests: XCTestCase {
    func testOneCallFromTheLoginToTheHistoryByActionsStatesAndEffectsAlone() throws {
        let (server, phone) = (try Server(), FakePhone())
        let peer = try Command(
            "answer", "--server", server.url, "--name", "rui", "--video", "test:320x240@30", "--audio", "tone")
        defer { peer.stop() }
        let app = try FakeApp(phone)
        app.tell(.signIn(server: server.url, name: " ana ", token: nil))
        XCTAssertEqual(app.state?.signingIn, true)
        try app.wait("user") { $0.people.contains { $0.name == "rui" } }
        XCTAssertEqual(app.state?.screen, .home)
        XCTAssertEqual(app.chat.first?.event?.key, "chat.welcome")

        app.tell(.call(to: "rui", video: true))
        try app.wait("connection") { $0.call?.phase == .connected }
        XCTAssertNotNil(app.state?.call?.sinceMs)
        _ = try phone.remote.frames(10)
        XCTAssertTrue(app.effects.contains(.startAudio(video: true)), "\(app.effects)")

        app.tell(.setCamera(on: false))
        XCTAssertEqual(app.state?.call?.showsPreview, false)
        app.tell(.hangUp)
        try app.wait("end") { $0.call == nil }
        XCTAssertTrue(app.effects.contains(.stopAudio), "\(app.effects)")
        XCTAssertEqual(app.history.map(\.kind), [.outgoing])

        // A push is reported at once, before its call is known.
        let id = UUID().uuidString
        let sent = UInt64(Date().timeIntervalSince1970 * 1000)
        app.tell(.pushReceived(json: #"{"kind": "ring", "call": "\#(id)", "from": "rui", "sent": \#(sent)}"#))
        let told = AppEffect.systemCall(told: .incoming(call: id.lowercased(), from: "rui"))
        XCTAssertTrue(app.effects.contains(told), "\(app.effects)")
        app.tell(.signOut)
        XCTAssertEqual(app.state?.screen, .signIn)
    }

    func testTheWordsOfACallAreShownComparedAndKept() throws {
        let server = try Server()
        let rui = try Command(
            "answer", "--server", server.url, "--name", "rui", "--video", "none", "--audio", "none", "--json", "--verify")
        defer { rui.stop() }
        let app = try FakeApp(FakePhone())
        app.tell(.signIn(server: server.url, name: "ana", token: nil))
        try app.wait("user") { $0.people.contains { $0.name == "rui" } }
        app.tell(.call(to: "rui", video: false))
        try app.wait("words") { $0.call?.verification?.canAnswer == true }
        let seen = try XCTUnwrap(app.state?.call?.verification)
        XCTAssertEqual(seen.message.key, "verification.compare")
        let there = try rui.line(with: #""result":"compare""#)
        XCTAssertTrue(there.contains(seen.words.map { "\"\($0.emoji)\"" }.joined(separator: ",")), "\(seen), \(there)")

        app.tell(.confirmVerification(same: true))
        XCTAssertEqual(app.state?.call?.verification?.message.key, "verification.waiting")
        rui.type("yes")
        try app.wait("confirmation") { $0.call?.verification?.trust == .verified }
        try app.wait("memory") { _ in app.effects.contains { if case .saveRemembered = $0 { true } else { false } } }
    }
}
