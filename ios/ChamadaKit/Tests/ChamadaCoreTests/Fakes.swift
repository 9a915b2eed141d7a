import Chamada
import Foundation
import XCTest

@testable import ChamadaCore

/// A client that does nothing but write down what it was asked, and fails when told to.
final class FakeClient: Client, @unchecked Sendable {
    let asked = Guard<[String]>([])
    let failures = Guard<[String: ChamadaError]>([:])
    let next: FakeCall

    init(next: FakeCall) {
        self.next = next
        super.init(noHandle: .init())
    }

    required init(unsafeFromHandle handle: UInt64) { fatalError("a fake has no handle") }

    private func note(_ what: String) throws {
        asked.with { $0.append(what) }
        if let failure = failures.with({ $0[what] }) { throw failure }
    }

    override func call(to: String) async throws -> Call {
        try note("call \(to)")
        return next
    }

    override func setMicrophone(on: Bool) async throws { try note("microphone \(on)") }
    override func setCamera(on: Bool) async throws { try note("camera \(on)") }
    override func say(text: String) async throws { try note("say \(text)") }
    override func logout() async { asked.with { $0.append("logout") } }
    override func background() { asked.with { $0.append("background") } }
    override func foreground() { asked.with { $0.append("foreground") } }
    override func networkChanged() { asked.with { $0.append("network") } }
    override func dropSignaling(on: Bool) { asked.with { $0.append("drop signaling \(on)") } }
    override func dropMedia(on: Bool) { asked.with { $0.append("drop media \(on)") } }
    override func setThermalState(state: ThermalState) { asked.with { $0.append("thermal \(state)") } }
    override func lowMemory() -> UInt64 {
        asked.with { $0.append("memory") }
        return 0
    }
}

final class FakeCall: Call, @unchecked Sendable {
    let asked = Guard<[String]>([])
    let failure = Guard<ChamadaError?>(nil)
    private let named: (id: String, with: String)

    init(_ id: String, _ with: String) {
        named = (id, with)
        super.init(noHandle: .init())
    }

    required init(unsafeFromHandle handle: UInt64) { fatalError("a fake has no handle") }

    private func note(_ what: String) throws {
        asked.with { $0.append(what) }
        if let failure = failure.with({ $0 }) { throw failure }
    }

    override func id() -> String { named.id }
    override func with() -> String { named.with }
    override func accept() async throws { try note("accept") }
    override func decline() async throws { try note("decline") }
    override func hangUp() async throws { try note("hang up") }
    override func flipCamera() async throws -> FacingMode? {
        try note("flip")
        return .environment
    }
    override func photo(of: PhotoOf, kind: PhotoKind) async throws -> Data {
        try note("photo")
        return Data([1])
    }
}

struct FakeLine: Line {
    let client: Client
    let events: AsyncStream<Event>
}

/// A camera that is there and cannot be opened.
final class BrokenCameras: Cameras {
    private let why: AppError

    init(_ why: AppError) { self.why = why }
    func listCameras() -> [CameraInfo] { FakeCameras().listCameras() }
    func openCamera(settings: CameraSettings, sink: CameraSink) throws { throw why }
    func closeCamera(deviceId: String) {}
}

/// Answers as it is told, and counts how often it was asked.
final class FakePermissions: Permissions {
    let answers = Guard<[Guarded: Permission]>([.camera: .granted, .microphone: .granted])
    let known = Guard<[Guarded: Permission]>([:])
    let asked = Guard<[Guarded]>([])

    func now(_ what: Guarded) -> Permission { known.with { $0[what] } ?? .undecided }

    func ask(_ what: Guarded) async -> Permission {
        asked.with { $0.append(what) }
        let answer = answers.with { $0[what] } ?? .denied
        known.with { $0[what] = answer }
        return answer
    }
}

/// A phone over a fake line, at a time that stands still.
@MainActor
final class Bench {
    let call = FakeCall("c1", "rui")
    let client: FakeClient
    let permissions = FakePermissions()
    let connectError = Guard<ChamadaError?>(nil)
    let connects = Guard<[Config]>([])
    let devices = Guard<Devices?>(nil)
    var settingsOpened = 0
    var steps: [CallStep] = []
    var phone: Phone!

    init(cameras: (any Cameras)? = FakeCameras(silent: true)) {
        client = FakeClient(next: call)
        var world = World(devices: Devices(cameras: cameras, audio: nil), permissions: permissions)
        world.now = { Date(timeIntervalSince1970: 1000) }
        world.connect = { [client, connectError, connects, devices] config, given in
            connects.with { $0.append(config) }
            devices.with { $0 = given }
            if let error = connectError.with({ $0 }) { throw error }
            return FakeLine(client: client, events: AsyncStream { _ in })
        }
        world.openSettings = { [weak self] in self?.settingsOpened += 1 }
        phone = Phone(world)
        phone.onStep = { @MainActor [weak self] step in self?.steps.append(step) }
    }

    /// Logged in as ana, with rui there.
    static func ready(cameras: (any Cameras)? = FakeCameras(silent: true)) async -> Bench {
        let bench = Bench(cameras: cameras)
        await bench.phone.login(server: "wss://call.example.org", name: "ana")
        await bench.phone.handle(.users(names: ["ana", "rui"]))
        return bench
    }

    /// In a connected call with rui that was placed here.
    static func inCall() async -> Bench {
        let bench = await ready()
        await bench.phone.call("rui")
        await bench.changed(.connected)
        return bench
    }

    func changed(_ state: CallState, audio: Bool = true, video: Bool = true) async {
        let local = MediaState(audio: audio, video: video, facing: .user, screen: false)
        let remote = MediaState(audio: true, video: true, facing: nil, screen: false)
        await phone.handle(
            .callChanged(now: CallSnapshot(state: state, with: "rui", callId: "c1", local: local, remote: remote)))
    }

    func ended(_ reason: EndReason, id: String = "c1") async {
        await phone.handle(.callEnded(with: "rui", callId: id, reason: reason))
    }
}

func failed(_ kind: ErrorKind, _ detail: String? = nil) -> ChamadaError {
    .Failure(kind: kind, reason: "for the developer", detail: detail)
}

extension Phone {
    /// A tap on a button of the problem that is shown.
    func take(_ way: WayForward) async {
        guard let problem = state.problem else { return XCTFail("nothing to choose \(way) of") }
        await take(way, of: problem)
    }
}
