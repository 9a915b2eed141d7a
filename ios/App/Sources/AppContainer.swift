import Chamada
import ChamadaCallKit
import ChamadaCore
import ChamadaMedia
import ChamadaUI
import Foundation
import SwiftUI
import UIKit
import os

#if DEBUG
private let isDevelopment = true
#else
private let isDevelopment = false
#endif

/// Apple allows no CallKit in mainland China. Without it the app rings by itself, and gets no pushes, each of which has to be reported there.
private let usesCallKit = Locale.current.region?.identifier != "CN"

/// Makes the parts of the app, tells the core what the system tells, and carries out what the core decides.
@MainActor
final class AppContainer {
    let calls: CallStore
    let session: SessionStore
    let people: PeopleStore
    let recents: RecentsStore
    let chat: ChatStore
    private let store: AppStore
    private let cameras = SystemCameras()
    private let audioSession: AudioSessionMonitor
    private let audio: CallAudio
    private let saved = SavedState()
    private var callKit: CallKitManager?
    private var pushes: VoIPPushHandler?
    private var network: NetworkMonitor?
    private var thermal: ThermalMonitor?

    init() {
        let (remote, preview, engine) = (VideoOutput(), VideoOutput(), SystemAudio())
        let store: AppStore
        do {
            let devices = Devices(cameras: cameras, audio: engine, remote: remote, preview: preview)
            store = try AppStore(devices: devices, device: saved.device, usesCallKit: usesCallKit)
        } catch {
            // The system gives no thread: nothing can run.
            fatalError("no core: \(error)")
        }
        self.store = store
        calls = CallStore(store, remote: remote, preview: preview)
        (session, people) = (SessionStore(store), PeopleStore(store))
        (recents, chat) = (RecentsStore(store) { $0.history }, ChatStore(store) { $0.chat })
        audioSession = AudioSessionMonitor(hasEarpiece: UIDevice.current.userInterfaceIdiom == .phone) { store.dispatch($0) }
        audio = CallAudio(usesCallKit: usesCallKit, session: audioSession, engine: engine, tones: CallTones())
        audio.failed = { error in
            Logger(subsystem: "org.chamada", category: "audio").error("the audio session: \(String(describing: error), privacy: .public)")
        }
        store.carryOut = { [weak self] effect in self?.carryOut(effect) }
    }

    /// Once, before the app has launched.
    func start() {
        let store = store
        if usesCallKit { callKit = CallKitManager(audio: audio) { store.dispatch($0) } }
        // Woken by a push: no change of phase tells it.
        if UIApplication.shared.applicationState == .background { store.dispatch(.visibilityChanged(visibility: .background)) }
        store.dispatch(.camerasChanged(available: !cameras.listCameras().isEmpty))
        store.dispatch(
            .started(
                saved: saved.signIn, history: saved.history, permissions: SystemPermissions.atStart, blocked: saved.blocked,
                remembered: saved.remembered))
        lookAtPermissions()
        Task { [troubles = cameras.troubles] in
            for await trouble in troubles { store.dispatch(.cameraTrouble(trouble: trouble)) }
        }
        network = NetworkMonitor { network in Task { @MainActor in store.dispatch(.networkChanged(network: network)) } }
        thermal = ThermalMonitor { state in Task { @MainActor in store.dispatch(.thermalStateChanged(state: state)) } }
        // Closed while another app is in front: now nothing allows the camera any more.
        calls.pictureInPicture.onStop = {
            if UIApplication.shared.applicationState == .background { store.dispatch(.visibilityChanged(visibility: .background)) }
        }
        if usesCallKit { pushes = VoIPPushHandler(isDevelopment: isDevelopment) { store.dispatch($0) } }
    }

    func phaseChanged(_ phase: ScenePhase) {
        switch phase {
        case .background:
            let mayFilm = calls.pictureInPicture.isActive && cameras.mayRunInBackground
            store.dispatch(.visibilityChanged(visibility: mayFilm ? .pictureInPicture : .background))
        case .active:
            lookAtPermissions()
            store.dispatch(.visibilityChanged(visibility: .foreground))
        case .inactive: break
        @unknown default: break
        }
    }

    func lowMemory() { store.dispatch(.lowMemory) }

    private func lookAtPermissions() {
        Task { store.dispatch(.permissionsChanged(permissions: await SystemPermissions.current())) }
    }

    private func carryOut(_ effect: AppEffect) {
        switch effect {
        case let .systemCall(told): callKit?.tell(told)
        case .startAudio, .stopAudio, .reclaimAudio, .selectAudioRoute, .silenceSpeaker, .ring, .vibrate, .ringback: audio.carryOut(effect)
        case let .askPermissions(request, permissions):
            Task { store.dispatch(.permissionsAnswered(request: request, permissions: await SystemPermissions.ask(permissions))) }
        case .openSettings:
            if let url = URL(string: UIApplication.openSettingsURLString) { UIApplication.shared.open(url) }
        case let .focus(field): session.focus = field
        case let .proximity(on): UIDevice.current.isProximityMonitoringEnabled = on
        case let .keepScreenOn(on): UIApplication.shared.isIdleTimerDisabled = on
        case let .savePhoto(jpeg): Task { store.dispatch(.photoSaved(outcome: await PhotoSaver.save(jpeg))) }
        case let .saveSignIn(signIn): saved.signIn = signIn
        case let .saveBlocked(json): saved.blocked = json
        case let .saveRemembered(json): saved.remembered = json
        case let .saveHistory(json): saved.history = json
        case let .notifyMissedCall(call, from, _): MissedCallNotifications.show(localized("end.cancelled-there", ["name": from]), call: call)
        case .clearMissedCalls: MissedCallNotifications.clear()
        // CallKit shows calls over the lock and keeps the app alive.
        case .callService, .showWhenLocked: break
        // PushKit gives its token at each start, asked or not.
        case .requestPushToken: break
        }
    }
}
