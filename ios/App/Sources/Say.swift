import Chamada
import ChamadaCore
import Foundation
import SwiftUI
import UIKit

/// The text of a key in the person's language.
func say(_ key: TextKey, _ values: [String: String] = [:]) -> String { say(key.rawValue, values) }

/// What the core wants said.
func say(_ message: AppMessage) -> String { say(message.key, message.arguments) }

/// The text of a key that the core names.
func say(_ key: String, _ values: [String: String] = [:]) -> String {
    filled(Bundle.main.localizedString(forKey: key, value: nil, table: nil), values)
}

/// What is told, each with its ways forward, and spoken by VoiceOver.
struct BannersView: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        VStack(spacing: 8) {
            ForEach(model.state.banners, id: \.id) { banner in BannerView(banner: banner) }
        }
        .padding()
    }
}

struct BannerView: View {
    @EnvironmentObject private var model: AppModel
    let banner: AppBanner

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Text(say(banner.message)).font(.callout)
            // One under the other where large letters leave no room beside each other.
            ViewThatFits {
                HStack(spacing: 16) { buttons }
                VStack(alignment: .leading, spacing: 8) { buttons }
            }
        }
        .padding(.horizontal, 16)
        .padding(.vertical, 10)
        .background(.regularMaterial, in: RoundedRectangle(cornerRadius: 16))
        .task(id: banner.id) { UIAccessibility.post(notification: .announcement, argument: say(banner.message)) }
    }

    @ViewBuilder
    private var buttons: some View {
        ForEach(banner.buttons, id: \.label) { button in
            Button(say(button.label)) { model.dispatch(.recover(banner: banner.id, recovery: button.recovery)) }
        }
    }
}
