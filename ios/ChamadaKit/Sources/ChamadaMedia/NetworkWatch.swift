#if canImport(Network)
import Foundation
import Network

/// Tells when the device has another network than before: then the library looks for the server and repairs the call at once.
public final class NetworkWatch: @unchecked Sendable {
    private let monitor = NWPathMonitor()

    public init(changed: @escaping @Sendable () -> Void) {
        // The first path is the one that the app began with. Handlers of one monitor are called one after another, on its queue.
        nonisolated(unsafe) var known: [String]?
        monitor.pathUpdateHandler = { path in
            guard path.status == .satisfied else { return }
            let now = path.availableInterfaces.map(\.name) + [path.usesInterfaceType(.cellular) ? "cellular" : ""]
            defer { known = now }
            if let known, known != now { changed() }
        }
        monitor.start(queue: DispatchQueue(label: "chamada.network"))
    }

    deinit { monitor.cancel() }
}
#endif
