/// Where sound goes.
public struct Route: Equatable, Sendable, Identifiable {
    public enum Kind: Int, Sendable, CaseIterable {
        case earpiece, speaker, wired, bluetooth, car, other

        public var label: TextKey {
            switch self {
            case .earpiece: .routeEarpiece
            case .speaker: .routeSpeaker
            case .wired: .routeWired
            case .bluetooth: .routeBluetooth
            case .car: .routeCar
            case .other: .routeOther
            }
        }
    }

    public let id: String
    public let kind: Kind
    /// The device's own name, where it says more than its kind.
    public let name: String?

    public init(id: String, kind: Kind, name: String? = nil) {
        (self.id, self.kind, self.name) = (id, kind, name)
    }
}

/// Which routes there are to choose from, and which to take.
public enum RouteChoice {
    /// What a person may choose: what is plugged in or paired, then speaker and earpiece; a wired headset takes the earpiece's
    /// place, as the system sees to itself.
    public static func choices(inputs: [Route], hasEarpiece: Bool) -> [Route] {
        let devices = inputs.filter { $0.kind != .earpiece && $0.kind != .speaker }
        var all = devices + [Route(id: "speaker", kind: .speaker)]
        if hasEarpiece, !devices.contains(where: { $0.kind == .wired }) {
            all.append(Route(id: "earpiece", kind: .earpiece))
        }
        return all
    }

    /// What to take when sound begins, or begins anew, if not what the system has chosen: what the person chose before in this
    /// call; else, as a video call is held at arm's length, the loudspeaker, unless somebody wears or has plugged in something.
    public static func wanted(current: Route.Kind, chosen: Route.Kind?, isVideo: Bool) -> Route.Kind? {
        switch (chosen, current) {
        case (.speaker, _): current == .speaker ? nil : .speaker
        case (.earpiece, .speaker): .earpiece
        case (nil, .earpiece): isVideo ? .speaker : nil
        default: nil
        }
    }
}
