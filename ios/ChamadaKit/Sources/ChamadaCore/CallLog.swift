import Chamada
import Foundation

/// One call that was.
public struct CallLogEntry: Codable, Equatable, Sendable, Identifiable {
    public enum Kind: String, Codable, Sendable {
        case made, received, missed

        public var label: TextKey {
            switch self {
            case .made: .logOutgoing
            case .received: .logIncoming
            case .missed: .logMissed
            }
        }
    }

    public let id: String
    public let with: String
    public let kind: Kind
    public let began: Date
    /// Seconds that it was connected; 0 if it never was.
    public let seconds: Int
}

/// The newest calls, newest first, kept in a file.
public struct CallLog: Sendable {
    public static let most = 100
    public private(set) var entries: [CallLogEntry] = []
    private let file: URL?

    /// What the file holds; a file that is not there or cannot be read is an empty log.
    public init(file: URL? = nil) {
        self.file = file
        if let file, let data = try? Data(contentsOf: file),
            let read = try? JSONDecoder().decode([CallLogEntry].self, from: data) {
            entries = Array(read.prefix(Self.most))
        }
    }

    /// Adds a call that is over.
    ///
    /// - Throws: what writing the file throws; the entry is in the log all the same.
    public mutating func add(_ entry: CallLogEntry) throws {
        entries.removeAll { $0.id == entry.id }
        entries.insert(entry, at: 0)
        entries.removeLast(max(0, entries.count - Self.most))
        guard let file else { return }
        try JSONEncoder().encode(entries).write(to: file, options: .atomic)
    }

    /// What kind of call it was: one that rang here and was never answered is missed, unless it was refused here or answered
    /// on another device.
    static func kind(weCalled: Bool, connected: Bool, reason: EndReason) -> CallLogEntry.Kind {
        if weCalled { return .made }
        if connected { return .received }
        switch reason {
        case .declinedLocally, .answeredElsewhere, .hungUpLocally, .mediaFailedLocally: return .received
        default: return .missed
        }
    }
}
