#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import Foundation
import UIKit

/// What the core wants said.
public func localized(_ message: AppMessage) -> String { localized(message.key, message.arguments) }

/// The text of a key of docs/texts.json in the person's language. An app that says it otherwise has the key in its own `Localizable.strings`.
public func localized(_ key: String, _ values: [String: String] = [:]) -> String {
    let ours = Bundle.module.localizedString(forKey: key, value: nil, table: nil)
    return filled(Bundle.main.localizedString(forKey: key, value: ours, table: nil), values)
}

/// Has VoiceOver say what appeared.
@MainActor
func announce(_ message: AppMessage) { UIAccessibility.post(notification: .announcement, argument: localized(message)) }

extension Date {
    /// So many milliseconds after the start of 1970.
    public init(milliseconds: UInt64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
#endif
