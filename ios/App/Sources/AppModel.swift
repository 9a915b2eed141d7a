import AVFoundation
import Chamada
import ChamadaCallKit
import ChamadaCore
import ChamadaMedia
import Foundation
import SwiftUI
import UIKit
import os

#if DEBUG
private let isDevelopment = true
#else
private let isDevelopment = false
#endif

private let log = Logger(subsystem: "org.chamada", category: "app")

/// Apple allows no CallKit in mainland China. Without it the app rings by itself, and gets no pushes, each of which has to be reported there.
private let usesCallKit = Locale.current.region?.identifier != "CN"

/// Ties the core's decisions to the system and to the screens: it tells what happens, and carries out what is decided.
@MainActor
final class AppModel: ObservableObject {
    @Published private(set) var state: AppState
    @Published private(set) var chat: [AppChatLine] = []
    @Published private(set) var history: [AppHistoryEntry] = []
    @Published private(set) var statistics: [AppStatisticsLine] = []
    /// Where the cursor is to go.
    @Published var focus: AppField?

    let remote = VideoOutput()
    let preview = VideoOutput()
    let pictureInPicture = PictureInPicture()
    private let store: CallStore
    private let cameras: SystemCameras
    private let audio = SystemAudio()
    private let saved = SavedState()
    private let tones = CallTones()
    private var session: AudioSessionMonitor?
    private var calls: CallKitManager?
    private var pushes: VoIPPushHandler?
    private var network: NetworkMonitor?
    private var thermal: ThermalMonitor?

    init() {
        let relay = Relay()
        cameras = SystemCameras { trouble in
            Task { @MainActor in relay.model?.dispatch(.cameraTrouble(trouble: trouble)) }
        }
        let devices = Devices(cameras: cameras, audio: audio, remote: remote, preview: preview)
        do {
            store = try CallStore(devices: devices, device: saved.device, usesCallKit: usesCallKit) { effect in relay.model?.carryOut(effect) }
        } catch {
            // The system gives no thread: nothing can run.
            fatalError("no core: \(error)")
        }
        state = store.state
        relay.model = self
        store.onChange = { [weak self] in self?.changed() }
    }

    func dispatch(_ action: AppAction) { store.dispatch(action) }

    /// Once, before the app has launched.
    func start() {
        let isPhone = UIDevice.current.userInterfaceIdiom == .phone
        session = AudioSessionMonitor(hasEarpiece: isPhone) { [weak self] action in self?.dispatch(action) }
        if usesCallKit {
            calls = CallKitManager(
                dispatch: { [weak self] action in self?.dispatch(action) }, prepareAudio: { [weak self] in self?.prepareAudio() },
                audioIsActive: { [weak self] isActive in self?.audioIs(isActive) })
        }
        // Woken by a push: no change of phase tells it.
        if UIApplication.shared.applicationState == .background { dispatch(.visibilityChanged(visibility: .background)) }
        dispatch(.camerasChanged(available: !cameras.listCameras().isEmpty))
        dispatch(
            .started(
                saved: saved.signIn, history: saved.history, permissions: SystemPermissions.now, blocked: saved.blocked,
                remembered: saved.remembered))
        network = NetworkMonitor { [weak self] network in
            Task { @MainActor in self?.dispatch(.networkChanged(network: network)) }
        }
        thermal = ThermalMonitor { [weak self] state in Task { @MainActor in self?.dispatch(.thermalStateChanged(state: state)) } }
        // Closed while another app is in front: now nothing allows the camera any more.
        pictureInPicture.onStop = { [weak self] in
            if UIApplication.shared.applicationState == .background { self?.dispatch(.visibilityChanged(visibility: .background)) }
        }
        if usesCallKit { pushes = VoIPPushHandler(isDevelopment: isDevelopment) { [weak self] action in self?.dispatch(action) } }
    }

    var search: String {
        get { state.search }
        set { dispatch(.search(text: newValue)) }
    }

    var tab: AppTab {
        get { state.tab }
        set { dispatch(.showTab(tab: newValue)) }
    }

    /// For a switch: a binding made of closures would read the model from outside the main actor.
    subscript(outage part: AppOutage) -> Bool {
        get { state.outages.contains(part) }
        set { dispatch(.setOutage(part: part, on: newValue)) }
    }

    func phaseChanged(_ phase: ScenePhase) {
        switch phase {
        case .background:
            let mayFilm = pictureInPicture.isActive && cameras.mayRunInBackground
            dispatch(.visibilityChanged(visibility: mayFilm ? .pictureInPicture : .background))
        case .active:
            dispatch(.permissionsChanged(permissions: SystemPermissions.now))
            dispatch(.visibilityChanged(visibility: .foreground))
        case .inactive: break
        @unknown default: break
        }
    }

    private func changed() {
        if store.state.call == nil, state.call != nil { pictureInPicture.stop() }
        // What did not change draws nothing anew.
        if store.state != state { state = store.state }
        if store.chat != chat { chat = store.chat }
        if store.history != history { history = store.history }
        if store.statistics != statistics { statistics = store.statistics }
    }

    private func carryOut(_ effect: AppEffect) {
        switch effect {
        case let .systemCall(told): calls?.tell(told)
        case let .askPermissions(request, permissions):
            Task {
                await SystemPermissions.ask(permissions)
                dispatch(.permissionsAnswered(request: request, permissions: SystemPermissions.now))
            }
        case .openSettings:
            if let url = URL(string: UIApplication.openSettingsURLString) { UIApplication.shared.open(url) }
        case let .focus(field): focus = field
        case .startAudio:
            prepareAudio()
            // CallKit activates it itself.
            if !usesCallKit { activate() }
        case .stopAudio: if !usesCallKit { deactivate() }
        case let .ring(on): tones.ring(on)
        case let .vibrate(on): tones.vibrate(on)
        case .reclaimAudio:
            prepareAudio()
            activate()
        case let .selectAudioRoute(id):
            // A device that went away in the meantime: the system has another route by now and tells it.
            try? session?.select(id)
            session?.tell()
        case let .silenceSpeaker(on): audio.setSilent(on)
        case let .ringback(on): tones.ringback(on)
        case let .proximity(on): UIDevice.current.isProximityMonitoringEnabled = on
        case let .keepScreenOn(on): UIApplication.shared.isIdleTimerDisabled = on
        case let .savePhoto(jpeg): Task { dispatch(.photoSaved(outcome: await PhotoSaver.save(jpeg))) }
        case let .saveSignIn(signIn): saved.signIn = signIn
        case let .saveBlocked(json): saved.blocked = json
        case let .saveRemembered(json): saved.remembered = json
        case let .saveHistory(json): saved.history = json
        // CallKit shows calls over the lock and keeps the app alive.
        case .callService, .showWhenLocked: break
        // PushKit gives its token at each start, asked or not.
        case .requestPushToken: break
        // A list of its own shows what was missed; notifications are not asked for.
        case .notifyMissedCall, .clearMissedCalls: break
        }
    }

    private func prepareAudio() {
        do { try session?.setUp() } catch {
            log.error("the audio session cannot be set: \(String(describing: error), privacy: .public)")
        }
    }

    private func activate() {
        do {
            try session?.activate()
            audioIs(true)
        } catch { log.error("the audio session does not come back: \(String(describing: error), privacy: .public)") }
    }

    private func deactivate() {
        audioIs(false)
        // Somebody else may have taken it meanwhile.
        try? session?.deactivate()
    }

    private func audioIs(_ isActive: Bool) {
        // The route first: it changes the hardware under an engine that runs.
        session?.tell()
        audio.session(isActive: isActive)
    }
}

/// For what is made before the model is.
@MainActor
private final class Relay {
    weak var model: AppModel?
}
