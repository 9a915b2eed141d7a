import ChamadaUI
import Foundation
import SwiftUI
import UIKit

@main
struct ChamadaApp: App {
    @UIApplicationDelegateAdaptor(AppDelegate.self) private var delegate
    @Environment(\.scenePhase) private var phase

    var body: some Scene {
        WindowGroup { RootView(delegate.container) }
            .onChange(of: phase) { phase in delegate.container.phaseChanged(phase) }
    }
}

/// Made before any screen: a push may be why the app was started, with the phone locked.
@MainActor
final class AppDelegate: NSObject, UIApplicationDelegate {
    let container = AppContainer()

    func application(
        _ application: UIApplication, didFinishLaunchingWithOptions options: [UIApplication.LaunchOptionsKey: Any]?
    ) -> Bool {
        container.start()
        return true
    }

    func applicationDidReceiveMemoryWarning(_ application: UIApplication) { container.lowMemory() }
}

struct RootView: View {
    private let container: AppContainer
    @ObservedObject private var session: SessionStore
    @State private var showsFaults = false

    init(_ container: AppContainer) { (self.container, session) = (container, container.session) }

    var body: some View {
        VStack(spacing: 0) {
            if session.value.screen != .inCall { BannersView(container.calls.banners) }
            switch session.value.screen {
            case .signIn: SignInView()
            case .home: HomeView(showsFaults: $showsFaults)
            case .incoming: IncomingCallView(container.calls)
            case .inCall: InCallView(container.calls) { showsFaults = true }
            }
        }
        .sheet(isPresented: $showsFaults) { FaultsView(session: session) }
        .environmentObject(session)
        .environmentObject(container.people)
        .environmentObject(container.recents)
        .environmentObject(container.chat)
    }
}
