import Chamada
import Foundation

/// Why a device could not be opened.
public enum DeviceFailure: Equatable, Sendable {
    case notFound, notAllowed, notReadable

    init(_ error: any Error) {
        switch error as? AppError {
        case .NotFound: self = .notFound
        case .NotAllowed: self = .notAllowed
        case .NotReadable, nil: self = .notReadable
        }
    }
}

/// Remembers why a device could not be opened: a call that ends for it only says that it did.
public final class DeviceWatch: @unchecked Sendable {
    private let lock = NSLock()
    private var camera: DeviceFailure?
    private var microphone: DeviceFailure?

    public init() {}

    /// The problem of the call that has just ended, forgotten from now on; none if no device failed.
    func takeProblem() -> Problem? {
        lock.withLock {
            defer { (camera, microphone) = (nil, nil) }
            return microphone.map(Problem.ofMicrophone) ?? camera.map(Problem.ofCamera)
        }
    }

    fileprivate func watchCamera(_ open: () throws -> Void) throws {
        try watch(open) { self.camera = $0 }
    }

    fileprivate func watchMicrophone(_ open: () throws -> Void) throws {
        try watch(open) { self.microphone = $0 }
    }

    private func watch(_ open: () throws -> Void, _ remember: (DeviceFailure?) -> Void) throws {
        do {
            try open()
            lock.withLock { remember(nil) }
        } catch {
            lock.withLock { remember(DeviceFailure(error)) }
            throw error
        }
    }
}

/// The app's cameras, watched.
final class WatchedCameras: Cameras {
    private let app: any Cameras
    private let watch: DeviceWatch

    init(_ app: any Cameras, _ watch: DeviceWatch) {
        (self.app, self.watch) = (app, watch)
    }

    func listCameras() throws -> [CameraInfo] { try app.listCameras() }

    func openCamera(settings: CameraSettings, sink: CameraSink) throws {
        try watch.watchCamera { try app.openCamera(settings: settings, sink: sink) }
    }

    func closeCamera(deviceId: String) throws { try app.closeCamera(deviceId: deviceId) }
}

/// The app's sound, watched.
final class WatchedAudio: AudioDevices {
    private let app: any AudioDevices
    private let watch: DeviceWatch

    init(_ app: any AudioDevices, _ watch: DeviceWatch) {
        (self.app, self.watch) = (app, watch)
    }

    func openMicrophone(sink: MicrophoneSink) throws {
        try watch.watchMicrophone { try app.openMicrophone(sink: sink) }
    }

    func closeMicrophone() throws { try app.closeMicrophone() }
    func openSpeaker(source: SpeakerSource) throws { try app.openSpeaker(source: source) }
    func closeSpeaker() throws { try app.closeSpeaker() }
}

extension Devices {
    /// The same devices, with failures remembered.
    func watched(by watch: DeviceWatch) -> Devices {
        Devices(
            cameras: cameras.map { WatchedCameras($0, watch) }, audio: audio.map { WatchedAudio($0, watch) },
            remote: remote, preview: preview)
    }

    /// Whether there is a camera to open.
    var hasCamera: Bool { (try? cameras?.listCameras().isEmpty) == false }
}
