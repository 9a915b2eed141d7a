#if canImport(SwiftUI) && canImport(UIKit)
import ChamadaCore
import ChamadaMedia
import Foundation
import SwiftUI

/// A view that shows what an output of the library's gets.
struct VideoView: UIViewRepresentable {
    let output: VideoOutput
    var fills = true
    var pictureInPicture: PictureInPictureManager?
    var onAspect: (@MainActor (Double) -> Void)?

    func makeUIView(context: Context) -> SampleBufferView {
        let view = SampleBufferView(frame: .zero)
        output.attach(view)
        pictureInPicture?.prepare(over: view, showing: output)
        return view
    }

    func updateUIView(_ view: SampleBufferView, context: Context) { (view.fills, view.onAspect) = (fills, onAspect) }
}

/// Oneself, small: dragged, it goes to the nearest corner.
struct SelfView: View {
    let output: VideoOutput
    let isOn: Bool
    @State private var corner = SelfViewCorner.topTrailing
    @State private var dragged = CGSize.zero
    @State private var aspect = 9.0 / 16

    var body: some View {
        GeometryReader { screen in
            let (width, height) = (screen.size.width, screen.size.height)
            let size = selfViewSize(screenWidth: width, screenHeight: height, aspect: aspect)
            let center = selfViewCenter(corner, screenWidth: width, screenHeight: height, size: size)
            content
                .frame(width: size.width, height: size.height)
                .clipShape(RoundedRectangle(cornerRadius: 12))
                .overlay(RoundedRectangle(cornerRadius: 12).stroke(.white.opacity(0.5)))
                .position(x: center.x + dragged.width, y: center.y + dragged.height)
                .gesture(
                    DragGesture()
                        .onChanged { dragged = $0.translation }
                        .onEnded { drag in
                            let x = (center.x + drag.translation.width) / max(width, 1)
                            let y = (center.y + drag.translation.height) / max(height, 1)
                            withAnimation { (corner, dragged) = (.nearest(x: x, y: y), .zero) }
                        }
                )
                .accessibilityElement()
                .accessibilityLabel(localized(isOn ? "call.preview" : "call.camera-off-here"))
                .accessibilityAction { withAnimation { corner = corner.next } }
        }
        .padding()
    }

    private var content: some View {
        ZStack {
            VideoView(output: output) { aspect = $0 }
            if !isOn {
                Color.black
                Image(systemName: "video.slash").foregroundStyle(.white)
            }
        }
    }
}
#endif
