#if canImport(SwiftUI) && canImport(UIKit)
import Chamada
import ChamadaCore
import SwiftUI

/// What is used most in a call, in one row: microphone, camera, the other camera, where sound goes, all else, and the end.
struct CallControls: View {
    let calls: CallStore
    let call: AppCallView
    @Binding var showsOptions: Bool

    var body: some View {
        // As large as the width allows; 320 points have room for the smallest.
        ViewThatFits(in: .horizontal) {
            row(size: 60, spacing: 12)
            row(size: 52, spacing: 8)
            row(size: 44, spacing: 4)
        }
    }

    private func row(size: Double, spacing: Double) -> some View {
        HStack(spacing: spacing) {
            button(call.microphoneOn ? "mic.fill" : "mic.slash.fill", call.microphoneOn ? "call.mute" : "call.unmute", size, isLit: !call.microphoneOn) {
                calls.dispatch(.setMicrophone(on: !call.microphoneOn))
            }
            button(call.cameraOn ? "video.fill" : "video.slash.fill", call.cameraOn ? "call.camera-off" : "call.camera-on", size, isLit: !call.cameraOn) {
                calls.dispatch(.setCamera(on: !call.cameraOn))
            }
            button("arrow.triangle.2.circlepath.camera.fill", "call.flip", size) { calls.dispatch(.flipCamera) }
                .disabled(!call.canFlip)
            routes(size)
            button("ellipsis", "call.more", size) { showsOptions = true }
            button("phone.down.fill", isPlaced ? "call.cancel" : "call.hang-up", size, color: .red) { calls.dispatch(.hangUp) }
        }
    }

    private var isPlaced: Bool { [.calling, .ringingRemotely, .ringingByPush].contains(call.phase) }

    private func routes(_ size: Double) -> some View {
        let current = call.audioRoutes.first { $0.selected }
        return Menu {
            ForEach(call.audioRoutes, id: \.id) { route in
                Button { calls.dispatch(.chooseAudioRoute(id: route.id)) } label: {
                    if route.selected { Label(name(route), systemImage: "checkmark") } else { Text(name(route)) }
                }
            }
        } label: {
            ControlIcon(image: image(current?.kind), size: size)
        }
        .disabled(call.audioRoutes.count < 2)
        .accessibilityLabel(localized("call.speaker"))
        .accessibilityValue(current.map(name) ?? "")
        .accessibilityShowsLargeContentViewer { Label(localized("call.speaker"), systemImage: image(current?.kind)) }
    }

    private func name(_ route: AppAudioRouteView) -> String { route.name ?? localized(route.label) }

    private func image(_ kind: AppAudioRouteKind?) -> String {
        switch kind {
        case .earpiece: "ear"
        case .wired, .bluetooth: "headphones"
        case .car: "car.fill"
        case .speaker, .other, nil: "speaker.wave.2.fill"
        }
    }

    private func button(
        _ image: String, _ label: String, _ size: Double, color: Color? = nil, isLit: Bool = false, act: @escaping @MainActor () -> Void
    ) -> some View {
        Button { act() } label: { ControlIcon(image: image, size: size, color: color, isLit: isLit) }
            .accessibilityLabel(localized(label))
            .accessibilityShowsLargeContentViewer { Label(localized(label), systemImage: image) }
    }
}

/// It has the size that the row has room for: large letters are shown by the large content viewer.
private struct ControlIcon: View {
    let image: String
    let size: Double
    var color: Color?
    /// White, as it stands for something that is off.
    var isLit = false

    var body: some View {
        Image(systemName: image)
            .font(.system(size: size * 0.4))
            .foregroundStyle(isLit ? Color.black : Color.white)
            .frame(width: size, height: size)
            .background(color ?? (isLit ? .white : .black.opacity(0.5)), in: Circle())
    }
}
#endif
