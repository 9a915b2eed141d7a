import Chamada
import Foundation

/// The calls that the system's call screen knows, and what is to be done when app, system and server tell of the same call in
/// any order: a push may come before the server's own message, and an answer before either.
public struct CallDirectory: Sendable {
    /// What to do next.
    public enum Order: Equatable, Sendable {
        /// Show it on the system's call screen.
        case report(UUID, from: String)
        /// It was shown after a push; its name may have changed.
        case update(UUID, from: String)
        case accept(String)
        case decline(String)
        case hangUp(String)
        /// The system is to take the call off its screen.
        case close(UUID)
    }

    private struct Entry {
        let id: String
        let system: UUID
        /// Whether the library knows of it.
        var isKnown: Bool
        var answered: Bool
        var isPlacedHere = false
        var refused = false
        var since: Date
    }

    /// A push without a call behind it stays no longer than this.
    public static let patience: TimeInterval = 20

    private var entries: [Entry] = []
    private var asked: Set<UUID> = []

    public init() {}

    /// The system's name for a call: the call's own, which is a UUID, or a new one.
    public func system(_ id: String) -> UUID? { entries.first { $0.id == id }?.system }

    public func call(_ system: UUID) -> String? { entries.first { $0.system == system }?.id }

    /// A push came. It is always reported, even if it says nothing that can be used or the call is on the screen already: an
    /// app that does not is ended. One that takes a call back is taken off the screen again, unless the library knows the call and says
    /// so itself.
    public mutating func pushed(_ call: PushedCall, now: Date) -> [Order] {
        let id = call.id ?? UUID().uuidString
        let shown = system(id) ?? add(id, isKnown: false, now)
        let report = Order.report(shown, from: call.from ?? "?")
        guard call.isCancel, let index = index(id), !entries[index].isKnown else { return [report] }
        entries.remove(at: index)
        return [report, .close(shown)]
    }

    /// The library says that it rings.
    public mutating func rings(id: String, from: String, now: Date) -> [Order] {
        guard let index = index(id) else { return [.report(add(id, isKnown: true, now), from: from)] }
        entries[index].isKnown = true
        let entry = entries[index]
        if entry.refused {
            entries.remove(at: index)
            return [.decline(id)]
        }
        return [.update(entry.system, from: from)] + (entry.answered ? [.accept(id)] : [])
    }

    /// This phone calls: nothing is left to be answered here.
    public mutating func placed(id: String, now: Date) -> UUID {
        let system = system(id) ?? add(id, isKnown: true, answered: true, now)
        if let index = index(id) { entries[index].isPlacedHere = true }
        return system
    }

    /// The system's name for a call that this phone placed; only of those it wants to know how far they are.
    public func placedHere(_ id: String) -> UUID? { entries.first { $0.id == id && $0.isPlacedHere }?.system }

    /// Answered on the system's screen, perhaps on a locked phone, perhaps before the library knows the call.
    public mutating func answered(_ system: UUID) -> Order? {
        guard let index = entries.firstIndex(where: { $0.system == system }), !entries[index].answered else { return nil }
        entries[index].answered = true
        return entries[index].isKnown ? .accept(entries[index].id) : nil
    }

    /// Ended on the system's screen: refused if it was not answered, else hung up.
    public mutating func endedBySystem(_ system: UUID) -> Order? {
        guard let index = entries.firstIndex(where: { $0.system == system }) else { return nil }
        let entry = entries[index]
        guard entry.isKnown else {
            entries[index].refused = true
            return nil
        }
        entries.remove(at: index)
        return entry.answered ? .hangUp(entry.id) : .decline(entry.id)
    }

    /// The library says that it is over.
    public mutating func ended(id: String) -> Order? {
        guard let index = index(id) else { return nil }
        return .close(entries.remove(at: index).system)
    }

    /// Pushes whose call never came.
    public mutating func expire(now: Date) -> [Order] {
        let old = entries.filter { !$0.isKnown && now.timeIntervalSince($0.since) >= Self.patience }
        entries.removeAll { entry in old.contains { $0.system == entry.system } }
        return old.filter { !$0.refused }.map { .close($0.system) }
    }

    /// The app asks the system for something that is so already, e.g. to show it muted.
    public mutating func asks(_ action: UUID) { asked.insert(action) }

    /// Whether what the system hands out to be done was the app's own wish. Done again, it would undo what the person did since.
    public mutating func wasAsked(_ action: UUID) -> Bool { asked.remove(action) != nil }

    private func index(_ id: String) -> Int? { entries.firstIndex { $0.id == id } }

    private mutating func add(_ id: String, isKnown: Bool, answered: Bool = false, _ now: Date) -> UUID {
        let system = UUID(uuidString: id) ?? UUID()
        entries.append(Entry(id: id, system: system, isKnown: isKnown, answered: answered, since: now))
        return system
    }
}

/// What a push says: the call's UUID, the caller's name, and whether the call is taken back. What is no text is not said.
public struct PushedCall: Equatable, Sendable {
    public let id: String?
    public let from: String?
    public let isCancel: Bool

    public init(payload: [AnyHashable: Any]) {
        let id = payload["call"] as? String
        // The library writes UUIDs in small letters, not every server does.
        self.id = id.flatMap(UUID.init(uuidString:))?.uuidString.lowercased() ?? id
        from = payload["from"] as? String
        isCancel = payload["kind"] as? String == "cancel"
    }
}

/// How a call ended, as the system's call screen sees it.
public enum SystemEnd: Sendable {
    /// The person did it, on this side.
    case here
    case there, unanswered, answeredElsewhere, failed

    public init(_ reason: EndReason) {
        self =
            switch reason {
            case .hungUpLocally, .declinedLocally, .cancelledLocally: .here
            case .hungUpRemotely, .declinedRemotely, .cancelledRemotely, .busy: .there
            case .timeout, .unreachable: .unanswered
            case .answeredElsewhere: .answeredElsewhere
            case .noPath, .connectionFailed, .negotiationFailed, .noCommonCodec, .handshakeFailed, .mediaFailedLocally,
                .mediaFailedRemotely:
                .failed
            }
    }
}
