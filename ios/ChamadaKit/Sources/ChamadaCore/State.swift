import Chamada
import Foundation

/// Everything that the screens show, as one value.
public struct PhoneState: Equatable, Sendable {
    public enum Screen: Equatable, Sendable {
        case login, people, incoming, inCall
    }

    /// What is seen while there is no call.
    public enum Tab: Hashable, Sendable {
        case people, chat
    }

    public var tab = Tab.people
    public var name = ""
    public var isEntering = false
    public var isLoggedIn = false
    /// Whether the server in use is the demo's.
    public var isDemo = false
    /// Everybody else who is there.
    public var people: [String] = []
    /// Who is not there, but can be rung.
    public var away: [String] = []
    public var chat: [ChatLine] = []
    public var call: CallView?
    /// What is to be told and answered; over everything else.
    public var problem: Problem?
    /// What is to be told only.
    public var notice: Message?
    public var log: [CallLogEntry] = []
    /// What is lost on purpose.
    public var outages: Set<Outage> = []

    public init() {}

    public var screen: Screen {
        switch call?.state {
        case .ringingLocally: .incoming
        case .some: .inCall
        case nil: isLoggedIn ? .people : .login
        }
    }
}

/// A line of the public chat, or what happened in it.
public struct ChatLine: Equatable, Sendable, Identifiable {
    public enum Kind: Equatable, Sendable {
        /// What somebody said: to be shown as it is.
        case said(String)
        case happened(Message)
    }

    public let id: Int
    public let from: String?
    public let at: Date
    public let kind: Kind

    /// Lines that are kept.
    public static let most = 500
}

/// The call as the screen shows it.
public struct CallView: Equatable, Sendable {
    public let id: String
    public let with: String
    public let weCalled: Bool
    public let began: Date
    public internal(set) var state: CallState
    public internal(set) var local: MediaState
    public internal(set) var remote: MediaState
    public internal(set) var connectedAt: Date?
    public internal(set) var isHeld = false
    public internal(set) var canFlip = true
    public internal(set) var stats: CallStats?
    /// What is to be told of the call's quality; none while it is good.
    public internal(set) var quality: Message?

    init(id: String, with: String, weCalled: Bool, began: Date, state: CallState) {
        (self.id, self.with, self.weCalled, self.began, self.state) = (id, with, weCalled, began, state)
        let on = MediaState(audio: true, video: true, facing: nil, screen: false)
        (local, remote) = (on, on)
    }

    /// The one line that says where the call stands; none while all is well.
    public var status: Message? {
        if isHeld { return Message(.callOnHold) }
        switch state {
        case .calling: return Message(.callCalling)
        case .ringingRemotely: return Message(.callRingingThere)
        case .ringingByPush: return Message(.callRingingByPush)
        case .connecting: return Message(.callConnecting)
        case .reconnecting: return Message(.callReconnecting)
        case .ringingLocally: return Message(.incoming, ["name": with])
        case .connected where !remote.video: return Message(.callCameraOffThere, ["name": with])
        case .connected where !remote.audio: return Message(.callMutedThere, ["name": with])
        case .connected, .idle: return nil
        }
    }

    public var isMicrophoneOn: Bool { local.audio }
    public var isCameraOn: Bool { local.video }
    /// A front camera's preview is a looking glass.
    public var isPreviewMirrored: Bool { local.facing == .user }
}
