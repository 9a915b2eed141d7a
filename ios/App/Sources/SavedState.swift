import Chamada
import Foundation

/// What the app keeps for its next start.
@MainActor
final class SavedState {
    private let defaults = UserDefaults.standard

    /// Names this installation to servers.
    var device: String {
        if let known = defaults.string(forKey: "device") { return known }
        let new = UUID().uuidString
        defaults.set(new, forKey: "device")
        return new
    }

    /// The last login.
    var signIn: AppSavedSignIn? {
        get {
            guard let name = defaults.string(forKey: "name") else { return nil }
            let server = defaults.string(forKey: "server") ?? ""
            return AppSavedSignIn(server: server, name: name, token: Keychain.token, stay: defaults.bool(forKey: "stay"))
        }
        set {
            if Keychain.token != newValue?.token { Keychain.token = newValue?.token }
            defaults.set(newValue?.server, forKey: "server")
            defaults.set(newValue?.name, forKey: "name")
            defaults.set(newValue?.stay ?? false, forKey: "stay")
        }
    }

    /// Who is blocked.
    var blocked: String? {
        get { defaults.string(forKey: "blocked") }
        set { defaults.set(newValue, forKey: "blocked") }
    }

    /// Whose devices were checked.
    var remembered: String? {
        get { Keychain.remembered }
        set { Keychain.remembered = newValue }
    }

    /// The calls that were.
    var history: String? {
        get { file.flatMap { try? String(contentsOf: $0, encoding: .utf8) } }
        set {
            guard let file, let newValue else { return }
            // Without room for it the next start knows less of the past.
            try? Data(newValue.utf8).write(to: file, options: .atomic)
        }
    }

    private var file: URL? {
        let folder = FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask).first
        guard let folder else { return nil }
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appendingPathComponent("history.json")
    }
}
