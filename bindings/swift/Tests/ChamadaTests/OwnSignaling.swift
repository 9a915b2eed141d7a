import Chamada
import Foundation
import XCTest

// ANCHOR: transport
/// The app's own wire: parcels that a relay hands on. A real app has its server here; `Relay` stands for it.
final class ParcelTransport: SignalingTransport, @unchecked Sendable {
    private let relay: Relay
    private let name: String

    init(relay: Relay, name: String) {
        self.relay = relay
        self.name = name
    }

    func connect(receiver: SignalingReceiver) throws {
        relay.join(name) { parcel in
            // What does not fit is sent again by the other side's call.
            try? receiver.receive(from: parcel.from, message: parcel.message)
        }
        receiver.opened()
    }

    func send(to: String, message: String) throws {
        guard relay.post(Parcel(from: name, message: message), to: to) else { throw TransportError.NoSuchUser }
    }

    func reconnect() throws {
        // An app connects anew here; a relay in the same process is always there.
    }

    func disconnect() throws {
        relay.leave(name)
    }
}
// ANCHOR_END: transport

// ANCHOR: connect
/// A session that signals over it. The server's name only says whether that is on this machine.
func connect(over transport: SignalingTransport, name: String, devices: Devices) async throws -> Session {
    let config = Config(server: "localhost", name: name, signaling: transport)
    return try await Session.connect(config: config, devices: devices)
}
// ANCHOR_END: connect

struct Parcel: Sendable {
    let from: String
    let message: String
}

/// Hands parcels on, each person's one after another on a queue of their own.
final class Relay: @unchecked Sendable {
    private struct Person: Sendable {
        let queue: DispatchQueue
        let take: @Sendable (Parcel) -> Void
    }

    private let people = Locked<[String: Person]>([:])

    func join(_ name: String, take: @escaping @Sendable (Parcel) -> Void) {
        people.with { $0[name] = Person(queue: DispatchQueue(label: name), take: take) }
    }

    func leave(_ name: String) {
        _ = people.with { $0.removeValue(forKey: name) }
    }

    func post(_ parcel: Parcel, to name: String) -> Bool {
        guard let person = people.with({ $0[name] }) else { return false }
        person.queue.async { person.take(parcel) }
        return true
    }
}

final class OwnSignalingTests: XCTestCase {
    private func devices(_ phone: FakePhone) -> Devices {
        Devices(cameras: phone.cameras, audio: phone.audio, remote: phone.remote, preview: phone.preview)
    }

    func testTwoPhonesCallEachOtherOverTheAppsOwnWire() async throws {
        let (relay, here, there) = (Relay(), FakePhone(), FakePhone())
        let ana = try await connect(over: ParcelTransport(relay: relay, name: "ana"), name: "ana", devices: devices(here))
        let rui = try await connect(over: ParcelTransport(relay: relay, name: "rui"), name: "rui", devices: devices(there))
        let call = try await ana.client.callWith(to: "rui", options: CallOptions(codecs: [.vp8], maxBitrate: 400_000))
        var incoming = rui.events.makeAsyncIterator()
        while let event = await incoming.next() {
            guard case let .incomingCall(_, call) = event else { continue }
            XCTAssertEqual(call.with(), "ana")
            try await call.configure(options: CallOptions(maxBitrate: 300_000))
            try await call.accept()
            break
        }
        _ = try here.remote.frames(10)
        _ = try there.remote.frames(10)
        try await call.hangUp()
        while let event = await incoming.next() {
            guard case let .callEnded(_, _, reason) = event else { continue }
            XCTAssertEqual(reason, .hungUpRemotely)
            break
        }
        await ana.client.logout()
        await rui.client.logout()
    }

    func testSomebodyWhomTheAppsServerDoesNotKnowCannotBeReached() async throws {
        let transport = ParcelTransport(relay: Relay(), name: "ana")
        let ana = try await connect(over: transport, name: "ana", devices: devices(FakePhone()))
        _ = try await ana.client.call(to: "nobody")
        for await event in ana.events {
            guard case let .callEnded(_, _, reason) = event else { continue }
            XCTAssertEqual(reason, .unreachable)
            break
        }
        await ana.client.logout()
    }
}
