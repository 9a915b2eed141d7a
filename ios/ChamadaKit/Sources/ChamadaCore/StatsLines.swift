import Chamada
import Foundation

/// What was measured, as lines of a label and numbers.
public struct StatsLine: Equatable, Sendable, Identifiable {
    public let label: TextKey
    public let value: String
    public var id: TextKey { label }
}

extension CallStats {
    public var lines: [StatsLine] {
        var lines: [StatsLine] = []
        if let video = receivedVideo {
            lines.append(.init(label: .statsReceived, value: picture(video.width, video.height, video.fps, video.codec)))
        }
        if let video = sentVideo {
            let rate = video.targetBps / 1000
            let shown = picture(video.width, video.height, video.fps, video.codec)
            lines.append(.init(label: .statsSent, value: "\(shown), \(rate) kbit/s"))
        }
        if let audio = receivedAudio {
            lines.append(.init(label: .statsSound, value: "\(whole(100 * (1 - audio.concealedRatio))) %"))
        }
        if let rttMs { lines.append(.init(label: .statsRtt, value: "\(whole(rttMs)) ms")) }
        if let video = receivedVideo {
            lines.append(.init(label: .statsPacketsLost, value: "\(video.packetsLost + (receivedAudio?.packetsLost ?? 0))"))
        }
        if let local = localCandidate, let remote = remoteCandidate {
            lines.append(.init(label: .statsPath, value: "\(local) – \(remote)"))
        }
        return lines
    }
}

private func picture(_ width: UInt32, _ height: UInt32, _ fps: Double, _ codec: VideoCodec?) -> String {
    let name =
        switch codec {
        case .vp8: " VP8"
        case .h264: " H.264"
        case nil: ""
        }
    return "\(width)×\(height), \(whole(fps))/s\(name)"
}

private func whole(_ number: Double) -> Int { number.isFinite ? Int(number.rounded()) : 0 }
