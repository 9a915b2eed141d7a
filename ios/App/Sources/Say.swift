import ChamadaCore
import Foundation
import SwiftUI
import UIKit

/// The text of a key or a message in the person's language.
func say(_ key: TextKey, _ values: [String: String] = [:]) -> String { say(Message(key, values)) }

func say(_ message: Message) -> String {
    message.text { Bundle.main.localizedString(forKey: $0, value: nil, table: nil) }
}

extension WayForward {
    var role: ButtonRole? { self == .dismiss || self == .withoutCamera ? .cancel : nil }
}

extension View {
    /// Shows a problem with its ways forward, each a button.
    func problem(_ problem: Problem?, isShown: Binding<Bool>, take: @escaping @MainActor (WayForward, Problem) async -> Void) -> some View {
        alert(problem.map { say($0.message) } ?? "", isPresented: isShown, presenting: problem) { problem in
            ForEach(Array(problem.ways.enumerated()), id: \.offset) { _, way in
                Button(say(way.label), role: way.role) { Task { await take(way, problem) } }
            }
        }
    }
}

/// What is only to be told: for some seconds, and spoken by VoiceOver.
struct NoticeView: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        if let notice = model.state.notice {
            Text(say(notice))
                .font(.callout)
                .padding(.horizontal, 16)
                .padding(.vertical, 10)
                .background(.regularMaterial, in: Capsule())
                .padding()
                .task(id: notice) {
                    UIAccessibility.post(notification: .announcement, argument: say(notice))
                    try? await Task.sleep(nanoseconds: 4_000_000_000)
                    if !Task.isCancelled { model.phone.noticeWasSeen() }
                }
        }
    }
}
