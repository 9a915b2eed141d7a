#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import Foundation
import SwiftUI

/// A message of somebody's: at the trailing edge what was written here. `head` is what stands above it beside the time.
public struct MessageBubble: View {
    private let words: String
    private let head: String
    private let atMs: UInt64
    private let own: Bool

    public init(_ words: String, head: String, atMs: UInt64, own: Bool) {
        (self.words, self.head, self.atMs, self.own) = (words, head, atMs, own)
    }

    public var body: some View {
        VStack(alignment: .leading) {
            HStack {
                Text(verbatim: head).font(.caption.bold())
                Text(Date(milliseconds: atMs), style: .time).font(.caption).foregroundStyle(.secondary)
            }
            Text(verbatim: words)
        }
        .padding(8)
        .background(.quaternary, in: RoundedRectangle(cornerRadius: 12))
        .frame(maxWidth: .infinity, alignment: own ? .trailing : .leading)
        .accessibilityElement(children: .combine)
    }
}

/// The button that sends what was written.
public struct SendButton: View {
    private let text: String
    private let send: @MainActor () -> Void

    public init(_ text: String, send: @escaping @MainActor () -> Void) {
        (self.text, self.send) = (text, send)
    }

    public var body: some View {
        Button(action: send) { Image(systemName: "paperplane.fill").frame(minWidth: 44, minHeight: 44) }
            .disabled(text.trimmingCharacters(in: .whitespaces).isEmpty)
            .accessibilityLabel(localized("chat.send"))
    }
}
#endif
