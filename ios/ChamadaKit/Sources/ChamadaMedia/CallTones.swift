#if canImport(AVFoundation) && canImport(UIKit)
import AVFoundation
import AudioToolbox
import ChamadaCore
import Foundation

/// The tone that says that it rings at the other end, and, where CallKit is not there to do it, the ringtone and its vibration.
@MainActor
public final class CallTones: CallTonePlayer {
    private var player: AVAudioPlayer?
    private var vibrating: Task<Void, Never>?

    public init() {}

    public func ringback(_ on: Bool) { play(on) }

    /// The system keeps it quiet while the phone is muted: the session is the one that apps begin with until a call is answered.
    public func ring(_ on: Bool) { play(on) }

    public func vibrate(_ on: Bool) {
        vibrating?.cancel()
        vibrating = nil
        guard on else { return }
        vibrating = Task {
            while !Task.isCancelled {
                AudioServicesPlaySystemSound(kSystemSoundID_Vibrate)
                try? await Task.sleep(nanoseconds: 2_000_000_000)
            }
        }
    }

    private func play(_ on: Bool) {
        player?.stop()
        player = nil
        guard on, let player = try? AVAudioPlayer(data: ringbackTone()) else { return }
        player.numberOfLoops = -1
        player.play()
        self.player = player
    }
}
#endif
