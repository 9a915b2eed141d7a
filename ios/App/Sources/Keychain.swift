import Foundation
import Security
import os

/// What only this app may read: the token that was shown to the server, and whose devices were checked. Read on a locked phone, too, once it
/// was unlocked since its start, since a push may start the app; and taken along to no other device.
enum Keychain {
    static var token: String? {
        get { read("org.chamada.token") }
        set { write(newValue, "org.chamada.token") }
    }

    static var remembered: String? {
        get { read("org.chamada.remembered") }
        set { write(newValue, "org.chamada.remembered") }
    }

    private static func item(_ service: String) -> [String: Any] {
        [kSecClass as String: kSecClassGenericPassword, kSecAttrService as String: service]
    }

    private static func read(_ service: String) -> String? {
        var query = item(service)
        query[kSecReturnData as String] = true
        var found: CFTypeRef?
        guard SecItemCopyMatching(query as CFDictionary, &found) == errSecSuccess, let data = found as? Data else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    private static func write(_ value: String?, _ service: String) {
        var new = item(service)
        // Not there is as good as deleted.
        _ = SecItemDelete(new as CFDictionary)
        guard let value else { return }
        new[kSecValueData as String] = Data(value.utf8)
        new[kSecAttrAccessible as String] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
        let status = SecItemAdd(new as CFDictionary, nil)
        if status != errSecSuccess {
            Logger(subsystem: "org.chamada", category: "app")
                .error("\(service, privacy: .public) is not kept: \(String(status), privacy: .public)")
        }
    }
}
