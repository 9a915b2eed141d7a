import Chamada
import Foundation

/// A front and a rear camera that are drawings, for demos and simulators: a bright bar that moves over a shaded ground, bluish
/// at the front and reddish at the rear.
public final class PatternCameras: Cameras {
    public static let front = "pattern-front"
    public static let rear = "pattern-rear"
    private static let sizes: [(UInt32, UInt32)] = [(1280, 720), (640, 480), (320, 240)]

    private let film = Guard<Pump?>(nil)

    public init() {}

    public func listCameras() -> [CameraInfo] {
        let formats = Self.sizes.map { CameraFormat(width: $0, height: $1, minFps: 1, maxFps: 30) }
        return [
            CameraInfo(deviceId: Self.front, label: "Pattern, front", facing: .user, formats: formats),
            CameraInfo(deviceId: Self.rear, label: "Pattern, rear", facing: .environment, formats: formats),
        ]
    }

    public func openCamera(settings: CameraSettings, sink: CameraSink) throws {
        guard settings.deviceId == Self.front || settings.deviceId == Self.rear else {
            throw AppError.NotFound(reason: "there is no camera \(settings.deviceId)")
        }
        let drawing = Drawing(width: Int(settings.width), height: Int(settings.height), isFront: settings.deviceId == Self.front)
        film.with { $0 = Pump(every: 1 / max(settings.fps, 1)) { try drawing.push(to: sink, number: $0) } }
    }

    public func closeCamera(deviceId: String) {
        film.with { film in
            defer { film = nil }
            return film
        }?.stop()
    }
}

/// One picture after another, drawn into the same memory.
private final class Drawing: @unchecked Sendable {
    private let width: Int
    private let height: Int
    private var luma: [UInt8]
    private let ground: [UInt8]
    private let u: Data
    private let v: Data

    init(width: Int, height: Int, isFront: Bool) {
        (self.width, self.height) = (width, height)
        ground = (0..<width).map { UInt8(40 + 120 * $0 / width) }
        luma = [UInt8](repeating: 0, count: width * height)
        let chroma = (width + 1) / 2 * ((height + 1) / 2)
        u = Data(repeating: isFront ? 150 : 110, count: chroma)
        v = Data(repeating: isFront ? 110 : 150, count: chroma)
    }

    /// Called by one thread.
    func push(to sink: CameraSink, number: Int) throws {
        let bar = max(width / 16, 2)
        let from = number * 4 % max(width - bar, 1)
        var row = ground
        for x in from..<min(from + bar, width) { row[x] = 230 }
        for y in 0..<height { luma.replaceSubrange(y * width..<(y + 1) * width, with: row) }
        let half = (width + 1) / 2
        try luma.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            try sink.push(
                Picture(width: width, height: height), y: Plane(base: base, count: bytes.count, stride: width),
                u: Plane(u, stride: half), v: Plane(v, stride: half))
        }
    }
}

/// A thread that does something at a device's pace until it is stopped or the library has closed the device.
public final class Pump: @unchecked Sendable {
    private let isGoing = Guard(true)
    private let done = DispatchSemaphore(value: 0)

    public init(every interval: TimeInterval, _ work: @escaping @Sendable (Int) throws -> Void) {
        let thread = Thread { [self] in
            var (next, number) = (Date(), 0)
            while isGoing.with({ $0 }) {
                // It only fails when the device is closed.
                do { try work(number) } catch { break }
                number += 1
                next += interval
                Thread.sleep(until: next)
            }
            done.signal()
        }
        // A device's pace is kept whatever else the phone does.
        thread.qualityOfService = .userInteractive
        thread.start()
    }

    /// Returns when its thread does nothing any more.
    public func stop() {
        isGoing.with { $0 = false }
        done.wait()
        done.signal()
    }
}

/// A value that threads share.
public final class Guard<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    public init(_ value: Value) { self.value = value }

    public func with<R>(_ use: (inout Value) throws -> R) rethrows -> R {
        lock.lock()
        defer { lock.unlock() }
        return try use(&value)
    }
}
