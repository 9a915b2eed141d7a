/// Where the small picture of oneself is: dragged anywhere, it goes to the nearest corner when it is let go of.
public enum SelfViewCorner: Int, Sendable, CaseIterable {
    case topLeading, topTrailing, bottomLeading, bottomTrailing

    /// The corner for a self view whose middle was let go of here, in parts of the screen's width and height.
    public static func nearest(x: Double, y: Double) -> SelfViewCorner {
        switch (x < 0.5, y < 0.5) {
        case (true, true): .topLeading
        case (false, true): .topTrailing
        case (true, false): .bottomLeading
        case (false, false): .bottomTrailing
        }
    }

    /// The other corner on the same side, for those who do not drag: the actions of assistive technologies go round.
    public var next: SelfViewCorner {
        switch self {
        case .topLeading: .topTrailing
        case .topTrailing: .bottomTrailing
        case .bottomTrailing: .bottomLeading
        case .bottomLeading: .topLeading
        }
    }
}

/// A self view's middle in its corner, in points: beneath the head line and above the buttons, where the screen has room for that.
public func selfViewCenter(
    _ place: SelfViewCorner, screenWidth: Double, screenHeight: Double, size: (width: Double, height: Double)
) -> (x: Double, y: Double) {
    let (head, buttons) = (72.0, 96.0)
    let (left, right) = (size.width / 2, screenWidth - size.width / 2)
    let high = head + size.height / 2
    let low = max(high, screenHeight - buttons - size.height / 2)
    return switch place {
    case .topLeading: (left, high)
    case .topTrailing: (right, high)
    case .bottomLeading: (left, low)
    case .bottomTrailing: (right, low)
    }
}

/// The small picture's size, in points: a quarter of the screen's shorter side, within bounds, in the picture's own shape.
public func selfViewSize(screenWidth: Double, screenHeight: Double, aspect: Double) -> (width: Double, height: Double) {
    let shorter = min(max(min(screenWidth, screenHeight) / 4, 72), 200)
    let aspect = aspect.isFinite && aspect > 0 ? aspect : 9.0 / 16
    return aspect < 1 ? (shorter, shorter / aspect) : (shorter * aspect, shorter)
}
