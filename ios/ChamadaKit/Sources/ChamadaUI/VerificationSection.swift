#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import Foundation
import SwiftUI

/// The check of the other end: four pictures with their names, which both people say aloud, and whether they are the same.
struct VerificationSection: View {
    let calls: CallStore
    let verification: AppVerification

    var body: some View {
        Section {
            if !verification.words.isEmpty {
                // One under the other where large letters leave no room beside each other.
                ViewThatFits {
                    HStack(alignment: .top, spacing: 16) { words }
                    VStack(alignment: .leading, spacing: 8) { words }
                }
                .frame(maxWidth: .infinity)
            }
            Label { Text(localized(verification.message)) } icon: { Image(systemName: image).foregroundStyle(color) }
            if verification.canAnswer {
                answer(verification.same, true)
                answer(verification.different, false)
            }
        } header: {
            Text(localized(verification.title))
        }
    }

    private var words: some View {
        ForEach(verification.words, id: \.emoji) { word in
            VStack {
                Text(verbatim: word.emoji).font(.largeTitle).accessibilityHidden(true)
                Text(verbatim: isPortuguese ? word.ptBr : word.en).font(.callout)
            }
        }
    }

    private func answer(_ label: String, _ same: Bool) -> some View {
        Button(localized(label), role: same ? nil : .destructive) { calls.dispatch(.confirmVerification(same: same)) }
    }

    /// The language of all other texts.
    private var isPortuguese: Bool { Bundle.module.preferredLocalizations.first?.hasPrefix("pt") ?? false }

    private var image: String {
        switch verification.trust {
        case .verified: "checkmark.shield.fill"
        case .doubtful: "exclamationmark.shield.fill"
        case .unknown: "shield"
        }
    }

    private var color: Color {
        switch verification.trust {
        case .verified: .green
        case .doubtful: .red
        case .unknown: .secondary
        }
    }
}
#endif
