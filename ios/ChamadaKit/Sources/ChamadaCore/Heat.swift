import Chamada

/// How hot the device is, in the system's steps.
public enum Heat: Int, Comparable, Sendable {
    case nominal, fair, serious, critical

    public static func < (one: Heat, other: Heat) -> Bool { one.rawValue < other.rawValue }

    public var isHot: Bool { self >= .serious }

    /// What to ask of the camera that looks this way.
    public func constraints(facing: FacingMode?) -> VideoConstraints {
        let (width, height, fps): (Double, Double, Double) =
            switch self {
            case .nominal, .fair: (1280, 720, 30)
            case .serious: (640, 480, 24)
            case .critical: (320, 240, 15)
            }
        let side = facing == .environment ? "environment" : "user"
        return VideoConstraints(
            basic: VideoConstraintSet(
                width: NumberConstraint(ideal: width), height: NumberConstraint(ideal: height),
                frameRate: NumberConstraint(max: isHot ? fps : nil, ideal: fps),
                facingMode: StringConstraint(ideal: [side])))
    }
}
