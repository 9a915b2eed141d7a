#if canImport(AVFoundation) && canImport(UIKit)
import AVFoundation
import Chamada
import Foundation
import Photos
import UserNotifications

/// The system's permissions. What to ask when is the core's.
public enum SystemPermissions {
    /// As they stand when the app begins: those of notifications are not known at once. What iOS does not guard is granted.
    public static var atStart: AppPermissions { all(notifications: .undecided) }

    /// As they stand.
    public static func current() async -> AppPermissions {
        switch await UNUserNotificationCenter.current().notificationSettings().authorizationStatus {
        case .notDetermined: all(notifications: .undecided)
        case .denied: all(notifications: .denied)
        case .authorized, .provisional, .ephemeral: all(notifications: .granted)
        @unknown default: all(notifications: .denied)
        }
    }

    private static func all(notifications: AppPermissionStatus) -> AppPermissions {
        AppPermissions(
            camera: status(.video), microphone: status(.audio), notifications: notifications, fullScreenIntent: .granted)
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
    public static func ask(_ permissions: [AppPermission]) async -> AppPermissions {
        for permission in permissions {
            switch permission {
            case .camera: _ = await AVCaptureDevice.requestAccess(for: .video)
            case .microphone: _ = await AVCaptureDevice.requestAccess(for: .audio)
            // What came of it is read below.
            case .notifications: _ = try? await UNUserNotificationCenter.current().requestAuthorization(options: .alert)
            case .fullScreenIntent: break
            }
        }
        return await current()
    }
}

/// Notifications of calls that were missed: `AppEffect.notifyMissedCall` and `clearMissedCalls`.
public enum MissedCallNotifications {
    /// `call` names it, so that a call has one. Without the person's permission the system shows none.
    public static func show(_ text: String, call: String) {
        let content = UNMutableNotificationContent()
        content.body = text
        UNUserNotificationCenter.current().add(UNNotificationRequest(identifier: call, content: content, trigger: nil))
    }

    /// The app has no others.
    public static func clear() { UNUserNotificationCenter.current().removeAllDeliveredNotifications() }
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
