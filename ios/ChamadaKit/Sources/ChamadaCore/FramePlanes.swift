import Chamada

extension FramePlanes {
    /// Writes the picture as two planes, luma and both colours interleaved, as screens of Apple's want it. Both targets must
    /// have room for the layout's rows at the given strides.
    public func copyNV12(
        luma: UnsafeMutableRawPointer, lumaStride: Int, chroma: UnsafeMutableRawPointer, chromaStride: Int
    ) {
        guard let y = y.baseAddress, let u = u.baseAddress, let v = v.baseAddress else { return }
        let (width, height) = (Int(layout.width), Int(layout.height))
        for row in 0..<height {
            (luma + row * lumaStride).copyMemory(from: y + row * Int(layout.yStride), byteCount: width)
        }
        let half = (width + 1) / 2
        for row in 0..<(height + 1) / 2 {
            let from = row * Int(layout.uvStride)
            let to = (chroma + row * chromaStride).assumingMemoryBound(to: UInt8.self)
            let (u, v) = ((u + from).assumingMemoryBound(to: UInt8.self), (v + from).assumingMemoryBound(to: UInt8.self))
            for column in 0..<half {
                to[2 * column] = u[column]
                to[2 * column + 1] = v[column]
            }
        }
    }
}

extension FrameLayout {
    /// Whether the picture lies on its side and has to be turned by a quarter to stand upright.
    public var isSideways: Bool { rotationDegrees % 180 == 90 }

    /// The upright picture's width by its height.
    public var aspect: Double {
        let (width, height) = isSideways ? (height, width) : (width, height)
        return Double(width) / Double(max(height, 1))
    }

    /// Whether a view that shows the other shows this one without a change of its own.
    public func isShown(like other: FrameLayout) -> Bool {
        (width, height, rotationDegrees, mirror) == (other.width, other.height, other.rotationDegrees, other.mirror)
    }
}
