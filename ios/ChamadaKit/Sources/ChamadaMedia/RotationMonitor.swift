#if canImport(AVFoundation) && canImport(UIKit)
@preconcurrency import AVFoundation
import ChamadaCore
import Foundation
import UIKit

/// How far a camera's pictures have to be turned to stand upright, kept up to date. The pictures themselves are not turned: the
/// angle goes along with them, which costs nothing.
final class RotationMonitor: @unchecked Sendable {
    private let angle = LockedValue(90)
    private let isFront: Bool
    // From iOS 17 on an AVCaptureDevice.RotationCoordinator.
    private var coordinator: AnyObject?
    private var watching: NSKeyValueObservation?
    private var observer: (any NSObjectProtocol)?

    init(_ device: AVCaptureDevice) {
        isFront = device.position == .front
        if #available(iOS 17, *) {
            let coordinator = AVCaptureDevice.RotationCoordinator(device: device, previewLayer: nil)
            self.coordinator = coordinator
            watching = coordinator.observe(\.videoRotationAngleForHorizonLevelCapture, options: [.initial, .new]) {
                [angle] coordinator, _ in
                let degrees = CaptureRotation.quarterTurn(Double(coordinator.videoRotationAngleForHorizonLevelCapture))
                angle.with { $0 = degrees }
            }
        } else {
            observer = NotificationCenter.default.addObserver(
                forName: UIDevice.orientationDidChangeNotification, object: nil, queue: .main
            ) { [weak self] _ in MainActor.assumeIsolated { self?.turned() } }
            DispatchQueue.main.async {
                UIDevice.current.beginGeneratingDeviceOrientationNotifications()
                self.turned()
            }
        }
    }

    deinit {
        watching?.invalidate()
        guard let observer else { return }
        NotificationCenter.default.removeObserver(observer)
        DispatchQueue.main.async { UIDevice.current.endGeneratingDeviceOrientationNotifications() }
    }

    var degrees: Int { angle.with { $0 } }

    /// A phone that lies flat keeps the angle that it had.
    @MainActor
    private func turned() {
        let held: CaptureRotation.Orientation
        switch UIDevice.current.orientation {
        case .portrait: held = .portrait
        case .portraitUpsideDown: held = .upsideDown
        case .landscapeLeft: held = .homeOnTheRight
        case .landscapeRight: held = .homeOnTheLeft
        case .faceUp, .faceDown, .unknown: return
        @unknown default: return
        }
        let degrees = CaptureRotation.angle(held: held, isFront: isFront)
        angle.with { $0 = degrees }
    }
}
#endif
