import Chamada
import XCTest

@testable import ChamadaCore

/// A call's sound, with CallKit and without.
@MainActor
final class CallAudioTests: XCTestCase {
    private struct Refused: Error {}

    /// Session, engine and tones, which note what is asked of them.
    private final class Recorder: CallAudioSession, CallAudioEngine, CallTonePlayer {
        var done: [String] = []
        var refuses = false

        func setUp() { done.append("set up") }
        func setActive(_ active: Bool) throws {
            if refuses { throw Refused() }
            done.append(active ? "activate" : "deactivate")
        }
        func select(_ route: String) { done.append("route \(route)") }
        func reportRoutes() {}
        nonisolated func session(isActive: Bool) { note(isActive ? "engine on" : "engine off") }
        nonisolated func setSilent(_ on: Bool) { note("silent \(on)") }
        func ring(_ on: Bool) { done.append("ring \(on)") }
        func vibrate(_ on: Bool) { done.append("vibrate \(on)") }
        func ringback(_ on: Bool) { done.append("ringback \(on)") }
        private nonisolated func note(_ what: String) { MainActor.assumeIsolated { done.append(what) } }

        /// What was asked since the last look.
        func take() -> [String] {
            defer { done = [] }
            return done
        }
    }

    private let recorder = Recorder()

    private func audio(usesCallKit: Bool) -> CallAudio {
        CallAudio(usesCallKit: usesCallKit, session: recorder, engine: recorder, tones: recorder)
    }

    func testWithCallKitTheAppNeverActivatesTheSessionItselfWhateverHappens() async {
        let audio = audio(usesCallKit: true)
        var asked = 0
        audio.reactivate = { asked += 1 }
        audio.carryOut(.startAudio(video: true))
        XCTAssertEqual(recorder.take(), ["set up"])
        audio.session(isActive: true)
        XCTAssertEqual(recorder.take(), ["engine on"])
        audio.carryOut(.reclaimAudio)
        XCTAssertEqual(asked, 1)
        audio.carryOut(.selectAudioRoute(id: "speaker"))
        audio.carryOut(.stopAudio)
        audio.session(isActive: false)
        XCTAssertEqual(recorder.take(), ["set up", "route speaker", "engine off"])
    }

    func testWithoutCallKitTheAppTakesTheSessionAndGivesItBack() async {
        let audio = audio(usesCallKit: false)
        audio.carryOut(.startAudio(video: true))
        audio.carryOut(.reclaimAudio)
        audio.carryOut(.stopAudio)
        XCTAssertEqual(
            recorder.take(),
            ["set up", "activate", "engine on", "set up", "activate", "engine on", "engine off", "deactivate"])
    }

    func testASessionThatIsRefusedStartsNoEngineAndIsTold() async {
        let audio = audio(usesCallKit: false)
        var failures = 0
        audio.failed = { _ in failures += 1 }
        recorder.refuses = true
        audio.carryOut(.startAudio(video: true))
        XCTAssertEqual(recorder.take(), ["set up"])
        XCTAssertEqual(failures, 1)
    }

    func testTheRingbackToneWaitsForTheSessionAndEndsWithIt() async {
        let audio = audio(usesCallKit: true)
        audio.carryOut(.ringback(on: true))
        XCTAssertEqual(recorder.take(), [], "a player activates the session by itself")
        audio.session(isActive: true)
        XCTAssertEqual(recorder.take(), ["engine on", "ringback true"])
        audio.session(isActive: false)
        XCTAssertEqual(recorder.take(), ["engine off", "ringback false"])
        audio.carryOut(.ringback(on: false))
        audio.session(isActive: true)
        XCTAssertEqual(recorder.take(), ["ringback false", "engine on"])
    }
}
