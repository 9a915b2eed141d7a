import Chamada
import Foundation
import XCTest

// ANCHOR: call
/// Calls somebody as soon as they are there, hangs up once both are connected, and says why the call ended.
func callOnce(server: String, to: String, devices: Devices) async throws -> EndReason? {
    let session = try await Session.connect(config: Config(server: server, name: "ana"), devices: devices)
    var call: Call?
    var connected = false
    for await event in session.events {
        switch event {
        case let .users(names) where call == nil && names.contains(to):
            call = try await session.client.call(to: to)
        case let .callChanged(now) where !connected && now.state == .connected:
            connected = true
            try await call?.hangUp()
        case let .callEnded(_, _, reason):
            await session.client.logout()
            return reason
        default: break
        }
    }
    return nil
}
// ANCHOR_END: call

// ANCHOR: answer
/// Takes every call until the session is closed.
func answerAll(_ session: Session) async throws {
    for await event in session.events {
        if case let .incomingCall(_, call) = event { try await call.accept() }
    }
}
// ANCHOR_END: answer

// ANCHOR: constraints
/// The rear camera, 720p where there is that, at most 30 frames per second.
func rearCamera(_ session: Session) async throws {
    let asked = #"{"video": {"height": {"ideal": 720}, "frameRate": {"max": 30}, "facingMode": "environment"}}"#
    if let video = try parseConstraints(json: asked).video {
        try await session.client.setConstraints(constraints: video)
    }
}
// ANCHOR_END: constraints

// ANCHOR: sparing
/// On a path that costs money: small pictures, and smooth ones where not even those fit.
func sparing(_ session: Session) async throws {
    try await session.client.setVideoBounds(bounds: VideoBounds(maxWidth: 640, maxHeight: 360))
    try await session.client.setDegradationPreference(preference: .maintainFramerate)
}
// ANCHOR_END: sparing

// ANCHOR: quality
/// What to show above the picture, if anything.
func notice(_ event: Event) -> String? {
    guard case let .qualityChanged(sent, received) = event else { return nil }
    if received.audioOnly { return "The connection carries sound alone." }
    if received.level == .bad { return "The connection is bad." }
    return sent.level == .bad ? "The other side hears and sees you badly." : nil
}
// ANCHOR_END: quality

// ANCHOR: push
/// Once after each login, and again when PushKit gives the app another token.
func ringByPush(_ session: Session, token: Data) async throws {
    let hexadecimal = token.map { String(format: "%02x", $0) }.joined()
    try await session.client.registerPush(registration: PushRegistration(platform: .apns, token: hexadecimal))
}
// ANCHOR_END: push

/// The Swift that docs/site shows, and that it does what it says.
final class GuideTests: XCTestCase {
    func testTheGuidesFirstCallConnectsAndEndsAsItSays() async throws {
        let (server, phone) = (try Server(), FakePhone())
        let peer = try Command(
            "answer", "--server", server.url, "--name", "rui", "--video", "test:320x240@30", "--audio", "tone")
        defer { peer.stop() }
        let devices = Devices(cameras: phone.cameras, audio: phone.audio, remote: phone.remote, preview: phone.preview)
        let reason = try await callOnce(server: server.url, to: "rui", devices: devices)
        XCTAssertEqual(reason, .hungUpLocally)
    }

    func testTheGuidesConstraintsAndBoundsAreTaken() async throws {
        let (server, phone) = (try Server(), FakePhone())
        let devices = Devices(cameras: phone.cameras, audio: phone.audio)
        let session = try await Session.connect(config: Config(server: server.url, name: "ana"), devices: devices)
        try await rearCamera(session)
        try await sparing(session)
        await session.client.logout()
    }
}
