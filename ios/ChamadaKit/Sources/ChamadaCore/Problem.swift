import Chamada
import Foundation

/// What a person can do about a problem.
public enum WayForward: Equatable, Sendable {
    /// The system's settings of this app, where permissions are given.
    case openSettings
    /// The same again.
    case tryAgain
    case changeName
    case changeAddress
    /// Call the same person again.
    case callAgain(String)
    /// Say it in the public chat instead.
    case write
    case withoutCamera
    case dismiss

    public var label: TextKey {
        switch self {
        case .openSettings: .wayOpenSettings
        case .tryAgain: .wayTryAgain
        case .changeName: .wayChangeName
        case .changeAddress: .wayChangeAddress
        case .callAgain: .wayCallAgain
        case .write: .wayWrite
        case .withoutCamera: .wayWithoutCamera
        case .dismiss: .wayDismiss
        }
    }
}

/// A problem as a person sees it: what it is, and at least one way forward, the best one first.
public struct Problem: Equatable, Sendable {
    public let message: Message
    public let ways: [WayForward]

    public init(_ key: TextKey, _ values: [String: String] = [:], ways: [WayForward]) {
        message = Message(key, values)
        self.ways = ways
    }
}

extension Problem {
    /// Why a login under this name failed.
    public static func ofLogin(_ error: ChamadaError, name: String) -> Problem {
        switch error.kind {
        case .invalidArgument:
            NameRule.allows(name)
                ? Problem(.loginBadAddress, ways: [.changeAddress]) : Problem(.loginBadName, ways: [.changeName])
        case .loginRefused: Problem(.loginRefused, ways: [.changeName, .tryAgain])
        case .server where error.detail == fullStatus || error.detail == fullCode:
            Problem(.loginFull, ways: [.tryAgain])
        case .server: Problem(.loginUnreachable, ways: [.tryAgain, .changeAddress])
        default: ofUse(error)
        }
    }

    /// Why a call, a flip, a message or the like was not done.
    public static func ofUse(_ error: ChamadaError) -> Problem {
        switch error.kind {
        case .deviceNotAllowed: .ofCamera(.notAllowed)
        case .deviceNotFound: .ofCamera(.notFound)
        case .deviceNotReadable: .ofCamera(.notReadable)
        case .overconstrained: Problem(.mediaFlipFailed, ways: [.dismiss])
        case .server, .closed: Problem(.refusedNotLoggedIn, ways: [.dismiss])
        case .noPicture: Problem(.photoFailed, ways: [.dismiss])
        // The detail names the other person, or the state that the call is in.
        case .call: Problem(error.detail == nil ? .refusedNotLoggedIn : .refusedInCall, ways: [.dismiss])
        case .invalidArgument: Problem(.serverRefused, ways: [.dismiss])
        case .tooFast: Problem(.serverTooFast, ways: [.dismiss])
        case .loginRefused: Problem(.loginRefused, ways: [.changeName])
        case .internal: Problem(.errorInternal, ways: [.dismiss])
        }
    }

    /// Why a camera could not be used.
    public static func ofCamera(_ failure: DeviceFailure) -> Problem {
        switch failure {
        case .notAllowed: Problem(.errorNoCameraPermission, ways: [.openSettings, .withoutCamera])
        case .notFound: Problem(.errorNoCamera, ways: [.withoutCamera])
        case .notReadable: Problem(.errorCameraInUse, ways: [.tryAgain, .withoutCamera])
        }
    }

    /// Why the microphone could not be used, without which there is no call.
    public static func ofMicrophone(_ failure: DeviceFailure) -> Problem {
        switch failure {
        case .notAllowed: Problem(.errorNoMicrophonePermission, ways: [.openSettings, .dismiss])
        case .notFound, .notReadable: Problem(.endMediaFailedHere, ways: [.tryAgain, .dismiss])
        }
    }

    /// What there is to say after a call; none where the person has just ended it and knows.
    public static func ofEnd(_ reason: EndReason, with name: String, weCalled: Bool) -> Problem? {
        let values = ["name": name]
        let again: [WayForward] = [.callAgain(name), .dismiss]
        return switch reason {
        case .hungUpLocally, .declinedLocally, .cancelledLocally: nil
        case .hungUpRemotely: Problem(.endHungUpThere, values, ways: [.dismiss])
        case .answeredElsewhere: Problem(.endAnsweredElsewhere, values, ways: [.dismiss])
        case .declinedRemotely: Problem(.endDeclinedThere, values, ways: [.write, .dismiss])
        case .busy: Problem(.endBusy, values, ways: again)
        case .timeout:
            weCalled
                ? Problem(.endTimeout, ways: again) : Problem(.endCancelledThere, values, ways: again)
        case .cancelledRemotely: Problem(.endCancelledThere, values, ways: again)
        case .unreachable: Problem(.endUnreachable, values, ways: [.write, .dismiss])
        case .noPath: Problem(.endNoPath, values, ways: again)
        case .connectionFailed: Problem(.endConnectionFailed, values, ways: again)
        case .negotiationFailed: Problem(.endNegotiationFailed, values, ways: again)
        case .noCommonCodec: Problem(.endNoCommonCodec, values, ways: [.write, .dismiss])
        case .handshakeFailed: Problem(.endHandshakeFailed, values, ways: again)
        case .mediaFailedLocally: Problem(.endMediaFailedHere, ways: again)
        case .mediaFailedRemotely: Problem(.endMediaFailedThere, values, ways: again)
        }
    }
}

/// HTTP's and WebSocket's way to say that the server has no room.
private let fullStatus = "503"
private let fullCode = "1013"

/// What can be a name: the server's rule, so that most mistakes are told without asking it.
public enum NameRule {
    public static let longest = 32

    public static func allows(_ name: String) -> Bool {
        let bare = trimmed(name)
        return !bare.isEmpty && bare.unicodeScalars.count <= longest
            && !bare.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }

    public static func trimmed(_ name: String) -> String {
        name.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
