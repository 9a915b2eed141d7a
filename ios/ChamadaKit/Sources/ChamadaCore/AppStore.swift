import Chamada

/// The core's decisions (`AppCore`) on the main actor: actions in, what is to be seen and what is to be done out.
@MainActor
public final class AppStore {
    public private(set) var state: AppState
    public private(set) var chat: [AppChatLine] = []
    public private(set) var history: [AppHistoryEntry] = []
    public private(set) var statistics: [AppStatisticsLine] = []
    public private(set) var privateText: [AppPrivateLine] = []

    /// Does what is to be done, in this order; it may dispatch. What comes before it is set waits for it.
    public var carryOut: (@MainActor (AppEffect) -> Void)? { didSet { carryOutWaiting() } }

    private let core: AppCore
    private var observers: [@MainActor (AppStore) -> Void] = []
    private var waiting: [AppEffect] = []
    private var isCarryingOut = false

    /// - Parameters:
    ///   - device: names this installation to the server, so that it can be rung by push: made at random once and kept.
    ///   - usesCallKit: without it the app rings itself, and a push that shows no call ends nothing.
    public init(devices: Devices, device: String? = nil, usesCallKit: Bool = true) throws {
        let observer = Observer()
        // CallKit rings, and the system ends an app that reports no call for a push.
        let config = AppConfig(systemRings: usesCallKit, reportsEveryPush: usesCallKit, device: device)
        core = try AppCore(config: config, devices: devices, observer: observer)
        let first = core.poll()
        guard let begin = first.state else {
            throw ChamadaError.Failure(kind: .internal, reason: "a core begins with a state", detail: nil)
        }
        state = begin
        observer.store.with { $0.value = self }
        take(first)
    }

    /// Tells what happened.
    public func dispatch(_ action: AppAction) { take(core.dispatch(action: action)) }

    /// `changed` is called now, and whenever something of it may have changed.
    public func observe(_ changed: @escaping @MainActor (AppStore) -> Void) {
        observers.append(changed)
        changed(self)
    }

    fileprivate func poll() { take(core.poll()) }

    private func take(_ update: AppUpdate) {
        if let new = update.state { state = new }
        if let new = update.chat { chat = new }
        if let new = update.history { history = new }
        if let new = update.statistics { statistics = new }
        if let new = update.privateText { privateText = new }
        for changed in observers { changed(self) }
        waiting += update.effects
        carryOutWaiting()
    }

    /// What is dispatched while an effect is carried out has its own effects after the rest of these.
    private func carryOutWaiting() {
        guard !isCarryingOut, let carryOut else { return }
        isCarryingOut = true
        defer { isCarryingOut = false }
        while !waiting.isEmpty { carryOut(waiting.removeFirst()) }
    }
}

/// Is told on a thread of the library's, and keeps no store alive.
private final class Observer: AppObserver {
    struct Weak: Sendable {
        weak var value: AppStore?
    }

    let store = LockedValue(Weak())

    func onChange() {
        let store = store.with { $0 }
        Task { @MainActor in store.value?.poll() }
    }
}

/// A text with its values in its gaps, as they are, once: what a person is called is never read as a gap.
public func filled(_ text: String, _ values: [String: String]) -> String {
    var said = ""
    var rest = Substring(text)
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
        let name = String(rest[rest.index(after: open)..<close])
        said += rest[..<open]
        said += values[name] ?? "{\(name)}"
        rest = rest[rest.index(after: close)...]
    }
    return said + rest
}
