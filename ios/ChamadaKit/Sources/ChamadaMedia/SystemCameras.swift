#if canImport(AVFoundation) && canImport(UIKit)
@preconcurrency import AVFoundation
import Chamada
import ChamadaCore
import Foundation

/// The phone's cameras, one open at a time. What is asked of it is done in turn on one queue; pictures come on another.
public final class SystemCameras: NSObject, Cameras, @unchecked Sendable {
    /// What stopped the camera, and none when it is back: `AppAction.cameraTrouble`.
    public let troubles: AsyncStream<AppCameraTrouble?>
    private let trouble: AsyncStream<AppCameraTrouble?>.Continuation
    private let queue = DispatchQueue(label: "chamada.camera")
    private let pictures = DispatchQueue(label: "chamada.camera.pictures", qos: .userInteractive)
    private let session = AVCaptureSession()
    private let output = AVCaptureVideoDataOutput()
    private let target = LockedValue<Target?>(nil)
    private let mayMultitask = LockedValue(false)
    private var observers: [any NSObjectProtocol] = []
    /// Errors of the session in a row since the camera was opened; on the queue.
    private var failures = 0

    private struct Target {
        let sink: CameraSink
        let rotation: RotationMonitor
    }

    public override init() {
        // The last word counts.
        (troubles, trouble) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        super.init()
        // The pictures have no sound; whose session is whose is the app's business.
        session.automaticallyConfiguresApplicationAudioSession = false
        output.alwaysDiscardsLateVideoFrames = true
        output.videoSettings = [
            kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange
        ]
        output.setSampleBufferDelegate(self, queue: pictures)
        observe()
    }

    deinit { observers.forEach { NotificationCenter.default.removeObserver($0) } }

    /// Whether pictures go on while the app is in a picture in picture.
    public var mayRunInBackground: Bool { mayMultitask.with { $0 } }

    public func listCameras() -> [CameraInfo] {
        Self.devices().map { device in
            CameraInfo(
                deviceId: device.uniqueID, label: device.localizedName, facing: FacingMode(device.position),
                formats: CameraFormats.offered(device.formats.map(DeviceFormat.init)))
        }
    }

    public func openCamera(settings: CameraSettings, sink: CameraSink) throws {
        guard AVCaptureDevice.authorizationStatus(for: .video) == .authorized else {
            throw AppError.NotAllowed(reason: "the app may not use the camera")
        }
        guard let device = Self.devices().first(where: { $0.uniqueID == settings.deviceId }) else {
            throw AppError.NotFound(reason: "there is no camera \(settings.deviceId) any more")
        }
        try queue.sync { try open(device, settings, sink) }
    }

    public func closeCamera(deviceId: String) {
        queue.sync {
            session.stopRunning()
            session.inputs.forEach(session.removeInput)
            target.with { $0 = nil }
        }
    }

    private func open(_ device: AVCaptureDevice, _ settings: CameraSettings, _ sink: CameraSink) throws {
        guard let index = CameraFormats.best(for: settings, of: device.formats.map(DeviceFormat.init)) else {
            throw AppError.NotReadable(reason: "no format of \(settings.width)×\(settings.height) at \(settings.fps)")
        }
        let input: AVCaptureDeviceInput
        do { input = try AVCaptureDeviceInput(device: device) } catch { throw Self.meaning(error) }
        session.beginConfiguration()
        session.inputs.forEach(session.removeInput)
        // The format is chosen here and not by a preset.
        session.sessionPreset = .inputPriority
        if !session.outputs.contains(output), session.canAddOutput(output) { session.addOutput(output) }
        guard session.canAddInput(input), session.outputs.contains(output) else {
            session.commitConfiguration()
            throw AppError.NotReadable(reason: "the capture session does not take the camera")
        }
        session.addInput(input)
        unturned()
        // With the background mode voip, from iOS 18 on; before, only where Apple granted an entitlement.
        let mayMultitask = session.isMultitaskingCameraAccessSupported
        if mayMultitask { session.isMultitaskingCameraAccessEnabled = true }
        self.mayMultitask.with { $0 = mayMultitask }
        session.commitConfiguration()
        do {
            try device.lockForConfiguration()
            defer { device.unlockForConfiguration() }
            device.activeFormat = device.formats[index]
            let wanted = CMTime(value: 1000, timescale: CMTimeScale((settings.fps * 1000).rounded()))
            // The system ends an app that asks for more than the format has, even by rounding.
            let range = device.activeFormat.videoSupportedFrameRateRanges.first {
                ($0.minFrameRate...$0.maxFrameRate).contains(settings.fps)
            }
            let one = range.map { min(max(wanted, $0.minFrameDuration), $0.maxFrameDuration) } ?? wanted
            device.activeVideoMinFrameDuration = one
            device.activeVideoMaxFrameDuration = one
        } catch { throw Self.meaning(error) }
        failures = 0
        let rotation = RotationMonitor(device)
        target.with { $0 = Target(sink: sink, rotation: rotation) }
        session.startRunning()
    }

    /// The front cameras of newer iPads are built in upside down, which the connection would mend by turning: the angle that goes along
    /// with the pictures counts from the camera itself.
    private func unturned() {
        if #available(iOS 17, *) {
            guard let connection = output.connection(with: .video), connection.isVideoRotationAngleSupported(0) else { return }
            connection.videoRotationAngle = 0
        }
    }

    private static func devices() -> [AVCaptureDevice] {
        let found = AVCaptureDevice.DiscoverySession(
            deviceTypes: [.builtInWideAngleCamera], mediaType: .video, position: .unspecified)
        // The one to prefer first: that which looks at the person.
        return found.devices.sorted { one, other in one.position == .front && other.position != .front }
    }

    private static func meaning(_ error: any Error) -> AppError {
        switch (error as? AVError)?.code {
        case .applicationIsNotAuthorizedToUseDevice: .NotAllowed(reason: error.localizedDescription)
        case .deviceNotConnected: .NotFound(reason: error.localizedDescription)
        default: .NotReadable(reason: error.localizedDescription)
        }
    }

    /// After an error the session stands; what it came of is mostly over a moment later.
    private func startAgain(wasReset: Bool) {
        failures += 1
        guard let pause = wasReset ? 0 : RestartBackoff.delay(failures: failures) else { return }
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in
            guard let self, target.with({ $0 != nil }), !session.isRunning else { return }
            session.startRunning()
            if session.isRunning { trouble.yield(nil) }
        }
    }

    /// The system stops and starts the session by itself; only a reset of its media services leaves it to the app.
    private func observe() {
        let center = NotificationCenter.default
        func on(_ name: Notification.Name, _ act: @escaping @Sendable (Notification) -> Void) {
            observers.append(center.addObserver(forName: name, object: session, queue: nil, using: act))
        }
        on(AVCaptureSession.wasInterruptedNotification) { [trouble] note in
            let number = note.userInfo?[AVCaptureSessionInterruptionReasonKey] as? Int
            let reason = number.flatMap(AVCaptureSession.InterruptionReason.init(rawValue:))
            // Who left the app knows.
            if reason != .videoDeviceNotAvailableInBackground { trouble.yield(AppCameraTrouble(reason)) }
        }
        on(AVCaptureSession.interruptionEndedNotification) { [trouble] _ in trouble.yield(nil) }
        on(AVCaptureSession.runtimeErrorNotification) { [weak self, trouble] note in
            let error = note.userInfo?[AVCaptureSessionErrorKey] as? AVError
            guard let self else { return }
            let wasReset = error?.code == .mediaServicesWereReset
            if !wasReset { trouble.yield(.broken) }
            queue.async { self.startAgain(wasReset: wasReset) }
        }
    }
}

extension SystemCameras: AVCaptureVideoDataOutputSampleBufferDelegate {
    public func captureOutput(
        _ output: AVCaptureOutput, didOutput sample: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let target = target.with({ $0 }), let buffer = sample.imageBuffer else { return }
        let clock = session.synchronizationClock ?? CMClockGetHostTimeClock()
        let age = CMTimeGetSeconds(CMTimeSubtract(CMClockGetTime(clock), sample.presentationTimeStamp))
        push(buffer, to: target.sink, rotation: target.rotation.degrees, age: age)
    }

    /// The library copies the planes once; here nothing is.
    private func push(_ buffer: CVPixelBuffer, to sink: CameraSink, rotation: Int, age: Double) {
        guard CVPixelBufferLockBaseAddress(buffer, .readOnly) == kCVReturnSuccess else { return }
        defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
        guard CVPixelBufferGetPlaneCount(buffer) == 2, let y = plane(buffer, 0), let uv = plane(buffer, 1) else { return }
        let picture = Picture(
            width: CVPixelBufferGetWidth(buffer), height: CVPixelBufferGetHeight(buffer), rotationDegrees: rotation,
            ageNanos: age.isFinite && age > 0 ? UInt64(min(age, 1) * 1e9) : 0)
        // It fails only when the camera was closed meanwhile: then the picture is nobody's.
        try? sink.push(picture, y: y, uv: uv)
    }

    private func plane(_ buffer: CVPixelBuffer, _ index: Int) -> Plane? {
        guard let base = CVPixelBufferGetBaseAddressOfPlane(buffer, index) else { return nil }
        let stride = CVPixelBufferGetBytesPerRowOfPlane(buffer, index)
        return Plane(base: base, count: stride * CVPixelBufferGetHeightOfPlane(buffer, index), stride: stride)
    }
}

extension DeviceFormat {
    init(_ format: AVCaptureDevice.Format) {
        let size = CMVideoFormatDescriptionGetDimensions(format.formatDescription)
        self.init(
            width: UInt32(clamping: size.width), height: UInt32(clamping: size.height),
            fps: format.videoSupportedFrameRateRanges.map { $0.minFrameRate...$0.maxFrameRate },
            isVideoRange: format.formatDescription.mediaSubType.rawValue
                == kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange,
            isBinned: format.isVideoBinned)
    }
}

extension FacingMode {
    init?(_ position: AVCaptureDevice.Position) {
        switch position {
        case .front: self = .user
        case .back: self = .environment
        case .unspecified: return nil
        @unknown default: return nil
        }
    }
}

extension AppCameraTrouble {
    init(_ reason: AVCaptureSession.InterruptionReason?) {
        self = switch reason {
        case .videoDeviceInUseByAnotherClient: .inUse
        case .videoDeviceNotAvailableDueToSystemPressure: .hot
        default: .paused
        }
    }
}
#endif
