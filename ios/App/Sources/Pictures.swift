import AVKit
import ChamadaCore
import ChamadaMedia
import SwiftUI

/// A view that shows what a screen of the library's gets.
struct PictureScreen: UIViewRepresentable {
    let screen: Screen
    var pictureInPicture: PictureInPicture?
    var onAspect: (@MainActor (Double) -> Void)?

    func makeUIView(context: Context) -> PictureView {
        let view = PictureView(frame: .zero)
        view.onAspect = onAspect
        screen.attach(view)
        pictureInPicture?.prepare(over: view, showing: screen)
        return view
    }

    func updateUIView(_ view: PictureView, context: Context) { view.onAspect = onAspect }
}

/// Oneself, small: dragged, it goes to the nearest corner.
struct PreviewBox: View {
    @EnvironmentObject private var model: AppModel
    let isOn: Bool
    @State private var place = PreviewPlace.topTrailing
    @State private var dragged = CGSize.zero
    @State private var aspect = 9.0 / 16

    var body: some View {
        GeometryReader { screen in
            let size = previewSize(screenWidth: screen.size.width, screenHeight: screen.size.height, aspect: aspect)
            let corner = middle(of: place, screen.size, size)
            content
                .frame(width: size.width, height: size.height)
                .clipShape(RoundedRectangle(cornerRadius: 12))
                .overlay(RoundedRectangle(cornerRadius: 12).stroke(.white.opacity(0.5)))
                .position(x: corner.x + dragged.width, y: corner.y + dragged.height)
                .gesture(
                    DragGesture()
                        .onChanged { dragged = $0.translation }
                        .onEnded { drag in
                            let x = (corner.x + drag.translation.width) / max(screen.size.width, 1)
                            let y = (corner.y + drag.translation.height) / max(screen.size.height, 1)
                            withAnimation { (place, dragged) = (.nearest(x: x, y: y), .zero) }
                        }
                )
                .accessibilityElement()
                .accessibilityLabel(say(isOn ? .callPreview : .callCameraOffHere))
                .accessibilityAction { withAnimation { place = place.next } }
        }
        .padding()
    }

    @ViewBuilder
    private var content: some View {
        ZStack {
            PictureScreen(screen: model.preview) { aspect = $0 }
            if !isOn {
                Color.black
                Image(systemName: "video.slash").foregroundStyle(.white)
            }
        }
    }

    private func middle(of place: PreviewPlace, _ screen: CGSize, _ size: (width: Double, height: Double)) -> CGPoint {
        // Beneath the head line and above the buttons.
        let (top, bottom) = (72.0, 96.0)
        let (left, right) = (size.width / 2, screen.width - size.width / 2)
        let (high, low) = (top + size.height / 2, screen.height - bottom - size.height / 2)
        return switch place {
        case .topLeading: CGPoint(x: left, y: high)
        case .topTrailing: CGPoint(x: right, y: high)
        case .bottomLeading: CGPoint(x: left, y: low)
        case .bottomTrailing: CGPoint(x: right, y: low)
        }
    }
}

/// The other side's picture over other apps. It begins by itself when the app is left in a call.
@MainActor
final class PictureInPicture: NSObject {
    private var controller: AVPictureInPictureController?

    var isPossible: Bool { AVPictureInPictureController.isPictureInPictureSupported() }
    /// From before it begins, while the app is still on the screen, until it has ended.
    private(set) var isActive = false
    /// It ended.
    var onStop: (@MainActor () -> Void)?

    func prepare(over source: UIView, showing screen: Screen) {
        guard isPossible else { return }
        let content = AVPictureInPictureVideoCallViewController()
        content.preferredContentSize = CGSize(width: 9, height: 16)
        let view = PictureView(frame: content.view.bounds)
        view.autoresizingMask = [.flexibleWidth, .flexibleHeight]
        view.onAspect = { [weak content] aspect in
            content?.preferredContentSize = CGSize(width: 1000 * aspect, height: 1000)
        }
        content.view.addSubview(view)
        screen.attach(view)
        let controller = AVPictureInPictureController(
            contentSource: .init(activeVideoCallSourceView: source, contentViewController: content))
        controller.delegate = self
        controller.canStartPictureInPictureAutomaticallyFromInline = true
        self.controller = controller
    }

    func start() { controller?.startPictureInPicture() }

    func stop() {
        controller?.stopPictureInPicture()
        controller = nil
    }
}

// AVKit calls on the main thread.
extension PictureInPicture: AVPictureInPictureControllerDelegate {
    nonisolated func pictureInPictureControllerWillStartPictureInPicture(_ controller: AVPictureInPictureController) {
        MainActor.assumeIsolated { isActive = true }
    }

    nonisolated func pictureInPictureController(
        _ controller: AVPictureInPictureController, failedToStartPictureInPictureWithError error: any Error
    ) {
        MainActor.assumeIsolated { ended() }
    }

    nonisolated func pictureInPictureControllerDidStopPictureInPicture(_ controller: AVPictureInPictureController) {
        MainActor.assumeIsolated { ended() }
    }

    private func ended() {
        isActive = false
        onStop?()
    }
}
