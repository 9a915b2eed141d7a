/// When to start an audio engine or a capture session again that the system did not let start, or stopped.
public enum EngineRetry {
    /// Seconds to wait after so many failures in a row; after the last none, until something else changes.
    public static func pause(failures: Int) -> Double? {
        let pauses = [0.1, 0.3, 1, 3, 3]
        return (1...pauses.count).contains(failures) ? pauses[failures - 1] : nil
    }
}
