/// What the system did to the app's audio session.
public enum SessionChange: Sendable, CaseIterable {
    /// Somebody else sounds now.
    case interrupted
    /// Whoever interrupted is done.
    case mayGoOn
    /// The media services died and came back: what the app had set is gone.
    case reset

    /// Whether the session's category is to be set anew first.
    public var needsSetUp: Bool { self == .reset }
    /// Whether the app may sound after it.
    public var isActive: Bool { self != .interrupted }
}

/// When to start an audio engine again that the system did not let start.
public enum EngineRetry {
    /// Seconds to wait after so many failures in a row; after the last none, until something else changes.
    public static func pause(failures: Int) -> Double? {
        let pauses = [0.1, 0.3, 1, 3, 3]
        return (1...pauses.count).contains(failures) ? pauses[failures - 1] : nil
    }
}

/// Remembers which network there was, to tell whether what the system says now is another.
public struct NetworkMemory: Sendable {
    private var known: [String]?
    private var wasLost = false

    public init() {}

    /// Whether the library is to look for its server and repair the call: the interfaces in use are others than before, or there
    /// was no network in between, after which even one of the same name may be another. The first is the one that the app began
    /// with.
    ///
    /// - Parameter interfaces: their names, the preferred first; none while there is no network.
    public mutating func isAnother(_ interfaces: [String]?) -> Bool {
        guard let interfaces else {
            wasLost = true
            return false
        }
        defer { (known, wasLost) = (interfaces, false) }
        guard let known else { return false }
        return wasLost || known != interfaces
    }
}
