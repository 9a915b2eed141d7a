#if canImport(AVFoundation) && canImport(UIKit)
import AVFoundation
import Chamada
import Foundation
import Photos

/// The system's permissions. What to ask when is the core's.
public enum SystemPermissions {
    /// As they stand. What iOS does not guard, or this app has no use for, is granted.
    public static var now: AppPermissions {
        AppPermissions(
            camera: status(.video), microphone: status(.audio), notifications: .granted,
            fullScreenIntent: .granted)
    }

    private static func status(_ type: AVMediaType) -> AppPermissionStatus {
        switch AVCaptureDevice.authorizationStatus(for: type) {
        case .authorized: .granted
        case .notDetermined: .undecided
        case .denied, .restricted: .denied
        @unknown default: .denied
        }
    }

    /// `AppEffect.askPermissions`, one question after the other; what was refused is refused again without one.
    public static func ask(_ permissions: [AppPermission]) async {
        for permission in permissions {
            switch permission {
            case .camera: _ = await AVCaptureDevice.requestAccess(for: .video)
            case .microphone: _ = await AVCaptureDevice.requestAccess(for: .audio)
            case .notifications, .fullScreenIntent: break
            }
        }
    }
}

/// The person's photos, to which something is added and of which nothing is read.
public enum PhotoSaver {
    public static func save(_ jpeg: Data) async -> AppPhotoOutcome {
        guard await PHPhotoLibrary.requestAuthorization(for: .addOnly) == .authorized else { return .notAllowed }
        do {
            try await PHPhotoLibrary.shared().performChanges {
                PHAssetCreationRequest.forAsset().addResource(with: .photo, data: jpeg, options: nil)
            }
            return .saved
        } catch { return .failed }
    }
}
#endif
