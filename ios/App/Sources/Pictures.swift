import ChamadaCore
import ChamadaMedia
import Foundation
import SwiftUI

/// A view that shows what an output of the library's gets.
struct PictureView: UIViewRepresentable {
    let output: VideoOutput
    var pictureInPicture: PictureInPicture?
    var onAspect: (@MainActor (Double) -> Void)?

    func makeUIView(context: Context) -> SampleBufferView {
        let view = SampleBufferView(frame: .zero)
        view.onAspect = onAspect
        output.attach(view)
        pictureInPicture?.prepare(over: view, showing: output)
        return view
    }

    func updateUIView(_ view: SampleBufferView, context: Context) { view.onAspect = onAspect }
}

/// Oneself, small: dragged, it goes to the nearest corner.
struct PreviewBox: View {
    @EnvironmentObject private var model: AppModel
    let isOn: Bool
    @State private var place = PreviewPlace.topTrailing
    @State private var dragged = CGSize.zero
    @State private var aspect = 9.0 / 16

    var body: some View {
        GeometryReader { screen in
            let size = previewSize(screenWidth: screen.size.width, screenHeight: screen.size.height, aspect: aspect)
            let corner = previewMiddle(place, screenWidth: screen.size.width, screenHeight: screen.size.height, size: size)
            content
                .frame(width: size.width, height: size.height)
                .clipShape(RoundedRectangle(cornerRadius: 12))
                .overlay(RoundedRectangle(cornerRadius: 12).stroke(.white.opacity(0.5)))
                .position(x: corner.x + dragged.width, y: corner.y + dragged.height)
                .gesture(
                    DragGesture()
                        .onChanged { dragged = $0.translation }
                        .onEnded { drag in
                            let x = (corner.x + drag.translation.width) / max(screen.size.width, 1)
                            let y = (corner.y + drag.translation.height) / max(screen.size.height, 1)
                            withAnimation { (place, dragged) = (.nearest(x: x, y: y), .zero) }
                        }
                )
                .accessibilityElement()
                .accessibilityLabel(say(isOn ? .callPreview : .callCameraOffHere))
                .accessibilityAction { withAnimation { place = place.next } }
        }
        .padding()
    }

    @ViewBuilder
    private var content: some View {
        ZStack {
            PictureView(output: model.preview) { aspect = $0 }
            if !isOn {
                Color.black
                Image(systemName: "video.slash").foregroundStyle(.white)
            }
        }
    }
}
