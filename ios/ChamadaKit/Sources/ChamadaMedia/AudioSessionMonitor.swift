#if canImport(AVFoundation) && canImport(UIKit)
@preconcurrency import AVFoundation
import Chamada
import ChamadaCore
import Foundation

/// Watches the app's audio session: who interrupts it, and where sound goes; and sets it up and moves it as the core decides.
@MainActor
public final class AudioSessionMonitor: CallAudioSession {
    private let dispatch: @MainActor (AppAction) -> Void
    private let session = AVAudioSession.sharedInstance()
    private var observers: [any NSObjectProtocol] = []
    private let hasEarpiece: Bool

    public init(hasEarpiece: Bool, dispatch: @escaping @MainActor (AppAction) -> Void) {
        (self.hasEarpiece, self.dispatch) = (hasEarpiece, dispatch)
        on(AVAudioSession.routeChangeNotification) { monitor, _ in monitor.reportRoutes() }
        on(AVAudioSession.interruptionNotification) { monitor, isOver in
            monitor.dispatch(.audioInterrupted(interruption: isOver ? .ended : .began))
        }
        on(AVAudioSession.mediaServicesWereResetNotification) { monitor, _ in
            monitor.dispatch(.audioInterrupted(interruption: .servicesReset))
        }
    }

    /// `AppAction.audioRoutesChanged`.
    public func reportRoutes() {
        let output = session.currentRoute.outputs.first.map(AppAudioRoute.init)
        dispatch(.audioRoutesChanged(routes: choices, current: output.flatMap { AudioRoutes.current(output: $0, choices: choices) }))
    }

    private var choices: [AppAudioRoute] {
        AudioRoutes.choices(inputs: session.availableInputs?.map(AppAudioRoute.init) ?? [], hasEarpiece: hasEarpiece)
    }

    /// The session's category and mode for a call; CallKit activates it.
    public func setUp() throws {
        // The mode adds headsets by Bluetooth.
        try session.setCategory(.playAndRecord, mode: .videoChat, options: .allowBluetoothA2DP)
        // What one call chose is not the next one's.
        try? session.setPreferredInput(nil)
        try session.setPreferredSampleRate(48000)
        try session.setPreferredIOBufferDuration(0.01)
    }

    /// Not where CallKit is in use. Whoever sounded before has it again afterwards.
    public func setActive(_ active: Bool) throws { try session.setActive(active, options: active ? [] : .notifyOthersOnDeactivation) }

    /// `AppEffect.selectAudioRoute`. The system gives a route up by itself when a device is unplugged.
    public func select(_ id: String) throws {
        // In the mode for video calls, the loudspeaker takes the place of the earpiece.
        let mode: AVAudioSession.Mode = id == AudioRoutes.earpiece.id ? .voiceChat : .videoChat
        if session.mode != mode { try session.setMode(mode) }
        switch id {
        case AudioRoutes.speaker.id: try session.overrideOutputAudioPort(.speaker)
        case AudioRoutes.earpiece.id:
            try session.setPreferredInput(session.availableInputs?.first { $0.portType == .builtInMic })
            try session.overrideOutputAudioPort(.none)
        default:
            try session.overrideOutputAudioPort(.none)
            try session.setPreferredInput(session.availableInputs?.first { $0.uid == id })
        }
    }

    /// A notification of the session's, with whether an interruption is over. Whether music should go on after it means nothing to a
    /// call, which does.
    private func on(_ name: Notification.Name, _ act: @escaping @MainActor (AudioSessionMonitor, Bool) -> Void) {
        observers.append(
            NotificationCenter.default.addObserver(forName: name, object: session, queue: .main) { [weak self] note in
                let type = note.userInfo?[AVAudioSessionInterruptionTypeKey] as? UInt
                let isOver = type == AVAudioSession.InterruptionType.ended.rawValue
                MainActor.assumeIsolated { if let self { act(self, isOver) } }
            })
    }
}

extension AppAudioRoute {
    init(_ port: AVAudioSessionPortDescription) {
        let kind: AppAudioRouteKind =
            switch port.portType {
            case .builtInReceiver, .builtInMic: .earpiece
            case .builtInSpeaker: .speaker
            case .headphones, .headsetMic, .usbAudio, .lineIn, .lineOut: .wired
            case .bluetoothA2DP, .bluetoothHFP, .bluetoothLE: .bluetooth
            case .carAudio: .car
            default: .other
            }
        self.init(id: port.uid, kind: kind, name: port.portName)
    }
}
#endif
