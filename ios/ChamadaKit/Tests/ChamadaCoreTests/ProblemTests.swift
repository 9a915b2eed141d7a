import Chamada
import XCTest

@testable import ChamadaCore

/// Every failure has its text and its way forward.
@MainActor
final class ProblemTests: XCTestCase {
    private func login(_ error: ChamadaError, name: String = "ana") async -> Problem? {
        let bench = Bench()
        bench.connectError.with { $0 = error }
        await bench.phone.login(server: "wss://x", name: name)
        XCTAssertEqual(bench.phone.state.screen, .login)
        XCTAssertFalse(bench.phone.state.isEntering)
        return bench.phone.state.problem
    }

    func testAServerThatCannotBeReachedIsTriedAgainByTheSameLogin() async {
        let bench = Bench()
        bench.connectError.with { $0 = failed(.server) }
        await bench.phone.login(server: " wss://x ", name: " ana ")
        XCTAssertEqual(bench.phone.state.problem, Problem(.loginUnreachable, ways: [.tryAgain, .changeAddress]))
        bench.connectError.with { $0 = nil }
        await bench.phone.take(.tryAgain)
        XCTAssertEqual(bench.phone.state.screen, .people)
        XCTAssertNil(bench.phone.state.problem)
        XCTAssertEqual(bench.connects.with { $0.map(\.server) }, ["wss://x", "wss://x"])
        XCTAssertEqual(bench.connects.with { $0.map(\.name) }, ["ana", "ana"])
    }

    func testANameThatIsRefusedOrCannotBeOneAsksForAnother() async {
        let refused = await login(failed(.loginRefused))
        XCTAssertEqual(refused, Problem(.loginRefused, ways: [.changeName, .tryAgain]))
        for name in ["", "   ", String(repeating: "x", count: 33), "a\u{7}b"] {
            let bad = await login(failed(.server), name: name)
            XCTAssertEqual(bad, Problem(.loginBadName, ways: [.changeName]), name)
        }
    }

    func testAnAddressThatIsNoneAndAFullServerAreTold() async {
        let bad = await login(failed(.invalidArgument))
        XCTAssertEqual(bad, Problem(.loginBadAddress, ways: [.changeAddress]))
        for detail in ["503", "1013"] {
            let full = await login(failed(.server, detail))
            XCTAssertEqual(full, Problem(.loginFull, ways: [.tryAgain]))
        }
    }

    func testWithoutPermissionForTheMicrophoneThereIsNoCallAndTheSettingsHelp() async {
        let bench = await Bench.ready()
        bench.permissions.answers.with { $0[.microphone] = .denied }
        await bench.phone.call("rui")
        XCTAssertEqual(
            bench.phone.state.problem, Problem(.errorNoMicrophonePermission, ways: [.openSettings, .dismiss]))
        XCTAssertEqual(bench.client.asked.with { $0 }, [])
        XCTAssertEqual(bench.permissions.asked.with { $0 }, [.microphone], "nobody is asked for a camera then")
        await bench.phone.take(.openSettings)
        XCTAssertEqual(bench.settingsOpened, 1)
    }

    func testWithoutPermissionForTheCameraTheCallGoesOnWithoutAndTheSettingsHelp() async {
        let bench = await Bench.ready()
        bench.permissions.answers.with { $0[.camera] = .denied }
        await bench.phone.call("rui")
        XCTAssertEqual(
            bench.phone.state.problem, Problem(.errorNoCameraPermission, ways: [.openSettings, .withoutCamera]))
        XCTAssertEqual(bench.client.asked.with { $0 }, ["microphone true", "camera false", "call rui"])
        await bench.phone.take(.withoutCamera)
        XCTAssertEqual(bench.client.asked.with { $0.count }, 3, "the call is there already")
    }

    func testWithoutACameraTheCallGoesOnWithoutAndNobodyIsAskedForOne() async {
        let bench = await Bench.ready(cameras: nil)
        await bench.phone.call("rui")
        XCTAssertEqual(bench.phone.state.problem, Problem(.errorNoCamera, ways: [.withoutCamera]))
        XCTAssertEqual(bench.client.asked.with { $0 }, ["microphone true", "camera false", "call rui"])
        XCTAssertEqual(bench.permissions.asked.with { $0 }, [.microphone])
    }

    func testACameraThatIsInUseEndsTheCallAndItCanBeTriedAgainOrWithout() async throws {
        let bench = await Bench.ready(cameras: BrokenCameras(.NotReadable(reason: "in use")))
        await bench.phone.call("rui")
        await bench.changed(.calling)
        let given = try XCTUnwrap(bench.devices.with { $0?.cameras })
        let settings = CameraSettings(deviceId: "front", facing: .user, width: 320, height: 240, fps: 30)
        XCTAssertThrowsError(try given.openCamera(settings: settings, sink: CameraSink(noHandle: .init())))
        await bench.ended(.mediaFailedLocally)
        XCTAssertEqual(bench.phone.state.problem, Problem(.errorCameraInUse, ways: [.tryAgain, .withoutCamera]))
        bench.client.asked.with { $0 = [] }
        bench.phone.lastEnded = nil
        await bench.phone.take(.withoutCamera)
        XCTAssertEqual(bench.client.asked.with { $0 }, ["microphone true", "camera false", "call rui"])
    }

    func testACameraThatDoesNotComeBackInACallIsOffAndCanBeTriedAgain() async {
        let bench = await Bench.inCall()
        await bench.phone.toggleCamera()
        bench.client.failures.with { $0["camera true"] = failed(.deviceNotReadable) }
        await bench.phone.toggleCamera()
        XCTAssertEqual(bench.phone.state.problem, Problem(.errorCameraInUse, ways: [.tryAgain, .withoutCamera]))
        bench.client.failures.with { $0 = [:] }
        await bench.phone.take(.tryAgain)
        XCTAssertNil(bench.phone.state.problem)
        XCTAssertEqual(bench.client.asked.with { $0.suffix(3) }, ["camera false", "camera true", "camera true"])
    }

    func testBusyDeclinedGoneAndLostAreToldWithTheNameAndOfferWhatHelps() async {
        let again: [WayForward] = [.callAgain("rui"), .dismiss]
        let expected: [(EndReason, TextKey, [WayForward])] = [
            (.busy, .endBusy, again), (.declinedRemotely, .endDeclinedThere, [.write, .dismiss]),
            (.unreachable, .endUnreachable, [.write, .dismiss]), (.noPath, .endNoPath, again),
            (.connectionFailed, .endConnectionFailed, again),
            (.negotiationFailed, .endNegotiationFailed, again), (.mediaFailedRemotely, .endMediaFailedThere, again),
            (.noCommonCodec, .endNoCommonCodec, [.write, .dismiss]), (.handshakeFailed, .endHandshakeFailed, again),
            (.hungUpRemotely, .endHungUpThere, [.dismiss]), (.answeredElsewhere, .endAnsweredElsewhere, [.dismiss]),
        ]
        for (reason, key, ways) in expected {
            let bench = await Bench.inCall()
            await bench.ended(reason)
            XCTAssertEqual(bench.phone.state.problem, Problem(key, ["name": "rui"], ways: ways))
            XCTAssertEqual(bench.phone.state.screen, .people)
            if ways == again {
                bench.phone.lastEnded = nil
                await bench.phone.take(.callAgain("rui"))
                XCTAssertEqual(bench.client.asked.with { $0.filter { $0 == "call rui" }.count }, 2)
            }
        }
    }

    func testWhatAPersonEndsIsNotTold() async {
        for reason in [EndReason.hungUpLocally, .declinedLocally, .cancelledLocally] {
            let bench = await Bench.inCall()
            await bench.ended(reason)
            XCTAssertNil(bench.phone.state.problem)
        }
    }

    func testEveryKindOfErrorHasAWayForward() async {
        let kinds: [ErrorKind] = [
            .invalidArgument, .server, .loginRefused, .call, .overconstrained, .deviceNotFound, .deviceNotAllowed,
            .deviceNotReadable, .noPicture, .tooFast, .closed, .internal,
        ]
        for kind in kinds {
            XCTAssertFalse(Problem.ofUse(failed(kind)).ways.isEmpty)
            XCTAssertFalse(Problem.ofLogin(failed(kind), name: "ana").ways.isEmpty)
        }
    }

    func testAFailedPhotoPermissionLeadsToTheSettings() async {
        let bench = await Bench.inCall()
        bench.phone.photoSaved(.notAllowed)
        XCTAssertEqual(bench.phone.state.problem, Problem(.errorNoPhotoPermission, ways: [.openSettings, .dismiss]))
        bench.phone.photoSaved(.failed)
        XCTAssertEqual(bench.phone.state.problem, Problem(.errorInternal, ways: [.dismiss]), "no permission would help")
        bench.phone.photoSaved(.saved)
        XCTAssertEqual(bench.phone.state.notice, Message(.photoTaken))
    }
}
