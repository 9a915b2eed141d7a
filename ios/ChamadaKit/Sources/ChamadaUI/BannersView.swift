#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import SwiftUI

/// What is told, each with its ways forward, and spoken by VoiceOver.
public struct BannersView: View {
    @ObservedObject private var store: BannerStore

    public init(_ store: BannerStore) { self.store = store }

    public var body: some View {
        // Without any it takes no place.
        if !store.value.isEmpty {
            VStack(spacing: 8) {
                ForEach(store.value, id: \.id) { banner in row(banner) }
            }
            .frame(maxWidth: 560)
            .padding(.horizontal)
        }
    }

    private func row(_ banner: AppBanner) -> some View {
        VStack(alignment: .leading, spacing: 8) {
            Text(localized(banner.message)).font(.callout)
            // One under the other where large letters leave no room beside each other.
            ViewThatFits {
                HStack(spacing: 16) { buttons(banner) }
                VStack(alignment: .leading, spacing: 8) { buttons(banner) }
            }
        }
        .padding(.horizontal, 16)
        .padding(.vertical, 10)
        .frame(maxWidth: .infinity, alignment: .leading)
        .background(.regularMaterial, in: RoundedRectangle(cornerRadius: 16))
        .task(id: banner.id) { announce(banner.message) }
    }

    private func buttons(_ banner: AppBanner) -> some View {
        ForEach(banner.buttons, id: \.label) { button in
            Button(localized(button.label)) { store.dispatch(.recover(banner: banner.id, recovery: button.recovery)) }.frame(minHeight: 44)
        }
    }
}
#endif
