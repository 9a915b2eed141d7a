#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import SwiftUI
import UIKit

/// A call that rings, where the app shows it itself.
public struct IncomingCallView: View {
    @ObservedObject private var calls: CallStore
    @Environment(\.verticalSizeClass) private var height

    public init(_ calls: CallStore) { self.calls = calls }

    public var body: some View {
        if let call = calls.value {
            // Beside each other on a phone that lies on its side.
            let layout = height == .compact ? AnyLayout(HStackLayout(spacing: 24)) : AnyLayout(VStackLayout(spacing: 24))
            layout {
                caller(call)
                answers(call)
            }
            .padding()
            .frame(maxWidth: .infinity, maxHeight: .infinity)
            .background(Color(uiColor: .systemBackground))
        }
    }

    private func caller(_ call: AppCallView) -> some View {
        VStack(spacing: 16) {
            AvatarView(call.initial, size: height == .compact ? 96 : 144)
            Text(localized("incoming", ["name": call.with]))
                .font(.largeTitle.bold())
                .multilineTextAlignment(.center)
                .minimumScaleFactor(0.5)
                .accessibilityAddTraits(.isHeader)
            if call.video { Text(localized("incoming.video")).foregroundStyle(.secondary) }
        }
        .frame(maxWidth: .infinity, maxHeight: .infinity)
    }

    private func answers(_ call: AppCallView) -> some View {
        VStack(spacing: 24) {
            // One under the other where large letters leave no room beside each other.
            ViewThatFits {
                HStack(alignment: .top, spacing: 24) { buttons(AnyLayout(VStackLayout(spacing: 8))) }
                VStack(alignment: .leading, spacing: 16) { buttons(AnyLayout(HStackLayout(spacing: 16))) }
            }
            Button(localized("incoming.block"), role: .destructive) { calls.dispatch(.setBlocked(name: call.with, block: true)) }
                .frame(minHeight: 44)
        }
    }

    @ViewBuilder
    private func buttons(_ layout: AnyLayout) -> some View {
        answer("incoming.decline", "phone.down.fill", .red, layout, .decline)
        answer("incoming.accept-audio", "phone.fill", .green, layout, .accept(video: false))
        answer("incoming.accept", "video.fill", .green, layout, .accept(video: true))
    }

    private func answer(_ label: String, _ image: String, _ color: Color, _ layout: AnyLayout, _ action: AppAction) -> some View {
        Button { calls.dispatch(action) } label: {
            layout {
                Image(systemName: image)
                    .font(.title)
                    .foregroundStyle(.white)
                    .frame(width: 72, height: 72)
                    .background(color, in: Circle())
                Text(localized(label)).font(.subheadline).foregroundStyle(.primary)
            }
        }
        .buttonStyle(.plain)
        .accessibilityLabel(localized(label))
    }
}
#endif
