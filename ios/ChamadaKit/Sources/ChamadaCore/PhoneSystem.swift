import Chamada
import Foundation

/// What the system tells the app.
extension Phone {
    /// The app left the screen. A picture in picture with the right to use the camera there leaves it on.
    public func wentToBackground(cameraMayStayOn: Bool) {
        guard !(cameraMayStayOn && state.call?.state == .connected) else { return }
        isInBackground = true
        session?.client.background()
    }

    public func cameToForeground() {
        isInBackground = false
        session?.client.foreground()
    }

    public func networkChanged() { session?.client.networkChanged() }

    public func memoryIsLow() { _ = session?.client.lowMemory() }

    /// A push woke the app: the call behind it comes when the phone is logged in. A connection that the system cut while the app
    /// slept is only noticed when it is looked at.
    public func woken(server: String, name: String) async {
        if state.isLoggedIn { return networkChanged() }
        if !server.isEmpty { await login(server: server, name: name) }
    }

    /// The system's call screen did not take the call that was placed: without it nothing would sound.
    public func refusedBySystem() async {
        await hangUp()
        tell(Problem(.refusedBySystem, ways: [.dismiss]))
    }

    /// A camera that stopped or, without a message, came back in the middle of a call.
    public func cameraSaid(_ message: Message?) {
        guard state.call != nil else { return }
        // What else is being told stays.
        if message != nil || state.notice.map(Interruption.messages.contains) == true { state.notice = message }
    }

    public func noticeWasSeen() { state.notice = nil }

    /// The device is this hot now: the library sends smaller or fewer pictures while it is.
    public func thermalState(_ state: ThermalState) {
        guard state != thermal else { return }
        thermal = state
        tellThermalState()
    }

    func tellThermalState() {
        guard let client = session?.client else { return }
        client.setThermalState(state: thermal)
        if thermal.isHot, state.call != nil { state.notice = Message(.mediaHot) }
    }
}

/// Faults on purpose, behind a hidden menu.
extension Phone {
    /// What happens once.
    public enum Fault: CaseIterable, Sendable {
        case network, memory, peerCalls

        public var label: TextKey {
            switch self {
            case .network: .faultsNetwork
            case .memory: .faultsMemory
            case .peerCalls: .faultsPeerCalls
            }
        }

        /// Whether it takes the demo's peer.
        public var needsDemo: Bool { self == .peerCalls }
    }

    public func cause(_ fault: Fault) async {
        switch fault {
        case .network: networkChanged()
        case .memory: memoryIsLow()
        case .peerCalls:
            guard let demo else { return }
            await doing { [name = state.name] in try await demo.call(to: name) }
        }
    }

    /// Takes a part of the network away, until it is given back or one leaves.
    public func outage(of part: Outage, _ isOn: Bool) {
        guard let client = session?.client else { return }
        switch part {
        case .server: client.dropSignaling(on: isOn)
        case .calls: client.dropMedia(on: isOn)
        }
        if isOn { state.outages.insert(part) } else { state.outages.remove(part) }
    }
}

/// A part of the network that the menu of faults can take away.
public enum Outage: CaseIterable, Sendable {
    case server, calls

    public var label: TextKey {
        switch self {
        case .server: .faultsSignaling
        case .calls: .faultsMedia
        }
    }
}
