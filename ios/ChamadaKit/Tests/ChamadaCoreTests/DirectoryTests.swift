import Chamada
import Foundation
import XCTest

@testable import ChamadaCore

/// System, push, server and library tell of the same call in any order.
final class DirectoryTests: XCTestCase {
    private let id = "5f2d8a52-6f0c-4a4e-9a55-0b8f5f0f6b11"
    private let now = Date(timeIntervalSince1970: 0)

    private func shown(_ order: CallDirectory.Order) -> UUID {
        if case let .report(system, _) = order { return system }
        XCTFail("\(order) reports nothing")
        return UUID()
    }

    func testACallOfTheServerIsReportedAnsweredAndHungUp() {
        var book = CallDirectory()
        let system = shown(book.rings(id: id, from: "rui", now: now)[0])
        XCTAssertEqual(system.uuidString.lowercased(), id, "a call keeps its own identifier")
        XCTAssertEqual(book.answered(system), .accept(id))
        XCTAssertNil(book.answered(system), "a second answer is none")
        XCTAssertEqual(book.endedBySystem(system), .hangUp(id))
        XCTAssertNil(book.ended(id: id), "the system's screen is gone already")
    }

    func testAnAnswerOnALockedPhoneWaitsForTheCallBehindThePush() {
        var book = CallDirectory()
        let system = shown(book.pushed(push(id, "rui"), now: now)[0])
        XCTAssertNil(book.answered(system), "there is nothing to accept yet")
        XCTAssertEqual(book.rings(id: id, from: "rui", now: now), [.update(system, from: "rui"), .accept(id)])
    }

    private func push(_ id: Any?, _ from: Any?, kind: String = "ring") -> PushedCall {
        var payload: [AnyHashable: Any] = ["aps": [String: String](), "kind": kind]
        payload["call"] = id
        payload["from"] = from
        return PushedCall(payload: payload)
    }

    func testAPushThatWritesTheCallInCapitalsMeansTheSameCall() {
        var book = CallDirectory()
        let id = "0f8fad5b-d9cb-469f-a165-70867728950e"
        let system = shown(book.pushed(push(id.uppercased(), "rui"), now: now)[0])
        XCTAssertNil(book.answered(system))
        XCTAssertEqual(book.rings(id: id, from: "rui", now: now), [.update(system, from: "rui"), .accept(id)])
    }

    func testOfAPushOnlyTextsAreTaken() {
        XCTAssertEqual(push(id, "rui").id, id)
        XCTAssertEqual(push(id, "rui").from, "rui")
        XCTAssertNil(push(7, ["rui"]).id)
        XCTAssertNil(push(7, ["rui"]).from)
    }

    func testTheSystemWantsToKnowHowFarACallIsOnlyIfItWasPlacedHere() {
        var book = CallDirectory()
        let placed = book.placed(id: id, now: now)
        XCTAssertEqual(book.placedHere(id), placed)
        let other = UUID().uuidString
        _ = book.rings(id: other, from: "rui", now: now)
        XCTAssertNil(book.placedHere(other))
    }

    func testWhatTheAppItselfAskedOfTheSystemIsNotDoneAgainWhenTheSystemHandsItOut() {
        var book = CallDirectory()
        let (own, other) = (UUID(), UUID())
        book.asks(own)
        XCTAssertFalse(book.wasAsked(other), "a tap on the system's screen")
        XCTAssertTrue(book.wasAsked(own))
        XCTAssertFalse(book.wasAsked(own), "once")
    }

    func testTheSystemsScreenIsToldHowACallEndedButNotWhatThePersonDid() {
        let here: [EndReason] = [.hungUpLocally, .declinedLocally, .cancelledLocally]
        XCTAssertEqual(here.map(SystemEnd.init), [.here, .here, .here])
        let other: [EndReason] = [.busy, .timeout, .answeredElsewhere, .noPath, .connectionFailed]
        XCTAssertEqual(other.map(SystemEnd.init), [.there, .unanswered, .answeredElsewhere, .failed, .failed])
    }

    func testARefusalBeforeTheCallCameDeclinesItWhenItComes() {
        var book = CallDirectory()
        let system = shown(book.pushed(push(id, "rui"), now: now)[0])
        XCTAssertNil(book.endedBySystem(system))
        XCTAssertEqual(book.rings(id: id, from: "rui", now: now), [.decline(id)])
        XCTAssertNil(book.system(id))
    }

    func testARefusalOfACallThatIsKnownDeclinesItAtOnce() {
        var book = CallDirectory()
        let system = shown(book.rings(id: id, from: "rui", now: now)[0])
        XCTAssertEqual(book.endedBySystem(system), .decline(id))
    }

    func testEveryPushIsReportedEvenOneThatSaysNothing() {
        var book = CallDirectory()
        _ = shown(book.pushed(push(nil, nil), now: now)[0])
        _ = shown(book.pushed(push("no uuid", "rui"), now: now)[0])
        let system = shown(book.pushed(push(id, "rui"), now: now)[0])
        XCTAssertEqual(book.pushed(push(id, "rui"), now: now), [.report(system, from: "rui")], "twice, under one name")
    }

    func testAPushThatTakesACallBackIsReportedAndClosed() {
        var book = CallDirectory()
        let system = shown(book.pushed(push(id, "rui"), now: now)[0])
        let orders = book.pushed(push(id, "rui", kind: "cancel"), now: now)
        XCTAssertEqual(orders, [.report(system, from: "rui"), .close(system)])
        XCTAssertNil(book.system(id))
        XCTAssertEqual(book.pushed(push(id, "rui", kind: "cancel"), now: now).count, 2, "one that comes alone too")
    }

    func testACallThatTheLibraryKnowsIsNotClosedByAPush() {
        var book = CallDirectory()
        let system = shown(book.rings(id: id, from: "rui", now: now)[0])
        XCTAssertEqual(book.pushed(push(id, "rui", kind: "cancel"), now: now), [.report(system, from: "rui")])
        XCTAssertEqual(book.ended(id: id), .close(system))
    }

    func testAPushWithoutACallIsTakenOffTheScreenAfterAWhile() {
        var book = CallDirectory()
        let system = shown(book.pushed(push(id, "rui"), now: now)[0])
        XCTAssertEqual(book.expire(now: now + CallDirectory.patience - 1), [])
        XCTAssertEqual(book.expire(now: now + CallDirectory.patience), [.close(system)])
        XCTAssertEqual(book.expire(now: now + 2 * CallDirectory.patience), [])
    }

    func testTheEndOfACallClosesItOnceAndAnOutgoingOneIsHungUp() {
        var book = CallDirectory()
        let system = book.placed(id: id, now: now)
        XCTAssertEqual(book.placed(id: id, now: now), system)
        XCTAssertEqual(book.call(system), id)
        XCTAssertEqual(book.ended(id: id), .close(system))
        XCTAssertNil(book.ended(id: id))
        let other = book.placed(id: id, now: now)
        XCTAssertEqual(book.endedBySystem(other), .hangUp(id))
    }
}
