import Foundation

/// A client that is logged in, with its events as an `AsyncStream` instead of an observer.
///
/// ```swift
/// let session = try await Session.connect(config: Config(server: "wss://call.example.org", name: "ana"), devices: devices)
/// _ = try await session.client.call(to: "rui")
/// for await event in session.events { … }
/// ```
///
/// Letting go of it logs out; `client.logout()` waits until devices and sockets are released.
public final class Session: Sendable {
    /// What the session's client can do.
    public let client: Client

    /// Everything that happens, in order, from the login on; ends after `Event.closed`. To be read by one task: events that
    /// nobody reads are kept, up to ``Session/waiting`` of them, and then the oldest go.
    public let events: AsyncStream<Event>

    /// How many events wait for a reader: as many as minutes of a busy call have.
    public static let waiting = 4096

    private init(client: Client, events: AsyncStream<Event>) {
        self.client = client
        self.events = events
    }

    /// Connects to the server and logs in.
    ///
    /// - Throws: `ChamadaError` as `Client.connect`.
    public static func connect(config: Config, devices: Devices = Devices()) async throws -> Session {
        let (events, inbox) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(waiting))
        let client = try await Client.connect(config: config, devices: devices, observer: Inbox(inbox))
        return Session(client: client, events: events)
    }
}

private final class Inbox: Observer {
    private let inbox: AsyncStream<Event>.Continuation

    init(_ inbox: AsyncStream<Event>.Continuation) {
        self.inbox = inbox
    }

    func onEvent(event: Event) {
        inbox.yield(event)
        if case .closed = event { inbox.finish() }
    }
}

extension ChamadaError {
    /// What to decide by.
    public var kind: ErrorKind {
        switch self { case let .Failure(kind, _, _): kind }
    }

    /// One sentence for a developer.
    public var reason: String {
        switch self { case let .Failure(_, reason, _): reason }
    }

    /// More for programs, where there is more: the constraint's name, the person at the other end.
    public var detail: String? {
        switch self { case let .Failure(_, _, detail): detail }
    }
}
