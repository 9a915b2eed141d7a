#if canImport(CallKit) && canImport(UIKit)
import AVFoundation
import CallKit
import Chamada
import ChamadaCore
import Foundation
import os

/// The system's own call screen: a provider and a call controller, of which `CallKitCoordinator` says what they are told.
@MainActor
public final class CallKitManager: NSObject {
    private let provider: CXProvider
    private let controller = CXCallController(queue: .main)
    private let audio: CallAudio
    private var coordinator: CallKitCoordinator?

    /// `audio` prepares the session, which CallKit activates.
    public init(audio: CallAudio, dispatch: @escaping @MainActor (AppAction) -> Void) {
        self.audio = audio
        // Made once: one that is set anew in a call drops that call.
        let configuration = CXProviderConfiguration()
        configuration.supportsVideo = true
        configuration.maximumCallGroups = 1
        configuration.maximumCallsPerCallGroup = 1
        configuration.supportedHandleTypes = [.generic]
        // The app has a history of its own, and a tap on one of the system's would have no server to call through.
        configuration.includesCallsInRecents = false
        provider = CXProvider(configuration: configuration)
        super.init()
        coordinator = CallKitCoordinator(provider: self, dispatch: dispatch, prepareAudio: audio.prepare)
        audio.reactivate = { [weak self] in self?.coordinator?.reactivateAudio() }
        provider.setDelegate(self, queue: .main)
    }

    /// `AppEffect.systemCall`.
    public func tell(_ told: AppSystemCall) { coordinator?.tell(told) }

    private func update(_ from: String) -> CXCallUpdate {
        let update = CXCallUpdate()
        update.remoteHandle = CXHandle(type: .generic, value: from)
        update.localizedCallerName = from
        update.hasVideo = true
        update.supportsHolding = true
        update.supportsDTMF = false
        update.supportsGrouping = false
        update.supportsUngrouping = false
        return update
    }
}

extension CallKitManager: CallProvider {
    public func reportIncoming(_ call: UUID, from: String, done: @escaping @MainActor (Bool) -> Void) {
        provider.reportNewIncomingCall(with: call, update: update(from)) { @Sendable error in
            // Refused where the person is not to be disturbed or has blocked the caller. That it is on the screen already is no refusal.
            let isShown = error == nil || (error as? CXErrorCodeIncomingCallError)?.code == .callUUIDAlreadyExists
            // On the queue of the delegate: the main one.
            MainActor.assumeIsolated { done(isShown) }
        }
    }

    public func reportUpdated(_ call: UUID, from: String) { provider.reportCall(with: call, updated: update(from)) }

    public func reportConnecting(_ call: UUID) { provider.reportOutgoingCall(with: call, startedConnectingAt: nil) }

    public func reportConnected(_ call: UUID) { provider.reportOutgoingCall(with: call, connectedAt: nil) }

    public func reportEnded(_ call: UUID, reason: AppSystemEnd) {
        let cause: CXCallEndedReason =
            switch reason {
            case .local, .rejected, .remote, .busy: .remoteEnded
            case .missed, .unanswered: .unanswered
            case .answeredElsewhere: .answeredElsewhere
            case .failed: .failed
            }
        provider.reportCall(with: call, endedAt: nil, reason: cause)
    }

    /// Refused, the call is over already or the system does not let it be: `refused` says what follows.
    public func request(_ action: CallAction, of call: UUID, refused: @escaping @MainActor (UUID) -> Void) -> UUID {
        let asked = CXCallAction.make(action, of: call)
        let id = asked.uuid
        // Nothing is isolated in it: who calls it, and where from, is CallKit's affair.
        controller.request(CXTransaction(action: asked)) { @Sendable error in
            guard let error else { return }
            Logger(subsystem: "org.chamada", category: "calls")
                .notice("CallKit refused an action: \(String(describing: error), privacy: .public)")
            Task { await refused(id) }
        }
        return id
    }
}

extension CXCallAction {
    fileprivate static func make(_ action: CallAction, of call: UUID) -> CXCallAction {
        switch action {
        case let .start(to):
            let start = CXStartCallAction(call: call, handle: CXHandle(type: .generic, value: to))
            start.isVideo = true
            return start
        case .answer: return CXAnswerCallAction(call: call)
        case .end: return CXEndCallAction(call: call)
        case let .mute(muted): return CXSetMutedCallAction(call: call, muted: muted)
        case let .hold(held): return CXSetHeldCallAction(call: call, onHold: held)
        }
    }
}

// The provider calls on the queue that it was given: the main one.
extension CallKitManager: CXProviderDelegate {
    public nonisolated func providerDidReset(_ provider: CXProvider) {
        MainActor.assumeIsolated { coordinator?.reset() }
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXStartCallAction) {
        perform(.start(to: action.handle.value), by: action)
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXAnswerCallAction) { perform(.answer, by: action) }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXEndCallAction) { perform(.end, by: action) }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXSetMutedCallAction) {
        perform(.mute(action.isMuted), by: action)
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXSetHeldCallAction) {
        perform(.hold(action.isOnHold), by: action)
    }

    private nonisolated func perform(_ asked: CallAction, by action: CXCallAction) {
        let (id, call) = (action.uuid, action.callUUID)
        MainActor.assumeIsolated { coordinator?.perform(asked, of: call, id: id) }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, didActivate audioSession: AVAudioSession) {
        MainActor.assumeIsolated { audio.session(isActive: true) }
    }

    public nonisolated func provider(_ provider: CXProvider, didDeactivate audioSession: AVAudioSession) {
        MainActor.assumeIsolated { audio.session(isActive: false) }
    }
}
#endif
