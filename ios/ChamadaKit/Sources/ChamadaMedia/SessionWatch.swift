#if canImport(AVFoundation) && canImport(UIKit)
@preconcurrency import AVFoundation
import ChamadaCore
import Foundation

/// Watches the app's audio session: who interrupts it, and where sound goes. It changes nothing by itself; what it does when it
/// is told to, it says.
@MainActor
public final class SessionWatch {
    /// The route in use and those to choose from, whenever they change.
    public var onRoutes: (@MainActor (Route?, [Route]) -> Void)?
    /// What the system did to the session.
    public var onChange: (@MainActor (SessionChange) -> Void)?
    private let session = AVAudioSession.sharedInstance()
    private var observers: [any NSObjectProtocol] = []
    private let hasEarpiece: Bool

    public init(hasEarpiece: Bool) {
        self.hasEarpiece = hasEarpiece
        on(AVAudioSession.routeChangeNotification) { watch, _ in watch.tell() }
        on(AVAudioSession.interruptionNotification) { watch, isOver in
            watch.onChange?(isOver ? .mayGoOn : .interrupted)
        }
        on(AVAudioSession.mediaServicesWereResetNotification) { watch, _ in watch.onChange?(.reset) }
    }

    public func tell() { onRoutes?(current, choices) }

    public var current: Route? { session.currentRoute.outputs.first.map(Route.init) }

    public var choices: [Route] {
        RouteChoice.choices(inputs: session.availableInputs?.map(Route.init) ?? [], hasEarpiece: hasEarpiece)
    }

    /// Takes a route. The system gives it up by itself when a device is unplugged.
    public func choose(_ route: Route) throws {
        // In the mode for video calls, the loudspeaker takes the place of the earpiece.
        let mode: AVAudioSession.Mode = route.kind == .earpiece ? .voiceChat : .videoChat
        if session.mode != mode { try session.setMode(mode) }
        switch route.kind {
        case .speaker: try session.overrideOutputAudioPort(.speaker)
        case .earpiece:
            try session.setPreferredInput(session.availableInputs?.first { $0.portType == .builtInMic })
            try session.overrideOutputAudioPort(.none)
        default:
            try session.overrideOutputAudioPort(.none)
            try session.setPreferredInput(session.availableInputs?.first { $0.uid == route.id })
        }
    }

    /// A notification of the session's, with whether an interruption is over. Whether music should go on after it means nothing to a
    /// call, which does.
    private func on(_ name: Notification.Name, _ act: @escaping @MainActor (SessionWatch, Bool) -> Void) {
        observers.append(
            NotificationCenter.default.addObserver(forName: name, object: session, queue: .main) { [weak self] note in
                let type = note.userInfo?[AVAudioSessionInterruptionTypeKey] as? UInt
                let isOver = type == AVAudioSession.InterruptionType.ended.rawValue
                MainActor.assumeIsolated { if let self { act(self, isOver) } }
            })
    }
}

extension Route {
    init(_ port: AVAudioSessionPortDescription) {
        let kind: Kind =
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
