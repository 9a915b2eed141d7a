import Chamada
import Foundation
import XCTest

@testable import ChamadaCore

/// The app's own phone in real calls, through the native library, with the command and with the demo's peer.
@MainActor
final class RealCallTests: XCTestCase {
    /// Waits until the state is so; every change is looked at.
    private func wait(_ phone: Phone, _ what: String, _ isSo: (PhoneState) -> Bool) async {
        let (states, inbox) = AsyncStream.makeStream(of: PhoneState.self)
        phone.onChange = { @MainActor state in inbox.yield(state) }
        defer { phone.onChange = nil }
        inbox.yield(phone.state)
        let watchdog = Task {
            try await Task.sleep(nanoseconds: UInt64(patience) * 1_000_000_000)
            inbox.finish()
        }
        defer { watchdog.cancel() }
        for await state in states where isSo(state) { return }
        XCTFail("no \(what) in time; it is \(phone.state)")
    }

    private func phone(_ remote: FakeScreen, cameras: any Cameras = PatternCameras()) -> Phone {
        let devices = Devices(cameras: cameras, audio: FakeAudio(), remote: remote)
        return Phone(World(devices: devices, permissions: NoGuard()))
    }

    func testThePhoneCallsTheCommandShowsItFlipsAndHangsUp() async throws {
        let (server, remote) = (try Server(), FakeScreen())
        let peer = try Command(
            "answer", "--server", server.url, "--name", "rui", "--video", "test:320x240@30", "--audio", "tone", "--json")
        let phone = phone(remote)
        await phone.login(server: server.url, name: "ana")
        await wait(phone, "rui is there") { $0.people == ["rui"] }
        await phone.call("rui")
        await wait(phone, "connected") { $0.call?.connectedAt != nil }
        XCTAssertEqual(try remote.frames(20).width, 320)
        await phone.flip()
        await wait(phone, "the rear camera") { $0.call?.local.facing == .environment }
        await wait(phone, "statistics") { ($0.call?.stats?.sentVideo?.frames ?? 0) > 10 }
        XCTAssertEqual(phone.state.call?.stats?.lines.first?.label, .statsReceived)
        let photo = await phone.photo(of: .remote)
        XCTAssertEqual(photo.map { Array($0.prefix(2)) }, [0xFF, 0xD8])
        await phone.hangUp()
        await wait(phone, "the end") { $0.call == nil }
        XCTAssertEqual(phone.state.log.map(\.kind), [.made])
        XCTAssertNil(phone.state.problem)
        let summary = try peer.summary()
        XCTAssertEqual(summary["ended"] as? String, "hung-up-there")
        let received = try XCTUnwrap(summary["video_received"] as? [String: Any])
        XCTAssertGreaterThan(try XCTUnwrap(received["frames_decoded"] as? NSNumber).intValue, 10)
        await phone.logout()
        XCTAssertEqual(phone.state.screen, .login)
    }

    func testACameraThatCannotBeOpenedIsToldAndTheCallGoesOnWithoutIt() async throws {
        let (server, remote) = (try Server(), FakeScreen())
        let peer = try Command(
            "answer", "--server", server.url, "--name", "rui", "--video", "test:320x240@30", "--audio", "tone", "--json")
        let phone = phone(remote, cameras: BrokenCameras(.NotReadable(reason: "another app has it")))
        await phone.login(server: server.url, name: "ana")
        await wait(phone, "rui is there") { $0.people == ["rui"] }
        await phone.call("rui")
        await wait(phone, "connected, and told") { $0.call?.connectedAt != nil && $0.notice != nil }
        XCTAssertEqual(phone.state.notice, Message(.mediaNoCamera))
        XCTAssertEqual(phone.state.call?.isCameraOn, false)
        await phone.hangUp()
        await wait(phone, "the end") { $0.call == nil }
        await phone.logout()
        _ = try peer.summary()
    }

    func testTheDemoNeedsNoServerItsPeerAnswersCallsAndOutlivesOutages() async throws {
        XCTAssertTrue(Phone.hasDemo)
        let remote = FakeScreen()
        let phone = phone(remote)
        await phone.startDemo(name: "ana")
        XCTAssertTrue(phone.state.isDemo)
        await wait(phone, "the peer") { !$0.people.isEmpty }
        let peer = try XCTUnwrap(phone.state.people.first)
        await phone.call(peer)
        await wait(phone, "connected") { $0.call?.connectedAt != nil }
        _ = try remote.frames(10)
        phone.outage(of: .server, true)
        await wait(phone, "the loss") { $0.notice == Message(.serverLostInCall) }
        _ = try remote.frames(10)
        phone.outage(of: .server, false)
        await wait(phone, "the return") { $0.notice == Message(.serverBack) }
        phone.outage(of: .calls, true)
        await wait(phone, "the outage") { $0.call?.state == .reconnecting }
        phone.outage(of: .calls, false)
        await wait(phone, "the recovery") { $0.call?.state == .connected }
        _ = try remote.frames(10)
        await phone.hangUp()
        await wait(phone, "the end") { $0.call == nil }
        await wait(phone, "the peer again") { $0.people == [peer] }
        await phone.cause(.peerCalls)
        await wait(phone, "its call") { $0.screen == .incoming }
        await phone.decline()
        await wait(phone, "no call") { $0.call == nil }
        await phone.logout()
        XCTAssertFalse(phone.state.isDemo)
    }

    func testAServerThatIsNotThereIsAProblemAndNoLogin() async {
        let phone = phone(FakeScreen())
        await phone.login(server: "ws://127.0.0.1:1", name: "ana")
        XCTAssertEqual(phone.state.problem, Problem(.loginUnreachable, ways: [.tryAgain, .changeAddress]))
        await phone.login(server: "::", name: "ana")
        XCTAssertEqual(phone.state.problem, Problem(.loginBadAddress, ways: [.changeAddress]))
    }
}
