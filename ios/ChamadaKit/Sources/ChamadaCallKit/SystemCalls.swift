#if canImport(CallKit) && canImport(UIKit)
import AVFoundation
import CallKit
import Chamada
import ChamadaCore
import Foundation
import os

private let log = Logger(subsystem: "org.chamada", category: "calls")

/// The system's own call screen in step with the phone: it rings there, on a locked phone too; answering, mute, hold and hanging
/// up count on either side. Which order follows from what is ``CallDirectory``'s to decide.
@MainActor
public final class SystemCalls: NSObject {
    private let phone: Phone
    private let provider: CXProvider
    private let controller = CXCallController(queue: .main)
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
        // The app has a log of its own, and a tap on one of the system's would have no server to call through.
        configuration.includesCallsInRecents = false
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
    func pushed(_ call: PushedCall, done: @escaping () -> Void) {
        var orders = directory.pushed(call, now: Date())
        carryOut(orders.removeFirst(), done: done)
        for order in orders { carryOut(order) }
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
            request(start) { [weak self] in
                guard let self else { return }
                _ = directory.ended(id: id)
                Task { await self.phone.refusedBySystem() }
            }
        case let .connecting(id):
            if let system = directory.placedHere(id) { provider.reportOutgoingCall(with: system, startedConnectingAt: nil) }
        case let .connected(id):
            if let system = directory.placedHere(id) { provider.reportOutgoingCall(with: system, connectedAt: nil) }
        case let .muted(id, isMuted):
            guard let system = directory.system(id) else { return }
            let mute = CXSetMutedCallAction(call: system, muted: isMuted)
            directory.asks(mute.uuid)
            request(mute)
        case let .ended(id, reason):
            guard case let .close(system)? = directory.ended(id: id) else { return }
            if let cause = CXCallEndedReason(SystemEnd(reason)) {
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
            provider.reportNewIncomingCall(with: system, update: update(from)) { @Sendable [weak self] error in
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

    /// Refused, the call is over already or the system does not let it be: `refused` says what follows where the library's events
    /// do not.
    private func request(_ action: CXAction, refused: @escaping @MainActor () -> Void = {}) {
        // Nothing is isolated in it: who calls it, and where from, is CallKit's affair.
        controller.request(CXTransaction(action: action)) { @Sendable error in
            guard let error else { return }
            log.notice("CallKit refused an action: \(String(describing: error), privacy: .public)")
            Task { await refused() }
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
        let (id, isMuted) = (action.uuid, action.isMuted)
        MainActor.assumeIsolated {
            if !directory.wasAsked(id) { Task { await phone.setMicrophone(!isMuted) } }
        }
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

extension CXCallEndedReason {
    /// None where this side ended the call.
    fileprivate init?(_ end: SystemEnd) {
        switch end {
        case .here: return nil
        case .there: self = .remoteEnded
        case .unanswered: self = .unanswered
        case .answeredElsewhere: self = .answeredElsewhere
        case .failed: self = .failed
        }
    }
}
#endif
