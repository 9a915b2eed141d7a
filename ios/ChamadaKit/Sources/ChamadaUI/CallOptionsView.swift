#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import SwiftUI

/// What is used less in a call, in a sheet over it.
struct CallOptionsView: View {
    @ObservedObject var calls: CallStore
    @Binding var fills: Bool
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            List {
                if let call = calls.value {
                    if let check = call.verification { VerificationSection(calls: calls, verification: check) }
                    Section { actions(call) }
                    Section {
                        Toggle(localized("call.fill"), isOn: $fills)
                        Toggle(localized("call.stats"), isOn: $calls.showsStatistics)
                        if call.lowData { Toggle(localized("call.full-quality"), isOn: $calls.fullQuality) }
                    }
                }
            }
            .navigationTitle(localized("call.more"))
            .navigationBarTitleDisplayMode(.inline)
            .toolbar {
                ToolbarItem(placement: .cancellationAction) { Button(localized("sheet.close")) { dismiss() } }
            }
        }
        .presentationDetents([.medium, .large])
    }

    @ViewBuilder
    private func actions(_ call: AppCallView) -> some View {
        if let text = call.privateText {
            Button {
                dismiss()
                calls.dispatch(.showPrivateText(on: true))
            } label: {
                Label(localized(text.title), systemImage: "text.bubble")
            }
            .badge(Int(text.unread))
        }
        if call.keypad != nil {
            action("keypad", "circle.grid.3x3") { calls.dispatch(.showKeypad(on: true)) }
        }
        action("call.photo", "camera") { calls.dispatch(.takePhoto) }.disabled(!call.showsRemote)
        if call.held {
            action("call.take-sound", "play") { calls.dispatch(.setHold(on: false)) }
        } else {
            action("call.hold", "pause") { calls.dispatch(.setHold(on: true)) }
        }
        if call.canShrink, calls.pictureInPicture.isPossible {
            action("call.small-window", "pip.enter") { calls.pictureInPicture.start() }
        }
    }

    private func action(_ label: String, _ image: String, _ act: @escaping @MainActor () -> Void) -> some View {
        Button {
            act()
            dismiss()
        } label: {
            Label(localized(label), systemImage: image)
        }
    }
}
#endif
