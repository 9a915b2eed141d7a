import Chamada

extension ThermalState {
    /// Whether the picture is made smaller for it, so that a person is to be told.
    public var isHot: Bool { self == .serious || self == .critical }
}
