#if canImport(Network)
import Chamada
import Foundation
import Network

/// Tells the network in use, at once and whenever something about it changes; none while there is none.
public final class NetworkMonitor: @unchecked Sendable {
    private let monitor = NWPathMonitor()

    public init(changed: @escaping @Sendable (AppNetwork?) -> Void) {
        monitor.pathUpdateHandler = { path in
            guard path.status == .satisfied else { return changed(nil) }
            // The preferred interface comes first.
            let names = path.availableInterfaces.map(\.name).joined(separator: " ")
            changed(AppNetwork(id: names, addresses: [], metered: path.isExpensive || path.isConstrained))
        }
        monitor.start(queue: DispatchQueue(label: "chamada.network"))
    }

    deinit { monitor.cancel() }
}
#endif
