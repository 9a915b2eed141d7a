#if canImport(Network)
import ChamadaCore
import Foundation
import Network

/// Tells when the device has another network than before: then the library looks for the server and repairs the call at once.
public final class NetworkWatch: @unchecked Sendable {
    private let monitor = NWPathMonitor()

    public init(changed: @escaping @Sendable () -> Void) {
        let memory = Guard(NetworkMemory())
        monitor.pathUpdateHandler = { path in
            let names = path.status == .satisfied ? path.availableInterfaces.map(\.name) : nil
            if memory.with({ $0.isAnother(names) }) { changed() }
        }
        monitor.start(queue: DispatchQueue(label: "chamada.network"))
    }

    deinit { monitor.cancel() }
}
#endif
