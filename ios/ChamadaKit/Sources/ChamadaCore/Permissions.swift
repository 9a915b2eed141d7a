/// What the system guards.
public enum Guarded: Sendable, CaseIterable {
    case camera, microphone
}

/// What the person has said so far.
public enum Permission: Sendable {
    case undecided, granted, denied
}

/// What became of a photo that was to be put among the person's.
public enum PhotoOutcome: Sendable {
    case saved, notAllowed, failed
}

/// The system's permissions, which the app implements.
public protocol Permissions: Sendable {
    func now(_ what: Guarded) -> Permission
    /// Asks, which shows the system's dialog once in the app's life, and returns what was said.
    func ask(_ what: Guarded) async -> Permission
}

/// Whether a call can be held, and how.
public enum Admission: Equatable, Sendable {
    case full
    /// Heard but not seen, and why.
    case withoutCamera(Problem)
    case none(Problem)
}

extension Permissions {
    /// Asks for what a call needs, at the moment when a person sees why. The microphone first: without it there is no call, and
    /// then nobody is asked for a camera.
    public func admit(hasCamera: Bool, wantsCamera: Bool = true) async -> Admission {
        guard await settle(.microphone) == .granted else { return .none(.ofMicrophone(.notAllowed)) }
        guard wantsCamera else { return .full }
        guard hasCamera else { return .withoutCamera(.ofCamera(.notFound)) }
        guard await settle(.camera) == .granted else { return .withoutCamera(.ofCamera(.notAllowed)) }
        return .full
    }

    private func settle(_ what: Guarded) async -> Permission {
        let known = now(what)
        return known == .undecided ? await ask(what) : known
    }
}

/// Where nothing is guarded: a demo with devices that are not real.
public struct NoGuard: Permissions {
    public init() {}
    public func now(_ what: Guarded) -> Permission { .granted }
    public func ask(_ what: Guarded) async -> Permission { .granted }
}
