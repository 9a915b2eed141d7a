import Chamada
import ChamadaCore
import ChamadaMedia
import SwiftUI

struct InCallView: View {
    @EnvironmentObject private var model: AppModel
    @State private var showsStats = false
    @State private var showsFaults = false

    var body: some View {
        if let call = model.state.call {
            ZStack {
                PictureScreen(screen: model.remote, pictureInPicture: model.pictureInPicture)
                    .ignoresSafeArea()
                    .accessibilityElement()
                    .accessibilityLabel(say(.callPictureOf, ["name": call.with]))
                PreviewBox(isOn: call.isCameraOn)
                VStack {
                    head(call)
                    Spacer()
                    if showsStats, let stats = call.stats { StatsView(lines: stats.lines) }
                    CallButtons(call: call, showsStats: $showsStats)
                }
                .padding()
            }
            .background(Color.black.ignoresSafeArea())
            .environment(\.colorScheme, .dark)
            .statusBarHidden()
            .sheet(isPresented: $showsFaults) { FaultsView() }
        }
    }

    private func head(_ call: CallView) -> some View {
        VStack(spacing: 4) {
            Text(verbatim: call.with)
                .font(.headline)
                .onLongPressGesture(minimumDuration: 3) { showsFaults = true }
                .accessibilityLabel(say(.callWith, ["name": call.with]))
                .accessibilityAddTraits(.isHeader)
            if let status = call.status {
                Text(say(status)).font(.subheadline)
            } else if let since = call.connectedAt {
                Text(since, style: .timer).font(.subheadline.monospacedDigit())
            }
            if call.state == .connected, !call.isHeld, let quality = call.quality {
                Text(say(quality)).font(.subheadline).foregroundStyle(.white)
            }
        }
        .foregroundStyle(.white)
        .padding(8)
        .background(.black.opacity(0.4), in: RoundedRectangle(cornerRadius: 12))
    }
}

struct CallButtons: View {
    @EnvironmentObject private var model: AppModel
    let call: CallView
    @Binding var showsStats: Bool

    var body: some View {
        // Two rows where large letters or a small phone leave no room for one.
        ViewThatFits {
            HStack(spacing: 12) {
                first
                second
            }
            VStack(spacing: 12) {
                HStack(spacing: 12) { first }
                HStack(spacing: 12) { second }
            }
        }
    }

    @ViewBuilder
    private var first: some View {
        round(call.isMicrophoneOn ? "mic.fill" : "mic.slash.fill", call.isMicrophoneOn ? .callMute : .callUnmute) {
            await model.phone.toggleMicrophone()
        }
        round(call.isCameraOn ? "video.fill" : "video.slash.fill", call.isCameraOn ? .callCameraOff : .callCameraOn) {
            await model.phone.toggleCamera()
        }
        if call.canFlip {
            round("arrow.triangle.2.circlepath.camera.fill", .callFlip) { await model.phone.flip() }
                .disabled(!call.isCameraOn)
        }
        Menu {
            ForEach(model.routes) { route in
                Button { model.choose(route) } label: {
                    let name = route.name ?? say(route.kind.label)
                    if route.kind == model.route?.kind { Label(name, systemImage: "checkmark") } else { Text(name) }
                }
            }
        } label: {
            icon("speaker.wave.2.fill")
        }
        .accessibilityLabel(say(.callSpeaker))
        .accessibilityValue(model.route.map { say($0.kind.label) } ?? "")
    }

    @ViewBuilder
    private var second: some View {
        round("camera.fill", .callPhoto) { model.photo() }
        round("chart.bar.fill", .callStats) { showsStats.toggle() }
        if model.pictureInPicture.isPossible {
            round("pip.enter", .callSmallWindow) { model.pictureInPicture.start() }
        }
        Button { Task { await model.phone.hangUp() } } label: { icon("phone.down.fill", .red) }
            .accessibilityLabel(say([.calling, .ringingRemotely, .ringingByPush].contains(call.state) ? .callCancel : .callHangUp))
    }

    private func round(_ image: String, _ label: TextKey, _ act: @escaping @MainActor () async -> Void) -> some View {
        Button { Task { await act() } } label: { icon(image) }.accessibilityLabel(say(label))
    }

    private func icon(_ image: String, _ color: Color = .black.opacity(0.5)) -> some View {
        Image(systemName: image)
            .font(.title3)
            .foregroundStyle(.white)
            .frame(minWidth: 52, minHeight: 52)
            .background(color, in: Circle())
    }
}

struct StatsView: View {
    let lines: [StatsLine]

    var body: some View {
        VStack(alignment: .leading, spacing: 2) {
            ForEach(lines) { line in
                HStack {
                    Text(say(line.label)).foregroundStyle(.white.opacity(0.7))
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
