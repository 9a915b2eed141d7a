import Foundation
import XCTest

/// How long anything may take before a test fails, in seconds.
let patience: TimeInterval = 40

/// The `chamada` command at work, the peer written in Rust; killed when the test is over before it is.
final class Command: @unchecked Sendable {
    private let process = Process()
    private let input = Pipe()
    private let changed = NSCondition()
    private var lines: [String] = []
    private var taken = 0
    private var ended = false

    init(_ arguments: String...) throws {
        let command = ProcessInfo.processInfo.environment["CHAMADA_COMMAND"] ?? "../../target/debug/chamada"
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: command)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let reading = output.fileHandleForReading
        Thread.detachNewThread { [self] in
            var rest = Data()
            while case let data = reading.availableData, !data.isEmpty {
                rest.append(data)
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    add(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                    rest = Data(rest[rest.index(after: end)...])
                }
            }
            changed.withLock { ended = true }
        }
    }

    deinit { stop() }

    func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private func add(_ line: String) {
        changed.withLock { lines.append(line) }
    }

    /// The next line with this text in it.
    func line(with text: String) throws -> String {
        let end = Date(timeIntervalSinceNow: patience)
        changed.lock()
        defer { changed.unlock() }
        while true {
            while taken < lines.count {
                taken += 1
                if lines[taken - 1].contains(text) { return lines[taken - 1] }
            }
            if ended { throw Missing("it ended without '\(text)'; it said \(lines)") }
            if !changed.wait(until: end) { throw Missing("no '\(text)' in time; it said \(lines)") }
        }
    }

    /// Types a line.
    func type(_ line: String) {
        input.fileHandleForWriting.write(Data("\(line)\n".utf8))
    }

    /// The summary that `--json` ends with.
    func summary() throws -> [String: Any] {
        let json = try line(with: "\"event\":\"summary\"")
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8))
        return try XCTUnwrap(object as? [String: Any])
    }

    /// How it ended.
    func exitCode() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }
}

extension NSCondition {
    fileprivate func withLock(_ change: () -> Void) {
        lock()
        change()
        broadcast()
        unlock()
    }
}

struct Missing: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A real signaling server on a free port.
final class Server {
    private let command: Command
    let url: String

    init() throws {
        command = try Command("serve", "--listen", "127.0.0.1:0")
        let line = try command.line(with: "ws://")
        url = String(try XCTUnwrap(line.split(separator: " ").first { $0.hasPrefix("ws://") }))
    }

    deinit { command.stop() }
}
