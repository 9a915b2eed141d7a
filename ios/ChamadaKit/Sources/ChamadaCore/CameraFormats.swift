import Chamada

/// A format of a camera of the system's, as far as it decides something.
public struct DeviceFormat: Equatable, Sendable {
    public let width: UInt32
    public let height: UInt32
    public let fps: [ClosedRange<Double>]
    /// Whether its pixels are what the library takes without conversion: two planes, video range.
    public let isVideoRange: Bool
    /// Whether it is of those with a lens's whole view; the others are cut out.
    public let isBinned: Bool

    public init(width: UInt32, height: UInt32, fps: [ClosedRange<Double>], isVideoRange: Bool, isBinned: Bool = false) {
        (self.width, self.height, self.fps) = (width, height, fps)
        (self.isVideoRange, self.isBinned) = (isVideoRange, isBinned)
    }
}

/// What to tell the library of a camera, and what to tell the camera when the library has chosen.
public enum CameraFormats {
    /// Each size once, with the widest range of rates, largest first.
    public static func offered(_ device: [DeviceFormat]) -> [CameraFormat] {
        var sizes: [[UInt32]: (Double, Double)] = [:]
        for format in device where format.isVideoRange {
            for range in format.fps {
                let known = sizes[[format.width, format.height]] ?? (range.lowerBound, range.upperBound)
                sizes[[format.width, format.height]] = (min(known.0, range.lowerBound), max(known.1, range.upperBound))
            }
        }
        return sizes.map { CameraFormat(width: $0[0], height: $0[1], minFps: $1.0, maxFps: $1.1) }
            .sorted { ($0.width * $0.height, $0.width) > ($1.width * $1.height, $1.width) }
    }

    /// The format to activate: of the size that was chosen, fast enough, and of those the one that saves most power.
    public static func best(for settings: CameraSettings, of device: [DeviceFormat]) -> Int? {
        let fitting = device.indices.filter { index in
            let format = device[index]
            return format.isVideoRange && format.width == settings.width && format.height == settings.height
                && format.fps.contains { $0.contains(settings.fps) }
        }
        return fitting.min { one, other in cost(device[one]) < cost(device[other]) }
    }

    private static func cost(_ format: DeviceFormat) -> (Int, Double) {
        (format.isBinned ? 0 : 1, format.fps.map(\.upperBound).max() ?? 0)
    }
}

/// How far a camera's picture has to be turned clockwise to stand upright.
public enum CaptureRotation {
    /// From the angle that the system gives: the nearest quarter.
    public static func quarterTurn(_ degrees: Double) -> Int {
        guard degrees.isFinite else { return 0 }
        let quarters = Int((degrees / 90).rounded()) % 4
        return (quarters + 4) % 4 * 90
    }

    /// Before iOS 17: of a camera in a phone that is held this way. Sensors are upright in a phone that lies on its right side, its home
    /// button on the right; a front camera sees everything from the other side.
    public static func angle(held: Orientation, isFront: Bool) -> Int {
        switch held {
        case .portrait: 90
        case .upsideDown: 270
        case .homeOnTheRight: isFront ? 180 : 0
        case .homeOnTheLeft: isFront ? 0 : 180
        }
    }

    public enum Orientation: Sendable, CaseIterable {
        case portrait, upsideDown, homeOnTheRight, homeOnTheLeft
    }
}
