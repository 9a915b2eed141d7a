import Chamada
import Foundation
import XCTest

// README: begin
/// Shows what the other side sends: draw `planes.y`, `planes.u`, `planes.v` before the closure ends.
final class RemoteVideo: VideoRenderer {
    func render(frame: Frame) {
        try? frame.show { planes in draw(planes) }
    }
}

func talk(cameras: Cameras, audio: AudioDevices) async throws {
    let devices = Devices(cameras: cameras, audio: audio, remote: RemoteVideo())
    let config = Config(server: "wss://call.example.org", name: "ana")
    let session = try await Session.connect(config: config, devices: devices)
    let call = try await session.client.call(to: "rui")  // call.flipCamera(), call.photo(…), call.hangUp()
    for await event in session.events {
        switch event {
        case let .incomingCall(_, call): try await call.decline()  // or accept()
        case let .callChanged(now): show(call, now.state)
        case .callEnded: await session.client.logout()
        default: break
        }
    }
}

/// For each picture of an Apple camera, between locking and unlocking its base addresses: one copy.
func push(_ sink: CameraSink, _ buffer: PixelBuffer) throws {
    func plane(_ index: Int) -> Plane {
        let stride = buffer.bytesPerRow(of: index)
        return Plane(base: buffer.baseAddress(of: index), count: stride * buffer.height(of: index), stride: stride)
    }
    try sink.push(Picture(width: buffer.width, height: buffer.height, rotationDegrees: 90), y: plane(0), uv: plane(1))
}
// README: end

/// Stands for `CVPixelBuffer`, which Linux has not.
struct PixelBuffer {
    let width = 16
    let height = 8
    let bytes: UnsafeRawPointer

    func bytesPerRow(of plane: Int) -> Int { 16 }
    func height(of plane: Int) -> Int { plane == 0 ? 8 : 4 }
    func baseAddress(of plane: Int) -> UnsafeRawPointer { plane == 0 ? bytes : bytes + 128 }
}

private func show(_ call: Call, _ state: CallState) {
    print(call.with(), state)
}

private func draw(_ planes: FramePlanes) {
    precondition(!planes.y.isEmpty)
}

/// What the README shows is what was compiled here.
final class ReadmeTests: XCTestCase {
    func testTheReadmesSwiftIsCompiledCode() throws {
        guard let path = ProcessInfo.processInfo.environment["CHAMADA_README"] else {
            throw XCTSkip("CHAMADA_README does not say where the README is")
        }
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let shown = source.components(separatedBy: "// README: begin\n")[1].components(separatedBy: "// README: end")[0]
        let readme = try String(contentsOfFile: path, encoding: .utf8)
        XCTAssertTrue(readme.contains(shown.trimmingCharacters(in: .newlines)), "README.md and Readme.swift are out of step")
    }
}
