import Foundation
import Security
import os

/// The token that was shown to the server: read on a locked phone, too, once it was unlocked since its start, since a push may start the
/// app; and taken along to no other device.
enum Keychain {
    private static var item: [String: Any] {
        [kSecClass as String: kSecClassGenericPassword, kSecAttrService as String: "org.chamada.token"]
    }

    static var token: String? {
        get {
            var query = item
            query[kSecReturnData as String] = true
            var found: CFTypeRef?
            guard SecItemCopyMatching(query as CFDictionary, &found) == errSecSuccess, let data = found as? Data else { return nil }
            return String(decoding: data, as: UTF8.self)
        }
        set {
            // Not there is as good as deleted.
            _ = SecItemDelete(item as CFDictionary)
            guard let newValue else { return }
            var new = item
            new[kSecValueData as String] = Data(newValue.utf8)
            new[kSecAttrAccessible as String] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
            let status = SecItemAdd(new as CFDictionary, nil)
            if status != errSecSuccess {
                Logger(subsystem: "org.chamada", category: "app").error("the token is not kept: \(String(status), privacy: .public)")
            }
        }
    }
}
