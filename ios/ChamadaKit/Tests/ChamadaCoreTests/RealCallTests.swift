import Chamada
import Foundation
import XCTest

@testable import ChamadaCore

/// The app without its screens in real calls, through the native library, with the command and with the demonstration's peer.
@MainActor
final class RealCallTests: XCTestCase {
    /// What was to be done.
    private final class Effects {
        var all: [AppEffect] = []
    }

    private let effects = Effects()

    private func store(_ remote: FakeScreen, cameras: any Cameras = FakeCameras()) throws -> AppStore {
        let store = try AppStore(devices: Devices(cameras: cameras, audio: FakeAudio(), remote: remote))
        store.carryOut = { [effects] in effects.all.append($0) }
        let granted = AppPermissions(
            camera: .granted, microphone: .granted, notifications: .granted, fullScreenIntent: .granted)
        store.dispatch(.started(saved: nil, history: nil, permissions: granted))
        return store
    }

    /// Waits until it is so; every change is looked at.
    private func wait(_ store: AppStore, _ what: String, _ isSo: @MainActor (AppStore) -> Bool) async {
        let (changes, inbox) = AsyncStream.makeStream(of: Void.self)
        store.observe { _ in inbox.yield() }
        let watchdog = Task {
            try await Task.sleep(nanoseconds: UInt64(patience) * 1_000_000_000)
            inbox.finish()
        }
        defer { watchdog.cancel() }
        for await _ in changes where isSo(store) { return }
        XCTFail("no \(what) in time; it is \(store.state)")
    }

    private func told(_ store: AppStore) -> [String] { store.state.banners.map(\.message.key) }

    func testTheAppCallsTheCommandShowsItTakesAPhotoAndHangsUp() async throws {
        let (server, remote) = (try Server(), FakeScreen())
        let peer = try Command(
            "answer", "--server", server.url, "--name", "rui", "--video", "test:320x240@30", "--audio", "tone", "--json")
        let store = try store(remote)
        store.dispatch(.signIn(server: server.url, name: "ana", token: nil))
        await wait(store, "rui") { $0.state.people.map(\.name) == ["rui"] }
        store.dispatch(.call(to: "rui", video: true))
        await wait(store, "connection") { $0.state.call?.phase == .connected }
        XCTAssertEqual(try remote.frames(20).width, 320)
        store.dispatch(.showStatistics(on: true))
        await wait(store, "statistics") { $0.statistics.first?.label == "stats.received" }
        store.dispatch(.takePhoto)
        await wait(store, "photo") { _ in self.effects.all.contains { if case .savePhoto = $0 { true } else { false } } }
        store.dispatch(.hangUp)
        await wait(store, "end") { $0.state.call == nil }
        XCTAssertEqual(store.history.map(\.kind), [.outgoing])
        XCTAssertEqual(told(store), [])
        let summary = try peer.summary()
        XCTAssertEqual(summary["ended"] as? String, "hung-up-there")
        store.dispatch(.signOut)
        XCTAssertEqual(store.state.screen, .signIn)
    }

    func testTheDemonstrationNeedsNoServerItsPeerAnswersAndCallsAndOutagesAreTold() async throws {
        let remote = FakeScreen()
        let store = try store(remote)
        XCTAssertTrue(store.state.hasDemo)
        store.dispatch(.startDemo(name: "ana"))
        await wait(store, "peer") { !$0.state.people.isEmpty }
        let peer = try XCTUnwrap(store.state.people.first?.name)
        store.dispatch(.call(to: peer, video: true))
        await wait(store, "connection") { $0.state.call?.phase == .connected }
        _ = try remote.frames(10)
        store.dispatch(.setOutage(part: .server, on: true))
        await wait(store, "loss") { self.told($0) == ["server.lost-in-call"] }
        store.dispatch(.setOutage(part: .server, on: false))
        await wait(store, "return") { $0.state.online }
        store.dispatch(.hangUp)
        await wait(store, "end") { $0.state.call == nil }
        await wait(store, "the peer again") { $0.state.people.map(\.name) == [peer] }
        store.dispatch(.beCalled)
        await wait(store, "its call") { $0.state.screen == .incoming }
        let isReported = effects.all.contains { if case .systemCall(.incoming) = $0 { true } else { false } }
        XCTAssertTrue(isReported, "\(effects.all)")
        store.dispatch(.decline)
        await wait(store, "no call") { $0.state.call == nil }
        store.dispatch(.signOut)
        XCTAssertFalse(store.state.demo)
    }

    func testWhatIsToBeDoneWaitsForWhoDoesItAndComesInItsOrderWhateverIsDispatchedMeanwhile() async throws {
        let store = try AppStore(devices: Devices(cameras: FakeCameras(), audio: FakeAudio(), remote: FakeScreen()))
        func mistake(_ server: String, _ name: String, _ recovery: AppRecovery) throws {
            store.dispatch(.signIn(server: server, name: name, token: nil))
            store.dispatch(.recover(banner: try XCTUnwrap(store.state.banners.first).id, recovery: recovery))
        }
        try mistake(" ", "ana", .changeAddress)
        try mistake("wss://call.example.org", " ", .changeName)
        var fields: [AppField] = []
        store.carryOut = { effect in
            guard case let .focus(field) = effect else { return }
            fields.append(field)
            if fields.count == 1 { try? mistake(" ", "ana", .changeAddress) }
        }
        XCTAssertEqual(fields, [.server, .name, .server])
    }
}
