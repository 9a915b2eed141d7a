#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import Foundation
import SwiftUI

/// A call that goes on, or rings at the other end.
public struct InCallView: View {
    @ObservedObject private var calls: CallStore
    @State private var showsOptions = false
    /// Whether the picture fills the screen and loses its edges, or is shown whole.
    @State private var fills = true
    private let onLongPressOfName: @MainActor () -> Void

    /// `onLongPressOfName` is for what an app hides there.
    public init(_ calls: CallStore, onLongPressOfName: @escaping @MainActor () -> Void = {}) {
        (self.calls, self.onLongPressOfName) = (calls, onLongPressOfName)
    }

    public var body: some View {
        if let call = calls.value {
            ZStack {
                remote(call)
                SelfView(output: calls.preview, isOn: call.showsPreview)
                VStack {
                    head(call)
                    BannersView(calls.banners)
                    Spacer()
                    if call.showsStatistics { StatisticsView(model: calls.statistics) }
                    CallControls(calls: calls, call: call, showsOptions: $showsOptions)
                }
                .padding()
            }
            .background(Color.black.ignoresSafeArea())
            .environment(\.colorScheme, .dark)
            .statusBarHidden()
            .sheet(isPresented: $showsOptions) { CallOptionsView(calls: calls, fills: $fills) }
            .sheet(isPresented: $calls.showsKeypad) { KeypadView(calls: calls) }
            .sheet(isPresented: $calls.showsPrivateText) { PrivateTextView(calls: calls, lines: calls.privateText) }
            .onChange(of: call.status) { status in if let status { announce(status) } }
        }
    }

    private func remote(_ call: AppCallView) -> some View {
        ZStack {
            VideoView(output: calls.remote, fills: fills, pictureInPicture: calls.pictureInPicture)
                .onTapGesture(count: 2) { fills.toggle() }
                .accessibilityElement()
                .accessibilityLabel(localized("call.picture-of", ["name": call.with]))
                .accessibilityHidden(!call.showsRemote)
            if !call.showsRemote {
                Color.black
                AvatarView(call.initial, size: 144)
            }
        }
        .ignoresSafeArea()
    }

    private func head(_ call: AppCallView) -> some View {
        VStack(spacing: 4) {
            Text(verbatim: call.with)
                .font(.headline)
                .onLongPressGesture(minimumDuration: 3) { onLongPressOfName() }
                .accessibilityLabel(localized("call.with", ["name": call.with]))
                .accessibilityAddTraits(.isHeader)
            if let status = call.status {
                Text(localized(status)).font(.subheadline)
            } else if let since = call.sinceMs {
                Text(Date(milliseconds: since), style: .timer).font(.subheadline.monospacedDigit())
            }
            if let quality = call.quality { Text(localized(quality)).font(.subheadline) }
            if call.held {
                Button(localized("call.take-sound")) { calls.dispatch(.setHold(on: false)) }
                    .buttonStyle(.borderedProminent)
                    .controlSize(.large)
            }
        }
        .multilineTextAlignment(.center)
        .minimumScaleFactor(0.5)
        .foregroundStyle(.white)
        .padding(8)
        .background(.black.opacity(0.4), in: RoundedRectangle(cornerRadius: 12))
    }
}

struct StatisticsView: View {
    @ObservedObject var model: StatisticsModel

    var body: some View {
        VStack(alignment: .leading, spacing: 2) {
            ForEach(model.value, id: \.label) { line in
                HStack {
                    Text(localized(line.label)).foregroundStyle(.white.opacity(0.7))
                    Text(verbatim: line.value).foregroundStyle(.white)
                }
                .font(.caption.monospacedDigit())
                .accessibilityElement(children: .combine)
            }
        }
        .padding(8)
        .background(.black.opacity(0.5), in: RoundedRectangle(cornerRadius: 8))
    }
}
#endif
