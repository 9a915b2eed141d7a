import Chamada
import ChamadaCore
import ChamadaUI
import Foundation
import SwiftUI

struct ChatView: View {
    @EnvironmentObject private var session: SessionStore
    @EnvironmentObject private var store: ChatStore
    @State private var text = ""
    @FocusState private var focus: AppField?

    var body: some View {
        ScrollViewReader { scroll in
            List(store.value, id: \.id) { line in
                row(line).listRowSeparator(.hidden)
            }
            .listStyle(.plain)
            .onChange(of: store.value.last?.id) { last in
                if let last { scroll.scrollTo(last, anchor: .bottom) }
            }
        }
        .navigationTitle(localized("chat"))
        .onChange(of: session.focus) { _ in takeFocus() }
        .onAppear(perform: takeFocus)
        .safeAreaInset(edge: .bottom) {
            HStack {
                TextField(localized("chat.write"), text: $text)
                    .textFieldStyle(.roundedBorder)
                    .submitLabel(.send)
                    .focused($focus, equals: .chat)
                    .onSubmit(send)
                SendButton(text, send: send)
            }
            .padding(.horizontal)
            .background(.bar)
        }
    }

    @ViewBuilder
    private func row(_ line: AppChatLine) -> some View {
        if let event = line.event {
            Text(localized(event)).font(.caption).foregroundStyle(.secondary).frame(maxWidth: .infinity)
        } else {
            MessageBubble(line.text ?? "", head: line.from ?? "", atMs: line.atMs, own: line.own)
        }
    }

    private func takeFocus() {
        guard session.focus == .chat else { return }
        (focus, session.focus) = (.chat, nil)
    }

    private func send() {
        store.dispatch(.say(text: text))
        text = ""
    }
}
