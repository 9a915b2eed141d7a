import Chamada
import Foundation

/// What a call is asked to do by way of CallKit.
public enum CallAction: Equatable, Sendable {
    case start(to: String)
    case answer
    case end
    case mute(Bool)
    case hold(Bool)
}

/// CallKit's provider and call controller, as far as they are told something: `CallKitManager`.
@MainActor
public protocol CallProvider: AnyObject {
    /// `isShown` is false where the system does not let it ring.
    func reportIncoming(_ call: UUID, from: String, done: @escaping @MainActor (_ isShown: Bool) -> Void)
    func reportUpdated(_ call: UUID, from: String)
    func reportConnecting(_ call: UUID)
    func reportConnected(_ call: UUID)
    func reportEnded(_ call: UUID, reason: AppSystemEnd)
    /// Asks the system for an action. Its name, by which it comes back in `perform`, and in `refused` where the system does not do it.
    func request(_ action: CallAction, of call: UUID, refused: @escaping @MainActor (UUID) -> Void) -> UUID
}

/// Tells CallKit what the core wants (`AppEffect.systemCall`), and the core what people do on CallKit's screen. What the app itself asked
/// CallKit for is not told to the core again.
@MainActor
public final class CallKitCoordinator {
    private unowned let provider: any CallProvider
    private let dispatch: @MainActor (AppAction) -> Void
    private let prepareAudio: @MainActor () -> Void
    /// Actions that the app asked for.
    private var asked: Set<UUID> = []
    /// The hold after which the call is to be taken up again.
    private var reactivating: UUID?
    private var current: UUID?
    /// The call that was placed here: only of such the system wants to know how far it is.
    private var placed: UUID?

    public init(
        provider: any CallProvider, dispatch: @escaping @MainActor (AppAction) -> Void, prepareAudio: @escaping @MainActor () -> Void
    ) {
        (self.provider, self.dispatch, self.prepareAudio) = (provider, dispatch, prepareAudio)
    }

    public func tell(_ told: AppSystemCall) {
        switch told {
        case let .incoming(call, from): with(call) { incoming($0, from: from) }
        case let .outgoing(call, to): with(call) { outgoing($0, to: to) }
        case let .renamed(call, from): with(call) { provider.reportUpdated($0, from: from) }
        case let .answered(call): with(call) { ask(.answer, of: $0) }
        case let .connecting(call): with(call) { if $0 == placed { provider.reportConnecting($0) } }
        case let .connected(call): with(call) { if $0 == placed { provider.reportConnected($0) } }
        case let .muted(call, muted): with(call) { ask(.mute(muted), of: $0) }
        // Told to the core when the system has done it.
        case let .requestHold(call, held): with(call) { _ = provider.request(.hold(held), of: $0, refused: { _ in }) }
        case let .ended(call, reason): with(call) { ended($0, reason) }
        }
    }

    /// Has the system activate the audio session again, which something else than a call took, an alarm say: it does so for a call that is
    /// taken up after a hold, and for nothing else.
    public func reactivateAudio() {
        guard let current else { return }
        reactivating = provider.request(.hold(true), of: current) { [weak self] _ in self?.reactivating = nil }
    }

    /// The system wants it done: people on its screen, or the app by `request`.
    public func perform(_ action: CallAction, of call: UUID, id: UUID) {
        let isOurs = asked.remove(id) != nil
        switch action {
        case .start: tell(.taken, of: call)
        case .answer:
            prepareAudio()
            // It asks with what to answer nowhere, and what began with video is answered with it.
            if !isOurs { tell(.answered(video: true), of: call) }
        case .end: if !isOurs { tell(.ended, of: call) }
        case let .mute(muted): if !isOurs { tell(.muted(muted: muted), of: call) }
        case let .hold(held):
            if id == reactivating {
                reactivating = nil
                // Refused, it stays on hold, and the person can take it up.
                ask(.hold(false), of: call) { [weak self] in self?.tell(.held(held: true), of: call) }
            } else if !isOurs {
                tell(.held(held: held), of: call)
            }
        }
    }

    /// The system forgot every call.
    public func reset() {
        (current, placed, reactivating) = (nil, nil, nil)
        asked.removeAll()
        dispatch(.systemCallsReset)
    }

    /// The core's names for calls are UUIDs.
    private func with(_ call: String, _ act: (UUID) -> Void) {
        if let call = UUID(uuidString: call) { act(call) }
    }

    private func tell(_ news: AppSystemCallNews, of call: UUID) { dispatch(.systemCall(call: call.uuidString, news: news)) }

    private func incoming(_ call: UUID, from: String?) {
        current = call
        provider.reportIncoming(call, from: from ?? "?") { [weak self] isShown in self?.tell(isShown ? .taken : .refused, of: call) }
    }

    private func outgoing(_ call: UUID, to: String) {
        (current, placed) = (call, call)
        prepareAudio()
        _ = provider.request(.start(to: to), of: call) { [weak self] _ in self?.tell(.refused, of: call) }
    }

    private func ended(_ call: UUID, _ reason: AppSystemEnd) {
        if current == call { current = nil }
        if placed == call { placed = nil }
        switch reason {
        // That is something that the person did.
        case .local, .rejected: ask(.end, of: call)
        default: provider.reportEnded(call, reason: reason)
        }
    }

    private func ask(_ action: CallAction, of call: UUID, refused: @escaping @MainActor () -> Void = {}) {
        let id = provider.request(action, of: call) { [weak self] id in
            self?.asked.remove(id)
            refused()
        }
        asked.insert(id)
    }
}
