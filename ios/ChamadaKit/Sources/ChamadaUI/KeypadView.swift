#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import SwiftUI

/// The keys of a phone, for whoever answers by a menu.
struct KeypadView: View {
    @ObservedObject var calls: CallStore

    var body: some View {
        NavigationStack {
            VStack(spacing: 12) {
                if let keypad = calls.value?.keypad {
                    // What was pressed here, and what came from there.
                    pressed(keypad.sent)
                    pressed(keypad.received)
                }
                ForEach(["123", "456", "789", "*0#"], id: \.self) { row in
                    HStack(spacing: 20) {
                        ForEach(Array(row), id: \.self) { key in
                            Button { calls.dispatch(.pressKey(key: String(key))) } label: {
                                Text(verbatim: String(key)).font(.title).frame(minWidth: 56, minHeight: 44)
                            }
                            .buttonStyle(.bordered)
                        }
                    }
                }
            }
            .navigationTitle(localized("keypad"))
            .navigationBarTitleDisplayMode(.inline)
            .toolbar {
                ToolbarItem(placement: .cancellationAction) {
                    Button(localized("sheet.close")) { calls.dispatch(.showKeypad(on: false)) }
                }
            }
        }
        .presentationDetents([.medium, .large])
    }

    private func pressed(_ keys: String) -> some View {
        Text(verbatim: keys).font(.title2.monospacedDigit()).lineLimit(1).truncationMode(.head)
    }
}
#endif
