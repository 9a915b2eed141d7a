#if canImport(AVFoundation) && canImport(UIKit)
@preconcurrency import AVFoundation
import Chamada
import ChamadaCore
import Foundation
import os

/// Microphone and speaker by the system's voice processing, which takes the echo and the noise away. The app owns the audio
/// session: it sets its category and activates it, or has CallKit do so, and says when it is active; before that nothing sounds.
public final class SystemAudio: AudioDevices, CallAudioEngine, @unchecked Sendable {
    private let queue = DispatchQueue(label: "chamada.audio")
    // All of these on the queue.
    private var isActive = false
    private var isSilent = false
    private var microphone: MicrophoneSink?
    private var speaker: SpeakerSource?
    private var running: VoiceEngine?
    /// Starts so far, so that a later one puts an end to what was to be tried again.
    private var starts = 0
    private var observer: (any NSObjectProtocol)?

    public init() {
        // The hardware changed: a headset, another sample rate. The engine has stopped and its nodes have other formats. One that
        // runs was started after the change, which its own voice processing may have been: anew, it would change again.
        observer = NotificationCenter.default.addObserver(
            forName: .AVAudioEngineConfigurationChange, object: nil, queue: nil
        ) { [weak self] note in
            let changed = note.object.map { ObjectIdentifier($0 as AnyObject) }
            guard let self else { return }
            queue.async {
                guard let engine = self.running?.engine, changed == ObjectIdentifier(engine), !engine.isRunning else { return }
                self.restart()
            }
        }
    }

    deinit { if let observer { NotificationCenter.default.removeObserver(observer) } }

    /// The app's session is active, or not any more: after an interruption, a change of the media services, CallKit's word.
    public func session(isActive: Bool) {
        queue.async {
            self.isActive = isActive
            self.restart()
        }
    }

    /// What the other side says is not to be heard: `AppEffect.silenceSpeaker`.
    public func setSilent(_ on: Bool) {
        queue.async {
            self.isSilent = on
            self.running?.engine.mainMixerNode.outputVolume = on ? 0 : 1
        }
    }

    public func openMicrophone(sink: MicrophoneSink) throws {
        guard AVCaptureDevice.authorizationStatus(for: .audio) == .authorized else {
            throw AppError.NotAllowed(reason: "the app may not use the microphone")
        }
        queue.sync {
            microphone = sink
            restart()
        }
    }

    public func closeMicrophone() {
        queue.sync {
            microphone = nil
            restart()
        }
    }

    public func openSpeaker(source: SpeakerSource) {
        queue.sync {
            speaker = source
            restart()
        }
    }

    public func closeSpeaker() {
        queue.sync {
            speaker = nil
            restart()
        }
    }

    /// Anew with what is open. A system that does not let it start now does not always say when that changes, so it is tried again.
    private func restart(failures: Int = 0) {
        running?.stop()
        running = nil
        starts += 1
        guard isActive, microphone != nil || speaker != nil else { return }
        do {
            running = try VoiceEngine(microphone: microphone, speaker: speaker)
            running?.engine.mainMixerNode.outputVolume = isSilent ? 0 : 1
        } catch {
            Logger(subsystem: "org.chamada", category: "audio").error("the audio engine does not start: \(String(describing: error), privacy: .public)")
            guard let pause = RestartBackoff.delay(failures: failures + 1) else { return }
            let start = starts
            queue.asyncAfter(deadline: .now() + pause) { [weak self] in
                guard let self, start == starts else { return }
                restart(failures: failures + 1)
            }
        }
    }
}

/// An engine that runs. The system's real-time threads only touch rings; two threads of its own carry on to and from the
/// library, which may wait.
private final class VoiceEngine {
    let engine = AVAudioEngine()
    private var pumps: [PacedThread] = []

    /// 200 ms: more is late.
    private static let ring = 9600
    private static let rate = 48000.0
    /// 10 ms.
    private static let block = 480
    /// What waits for the speaker at most, in samples: 40 ms.
    private static let ahead = 1920

    init(microphone: MicrophoneSink?, speaker: SpeakerSource?) throws {
        // Both ways at once, and only while the engine stands.
        try engine.inputNode.setVoiceProcessingEnabled(true)
        do {
            if let microphone { try hear(microphone) }
            if let speaker { try speak(speaker) }
            engine.prepare()
            try engine.start()
        } catch {
            stop()
            throw error
        }
    }

    func stop() {
        engine.stop()
        pumps.forEach { $0.stop() }
    }

    private func hear(_ sink: MicrophoneSink) throws {
        let format = engine.inputNode.outputFormat(forBus: 0)
        // An input that is not there yet says so in this way, and the engine ends an app that connects it.
        guard format.sampleRate > 0, format.channelCount > 0 else {
            throw AppError.NotReadable(reason: "the system gives no microphone now")
        }
        let ring = OSAllocatedUnfairLock(initialState: SampleRingBuffer(capacity: Self.ring))
        let node = AVAudioSinkNode { _, count, list in
            let first = UnsafeMutableAudioBufferListPointer(UnsafeMutablePointer(mutating: list)).first
            guard let samples = first?.mData?.assumingMemoryBound(to: Float.self) else { return noErr }
            // A real-time thread waits for nobody: where the other thread is at the ring just now, these samples are lost.
            ring.withLockIfAvailableUnchecked { ring in
                for index in 0..<Int(count) { ring.write(int16(samples[index])) }
            }
            return noErr
        }
        engine.attach(node)
        engine.connect(engine.inputNode, to: node, format: format)
        let converter = LockedValue(RateConverter(from: format.sampleRate, to: Self.rate))
        let scratch = LockedValue([Int16](repeating: 0, count: Self.block))
        pumps.append(PacedThread(every: 0.01) { _ in
            try scratch.with { samples in
                var have = 0
                // All of it, so that nothing stays behind after a thread that was late.
                repeat {
                    have = samples.withUnsafeMutableBufferPointer { block in ring.withLockUnchecked { $0.read(into: block) } }
                    let new = samples[..<have].withUnsafeBufferPointer { new in converter.with { $0.convert(new) } }
                    try new.withUnsafeBufferPointer { try sink.push($0) }
                } while have == samples.count
            }
        })
    }

    private func speak(_ source: SpeakerSource) throws {
        guard let format = AVAudioFormat(standardFormatWithSampleRate: Self.rate, channels: 1) else { return }
        let block = try AudioBlock(samples: UInt32(Self.block))
        let ring = OSAllocatedUnfairLock(initialState: SampleRingBuffer(capacity: Self.ring))
        // Made once: a real-time thread takes no memory.
        let scratch = UnsafeMutableBufferPointer<Int16>.allocate(capacity: 8192)
        scratch.initialize(repeating: 0)
        nonisolated(unsafe) let samples = scratch
        let node = AVAudioSourceNode(format: format) { isSilence, _, count, list in
            let want = min(Int(count), samples.count)
            let part = UnsafeMutableBufferPointer(rebasing: samples[..<want])
            let have = ring.withLockIfAvailableUnchecked { $0.read(into: part) } ?? 0
            isSilence.pointee = ObjCBool(have == 0)
            for buffer in UnsafeMutableAudioBufferListPointer(list) {
                guard let to = buffer.mData?.assumingMemoryBound(to: Float.self) else { continue }
                for index in 0..<Int(count) { to[index] = index < have ? Float(part[index]) / 32768 : 0 }
            }
            return noErr
        }
        engine.attach(node)
        engine.connect(node, to: engine.mainMixerNode, format: format)
        pumps.append(PacedThread(every: 0.005) { _ in
            while ring.withLock({ $0.count }) < Self.ahead {
                try source.pull(block: block)
                block.withSamples { samples in ring.withLockUnchecked { $0.write(samples) } }
            }
        })
        memory = scratch
    }

    private var memory: UnsafeMutableBufferPointer<Int16>?

    // The engine stands by then, and its threads are at rest.
    deinit { memory?.deallocate() }
}
#endif
