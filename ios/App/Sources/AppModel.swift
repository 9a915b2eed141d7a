import AVFoundation
import Chamada
import ChamadaCallKit
import ChamadaCore
import ChamadaMedia
import Foundation
import SwiftUI
import UIKit
import os

private let log = Logger(subsystem: "org.chamada", category: "app")

/// Ties the phone to the system and to the screens. What is decided is decided in ChamadaCore.
@MainActor
final class AppModel: ObservableObject {
    @Published private(set) var state = PhoneState()
    @Published private(set) var route: Route?
    @Published private(set) var routes: [Route] = []

    let phone: Phone
    let remote = Screen()
    let preview = Screen()
    let pictureInPicture = PictureInPicture()
    private let cameras: SystemCameras
    private let audio = SystemAudio()
    private let sound = SessionWatch(hasEarpiece: UIDevice.current.userInterfaceIdiom == .phone)
    private var calls: SystemCalls?
    private var push: Push?
    private var network: NetworkWatch?
    private var thermal: ThermalWatch?
    /// What the person chose in this call, which the next begins without.
    private var chosen: Route.Kind?
    private let settings = Settings()

    init() {
        let relay = Relay()
        cameras = SystemCameras { interruption in
            Task { @MainActor in relay.model?.phone.cameraSaid(interruption?.message) }
        }
        let devices = Devices(cameras: cameras, audio: audio, remote: remote, preview: preview)
        var world = World(devices: devices, permissions: SystemPermissions(), logFile: Self.logFile)
        world.openSettings = {
            if let url = URL(string: UIApplication.openSettingsURLString) { UIApplication.shared.open(url) }
        }
        phone = Phone(world)
        relay.model = self
        state = phone.state
        phone.onChange = { [weak self] state in self?.changed(state) }
    }

    /// Once, before the app has launched.
    func start() {
        let calls = SystemCalls(
            phone: phone, prepareAudio: { [weak self] in self?.prepareAudio() },
            audioIsActive: { [weak self] isActive in self?.audioIs(isActive) })
        self.calls = calls
        // Whoever runs a server that pushes sends it the token here.
        push = Push(system: calls, tokenChanged: { _ in }, woken: { [weak self] in self?.woken() })
        network = NetworkWatch { [weak self] in Task { @MainActor in self?.phone.networkChanged() } }
        thermal = ThermalWatch { [weak self] state in Task { @MainActor in self?.phone.thermalState(state) } }
        // Woken by a push: no change of phase tells it.
        if UIApplication.shared.applicationState == .background { phone.wentToBackground(cameraMayStayOn: false) }
        // Closed while another app is in front: now nothing allows the camera any more.
        pictureInPicture.onStop = { [weak self] in
            if UIApplication.shared.applicationState == .background { self?.phone.wentToBackground(cameraMayStayOn: false) }
        }
        sound.onRoutes = { [weak self] route, routes in
            self?.route = route
            self?.routes = routes
        }
        sound.onChange = { [weak self] change in self?.session(change) }
    }

    /// For the alert, which a button of its own closes: what is chosen there ends the problem, and nothing else does.
    var showsProblem: Bool {
        get { state.problem != nil }
        set {}
    }

    var tab: PhoneState.Tab {
        get { state.tab }
        set { phone.show(newValue) }
    }

    /// For a switch: a binding made of closures would read the model from outside the main actor.
    subscript(outage part: Outage) -> Bool {
        get { state.outages.contains(part) }
        set { phone.outage(of: part, newValue) }
    }

    var server: String { settings.server }
    var name: String { settings.name }

    func login(server: String, name: String) {
        (settings.server, settings.name) = (server, name)
        Task { await phone.login(server: server, name: name) }
    }

    func demo(name: String) {
        settings.name = name
        Task { await phone.startDemo(name: name) }
    }

    func accept() {
        guard let id = state.call?.id else { return }
        calls?.answer(id)
    }

    func photo() {
        Task {
            guard let jpeg = await phone.photo(of: .remote) else { return }
            phone.photoSaved(await PhotoSaver.save(jpeg))
        }
    }

    func choose(_ route: Route) {
        chosen = route.kind
        // A device that went away in the meantime: the system has another route by now and tells it.
        try? sound.choose(route)
        sound.tell()
    }

    func phaseChanged(_ phase: ScenePhase) {
        switch phase {
        case .background:
            phone.wentToBackground(cameraMayStayOn: pictureInPicture.isActive && cameras.mayRunInBackground)
        case .active: phone.cameToForeground()
        case .inactive: break
        @unknown default: break
        }
    }

    private func changed(_ new: PhoneState) {
        let had = state.call
        state = new
        if new.call == nil, had != nil {
            chosen = nil
            pictureInPicture.stop()
        }
        UIApplication.shared.isIdleTimerDisabled = new.call != nil
    }

    private func woken() {
        let (server, name) = (settings.server, settings.name)
        Task { await phone.woken(server: server, name: name) }
    }

    private func session(_ change: SessionChange) {
        guard state.call != nil else { return }
        if change.needsSetUp { prepareAudio() }
        // CallKit activates a session once: what an alarm took, nobody gives back.
        if change.isActive, state.call?.isHeld != true { activate() }
        audioIs(change.isActive)
    }

    private func activate() {
        do { try AVAudioSession.sharedInstance().setActive(true) } catch {
            log.error("the audio session does not come back: \(String(describing: error), privacy: .public)")
        }
    }

    /// The session's category and mode. CallKit activates it; the library only watches.
    private func prepareAudio() {
        let session = AVAudioSession.sharedInstance()
        do {
            // The mode adds headsets by Bluetooth.
            try session.setCategory(.playAndRecord, mode: .videoChat, options: .allowBluetoothA2DP)
            // What one call chose is not the next one's.
            try? session.setPreferredInput(nil)
            try session.setPreferredSampleRate(48000)
            try session.setPreferredIOBufferDuration(0.01)
        } catch { log.error("the audio session cannot be set: \(String(describing: error), privacy: .public)") }
    }

    private func audioIs(_ isActive: Bool) {
        // The route first: it changes the hardware under an engine that runs.
        if isActive, let current = sound.current?.kind,
            let wanted = RouteChoice.wanted(current: current, chosen: chosen, isVideo: true)
        {
            try? sound.choose(Route(id: "", kind: wanted))
        }
        audio.session(isActive: isActive)
        sound.tell()
    }

    private static var logFile: URL? {
        let folder = FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask).first
        guard let folder else { return nil }
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appendingPathComponent("calls.json")
    }
}

/// For what is made before the model is.
@MainActor
private final class Relay {
    weak var model: AppModel?
}

/// What the app remembers of the last login.
@MainActor
private final class Settings {
    private let defaults = UserDefaults.standard

    var server: String {
        get { defaults.string(forKey: "server") ?? "" }
        set { defaults.set(newValue, forKey: "server") }
    }

    var name: String {
        get { defaults.string(forKey: "name") ?? "" }
        set { defaults.set(newValue, forKey: "name") }
    }
}
