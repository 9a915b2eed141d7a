import Chamada
import ChamadaCore
import ChamadaUI
import Foundation
import SwiftUI

/// Faults on purpose.
struct FaultsView: View {
    @ObservedObject var session: SessionStore
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            List {
                Section {
                    Toggle(localized("faults.signaling"), isOn: $session[outage: .server])
                    Toggle(localized("faults.media"), isOn: $session[outage: .calls])
                }
                Section {
                    fault("faults.network", .networkChanged(network: AppNetwork(id: UUID().uuidString, addresses: [], metered: false)))
                    fault("faults.memory", .lowMemory)
                    fault("faults.peer-calls", .beCalled).disabled(!session.value.isDemo)
                }
            }
            .navigationTitle(localized("faults"))
        }
        .presentationDetents([.medium])
    }

    private func fault(_ label: String, _ action: AppAction) -> some View {
        Button(localized(label)) {
            session.dispatch(action)
            dismiss()
        }
    }
}
