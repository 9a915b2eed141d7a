#if canImport(Darwin)
import Chamada
import Foundation

/// Tells how hot the device is, at once and whenever that changes.
public final class ThermalMonitor: @unchecked Sendable {
    private let observer: any NSObjectProtocol

    public init(changed: @escaping @Sendable (ThermalState) -> Void) {
        // The system only tells of changes to those who have looked before.
        changed(ThermalState(ProcessInfo.processInfo.thermalState))
        observer = NotificationCenter.default.addObserver(
            forName: ProcessInfo.thermalStateDidChangeNotification, object: nil, queue: nil
        ) { _ in changed(ThermalState(ProcessInfo.processInfo.thermalState)) }
    }

    deinit { NotificationCenter.default.removeObserver(observer) }
}

extension ThermalState {
    init(_ state: ProcessInfo.ThermalState) {
        self = switch state {
        case .nominal: .nominal
        case .fair: .fair
        case .serious: .serious
        case .critical: .critical
        @unknown default: .serious
        }
    }
}
#endif
