import ChamadaCore
import Foundation
import SwiftUI
import UIKit

@main
struct ChamadaApp: App {
    @UIApplicationDelegateAdaptor(Delegate.self) private var delegate
    @Environment(\.scenePhase) private var phase

    var body: some Scene {
        WindowGroup {
            RootView().environmentObject(delegate.model)
        }
        .onChange(of: phase) { phase in delegate.model.phaseChanged(phase) }
    }
}

/// Made before any screen: a push may be why the app was started, with the phone locked.
@MainActor
final class Delegate: NSObject, UIApplicationDelegate {
    let model = AppModel()

    func application(
        _ application: UIApplication, didFinishLaunchingWithOptions options: [UIApplication.LaunchOptionsKey: Any]?
    ) -> Bool {
        model.start()
        return true
    }

    func applicationDidReceiveMemoryWarning(_ application: UIApplication) { model.dispatch(.lowMemory) }
}

struct RootView: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        ZStack {
            switch model.state.screen {
            case .signIn: SignInView()
            case .home: HomeView()
            case .incoming: IncomingView()
            case .inCall: InCallView()
            }
        }
        .overlay(alignment: .top) { BannersView() }
    }
}
