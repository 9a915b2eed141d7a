import Chamada
import Foundation
import XCTest

/// Buffers as apps have them, and what apps do wrong with them.
final class BufferTests: XCTestCase {
    /// Runs with a camera that is open and pushes nothing by itself, and the preview that shows what is pushed.
    private func withCamera(_ use: (CameraSink, FakePhone, Call) async throws -> Void) async throws {
        let (server, phone) = (try Server(), FakePhone(silentCamera: true))
        let rings = try await FakePhone().login(server, "rings")
        let films = try await phone.login(server, "films")
        try await films.user("rings")
        let call = try await films.client.call(to: "rings")
        try await films.awaits("camera") { if case .cameraOpened = $0 { () } else { nil } }
        try await use(try XCTUnwrap(phone.cameras.sink.with { $0 }), phone, call)
        try await call.hangUp()
        _ = try await films.end()
        await rings.client.logout()
    }

    func testASliceOfDataIsReadFromWhereItBegins() async throws {
        try await withCamera { sink, phone, _ in
            let luma = Data((0..<128).map { UInt8($0) })
            let shifted = Data(repeating: 255, count: 7) + luma + Data(repeating: 255, count: 9)
            let chroma = Plane(Data(repeating: 128, count: 32), stride: 8)
            let y = Plane(shifted[7..<135], stride: 16)
            try sink.push(Picture(width: 16, height: 8), y: y, u: chroma, v: chroma)
            XCTAssertTrue(phone.preview.seen.wait { $0.frames > 0 })
            XCTAssertEqual(phone.preview.seen.with { $0.luma }, [UInt8](luma))
        }
    }

    func testWhatCannotBeAPictureIsATypedErrorAndTheNextOneIsTaken() async throws {
        try await withCamera { sink, phone, _ in
            let (y, chroma) = (Data(count: 128), Plane(Data(count: 32), stride: 8))
            func push(_ picture: Picture, _ y: Plane) async -> ErrorKind? {
                await failure { try sink.push(picture, y: y, u: chroma, v: chroma) }?.kind
            }
            let good = Picture(width: 16, height: 8)
            let kinds = [
                await push(good, Plane(y, stride: 15)),
                await push(good, Plane(y, stride: -1)),
                await push(good, Plane(y.dropLast(), stride: 16)),
                await push(good, Plane(Data(), stride: 16)),
                await push(Picture(width: -16, height: 8), Plane(y, stride: 16)),
                await push(Picture(width: 16, height: 9000), Plane(y, stride: 16)),
                await push(Picture(width: 16, height: 8, rotationDegrees: 30), Plane(y, stride: 16)),
                await push(Picture(width: 16, height: 8, ageNanos: .max), Plane(y, stride: 16)),
            ]
            XCTAssertEqual(kinds, Array(repeating: .invalidArgument, count: kinds.count))
            try sink.push(good, y: Plane(y, stride: 16), u: chroma, v: chroma)
            XCTAssertTrue(phone.preview.seen.wait { $0.frames == 1 })
        }
    }

    func testAFrameMayBeReleasedTwiceAndACameraThatPushesAfterTheEndIsTold() async throws {
        let kept = Locked<CameraSink?>(nil)
        let (y, chroma) = (Plane(Data(count: 128), stride: 16), Plane(Data(count: 32), stride: 8))
        let good = Picture(width: 16, height: 8)
        try await withCamera { sink, _, call in
            kept.with { $0 = sink }
            try sink.push(good, y: y, u: chroma, v: chroma)
            let frame = try await call.picture(of: .local)
            frame.release()
            frame.release()
            let closed = await failure { try frame.show { _ in } }
            XCTAssertEqual(closed?.kind, .closed)
        }
        let late = await failure { try kept.with { $0 }?.push(good, y: y, u: chroma, v: chroma) }
        XCTAssertEqual(late?.kind, .closed)
    }

    func testAnObserverMayLetGoOfItsClientAndWhatItThrowsIsOnlyLogged() async throws {
        let server = try Server()
        let logged = Locked<[String]>([])
        try startLogging(level: .warn, subsystem: "chamada-tests", sink: Log(logged))
        XCTAssertThrowsError(try startLogging(level: .warn, subsystem: "again", sink: nil))
        let held = Locked<Client?>(nil)
        let told = Locked<[String]>([])
        let observer = Careless { event in
            if case .chat = event { held.with { $0 = nil } }
            told.with { $0.append(String("\(event)".prefix(6))) }
            throw Missing("a bug of the app's")
        }
        let config = Config(server: server.url, name: "iris")
        let client = try await Client.connect(config: config, devices: Devices(), observer: observer)
        held.with { $0 = client }
        try await client.say(text: "now")
        // The reference of this function would keep it.
        _ = consume client
        XCTAssertTrue(told.wait { $0.contains("closed") }, "\(told.with { $0 })")
        let observed = { (lines: [String]) in lines.contains { $0.hasPrefix("error chamada_ffi::observer") } }
        XCTAssertTrue(logged.wait(until: observed), "\(logged.with { $0 })")
        setLogLevel(level: .error)
    }
}

private final class Log: LogSink {
    private let lines: Locked<[String]>

    init(_ lines: Locked<[String]>) {
        self.lines = lines
    }

    func log(level: LogLevel, target: String, message: String) {
        lines.with { $0.append("\(level) \(target) \(message)") }
    }
}

private final class Careless: Observer {
    private let act: @Sendable (Event) throws -> Void

    init(_ act: @escaping @Sendable (Event) throws -> Void) {
        self.act = act
    }

    func onEvent(event: Event) throws {
        try act(event)
    }
}
