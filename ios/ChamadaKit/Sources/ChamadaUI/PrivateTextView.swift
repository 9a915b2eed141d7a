#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import SwiftUI

/// What the two people of a call write to each other, and nobody else reads.
struct PrivateTextView: View {
    @ObservedObject var calls: CallStore
    @ObservedObject var lines: PrivateLineStore
    @State private var text = ""

    var body: some View {
        NavigationStack {
            if let call = calls.value, let view = call.privateText {
                ScrollViewReader { scroll in
                    List(lines.value, id: \.id) { line in
                        MessageBubble(line.text, head: line.delivery.map { localized($0) } ?? call.with, atMs: line.atMs, own: line.own)
                            .listRowSeparator(.hidden)
                    }
                    .listStyle(.plain)
                    .onChange(of: lines.value.last?.id) { last in
                        if let last { scroll.scrollTo(last, anchor: .bottom) }
                    }
                }
                .safeAreaInset(edge: .bottom) { field(call, view) }
                .navigationTitle(localized(view.title))
                .navigationBarTitleDisplayMode(.inline)
                .toolbar {
                    ToolbarItem(placement: .cancellationAction) {
                        Button(localized("sheet.close")) { calls.dispatch(.showPrivateText(on: false)) }
                    }
                }
            }
        }
    }

    private func field(_ call: AppCallView, _ view: AppPrivateText) -> some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(localized(view.typing ?? view.hint)).font(.caption).foregroundStyle(.secondary)
            HStack {
                TextField(localized("private.write", ["name": call.with]), text: $text)
                    .textFieldStyle(.roundedBorder)
                    .submitLabel(.send)
                    .onSubmit(send)
                    .onChange(of: text) { typed in calls.dispatch(.setTyping(on: !typed.isEmpty)) }
                SendButton(text, send: send)
            }
        }
        .padding(.horizontal)
        .background(.bar)
    }

    private func send() {
        calls.dispatch(.sendPrivateText(text: text))
        text = ""
    }
}
#endif
