import Chamada
import ChamadaCore
import SwiftUI
import UIKit

struct IncomingView: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        VStack(spacing: 24) {
            Spacer()
            Image(systemName: "video.circle.fill").font(.system(size: 72)).accessibilityHidden(true)
            Text(say(.incoming, ["name": model.state.call?.with ?? ""]))
                .font(.largeTitle.bold())
                .multilineTextAlignment(.center)
                .accessibilityAddTraits(.isHeader)
            Text(say(.incomingVideo)).foregroundStyle(.secondary)
            Spacer()
            // One under the other where large letters leave no room beside each other.
            ViewThatFits {
                HStack(spacing: 48) { buttons }
                VStack(spacing: 24) { buttons }
            }
            Button(say(.incomingBlock)) {
                if let call = model.state.call { model.dispatch(.setBlocked(name: call.with, block: true)) }
            }
            .foregroundStyle(.secondary)
            .padding(.bottom, 48)
        }
        .padding()
        .frame(maxWidth: .infinity, maxHeight: .infinity)
        .background(Color(uiColor: .systemBackground))
    }

    @ViewBuilder
    private var buttons: some View {
        Button { model.dispatch(.decline) } label: { Label(say(.incomingDecline), systemImage: "phone.down.fill") }
            .tint(.red)
            .buttonStyle(.borderedProminent)
            .controlSize(.large)
        Button { model.dispatch(.accept(video: false)) } label: { Label(say(.incomingAcceptAudio), systemImage: "phone.fill") }
            .tint(.green)
            .buttonStyle(.borderedProminent)
            .controlSize(.large)
        Button { model.dispatch(.accept(video: true)) } label: { Label(say(.incomingAccept), systemImage: "video.fill") }
            .tint(.green)
            .buttonStyle(.borderedProminent)
            .controlSize(.large)
    }
}
