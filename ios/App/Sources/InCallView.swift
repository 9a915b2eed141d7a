import Chamada
import ChamadaCore
import ChamadaMedia
import Foundation
import SwiftUI

struct InCallView: View {
    @EnvironmentObject private var model: AppModel
    @State private var showsFaults = false

    var body: some View {
        if let call = model.state.call {
            ZStack {
                PictureView(output: model.remote, pictureInPicture: model.pictureInPicture)
                    .ignoresSafeArea()
                    .accessibilityElement()
                    .accessibilityLabel(say(.callPictureOf, ["name": call.with]))
                PreviewBox(isOn: call.showsPreview)
                VStack {
                    head(call)
                    Spacer()
                    if call.showsStatistics { StatisticsView(lines: model.statistics) }
                    CallButtons(call: call)
                }
                .padding()
            }
            .background(Color.black.ignoresSafeArea())
            .environment(\.colorScheme, .dark)
            .statusBarHidden()
            .sheet(isPresented: $showsFaults) { FaultsView() }
        }
    }

    private func head(_ call: AppCallView) -> some View {
        VStack(spacing: 4) {
            Text(verbatim: call.with)
                .font(.headline)
                .onLongPressGesture(minimumDuration: 3) { showsFaults = true }
                .accessibilityLabel(say(.callWith, ["name": call.with]))
                .accessibilityAddTraits(.isHeader)
            if let status = call.status {
                Text(say(status)).font(.subheadline)
            } else if let since = call.sinceMs {
                Text(Date(milliseconds: since), style: .timer).font(.subheadline.monospacedDigit())
            }
            if let quality = call.quality {
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
    let call: AppCallView

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
        round(call.microphoneOn ? "mic.fill" : "mic.slash.fill", call.microphoneOn ? .callMute : .callUnmute) {
            model.dispatch(.setMicrophone(on: !call.microphoneOn))
        }
        round(call.cameraOn ? "video.fill" : "video.slash.fill", call.cameraOn ? .callCameraOff : .callCameraOn) {
            model.dispatch(.setCamera(on: !call.cameraOn))
        }
        round("arrow.triangle.2.circlepath.camera.fill", .callFlip) { model.dispatch(.flipCamera) }
            .disabled(!call.canFlip)
        Menu {
            ForEach(call.audioRoutes, id: \.id) { route in
                Button { model.dispatch(.chooseAudioRoute(id: route.id)) } label: {
                    let name = route.name ?? say(route.label)
                    if route.selected { Label(name, systemImage: "checkmark") } else { Text(name) }
                }
            }
        } label: {
            icon("speaker.wave.2.fill")
        }
        .accessibilityLabel(say(.callSpeaker))
        .accessibilityValue(call.audioRoutes.first { $0.selected }.map { $0.name ?? say($0.label) } ?? "")
    }

    @ViewBuilder
    private var second: some View {
        if call.held {
            round("play.fill", .callTakeSound) { model.dispatch(.setHold(on: false)) }
        }
        round("camera.fill", .callPhoto) { model.dispatch(.takePhoto) }
        round("chart.bar.fill", .callStats) { model.dispatch(.showStatistics(on: !call.showsStatistics)) }
        if model.pictureInPicture.isPossible {
            round("pip.enter", .callSmallWindow) { model.pictureInPicture.start() }
        }
        Button { model.dispatch(.hangUp) } label: { icon("phone.down.fill", .red) }
            .accessibilityLabel(say([.calling, .ringingRemotely, .ringingByPush].contains(call.phase) ? .callCancel : .callHangUp))
    }

    private func round(_ image: String, _ label: TextKey, _ act: @escaping @MainActor () -> Void) -> some View {
        Button { act() } label: { icon(image) }.accessibilityLabel(say(label))
    }

    private func icon(_ image: String, _ color: Color = .black.opacity(0.5)) -> some View {
        Image(systemName: image)
            .font(.title3)
            .foregroundStyle(.white)
            .frame(minWidth: 52, minHeight: 52)
            .background(color, in: Circle())
    }
}

struct StatisticsView: View {
    let lines: [AppStatisticsLine]

    var body: some View {
        VStack(alignment: .leading, spacing: 2) {
            ForEach(lines, id: \.label) { line in
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

extension Date {
    /// So many milliseconds after the start of 1970.
    init(milliseconds: UInt64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
