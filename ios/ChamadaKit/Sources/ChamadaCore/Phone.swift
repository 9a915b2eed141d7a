import Chamada
import Foundation

/// What the app does, without its screens: it holds the session, turns what happens into a ``PhoneState`` to show, and what the
/// person does into calls of the library. All of it on the main actor; what waits is `async` and gives the actor free.
@MainActor
public final class Phone {
    /// What there is to show. Every change is told by ``onChange``.
    public internal(set) var state = PhoneState() {
        didSet { if state != oldValue { onChange?(state) } }
    }

    public var onChange: (@MainActor (PhoneState) -> Void)?
    /// For the system's own call screen: what happens to calls, in order.
    public var onStep: (@MainActor (CallStep) -> Void)?

    let world: World
    let watch = DeviceWatch()
    var session: (any Line)?
    var demo: Demo?
    var call: Call?
    var callLog: CallLog
    /// Calls that were over before the library had handed them out.
    var lastEnded: String?
    /// What trying again means for the problem that is shown.
    var retry: (@MainActor () async -> Void)?
    var wishes = Wishes()
    /// Also of the time before the login.
    var thermal = ThermalState.nominal
    var isInBackground = false
    private var startsDemo = false
    private var logins = 0
    private var listening: Task<Void, Never>?
    private var lines = 0

    public init(_ world: World) {
        self.world = world
        callLog = CallLog(file: world.logFile)
        state.log = callLog.entries
    }

    /// Logs in. What goes wrong is a problem in the state. Only in one's own network are unencrypted servers spoken to.
    public func login(server: String, name: String) async {
        guard NameRule.allows(name) else { return tell(Problem(.loginBadName, ways: [.changeName])) }
        let server = server.trimmingCharacters(in: .whitespacesAndNewlines)
        let config = Config(server: server, name: NameRule.trimmed(name), allowInsecure: isLocalNetwork(address: server))
        await enter(config)
    }

    /// Whether the library was built with the demo.
    public nonisolated static var hasDemo: Bool { demoAvailable() }

    /// Starts a server inside the app, with a peer who answers, and logs in to it. Its camera is a drawing: no real one is asked
    /// for.
    public func startDemo(name: String) async {
        guard NameRule.allows(name) else { return tell(Problem(.loginBadName, ways: [.changeName])) }
        // A second tap is to make no second one.
        guard !startsDemo, !state.isEntering, !state.isLoggedIn else { return }
        startsDemo = true
        defer { startsDemo = false }
        do {
            let demo = try await Demo.start(peer: "demo")
            self.demo = demo
            state.isDemo = true
            await enter(Config(server: demo.server(), name: NameRule.trimmed(name)))
        } catch {
            tell(.ofUse(asChamada(error)))
        }
        if !state.isLoggedIn { endDemo() }
    }

    private func enter(_ config: Config) async {
        guard !state.isEntering, !state.isLoggedIn else { return }
        state.problem = nil
        state.isEntering = true
        defer { state.isEntering = false }
        do {
            let session = try await world.connect(config, devices.watched(by: watch))
            self.session = session
            logins += 1
            wishes = Wishes()
            state.name = config.name
            state.isLoggedIn = true
            let events = session.events
            listening = Task { [weak self] in
                for await event in events { await self?.handle(event) }
            }
            // A push may have woken the app: the camera of a call that is answered on a locked phone would be refused.
            if isInBackground { session.client.background() }
            if thermal != .nominal { tellThermalState() }
        } catch {
            tell(.ofLogin(asChamada(error), name: config.name)) { [weak self] in await self?.enter(config) }
        }
    }

    /// Ends a call that may be going on and logs out; back at the login when all is released.
    public func logout() async {
        let login = logins
        await session?.client.logout()
        // The session ended meanwhile, and a push has logged in anew.
        guard login == logins else { return }
        listening?.cancel()
        leave(.hungUpLocally)
    }

    /// The session is over, whoever ended it, and with it a call: the system is not to show one that nobody can end any more.
    func leave(_ reason: EndReason) {
        if let view = state.call { over(view, reason) }
        (session, call) = (nil, nil)
        let log = state.log
        state = PhoneState()
        state.log = log
        endDemo()
    }

    private func endDemo() {
        demo = nil
        state.isDemo = false
    }

    var devices: Devices {
        let real = world.devices
        guard demo != nil else { return real }
        return Devices(cameras: PatternCameras(), audio: real.audio, remote: real.remote, preview: real.preview)
    }

    /// Says something in the public chat.
    public func say(_ text: String) async {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty, let client = session?.client else { return }
        await doing { try await client.say(text: text) }
    }

    /// Shows a problem; `retry` is what its way to try again does.
    func tell(_ problem: Problem, retry: (@MainActor () async -> Void)? = nil) {
        state.problem = problem
        self.retry = retry
    }

    /// Does something that the person asked for; what goes wrong is a problem.
    func doing(_ act: () async throws -> Void) async {
        do { try await act() } catch { tell(.ofUse(asChamada(error))) }
    }

    func chat(_ kind: ChatLine.Kind, from: String? = nil, at: Date? = nil) {
        lines += 1
        state.chat.append(ChatLine(id: lines, from: from, at: at ?? world.now(), kind: kind))
        state.chat.removeFirst(max(0, state.chat.count - ChatLine.most))
    }
}

/// What a phone needs from outside.
public struct World: Sendable {
    public var devices: Devices
    public var permissions: any Permissions
    public var logFile: URL?
    public var now: @Sendable () -> Date = { Date() }
    public var openSettings: @MainActor @Sendable () -> Void = {}
    public var connect: @Sendable (Config, Devices) async throws -> any Line = {
        try await Session.connect(config: $0, devices: $1)
    }

    public init(devices: Devices, permissions: any Permissions, logFile: URL? = nil) {
        (self.devices, self.permissions, self.logFile) = (devices, permissions, logFile)
    }
}

/// A session, or what a test has in its place.
public protocol Line: Sendable {
    var client: Client { get }
    var events: AsyncStream<Event> { get }
}

extension Session: Line {}

/// What the person wants of microphone and camera, which a call on hold has off all the same.
struct Wishes {
    var microphone = true
    var camera = true
}

/// What happened to a call, for the system's call screen.
public enum CallStep: Equatable, Sendable {
    case rings(id: String, from: String)
    case placed(id: String, to: String)
    case connecting(id: String)
    case connected(id: String)
    case muted(id: String, Bool)
    case ended(id: String, EndReason)
}

func asChamada(_ error: any Error) -> ChamadaError {
    error as? ChamadaError ?? .Failure(kind: .internal, reason: "\(error)", detail: nil)
}
