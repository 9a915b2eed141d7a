import Foundation

/// A thread that does something at a device's pace until it is stopped or the library has closed the device.
public final class PacedThread: @unchecked Sendable {
    private let isGoing = LockedValue(true)
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
