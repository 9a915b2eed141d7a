import Chamada
import XCTest

@testable import ChamadaCore

/// What the screens show and do, over a line that is no line.
@MainActor
final class PhoneTests: XCTestCase {
    func testOneCallFromTheListToTheLog() async {
        let bench = await Bench.ready()
        XCTAssertEqual(bench.phone.state.people, ["rui"])
        await bench.phone.call("rui")
        XCTAssertEqual(bench.phone.state.screen, .inCall)
        XCTAssertEqual(bench.phone.state.call?.status, Message(.callCalling))
        await bench.changed(.ringingRemotely)
        XCTAssertEqual(bench.phone.state.call?.status, Message(.callRingingThere))
        await bench.changed(.connecting)
        await bench.changed(.connected)
        XCTAssertNil(bench.phone.state.call?.status)
        XCTAssertEqual(bench.phone.state.call?.isPreviewMirrored, true)
        await bench.phone.hangUp()
        await bench.ended(.hungUpLocally)
        XCTAssertEqual(bench.phone.state.screen, .people)
        XCTAssertEqual(bench.phone.state.log.map(\.kind), [.made])
        XCTAssertEqual(
            bench.steps,
            [
                .placed(id: "c1", to: "rui"), .connecting(id: "c1"), .connected(id: "c1"),
                .ended(id: "c1", .hungUpLocally),
            ])
    }

    func testEventsThatAreFasterThanTheAnswerToTheCallerAreNotLost() async {
        let bench = await Bench.ready()
        await bench.changed(.calling)
        await bench.phone.handle(.callEnded(with: "rui", callId: "c1", reason: .busy))
        XCTAssertEqual(bench.phone.state.problem?.message.key, .endBusy)
        await bench.phone.call("rui")
        XCTAssertNil(bench.phone.state.call, "a call that is over does not come up again")
        await bench.changed(.calling)
        XCTAssertNil(bench.phone.state.call)
    }

    func testAnIncomingCallIsShownAnsweredAndMissedIfNobodyAnswers() async {
        let bench = await Bench.ready()
        await bench.phone.handle(.incomingCall(from: "rui", call: bench.call))
        XCTAssertEqual(bench.phone.state.screen, .incoming)
        XCTAssertEqual(bench.steps, [.rings(id: "c1", from: "rui")])
        await bench.phone.accept()
        XCTAssertEqual(bench.call.asked.with { $0 }, ["accept"])
        await bench.ended(.cancelledRemotely)
        XCTAssertEqual(bench.phone.state.log.map(\.kind), [.missed])
        XCTAssertEqual(bench.phone.state.problem?.message, Message(.endCancelledThere, ["name": "rui"]))
    }

    func testAnIncomingCallWhoseStateIsToldFirstIsStillOneThatCameIn() async {
        let bench = await Bench.ready()
        await bench.changed(.ringingLocally)
        XCTAssertNil(bench.phone.state.call)
        await bench.phone.handle(.incomingCall(from: "rui", call: bench.call))
        await bench.changed(.ringingLocally)
        XCTAssertEqual(bench.steps, [.rings(id: "c1", from: "rui")])
        XCTAssertEqual(bench.phone.state.call?.weCalled, false)
    }

    func testAcceptingWithoutAMicrophoneDeclinesAndSaysWhy() async {
        let bench = await Bench.ready()
        bench.permissions.answers.with { $0[.microphone] = .denied }
        await bench.phone.handle(.incomingCall(from: "rui", call: bench.call))
        await bench.phone.accept()
        XCTAssertEqual(bench.call.asked.with { $0 }, ["decline"])
        XCTAssertEqual(bench.phone.state.problem?.message.key, .errorNoMicrophonePermission)
    }

    func testOnHoldNothingIsSentAndAfterwardsWhatThePersonWantedIs() async {
        let bench = await Bench.inCall()
        await bench.phone.toggleCamera()
        bench.client.asked.with { $0 = [] }
        await bench.phone.hold(true)
        await bench.changed(.connected, audio: false, video: false)
        XCTAssertEqual(bench.phone.state.call?.status, Message(.callOnHold))
        await bench.phone.toggleMicrophone()
        XCTAssertEqual(bench.client.asked.with { $0 }, ["microphone false", "camera false"], "nothing goes out on hold")
        await bench.phone.toggleMicrophone()
        await bench.phone.hold(false)
        XCTAssertEqual(bench.client.asked.with { $0.suffix(2) }, ["microphone true", "camera false"])
        XCTAssertFalse(bench.steps.contains(.muted(id: "c1", true)), "a hold is no mute")
    }

    func testMutingHereIsToldToTheSystemOnce() async {
        let bench = await Bench.inCall()
        await bench.phone.toggleMicrophone()
        XCTAssertEqual(bench.client.asked.with { $0.last }, "microphone false")
        await bench.changed(.connected, audio: false)
        await bench.changed(.connected, audio: false)
        XCTAssertEqual(bench.steps.filter { $0 == .muted(id: "c1", true) }.count, 1)
    }

    func testWithoutAnotherCameraTheFlipButtonGoes() async {
        let bench = await Bench.inCall()
        bench.call.failure.with { $0 = failed(.overconstrained, "facingMode") }
        await bench.phone.flip()
        XCTAssertEqual(bench.phone.state.call?.canFlip, false)
        XCTAssertEqual(bench.phone.state.problem?.message.key, .mediaFlipFailed)
    }

    func testALostServerIsToldAndItsReturnAndTheCallGoesOn() async {
        let bench = await Bench.inCall()
        await bench.phone.handle(.reconnecting(attempt: 1, afterMs: 100, why: failed(.server)))
        XCTAssertEqual(bench.phone.state.notice, Message(.serverLostInCall))
        XCTAssertEqual(bench.phone.state.screen, .inCall)
        await bench.phone.handle(.loggedIn(name: "ana", resumed: true))
        XCTAssertEqual(bench.phone.state.notice, Message(.serverBack))
    }

    func testASessionThatIsOverLeadsBackToTheLoginWithTheReason() async {
        let bench = await Bench.inCall()
        await bench.phone.handle(.closed(why: failed(.loginRefused)))
        XCTAssertEqual(bench.phone.state.screen, .login)
        XCTAssertEqual(bench.phone.state.problem?.message.key, .loginRefused)
        XCTAssertEqual(bench.steps.last, .ended(id: "c1", .connectionFailed), "the system shows no call that nobody can end")
        XCTAssertEqual(bench.phone.state.log.map(\.id), ["c1"])
        let other = await Bench.ready()
        await other.phone.logout()
        XCTAssertEqual(other.phone.state.screen, .login)
        XCTAssertNil(other.phone.state.problem)
        XCTAssertEqual(other.client.asked.with { $0 }, ["logout"])
    }

    func testArrivalsDeparturesLinesAndANewNameAreInTheChat() async {
        let bench = await Bench.ready()
        await bench.phone.handle(.users(names: ["ana", "bia"]))
        await bench.phone.handle(.chat(from: "bia", text: "<b>olá</b>", sentMs: 5000))
        await bench.phone.handle(.renamed(wanted: "ana", name: "ana2"))
        let kinds = bench.phone.state.chat.map(\.kind)
        XCTAssertEqual(
            kinds,
            [
                .happened(Message(.chatWelcome)), .happened(Message(.chatArrived, ["name": "bia"])),
                .happened(Message(.chatLeft, ["name": "rui"])), .said("<b>olá</b>"),
                .happened(Message(.chatRenamed, ["wanted": "ana", "name": "ana2"])),
            ])
        XCTAssertEqual(bench.phone.state.name, "ana2")
        for number in 0..<600 { await bench.phone.handle(.chat(from: nil, text: "\(number)", sentMs: 0)) }
        XCTAssertEqual(bench.phone.state.chat.count, ChatLine.most)
        await bench.phone.handle(.refused(why: failed(.tooFast)))
        XCTAssertEqual(bench.phone.state.notice, Message(.serverTooFast))
        await bench.phone.handle(.refused(why: failed(.invalidArgument)))
        XCTAssertEqual(bench.phone.state.notice, Message(.serverRefused))
        await bench.phone.say("  ")
        await bench.phone.say(" olá ")
        XCTAssertEqual(bench.client.asked.with { $0 }, ["say olá"])
    }

    func testInTheBackgroundTheCameraStaysOnOnlyInAPictureInPictureThatMay() async {
        let bench = await Bench.inCall()
        bench.client.asked.with { $0 = [] }
        bench.phone.wentToBackground(cameraMayStayOn: true)
        XCTAssertEqual(bench.client.asked.with { $0 }, [])
        bench.phone.wentToBackground(cameraMayStayOn: false)
        bench.phone.cameToForeground()
        bench.phone.networkChanged()
        bench.phone.memoryIsLow()
        XCTAssertEqual(bench.client.asked.with { $0 }, ["background", "foreground", "network", "memory"])
        await bench.ended(.hungUpLocally)
        bench.phone.wentToBackground(cameraMayStayOn: true)
        XCTAssertEqual(bench.client.asked.with { $0.last }, "background")
    }

    func testOnlyAtHomeAreUnencryptedServersSpokenTo() async {
        for (address, allowed) in [(" ws://192.168.1.7:6503 ", true), ("wss://call.example.org", false)] {
            let bench = Bench()
            await bench.phone.login(server: address, name: "ana")
            XCTAssertEqual(bench.connects.with { $0.map(\.allowInsecure) }, [allowed])
        }
    }

    func testWhatIsLostOnPurposeIsShownAndGivenBackByLeaving() async {
        let bench = await Bench.inCall()
        bench.client.asked.with { $0 = [] }
        bench.phone.outage(of: .server, true)
        bench.phone.outage(of: .calls, true)
        bench.phone.outage(of: .server, false)
        XCTAssertEqual(
            bench.client.asked.with { $0 }, ["drop signaling true", "drop media true", "drop signaling false"])
        XCTAssertEqual(bench.phone.state.outages, [.calls])
        await bench.phone.logout()
        XCTAssertEqual(bench.phone.state.outages, [])
        bench.phone.outage(of: .calls, true)
        XCTAssertEqual(bench.phone.state.outages, [], "there is nothing to lose at the door")
    }

    func testHowHotTheDeviceIsIsPassedOnOnceForEachChange() async {
        let bench = await Bench.inCall()
        bench.phone.thermalState(.fair)
        XCTAssertNil(bench.phone.state.notice, "a little warmth is nothing to tell")
        bench.phone.thermalState(.serious)
        bench.phone.thermalState(.serious)
        XCTAssertEqual(bench.phone.state.notice, Message(.mediaHot))
        bench.phone.thermalState(.nominal)
        XCTAssertEqual(
            bench.client.asked.with { $0.filter { $0.hasPrefix("thermal") } },
            ["thermal fair", "thermal serious", "thermal nominal"])
    }

    func testTheQualityOfTheCallIsShownUntilItIsGoodAgain() async {
        let bench = await Bench.inCall()
        let good = DirectionQuality(level: .good, reason: nil, audioOnly: false)
        let poor = DirectionQuality(level: .poor, reason: .bandwidth, audioOnly: false)
        await bench.phone.handle(.qualityChanged(sent: poor, received: good))
        XCTAssertEqual(bench.phone.state.call?.quality, Message(.qualitySent, ["name": "rui"]))
        await bench.phone.handle(.qualityChanged(sent: good, received: good))
        XCTAssertNil(bench.phone.state.call?.quality)
    }

    func testEachDeviceThatFailsIsToldByItsName() async {
        let bench = await Bench.inCall()
        let why = failed(.deviceNotReadable)
        let devices: [(DeviceKind, TextKey)] = [
            (.camera, .mediaNoCamera), (.microphone, .mediaNoMicrophone), (.speaker, .mediaSpeakerFailed),
        ]
        for (device, key) in devices {
            await bench.phone.handle(.deviceFailed(device: device, why: why))
            XCTAssertEqual(bench.phone.state.notice, Message(key))
        }
    }

    func testWhatOfTheOtherSideDoesNotComeIsToldUntilItComes() async {
        let bench = await Bench.inCall()
        await bench.phone.handle(.mediaMissing(kind: .video, why: .noPackets))
        XCTAssertEqual(bench.phone.state.notice, Message(.mediaNoPictureThere, ["name": "rui"]))
        await bench.phone.handle(.mediaMissing(kind: .audio, why: nil))
        XCTAssertNotNil(bench.phone.state.notice)
        await bench.phone.handle(.mediaMissing(kind: .video, why: nil))
        XCTAssertNil(bench.phone.state.notice)
        await bench.phone.handle(.noPathYet(why: .noRelay, local: [.host], remote: []))
        XCTAssertEqual(bench.phone.state.notice, Message(.pathNoRelay))
    }

    func testTheStateIsToldOnceForEachChange() async {
        let bench = Bench()
        var told = 0
        bench.phone.onChange = { @MainActor _ in told += 1 }
        bench.phone.noticeWasSeen()
        XCTAssertEqual(told, 0)
        bench.phone.photoSaved(.saved)
        XCTAssertEqual(told, 1)
    }

    func testAPushLogsInOrHasAConnectionLookedAtThatTheSystemMayHaveCut() async {
        let bench = Bench()
        await bench.phone.woken(server: "", name: "ana")
        XCTAssertEqual(bench.connects.with { $0.count }, 0, "nobody has logged in on this phone yet")
        await bench.phone.woken(server: "wss://call.example.org", name: "ana")
        XCTAssertTrue(bench.phone.state.isLoggedIn)
        await bench.phone.woken(server: "wss://call.example.org", name: "ana")
        XCTAssertEqual(bench.connects.with { $0.count }, 1)
        XCTAssertEqual(bench.client.asked.with { $0 }, ["network"])
    }

    func testACallThatTheSystemDoesNotTakeIsHungUpAndThePersonIsTold() async {
        let bench = await Bench.inCall()
        await bench.phone.refusedBySystem()
        XCTAssertEqual(bench.call.asked.with { $0 }, ["hang up"])
        await bench.ended(.hungUpLocally)
        XCTAssertEqual(bench.phone.state.problem?.message.key, .refusedBySystem)
    }

    func testACameraThatComesBackTakesItsOwnNoticeAwayAndNoOther() async {
        let bench = await Bench.inCall()
        bench.phone.cameraSaid(Message(.mediaCameraPaused))
        bench.phone.cameraSaid(nil)
        XCTAssertNil(bench.phone.state.notice)
        bench.phone.photoSaved(.saved)
        bench.phone.cameraSaid(nil)
        XCTAssertEqual(bench.phone.state.notice, Message(.photoTaken))
    }

    func testAPhoneThatWasHotBeforeTheLoginSaysSoAtOnce() async {
        let bench = Bench()
        bench.phone.thermalState(.serious)
        await bench.phone.login(server: "wss://call.example.org", name: "ana")
        XCTAssertEqual(bench.client.asked.with { $0 }, ["thermal serious"])
    }

    func testAnAudioEngineThatDoesNotStartIsTriedAgainMoreAndMoreSlowlyAndNotForEver() async {
        let pauses = (1...10).map { EngineRetry.pause(failures: $0) }
        XCTAssertEqual(pauses.compactMap { $0 }, pauses.compactMap { $0 }.sorted())
        XCTAssertLessThan(pauses.compactMap { $0 }.reduce(0, +), 10)
        XCTAssertNotNil(pauses[0])
        XCTAssertNil(pauses[9])
        XCTAssertNil(EngineRetry.pause(failures: 0))
    }

    func testTheWayToTheChatShowsIt() async {
        let bench = await Bench.inCall()
        await bench.ended(.declinedRemotely)
        await bench.phone.take(.write)
        XCTAssertEqual(bench.phone.state.tab, .chat)
    }

    func testAButtonOfAProblemThatIsNoLongerShownDoesNothing() async throws {
        let bench = Bench()
        bench.connectError.with { $0 = failed(.server) }
        await bench.phone.login(server: "wss://call.example.org", name: "ana")
        let shown = try XCTUnwrap(bench.phone.state.problem)
        XCTAssertTrue(shown.ways.contains(.tryAgain))
        await bench.phone.take(.tryAgain, of: Problem(.errorNoCamera, ways: [.tryAgain]))
        XCTAssertEqual(bench.phone.state.problem, shown)
        XCTAssertEqual(bench.connects.with { $0.count }, 1, "nothing was tried again")
        await bench.phone.take(.tryAgain, of: shown)
        XCTAssertEqual(bench.connects.with { $0.count }, 2)
    }

    func testALoginWhileNobodyLooksTellsTheLibrarySo() async {
        let bench = Bench()
        bench.phone.wentToBackground(cameraMayStayOn: false)
        await bench.phone.woken(server: "wss://call.example.org", name: "ana")
        XCTAssertEqual(bench.client.asked.with { $0 }, ["background"])
        bench.phone.cameToForeground()
        XCTAssertEqual(bench.client.asked.with { $0.last }, "foreground")
    }
}
