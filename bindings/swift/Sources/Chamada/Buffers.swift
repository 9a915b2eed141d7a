import Foundation

/// One plane of a camera's picture, lent for the time of one call: nothing is copied before the library copies the pixels.
public struct Plane {
    let bytes: Data
    let stride: UInt32

    /// A plane of `count` bytes at `base`, which stay valid and unchanged while it is pushed, e.g. between
    /// `CVPixelBufferLockBaseAddress` and its counterpart.
    public init(base: UnsafeRawPointer, count: Int, stride: Int) {
        // The library only reads: the pointer is made mutable because `Data` wants it so.
        bytes = Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: max(count, 0), deallocator: .none)
        self.stride = UInt32(clamping: stride)
    }

    /// A plane that is in a `Data`, or in a slice of one.
    public init(_ bytes: Data, stride: Int) {
        self.bytes = bytes
        self.stride = UInt32(clamping: stride)
    }
}

/// How a picture lies in its planes.
public struct Picture: Sendable {
    /// In pixels, before rotation.
    public var width: Int
    /// In pixels, before rotation.
    public var height: Int
    /// How far to turn it clockwise to stand upright: 0, 90, 180 or 270.
    public var rotationDegrees: Int
    /// How long ago it was captured, in nanoseconds.
    public var ageNanos: UInt64

    /// A picture of this size, upright and captured now unless told otherwise.
    public init(width: Int, height: Int, rotationDegrees: Int = 0, ageNanos: UInt64 = 0) {
        self.width = width
        self.height = height
        self.rotationDegrees = rotationDegrees
        self.ageNanos = ageNanos
    }
}

extension CameraSink {
    /// A picture of three planes, U and V at half width and half height.
    public func push(_ picture: Picture, y: Plane, u: Plane, v: Plane) throws {
        try pushI420(
            width: UInt32(clamping: picture.width), height: UInt32(clamping: picture.height),
            rotationDegrees: UInt32(clamping: picture.rotationDegrees), ageNs: picture.ageNanos,
            y: y.bytes, yStride: y.stride, u: u.bytes, uStride: u.stride, v: v.bytes, vStride: v.stride)
    }

    /// A picture of two planes, the second with U and V interleaved, U first: what Apple's cameras give as
    /// `kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange`.
    public func push(_ picture: Picture, y: Plane, uv: Plane) throws {
        try pushNv12(
            width: UInt32(clamping: picture.width), height: UInt32(clamping: picture.height),
            rotationDegrees: UInt32(clamping: picture.rotationDegrees), ageNs: picture.ageNanos,
            y: y.bytes, yStride: y.stride, uv: uv.bytes, uvStride: uv.stride)
    }

    /// A picture of one plane: blue, green, red, alpha.
    public func push(_ picture: Picture, bgra: Plane) throws {
        try pushBgra(
            width: UInt32(clamping: picture.width), height: UInt32(clamping: picture.height),
            rotationDegrees: UInt32(clamping: picture.rotationDegrees), ageNs: picture.ageNanos,
            pixels: bgra.bytes, stride: bgra.stride)
    }
}

extension MicrophoneSink {
    /// Takes 16-bit samples, best 480 or 960 at a time.
    public func push(_ samples: UnsafeBufferPointer<Int16>) throws {
        guard let base = samples.baseAddress else { return }
        let raw = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(base))
        try push(samples: Data(bytesNoCopy: raw, count: 2 * samples.count, deallocator: .none))
    }
}

extension AudioBlock {
    /// Looks at the block's samples, which each `pull` fills anew.
    public func withSamples<R>(_ look: (UnsafeBufferPointer<Int16>) throws -> R) rethrows -> R {
        try withExtendedLifetime(self) {
            let base = UnsafePointer<Int16>(bitPattern: UInt(address()))
            return try look(UnsafeBufferPointer(start: base, count: Int(bytes()) / 2))
        }
    }
}

/// A frame's planes and how to show them; good only inside ``Frame/show(_:)``.
public struct FramePlanes {
    /// Size, strides, rotation, mirror.
    public let layout: FrameLayout
    /// Luma: `height` rows.
    public let y: UnsafeRawBufferPointer
    /// Blue difference: half as many rows, rounded up.
    public let u: UnsafeRawBufferPointer
    /// Red difference: as many rows as `u`.
    public let v: UnsafeRawBufferPointer
}

extension Frame {
    /// Shows the frame by `how` and gives its memory back, whatever happens.
    ///
    /// - Throws: what `how` throws; `ChamadaError` of kind `closed` if it was released before.
    public func show<R>(_ how: (FramePlanes) throws -> R) throws -> R {
        defer { release() }
        let layout = try layout()
        func plane(_ address: UInt64, _ stride: UInt32, _ rows: UInt32) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: UInt(address)), count: Int(stride) * Int(rows))
        }
        let half = (layout.height + 1) / 2
        return try how(
            FramePlanes(
                layout: layout, y: plane(layout.y, layout.yStride, layout.height),
                u: plane(layout.u, layout.uvStride, half), v: plane(layout.v, layout.uvStride, half)))
    }
}
