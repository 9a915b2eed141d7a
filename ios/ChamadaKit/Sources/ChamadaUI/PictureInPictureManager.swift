#if canImport(AVKit) && canImport(UIKit)
import AVKit
import ChamadaMedia
import Foundation
import UIKit

/// The other side's picture over other apps. It begins by itself when the app is left in a call. AVKit hands it no touches.
@MainActor
public final class PictureInPictureManager: NSObject {
    private var controller: AVPictureInPictureController?

    public var isPossible: Bool { AVPictureInPictureController.isPictureInPictureSupported() }
    /// From before it begins, while the app is still on the screen, until it has ended.
    public private(set) var isActive = false
    /// It ended.
    public var onStop: (@MainActor () -> Void)?

    func prepare(over source: UIView, showing output: VideoOutput) {
        guard isPossible else { return }
        let content = AVPictureInPictureVideoCallViewController()
        content.preferredContentSize = CGSize(width: 9, height: 16)
        let view = SampleBufferView(frame: content.view.bounds)
        view.autoresizingMask = [.flexibleWidth, .flexibleHeight]
        view.onAspect = { [weak content] aspect in
            content?.preferredContentSize = CGSize(width: 1000 * aspect, height: 1000)
        }
        content.view.addSubview(view)
        output.attach(view)
        let controller = AVPictureInPictureController(
            contentSource: .init(activeVideoCallSourceView: source, contentViewController: content))
        controller.delegate = self
        controller.canStartPictureInPictureAutomaticallyFromInline = true
        self.controller = controller
    }

    public func start() { controller?.startPictureInPicture() }

    /// The call is over.
    func stop() {
        guard let controller else { return }
        // One that is on the screen is kept until it says that it has ended.
        if isActive { controller.stopPictureInPicture() } else { self.controller = nil }
    }
}

// AVKit calls on the main thread.
extension PictureInPictureManager: AVPictureInPictureControllerDelegate {
    public nonisolated func pictureInPictureControllerWillStartPictureInPicture(_ controller: AVPictureInPictureController) {
        MainActor.assumeIsolated { isActive = true }
    }

    public nonisolated func pictureInPictureController(
        _ controller: AVPictureInPictureController, failedToStartPictureInPictureWithError error: any Error
    ) {
        MainActor.assumeIsolated { ended() }
    }

    public nonisolated func pictureInPictureControllerDidStopPictureInPicture(_ controller: AVPictureInPictureController) {
        MainActor.assumeIsolated { ended() }
    }

    private func ended() {
        isActive = false
        onStop?()
    }
}
#endif
