/// When to start an audio engine or a capture session again that the system did not let start, or stopped.
public enum RestartBackoff {
    /// Seconds to wait after so many failures in a row; after the last none, until something else changes.
    public static func delay(failures: Int) -> Double? {
        let delays = [0.1, 0.3, 1, 3, 3]
        return (1...delays.count).contains(failures) ? delays[failures - 1] : nil
    }
}
