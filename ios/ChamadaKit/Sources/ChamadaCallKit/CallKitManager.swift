#if canImport(CallKit) && canImport(UIKit)
import AVFoundation
import CallKit
import Chamada
import Foundation
import os

private let log = Logger(subsystem: "org.chamada", category: "calls")

/// The system's own call screen: it is told what the core wants (`AppEffect.systemCall`), and tells what people do there.
@MainActor
public final class CallKitManager: NSObject {
    private let provider: CXProvider
    private let controller = CXCallController(queue: .main)
    private let dispatch: @MainActor (AppAction) -> Void
    /// The app sets its session's category here; CallKit activates it.
    private let prepareAudio: @MainActor () -> Void
    private let audioIsActive: @MainActor (Bool) -> Void
    /// Actions that the app itself asked for, which are not told to the core again.
    private var asked: Set<UUID> = []
    /// The call that was placed here: only of such the system wants to know how far it is.
    private var placed: UUID?

    public init(
        dispatch: @escaping @MainActor (AppAction) -> Void, prepareAudio: @escaping @MainActor () -> Void,
        audioIsActive: @escaping @MainActor (Bool) -> Void
    ) {
        (self.dispatch, self.prepareAudio, self.audioIsActive) = (dispatch, prepareAudio, audioIsActive)
        let configuration = CXProviderConfiguration()
        configuration.supportsVideo = true
        configuration.maximumCallGroups = 1
        configuration.maximumCallsPerCallGroup = 1
        configuration.supportedHandleTypes = [.generic]
        // The app has a history of its own, and a tap on one of the system's would have no server to call through.
        configuration.includesCallsInRecents = false
        provider = CXProvider(configuration: configuration)
        super.init()
        provider.setDelegate(self, queue: .main)
    }

    /// Carries out what the core wants of the system's calls.
    public func tell(_ told: AppSystemCall) {
        switch told {
        case let .incoming(call, from): with(call) { incoming($0, from: from) }
        case let .outgoing(call, to): with(call) { outgoing($0, to: to) }
        case let .renamed(call, from): with(call) { provider.reportCall(with: $0, updated: update(from)) }
        case let .answered(call): with(call) { ask(CXAnswerCallAction(call: $0)) }
        case let .connecting(call):
            with(call) { if $0 == placed { provider.reportOutgoingCall(with: $0, startedConnectingAt: nil) } }
        case let .connected(call):
            with(call) { if $0 == placed { provider.reportOutgoingCall(with: $0, connectedAt: nil) } }
        case let .muted(call, muted): with(call) { ask(CXSetMutedCallAction(call: $0, muted: muted)) }
        // Told to the core when the system has done it.
        case let .requestHold(call, held): with(call) { request(CXSetHeldCallAction(call: $0, onHold: held)) }
        case let .ended(call, reason): with(call) { ended($0, reason) }
        }
    }

    /// The core's names for calls are UUIDs.
    private func with(_ call: String, _ act: (UUID) -> Void) {
        if let call = UUID(uuidString: call) { act(call) }
    }

    private func incoming(_ call: UUID, from: String?) {
        provider.reportNewIncomingCall(with: call, update: update(from ?? "?")) { @Sendable [weak self] error in
            // On the queue of the delegate: the main one.
            MainActor.assumeIsolated { self?.reported(call, error) }
        }
    }

    /// Where the system does not let it ring, the person is not to be disturbed, or has blocked the caller. That it is on the
    /// screen already is no refusal.
    private func reported(_ call: UUID, _ error: (any Error)?) {
        let isThere = error == nil || (error as? CXErrorCodeIncomingCallError)?.code == .callUUIDAlreadyExists
        dispatch(.systemCall(call: call.uuidString, news: isThere ? .taken : .refused))
    }

    private func outgoing(_ call: UUID, to: String) {
        placed = call
        prepareAudio()
        let start = CXStartCallAction(call: call, handle: CXHandle(type: .generic, value: to))
        start.isVideo = true
        request(start) { [weak self] in self?.dispatch(.systemCall(call: call.uuidString, news: .refused)) }
    }

    private func ended(_ call: UUID, _ reason: AppSystemEnd) {
        if placed == call { placed = nil }
        let cause: CXCallEndedReason
        switch reason {
        // That is something that the person did.
        case .local, .rejected: return ask(CXEndCallAction(call: call))
        case .remote, .busy: cause = .remoteEnded
        case .missed, .unanswered: cause = .unanswered
        case .answeredElsewhere: cause = .answeredElsewhere
        case .failed: cause = .failed
        }
        provider.reportCall(with: call, endedAt: nil, reason: cause)
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

    private func ask(_ action: CXAction) {
        asked.insert(action.uuid)
        request(action) { [weak self, id = action.uuid] in self?.asked.remove(id) }
    }

    /// Refused, the call is over already or the system does not let it be: `refused` says what follows.
    private func request(_ action: CXAction, refused: @escaping @MainActor () -> Void = {}) {
        // Nothing is isolated in it: who calls it, and where from, is CallKit's affair.
        controller.request(CXTransaction(action: action)) { @Sendable error in
            guard let error else { return }
            log.notice("CallKit refused an action: \(String(describing: error), privacy: .public)")
            Task { await refused() }
        }
    }

    private func tellUnlessAsked(_ action: UUID, _ call: UUID, _ news: AppSystemCallNews) {
        if asked.remove(action) == nil { dispatch(.systemCall(call: call.uuidString, news: news)) }
    }
}

// The provider calls on the queue that it was given: the main one.
extension CallKitManager: CXProviderDelegate {
    public nonisolated func providerDidReset(_ provider: CXProvider) {
        MainActor.assumeIsolated { dispatch(.systemCallsReset) }
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXStartCallAction) {
        let call = action.callUUID
        MainActor.assumeIsolated { dispatch(.systemCall(call: call.uuidString, news: .taken)) }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXAnswerCallAction) {
        let (id, call) = (action.uuid, action.callUUID)
        MainActor.assumeIsolated {
            prepareAudio()
            // It asks with what to answer nowhere, and what began with video is answered with it.
            tellUnlessAsked(id, call, .answered(video: true))
        }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXEndCallAction) {
        let (id, call) = (action.uuid, action.callUUID)
        MainActor.assumeIsolated { tellUnlessAsked(id, call, .ended) }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXSetMutedCallAction) {
        let (id, call, muted) = (action.uuid, action.callUUID, action.isMuted)
        MainActor.assumeIsolated { tellUnlessAsked(id, call, .muted(muted: muted)) }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, perform action: CXSetHeldCallAction) {
        let (call, held) = (action.callUUID, action.isOnHold)
        MainActor.assumeIsolated { dispatch(.systemCall(call: call.uuidString, news: .held(held: held))) }
        action.fulfill()
    }

    public nonisolated func provider(_ provider: CXProvider, didActivate audioSession: AVAudioSession) {
        MainActor.assumeIsolated { audioIsActive(true) }
    }

    public nonisolated func provider(_ provider: CXProvider, didDeactivate audioSession: AVAudioSession) {
        MainActor.assumeIsolated { audioIsActive(false) }
    }
}
#endif
