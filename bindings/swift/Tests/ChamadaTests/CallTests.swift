import Chamada
import Foundation
import XCTest

/// Real calls between Swift and the Rust command, over a real server.
final class CallTests: XCTestCase {
    private func answering(_ server: Server, _ name: String, _ more: String = "--json") throws -> Command {
        try Command(
            "answer", "--server", server.url, "--name", name, "--video", "test:320x240@30", "--audio", "tone", more)
    }

    private func number(_ summary: [String: Any], _ part: String, _ name: String) throws -> Double {
        let part = try XCTUnwrap(summary[part] as? [String: Any], "\(summary)")
        return try XCTUnwrap(part[name] as? NSNumber, "\(summary)").doubleValue
    }

    func testCallingTheRustPeerShowsAndSoundsBothWaysFlipsTakesAPhotoAndEnds() async throws {
        let (server, phone) = (try Server(), FakePhone())
        let peer = try answering(server, "rui")
        let ana = try await phone.login(server, "ana")
        try await ana.user("rui")
        let call = try await ana.client.call(to: "rui")
        XCTAssertEqual(call.with(), "rui")
        try await ana.state(.connected)

        let layout = try phone.remote.frames(30)
        XCTAssertEqual([layout.width, layout.height], [320, 240])
        XCTAssertGreaterThan(phone.remote.seen.with { $0.different.count }, 15, "the picture moves")
        XCTAssertGreaterThan(phone.audio.energy.with { $0 }, 0.1, "the peer's tone is heard")
        XCTAssertTrue(try phone.preview.frames(1).mirror, "a front camera's preview is a looking glass")
        let png = try await call.photo(of: .remote, kind: .png)
        XCTAssertEqual(Array(png.prefix(4)), [0x89, 0x50, 0x4E, 0x47])

        let facing = try await call.flipCamera()
        XCTAssertEqual(facing, .environment)
        XCTAssertEqual(phone.cameras.opened.with { $0 }, [FakeCameras.front, FakeCameras.rear])
        _ = try phone.preview.frames(2)
        XCTAssertFalse(try phone.preview.frames(1).mirror, "a rear camera's is not")
        try await ana.client.setDegradationPreference(preference: .maintainFramerate)
        try await ana.client.setVideoBounds(bounds: VideoBounds(maxFps: 15, maxBitrate: 200_000))
        ana.client.setThermalState(state: .fair)
        let stats = try await ana.awaits("statistics") {
            guard case let .measured(stats) = $0, (stats.receivedVideo?.frames ?? 0) > 30,
                (1...200_000).contains(stats.sentVideo?.targetBps ?? 0)
            else { return nil as CallStats? }
            return stats
        }
        XCTAssertGreaterThan(stats.receivedVideo?.bps ?? 0, 0)
        XCTAssertNotNil(stats.loss)
        XCTAssertGreaterThan(stats.sentVideo?.frames ?? 0, 10)
        try await call.hangUp()
        let reason = try await ana.end()
        XCTAssertEqual(reason, .hungUpLocally)
        XCTAssertEqual(phone.cameras.closed.with { $0 }, [FakeCameras.front, FakeCameras.rear])

        let summary = try peer.summary()
        XCTAssertEqual(summary["ended"] as? String, "hung-up-there")
        XCTAssertGreaterThan(try number(summary, "video_received", "frames_decoded"), 10, "Swift's pictures arrived")
        XCTAssertEqual(try number(summary, "video_received", "width"), 320)
        XCTAssertGreaterThan(try number(summary, "audio_received", "energy"), 0.001, "Swift's tone was heard")
    }

    func testACallOfTheRustPeerIsAnsweredAndItsEndIsTold() async throws {
        let (server, phone) = (try Server(), FakePhone())
        let bia = try await phone.login(server, "bia")
        let peer = try Command(
            "call", "bia", "--server", server.url, "--name", "edu", "--video", "test:320x240@30", "--audio", "tone",
            "--seconds", "4", "--json")
        let call = try await bia.incoming()
        XCTAssertEqual(call.with(), "edu")
        try await call.accept()
        try await bia.state(.connected)
        _ = try phone.remote.frames(15)
        let reason = try await bia.end()
        XCTAssertEqual(reason, .hungUpRemotely)
        XCTAssertGreaterThan(try number(try peer.summary(), "video_received", "frames_decoded"), 10)
        XCTAssertEqual(peer.exitCode(), 0)
    }

    func testAPeerThatDeclinesIsToldAndACallThatIsDeclinedHereEndsThere() async throws {
        let server = try Server()
        let cleo = try await FakePhone().login(server, "cleo")
        let nina = try answering(server, "nina", "--decline")
        try await cleo.user("nina")
        _ = try await cleo.client.call(to: "nina")
        let there = try await cleo.end()
        XCTAssertEqual(there, .declinedRemotely)
        nina.stop()
        let otto = try Command(
            "call", "cleo", "--server", server.url, "--name", "otto", "--video", "none", "--audio", "none")
        try await cleo.incoming().decline()
        let here = try await cleo.end()
        XCTAssertEqual(here, .declinedLocally)
        XCTAssertEqual(otto.exitCode(), 4)
    }

    func testBothSidesSeeTheSameWordsSaySoAndKnowEachOtherInTheNextCall() async throws {
        let server = try Server()
        let (here, there) = (FakePhone(), FakePhone())
        var known: (ofIvo: [RememberedPerson], ofIara: [RememberedPerson]) = ([], [])
        for expected in [VerificationResult.compare, .remembered] {
            let iara = try await here.login(server, "iara", remembered: known.ofIvo)
            let ivo = try await there.login(server, "ivo", remembered: known.ofIara)
            try await iara.user("ivo")
            let call = try await iara.client.call(to: "ivo")
            let ringing = try await ivo.incoming()
            try await ringing.accept()
            let (words, same) = (try await iara.checked(expected).words, try await ivo.checked(expected).words)
            XCTAssertEqual(words.count, 4)
            XCTAssertEqual(words, same)
            try await call.sendDtmf(tones: "4#")
            for key in ["4", "#"] {
                let tone = try await ivo.awaits("key") { if case let .dtmfReceived(tone) = $0 { tone } else { nil } }
                XCTAssertEqual(tone, key)
            }
            if expected == .compare {
                try await call.confirmVerification(same: true)
                try await ringing.confirmVerification(same: true)
                _ = try await iara.checked(.confirmed)
                _ = try await ivo.checked(.confirmed)
                let kept: (Event) -> RememberedPerson? = { if case let .remember(person) = $0 { person } else { nil } }
                known = ([try await iara.awaits("memory", kept)], [try await ivo.awaits("memory", kept)])
                XCTAssertEqual([known.ofIvo[0].name, known.ofIara[0].name], ["ivo", "iara"])
            }
            try await call.hangUp()
            let reason = try await ivo.end()
            XCTAssertEqual(reason, .hungUpRemotely)
            // The names are to be free for the next time.
            await iara.client.logout()
            await ivo.client.logout()
        }
        let half = RememberedPerson(name: "ivo", secrets: [Data(count: 16)])
        let refused = await failure { _ = try await here.login(server, "iara", remembered: [half]) }
        XCTAssertEqual(refused?.kind, .invalidArgument)
    }

    func testPeopleWriteToEachOtherAloneAndSendEachOtherFiles() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("chamada-files-\(UUID())")
        let into = folder.appendingPathComponent("into")
        try FileManager.default.createDirectory(at: into, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let bytes = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        let sent = folder.appendingPathComponent("férias.png")
        try bytes.write(to: sent)

        let server = try Server()
        let lia = try await FakePhone().login(server, "lia", privately: true)
        let leo = try await FakePhone().login(server, "leo", privately: true)
        try await lia.user("leo")
        let call = try await lia.client.call(to: "leo")
        let incoming = try await leo.incoming()
        try await incoming.accept()
        for one in [lia, leo] {
            try await one.awaits("text") { if case .text(event: .available) = $0 { () } else { nil } }
        }
        try await incoming.setTyping(on: true)
        try await lia.awaits("typing") { if case .text(event: .typing(on: true)) = $0 { () } else { nil } }
        let id = try await call.sendText(text: "olá leo")
        let text: String = try await leo.awaits("text") {
            if case let .text(event: .received(_, text)) = $0 { text } else { nil }
        }
        XCTAssertEqual(text, "olá leo")
        let delivered: String = try await lia.awaits("mark") {
            if case let .text(event: .delivered(id)) = $0 { id } else { nil }
        }
        XCTAssertEqual(delivered, id)

        let file = try await call.sendFile(path: sent.path)
        let (offered, name): (String, String) = try await leo.awaits("offer") {
            if case let .file(event: .offered(id, name, _, _)) = $0 { (id, name) } else { nil }
        }
        XCTAssertEqual([offered, name], [file, "férias.png"])
        try await incoming.acceptFile(id: offered, folder: into.path, name: name)
        let path: String = try await leo.awaits("file") {
            if case let .file(event: .done(_, path?)) = $0 { path } else { nil }
        }
        XCTAssertEqual(try Data(contentsOf: URL(fileURLWithPath: path)), bytes)
        try await lia.awaits("end of the file") { if case .file(event: .done) = $0 { () } else { nil } }

        _ = try await call.sendFile(path: sent.path)
        let again: String = try await leo.awaits("offer") {
            if case let .file(event: .offered(id, _, _, _)) = $0 { id } else { nil }
        }
        try await incoming.endFile(id: again, why: .declined)
        try await lia.awaits("refusal") { if case .file(event: .ended(_, .declined, false)) = $0 { () } else { nil } }
        let late = await failure { try await incoming.pauseFile(id: again, on: true) }
        let folderIsNone = await failure { _ = try await call.sendFile(path: folder.path) }
        XCTAssertEqual([late?.kind, folderIsNone?.kind], [.call, .invalidArgument])
    }

    func testWhatFailsHasAKindAReasonAndWhereThereIsOneADetail() async throws {
        let server = try Server()
        func refused(_ url: String, _ name: String) async -> ErrorKind? {
            await failure { _ = try await Session.connect(config: Config(server: url, name: name)) }?.kind
        }
        let kinds = [
            await refused("ws://127.0.0.1:1", "gil"), await refused("::", "gil"), await refused(server.url, ""),
        ]
        XCTAssertEqual(kinds, [.server, .invalidArgument, .invalidArgument])
        let gil = try await FakePhone().login(server, "gil")
        try await gil.user("gil")
        let own = await failure { _ = try await gil.client.call(to: "gil") }
        XCTAssertEqual(own?.reason, "you cannot call yourself")
        let left = try XCTUnwrap(parseConstraints(json: #"{"video": {"facingMode": {"exact": "left"}}}"#).video)
        let over = await failure { try await gil.client.setConstraints(constraints: left) }
        XCTAssertEqual(over?.kind, .overconstrained)
        XCTAssertEqual(over?.detail, "facingMode")
        await gil.client.logout()
        let late = await failure { _ = try await gil.client.call(to: "rui") }
        XCTAssertEqual(late?.kind, .closed)
        try await gil.awaits("end") { if case .closed(nil) = $0 { () } else { nil } }
    }
}

/// What `act` throws; none if it is taken.
func failure(_ act: () async throws -> Void) async -> ChamadaError? {
    do {
        try await act()
        return nil
    } catch {
        return error as? ChamadaError
    }
}
