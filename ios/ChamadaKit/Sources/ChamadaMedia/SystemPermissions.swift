#if canImport(AVFoundation) && canImport(UIKit)
import AVFoundation
import ChamadaCore
import Foundation
import Photos

/// The system's permissions for camera and microphone.
public struct SystemPermissions: Permissions {
    public init() {}

    public func now(_ what: Guarded) -> Permission {
        switch AVCaptureDevice.authorizationStatus(for: what.mediaType) {
        case .authorized: .granted
        case .notDetermined: .undecided
        case .denied, .restricted: .denied
        @unknown default: .denied
        }
    }

    public func ask(_ what: Guarded) async -> Permission {
        await AVCaptureDevice.requestAccess(for: what.mediaType) ? .granted : .denied
    }
}

extension Guarded {
    fileprivate var mediaType: AVMediaType {
        switch self {
        case .camera: .video
        case .microphone: .audio
        }
    }
}

/// The person's photos, to which something is added and of which nothing is read.
public enum PhotoSaver {
    public static func save(_ jpeg: Data) async -> PhotoOutcome {
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
