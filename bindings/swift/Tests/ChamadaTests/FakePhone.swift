import Chamada
import Foundation

/// A value that threads share.
final class Locked<T>: @unchecked Sendable {
    private let lock = NSCondition()
    private var value: T

    init(_ value: T) {
        self.value = value
    }

    func with<R>(_ use: (inout T) throws -> R) rethrows -> R {
        lock.lock()
        defer {
            lock.broadcast()
            lock.unlock()
        }
        return try use(&value)
    }

    /// Waits until `enough`; false if that takes longer than anyone has patience.
    func wait(until enough: (T) -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: patience)
        lock.lock()
        defer { lock.unlock() }
        while !enough(value) {
            if !lock.wait(until: end) { return enough(value) }
        }
        return true
    }
}

/// A thread that does something at a device's pace until it is stopped or the library has closed the device.
final class Device: @unchecked Sendable {
    private let going = Locked(true)
    private let done = Locked(false)

    init(every interval: TimeInterval, _ work: @escaping @Sendable () throws -> Void) {
        Thread.detachNewThread { [going, done] in
            var next = Date()
            while going.with({ $0 }) {
                do { try work() } catch { break }
                next += interval
                Thread.sleep(until: next)
            }
            done.with { $0 = true }
        }
    }

    func stop() {
        going.with { $0 = false }
        _ = done.wait { $0 }
    }
}

/// A front and a rear camera that show a bright bar moving over a plain ground: dark at the front, grey at the rear.
final class FakeCameras: Cameras {
    static let front = "front"
    static let rear = "rear"

    let opened = Locked<[String]>([])
    let closed = Locked<[String]>([])
    let sink = Locked<CameraSink?>(nil)
    private let device = Locked<Device?>(nil)
    private let silent: Bool

    /// - Parameter silent: it pushes nothing by itself; the test pushes its own.
    init(silent: Bool = false) {
        self.silent = silent
    }

    func listCameras() -> [CameraInfo] {
        let formats = [CameraFormat(width: 320, height: 240, minFps: 5, maxFps: 30)]
        return [
            CameraInfo(deviceId: Self.front, label: "Front", facing: .user, formats: formats),
            CameraInfo(deviceId: Self.rear, label: "Rear", facing: .environment, formats: formats),
        ]
    }

    func openCamera(settings: CameraSettings, sink: CameraSink) {
        opened.with { $0.append(settings.deviceId) }
        self.sink.with { $0 = sink }
        if silent { return }
        let ground: UInt8 = settings.deviceId == Self.front ? 40 : 120
        let chroma = Data(repeating: 128, count: 160 * 120)
        let number = Locked(0)
        let film = Device(every: 1.0 / 30) {
            let bar = number.with { number in
                number += 4
                return number % 300
            }
            let row = Data(repeating: ground, count: bar) + Data(repeating: 220, count: 16)
                + Data(repeating: ground, count: 304 - bar)
            var luma = Data(capacity: 320 * 240)
            for _ in 0..<240 { luma.append(row) }
            try luma.withUnsafeBytes { luma in
                try sink.push(
                    Picture(width: 320, height: 240),
                    y: Plane(base: luma.baseAddress!, count: luma.count, stride: 320),
                    u: Plane(chroma, stride: 160), v: Plane(chroma, stride: 160))
            }
        }
        device.with { $0 = film }
    }

    func closeCamera(deviceId: String) {
        device.with { device in
            let closing = device
            device = nil
            return closing
        }?.stop()
        closed.with { $0.append(deviceId) }
    }
}

/// A tone for a microphone, and a speaker that measures what it plays.
final class FakeAudio: AudioDevices {
    private let microphone = Locked<Device?>(nil)
    private let speaker = Locked<Device?>(nil)
    let energy = Locked(0.0)

    func openMicrophone(sink: MicrophoneSink) {
        let position = Locked(0)
        let device = Device(every: 0.02) {
            let start = position.with { position in
                position += 960
                return position - 960
            }
            let block = (start..<start + 960).map { Int16(8000 * sin(2 * Double.pi * 440 * Double($0) / 48000)) }
            try block.withUnsafeBufferPointer { try sink.push($0) }
        }
        microphone.with { $0 = device }
    }

    func closeMicrophone() {
        microphone.with { $0 }?.stop()
    }

    func openSpeaker(source: SpeakerSource) throws {
        guard let block = try? AudioBlock(samples: 480) else { throw AppError.NotReadable(reason: "no memory") }
        let device = Device(every: 0.01) { [energy] in
            try source.pull(block: block)
            let heard = block.withSamples { samples in
                samples.reduce(0.0) { sum, sample in sum + pow(Double(sample) / 32768, 2) }
            }
            energy.with { $0 += heard }
        }
        speaker.with { $0 = device }
    }

    func closeSpeaker() {
        speaker.with { $0 }?.stop()
    }
}

/// Remembers what it was shown.
final class FakeScreen: VideoRenderer {
    struct Seen {
        var frames = 0
        var newest: FrameLayout?
        var luma: [UInt8] = []
        var different: Set<Int> = []
    }

    let seen = Locked(Seen())

    func render(frame: Frame) throws {
        do {
            try frame.show { planes in
                let luma = [UInt8](planes.y)
                seen.with { seen in
                    seen.frames += 1
                    seen.newest = planes.layout
                    seen.different.insert(luma.hashValue)
                    seen.luma = luma
                }
            }
        } catch {
            throw AppError.NotReadable(reason: "\(error)")
        }
    }

    /// Waits for so many pictures more than there are now; the newest one's layout.
    func frames(_ more: Int) throws -> FrameLayout {
        let enough = seen.with { $0.frames } + more
        guard seen.wait(until: { $0.frames >= enough }), let newest = seen.with({ $0.newest }) else {
            throw Missing("only \(seen.with { $0.frames }) of \(enough) pictures")
        }
        return newest
    }
}

/// Everything that a call needs.
struct FakePhone {
    let cameras: FakeCameras
    let audio = FakeAudio()
    let remote = FakeScreen()
    let preview = FakeScreen()

    init(silentCamera: Bool = false) {
        cameras = FakeCameras(silent: silentCamera)
    }

    func login(
        _ server: Server, _ name: String, remembered: [RememberedPerson] = [], privately: Bool = false
    ) async throws -> Talk {
        let devices = Devices(cameras: cameras, audio: audio, remote: remote, preview: preview)
        let config = Config(server: server.url, name: name, remembered: remembered, texts: privately, files: privately)
        return Talk(try await Session.connect(config: config, devices: devices))
    }
}

/// A session whose events a test waits for.
final class Talk {
    let session: Session
    var client: Client { session.client }
    private var events: AsyncStream<Event>.Iterator
    private var came: [String] = []

    init(_ session: Session) {
        self.session = session
        events = session.events.makeAsyncIterator()
    }

    /// The first event that `pick` gives something for.
    func awaits<T>(_ what: String, _ pick: (Event) -> T?) async throws -> T {
        // A watchdog that logs out ends the stream, so that a test that waits in vain fails and does not hang.
        let watchdog = Task { [client] in
            try await Task.sleep(nanoseconds: UInt64(patience) * 1_000_000_000)
            await client.logout()
        }
        defer { watchdog.cancel() }
        while let event = await events.next() {
            came.append(String("\(event)".prefix(100)))
            if let found = pick(event) { return found }
        }
        throw Missing("no \(what); there were \(came)")
    }

    func user(_ name: String) async throws {
        try await awaits("user \(name)") { if case let .users(names) = $0, names.contains(name) { () } else { nil } }
    }

    func state(_ state: CallState) async throws {
        try await awaits("\(state)") { if case let .callChanged(now) = $0, now.state == state { () } else { nil } }
    }

    func checked(_ result: VerificationResult) async throws -> Verification {
        try await awaits("\(result)") {
            if case let .verificationChanged(now) = $0, now.result == result { now } else { nil }
        }
    }

    func incoming() async throws -> Call {
        try await awaits("incoming call") { if case let .incomingCall(_, call) = $0 { call } else { nil } }
    }

    func end() async throws -> EndReason {
        try await awaits("end") { if case let .callEnded(_, _, reason) = $0 { reason } else { nil } }
    }
}
