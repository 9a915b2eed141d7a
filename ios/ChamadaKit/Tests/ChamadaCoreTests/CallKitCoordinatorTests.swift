import Chamada
import Foundation
import XCTest

@testable import ChamadaCore

/// What CallKit is told, and what of it is told to the core.
@MainActor
final class CallKitCoordinatorTests: XCTestCase {
    /// CallKit as it seems from here: it does what it is asked for when the test says so.
    private final class Provider: CallProvider {
        var told: [String] = []
        var isShown: (@MainActor (Bool) -> Void)?
        /// Asked for and not done yet.
        var requests: [(id: UUID, action: CallAction, refused: @MainActor (UUID) -> Void)] = []

        func reportIncoming(_ call: UUID, from: String, done: @escaping @MainActor (Bool) -> Void) {
            told.append("incoming \(from)")
            isShown = done
        }
        func reportUpdated(_ call: UUID, from: String) { told.append("from \(from)") }
        func reportConnecting(_ call: UUID) { told.append("connecting") }
        func reportConnected(_ call: UUID) { told.append("connected") }
        func reportEnded(_ call: UUID, reason: AppSystemEnd) { told.append("ended \(reason)") }
        func request(_ action: CallAction, of call: UUID, refused: @escaping @MainActor (UUID) -> Void) -> UUID {
            let id = UUID()
            requests.append((id, action, refused))
            return id
        }
    }

    private let provider = Provider()
    private let id = UUID()
    private var news: [AppSystemCallNews] = []
    private var prepared = 0
    private lazy var coordinator = CallKitCoordinator(
        provider: provider,
        dispatch: { [unowned self] action in
            if case let .systemCall(call, told) = action, UUID(uuidString: call) == id { news.append(told) }
        },
        prepareAudio: { [unowned self] in prepared += 1 })

    private var call: String { id.uuidString }

    /// The system does what was asked for first.
    private func perform() throws -> CallAction {
        let request = try XCTUnwrap(provider.requests.first)
        provider.requests.removeFirst()
        coordinator.perform(request.action, of: id, id: request.id)
        return request.action
    }

    private func refuse() throws {
        let request = try XCTUnwrap(provider.requests.first)
        provider.requests.removeFirst()
        request.refused(request.id)
    }

    func testACallThatCallKitDoesNotShowIsRefused() async {
        coordinator.tell(.incoming(call: call, from: nil))
        XCTAssertEqual(provider.told, ["incoming ?"])
        provider.isShown?(false)
        XCTAssertEqual(news, [.refused])
    }

    func testWhatTheAppAskedForIsNotToldToTheCoreAgainAndWhatPeopleDoIs() async throws {
        coordinator.tell(.incoming(call: call, from: "rui"))
        coordinator.tell(.answered(call: call))
        coordinator.tell(.muted(call: call, muted: true))
        XCTAssertEqual(try perform(), .answer)
        XCTAssertEqual(try perform(), .mute(true))
        XCTAssertEqual(news, [])
        XCTAssertEqual(prepared, 1, "the session's category is set before CallKit activates it")
        coordinator.perform(.mute(false), of: id, id: UUID())
        coordinator.perform(.end, of: id, id: UUID())
        XCTAssertEqual(news, [.muted(muted: false), .ended])
    }

    func testHoldIsToldOnceTheSystemHasDoneItWhoeverWantedIt() async throws {
        coordinator.tell(.incoming(call: call, from: "rui"))
        coordinator.perform(.hold(true), of: id, id: UUID())
        coordinator.tell(.requestHold(call: call, held: false))
        XCTAssertEqual(news, [.held(held: true)])
        XCTAssertEqual(try perform(), .hold(false))
        XCTAssertEqual(news, [.held(held: true), .held(held: false)])
    }

    func testASessionThatAnAlarmTookIsActivatedByAHoldThatTheCoreDoesNotHearOf() async throws {
        coordinator.reactivateAudio()
        XCTAssertTrue(provider.requests.isEmpty, "there is no call")
        coordinator.tell(.incoming(call: call, from: "rui"))
        coordinator.reactivateAudio()
        XCTAssertEqual(try perform(), .hold(true))
        XCTAssertEqual(try perform(), .hold(false))
        XCTAssertEqual(news, [])
        coordinator.reactivateAudio()
        XCTAssertEqual(try perform(), .hold(true))
        try refuse()
        XCTAssertEqual(news, [.held(held: true)], "the person can take it up")
    }

    func testHowFarACallIsIsToldOfThoseThatWerePlacedHereAlone() async {
        coordinator.tell(.incoming(call: call, from: "rui"))
        coordinator.tell(.connected(call: call))
        XCTAssertEqual(provider.told, ["incoming rui"])
        coordinator.tell(.outgoing(call: call, to: "rui"))
        coordinator.tell(.connecting(call: call))
        coordinator.tell(.connected(call: call))
        XCTAssertEqual(provider.told, ["incoming rui", "connecting", "connected"])
        XCTAssertEqual(provider.requests.map(\.action), [.start(to: "rui")])
    }

    func testWhoHangsUpHereAsksForItAndAllOtherEndsAreReported() async throws {
        coordinator.tell(.incoming(call: call, from: "rui"))
        coordinator.tell(.ended(call: call, reason: .rejected))
        XCTAssertEqual(try perform(), .end)
        coordinator.tell(.ended(call: call, reason: .missed))
        XCTAssertEqual(provider.told, ["incoming rui", "ended missed"])
        XCTAssertEqual(news, [])
    }
}
