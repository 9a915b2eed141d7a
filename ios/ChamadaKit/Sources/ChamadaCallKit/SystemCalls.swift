#if canImport(CallKit) && os(iOS)
import AVFoundation
import CallKit
import Chamada
import ChamadaCore
import os

private let log = Logger(subsystem: "org.chamada", category: "calls")

/// The system's own call screen in step with the phone: it rings there, on a locked phone too; answering, mute, hold and hanging
/// up count on either side. Which order follows from what is ``CallDirectory``'s to decide.
@MainActor
public final class SystemCalls: NSObject {
    private let phone: Phone
    private let provider: CXProvider
    private let controller = CXCallController()
    private var directory = CallDirectory()
    /// The app sets its session's category here; CallKit activates it.
    private let prepareAudio: @MainActor () -> Void
    private let audioIsActive: @MainActor (Bool) -> Void

    public init(
        phone: Phone, prepareAudio: @escaping @MainActor () -> Void, audioIsActive: @escaping @MainActor (Bool) -> Void
    ) {
        (self.phone, self.prepareAudio, self.audioIsActive) = (phone, prepareAudio, audioIsActive)
        let configuration = CXProviderConfiguration()
        configuration.supportsVideo = true
        configuration.maximumCallGroups = 1
        configuration.maximumCallsPerCallGroup = 1
        configuration.supportedHandleTypes = [.generic]
        provider = CXProvider(configuration: configuration)
        super.init()
        provider.setDelegate(self, queue: .main)
        phone.onStep = { [weak self] step in self?.take(step) }
    }

    /// Answers the call that rings, from the app's own screen: CallKit has to know first, for the audio session is its.
    public func answer(_ id: String) {
        if let system = directory.system(id) { request(CXAnswerCallAction(call: system)) }
    }

    /// A push came: it is on the screen before this returns to the system.
    func pushed(id: String?, from: String?, done: @escaping () -> Void) {
        carryOut(directory.pushed(id: id, from: from, now: Date()), done: done)
        Task { [weak self] in
            try await Task.sleep(nanoseconds: UInt64((CallDirectory.patience + 1) * 1e9))
            guard let self else { return }
            for order in directory.expire(now: Date()) { carryOut(order) }
        }
    }

    private func take(_ step: CallStep) {
        switch step {
        case let .rings(id, from):
            for order in directory.rings(id: id, from: from, now: Date()) { carryOut(order) }
        case let .placed(id, to):
            prepareAudio()
            let start = CXStartCallAction(
                call: directory.placed(id: id, now: Date()), handle: CXHandle(type: .generic, value: to))
            start.isVideo = true
            request(start)
        case let .connecting(id):
            if phone.state.call?.weCalled == true, let system = directory.system(id) {
                provider.reportOutgoingCall(with: system, startedConnectingAt: nil)
            }
        case let .connected(id):
            if phone.state.call?.weCalled == true, let system = directory.system(id) {
                provider.reportOutgoingCall(with: system, connectedAt: nil)
            }
        case let .muted(id, isMuted):
            if let system = directory.system(id) { request(CXSetMutedCallAction(call: system, muted: isMuted)) }
        case let .ended(id, reason):
            guard case let .close(system)? = directory.ended(id: id) else { return }
            if let cause = reason.cause {
                provider.reportCall(with: system, endedAt: nil, reason: cause)
            } else {
                // Ended here: that is something that the person did.
                request(CXEndCallAction(call: system))
            }
        }
    }

    private func carryOut(_ order: CallDirectory.Order, done: (() -> Void)? = nil) {
        switch order {
        case let .report(system, from):
            nonisolated(unsafe) let done = done
            provider.reportNewIncomingCall(with: system, update: update(from)) { [weak self] error in
                // On the queue of the delegate: the main one.
                MainActor.assumeIsolated {
                    done?()
                    self?.reported(system, error)
                }
            }
        case let .update(system, from):
            provider.reportCall(with: system, updated: update(from))
            done?()
        case let .close(system): provider.reportCall(with: system, endedAt: nil, reason: .unanswered)
        case .accept: Task { await phone.accept() }
        case .decline: Task { await phone.decline() }
        case .hangUp: Task { await phone.hangUp() }
        }
    }

    /// Where the system does not let it ring, the person is not to be disturbed, or has blocked the caller. That it is on the
    /// screen already is no refusal.
    private func reported(_ system: UUID, _ error: (any Error)?) {
        guard let error, (error as? CXErrorCodeIncomingCallError)?.code != .callUUIDAlreadyExists else { return }
        if let order = directory.endedBySystem(system) { carryOut(order) }
    }

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

    private func request(_ action: CXAction) {
        controller.request(CXTransaction(action: action)) { error in
            // The call is over already, or the system has another one in front: the library's events say what follows.
            if let error { log.notice("CallKit refused an action: \(String(describing: error), privacy: .public)") }
        }
    }
}

// The provider calls on the queue that it was given: the main one.
extension SystemCalls: CXProviderDelegate {
    public nonisolated func providerDidReset(_ provider: CXProvider) {
        MainActor.assumeIsolated {
            directory = CallDirectory()
            Task { await phone.hangUp() }
        }
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXStartCallAction) {
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXAnswerCallAction) {
        let system = action.callUUID
        MainActor.assumeIsolated {
            prepareAudio()
            if let order = directory.answered(system) { carryOut(order) }
        }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXEndCallAction) {
        let system = action.callUUID
        MainActor.assumeIsolated {
            if let order = directory.endedBySystem(system) { carryOut(order) }
        }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXSetMutedCallAction) {
        let isMuted = action.isMuted
        MainActor.assumeIsolated { _ = Task { await phone.setMicrophone(!isMuted) } }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXSetHeldCallAction) {
        let isOnHold = action.isOnHold
        MainActor.assumeIsolated { _ = Task { await phone.hold(isOnHold) } }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, didActivate audioSession: AVAudioSession) {
        MainActor.assumeIsolated { audioIsActive(true) }
    }

    public nonisolated func provider(_ provider: CXProvider, didDeactivate audioSession: AVAudioSession) {
        MainActor.assumeIsolated { audioIsActive(false) }
    }
}

extension EndReason {
    /// In CallKit's words; none where this side ended the call.
    fileprivate var cause: CXCallEndedReason? {
        switch self {
        case .hungUpHere, .declinedHere, .cancelledHere: nil
        case .hungUpThere, .declinedThere, .cancelledThere, .busy: .remoteEnded
        case .timeout, .unreachable: .unanswered
        case .answeredElsewhere: .answeredElsewhere
        case .connectionFailed, .negotiationFailed, .mediaFailedHere, .mediaFailedThere: .failed
        }
    }
}
#endif
