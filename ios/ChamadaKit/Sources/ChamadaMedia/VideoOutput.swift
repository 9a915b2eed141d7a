#if canImport(AVFoundation) && canImport(UIKit)
@preconcurrency import AVFoundation
import Chamada
import ChamadaCore
import Foundation
import UIKit

/// Shows pictures of the library in a view. A picture that the view has no time for is replaced by the next.
public final class VideoOutput: VideoRenderer, @unchecked Sendable {
    private struct Shown {
        let sample: CMSampleBuffer
        let layout: FrameLayout
    }

    private let newest = LockedValue<Shown?>(nil)
    private let pool = LockedValue<Pool?>(nil)
    // Weak, and looked at on the main actor alone.
    @MainActor private let views = NSHashTable<SampleBufferView>.weakObjects()

    @MainActor
    public init() {}

    /// A view that shows what comes from now on. There may be several: the call's screen and its picture in picture.
    @MainActor
    public func attach(_ view: SampleBufferView) { views.add(view) }

    @MainActor
    public func detach(_ view: SampleBufferView) { views.remove(view) }

    public func render(frame: Frame) throws {
        do {
            try frame.show { planes in
                guard let sample = sample(of: planes) else { return }
                let isFirst = newest.with { slot in
                    defer { slot = Shown(sample: sample, layout: planes.layout) }
                    return slot == nil
                }
                if isFirst { DispatchQueue.main.async { MainActor.assumeIsolated { self.show() } } }
            }
        } catch { throw AppError.NotReadable(reason: "\(error)") }
    }

    @MainActor
    private func show() {
        let shown = newest.with { slot in
            defer { slot = nil }
            return slot
        }
        guard let shown else { return }
        for view in views.allObjects { view.show(shown.sample, shown.layout) }
    }

    private func sample(of planes: FramePlanes) -> CMSampleBuffer? {
        let (width, height) = (Int(planes.layout.width), Int(planes.layout.height))
        let pool = pool.with { pool in
            if pool?.width != width || pool?.height != height { pool = Pool(width: width, height: height) }
            return pool
        }
        guard let buffer = pool?.buffer(), CVPixelBufferLockBaseAddress(buffer, []) == kCVReturnSuccess else { return nil }
        defer { CVPixelBufferUnlockBaseAddress(buffer, []) }
        guard let luma = CVPixelBufferGetBaseAddressOfPlane(buffer, 0),
            let chroma = CVPixelBufferGetBaseAddressOfPlane(buffer, 1)
        else { return nil }
        planes.copyNV12(
            luma: luma, lumaStride: CVPixelBufferGetBytesPerRowOfPlane(buffer, 0), chroma: chroma,
            chromaStride: CVPixelBufferGetBytesPerRowOfPlane(buffer, 1))
        let now = CMClockGetTime(CMClockGetHostTimeClock())
        let timing = CMSampleTimingInfo(duration: .invalid, presentationTimeStamp: now, decodeTimeStamp: .invalid)
        guard let format = try? CMVideoFormatDescription(imageBuffer: buffer),
            let sample = try? CMSampleBuffer(imageBuffer: buffer, formatDescription: format, sampleTiming: timing)
        else { return nil }
        sample.sampleAttachments[0][.displayImmediately] = true
        return sample
    }
}

/// Memory for pictures of one size, which the screen can show from another process: for that it has to be a surface.
private struct Pool: @unchecked Sendable {
    let width: Int
    let height: Int
    private let pool: CVPixelBufferPool

    init?(width: Int, height: Int) {
        let attributes: [CFString: Any] = [
            kCVPixelBufferPixelFormatTypeKey: kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange,
            kCVPixelBufferWidthKey: width, kCVPixelBufferHeightKey: height,
            kCVPixelBufferIOSurfacePropertiesKey: [CFString: Any](),
        ]
        var made: CVPixelBufferPool?
        CVPixelBufferPoolCreate(kCFAllocatorDefault, nil, attributes as CFDictionary, &made)
        guard let made else { return nil }
        (self.width, self.height, pool) = (width, height, made)
    }

    func buffer() -> CVPixelBuffer? {
        var buffer: CVPixelBuffer?
        CVPixelBufferPoolCreatePixelBuffer(kCFAllocatorDefault, pool, &buffer)
        guard let buffer else { return nil }
        // The library's pictures are BT.601.
        CVBufferSetAttachment(
            buffer, kCVImageBufferYCbCrMatrixKey, kCVImageBufferYCbCrMatrix_ITU_R_601_4, .shouldPropagate)
        return buffer
    }
}

/// A view that shows pictures upright, mirrored where they want to be, whole or filling.
public final class SampleBufferView: UIView {
    private let surface = SurfaceView()
    private var layout: FrameLayout?
    /// Whether the picture fills the view and loses its edges, or is shown whole.
    public var fills = true { didSet { surface.displayLayer.videoGravity = fills ? .resizeAspectFill : .resizeAspect } }
    /// The upright picture's width by its height, when it changes.
    public var onAspect: (@MainActor (Double) -> Void)?

    public override init(frame: CGRect) {
        super.init(frame: frame)
        clipsToBounds = true
        backgroundColor = .black
        addSubview(surface)
        surface.displayLayer.videoGravity = .resizeAspectFill
    }

    @available(*, unavailable)
    required init?(coder: NSCoder) { nil }

    func show(_ sample: CMSampleBuffer, _ new: FrameLayout) {
        let before = layout
        layout = new
        if before.map({ !new.isShown(like: $0) }) ?? true {
            setNeedsLayout()
            onAspect?(new.aspect)
        }
        surface.enqueue(sample)
    }

    public override func layoutSubviews() {
        super.layoutSubviews()
        let isSideways = layout?.isSideways ?? false
        surface.transform = .identity
        surface.bounds = CGRect(
            x: 0, y: 0, width: isSideways ? bounds.height : bounds.width,
            height: isSideways ? bounds.width : bounds.height)
        surface.center = CGPoint(x: bounds.midX, y: bounds.midY)
        let turned = CGAffineTransform(rotationAngle: CGFloat(layout?.rotationDegrees ?? 0) * .pi / 180)
        // Mirrored after it was turned, as the layout says.
        surface.transform = layout?.mirror == true ? turned.concatenating(CGAffineTransform(scaleX: -1, y: 1)) : turned
    }
}

private final class SurfaceView: UIView {
    override class var layerClass: AnyClass { AVSampleBufferDisplayLayer.self }

    var displayLayer: AVSampleBufferDisplayLayer {
        guard let layer = layer as? AVSampleBufferDisplayLayer else { preconditionFailure("the layer's class is set above") }
        return layer
    }

    func enqueue(_ sample: CMSampleBuffer) {
        if #available(iOS 17, *) {
            let renderer = displayLayer.sampleBufferRenderer
            if renderer.status == .failed || renderer.requiresFlushToResumeDecoding { renderer.flush() }
            renderer.enqueue(sample)
        } else {
            if displayLayer.status == .failed || displayLayer.requiresFlushToResumeDecoding { displayLayer.flush() }
            displayLayer.enqueue(sample)
        }
    }
}
#endif
