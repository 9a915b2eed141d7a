import Chamada

/// The app's audio session: `AudioSessionMonitor`.
@MainActor
public protocol CallAudioSession: AnyObject {
    /// Category and mode for a call.
    func setUp() throws
    func setActive(_ active: Bool) throws
    func select(_ route: String) throws
    /// Tells the core which routes there are.
    func reportRoutes()
}

/// Microphone and speaker: `SystemAudio`.
public protocol CallAudioEngine: AnyObject {
    func session(isActive: Bool)
    func setSilent(_ on: Bool)
}

/// Tones outside of what the other side says: `CallTones`.
@MainActor
public protocol CallTonePlayer: AnyObject {
    func ring(_ on: Bool)
    func vibrate(_ on: Bool)
    func ringback(_ on: Bool)
}

/// Carries out what the core wants of a call's sound. With CallKit the session is activated by CallKit alone: the system refuses it to
/// the app itself in such a call.
@MainActor
public final class CallAudio {
    /// With CallKit: asks it to activate the session again.
    public var reactivate: (@MainActor () -> Void)?
    /// What the session does not do, for the log.
    public var failed: (@MainActor (any Error) -> Void)?

    private let usesCallKit: Bool
    private let session: any CallAudioSession
    private let engine: any CallAudioEngine
    private let tones: any CallTonePlayer
    private var isActive = false
    private var wantsRingback = false

    public init(
        usesCallKit: Bool, session: any CallAudioSession, engine: any CallAudioEngine, tones: any CallTonePlayer
    ) {
        (self.usesCallKit, self.session, self.engine, self.tones) = (usesCallKit, session, engine, tones)
    }

    /// Those that are about sound; there is nothing to do here for the others.
    public func carryOut(_ effect: AppEffect) {
        switch effect {
        case .startAudio:
            prepare()
            if !usesCallKit { activate() }
        case .stopAudio: if !usesCallKit { deactivate() }
        case .reclaimAudio:
            prepare()
            if usesCallKit { reactivate?() } else { activate() }
        case let .selectAudioRoute(id):
            // A device that went away in the meantime: the system has another route by now and tells it.
            try? session.select(id)
            session.reportRoutes()
        case let .silenceSpeaker(on): engine.setSilent(on)
        case let .ring(on): tones.ring(on)
        case let .vibrate(on): tones.vibrate(on)
        case let .ringback(on):
            wantsRingback = on
            // Played before, it would activate the session itself.
            if isActive || !on { tones.ringback(on) }
        default: break
        }
    }

    /// Before CallKit activates the session, too.
    public func prepare() { attempt { try session.setUp() } }

    /// The session was activated, or is not active any more: CallKit tells it where it is in use.
    public func session(isActive: Bool) {
        self.isActive = isActive
        // The route first: it changes the hardware under an engine that runs.
        session.reportRoutes()
        engine.session(isActive: isActive)
        if wantsRingback { tones.ringback(isActive) }
    }

    private func activate() {
        attempt {
            try session.setActive(true)
            session(isActive: true)
        }
    }

    private func deactivate() {
        session(isActive: false)
        // Somebody else may have taken it meanwhile.
        try? session.setActive(false)
    }

    private func attempt(_ work: () throws -> Void) {
        do { try work() } catch { failed?(error) }
    }
}
