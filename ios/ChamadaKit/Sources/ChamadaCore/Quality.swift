import Chamada

/// What people are told of a call's quality; none where there is nothing to tell. Of two directions the worse one counts.
func qualityMessage(sent: DirectionQuality, received: DirectionQuality, with: String) -> Message? {
    if sent.audioOnly || received.audioOnly { return Message(.qualityAudioOnly) }
    let sentIsWorse = rank(sent.level) > rank(received.level)
    let worse = sentIsWorse ? sent : received
    if worse.level == .good { return nil }
    switch worse.reason {
    case .delay: return Message(.qualityDelay)
    case .device: return Message(.qualityDevice)
    default: return Message(sentIsWorse ? .qualitySent : .qualityReceived, ["name": with])
    }
}

private func rank(_ level: QualityLevel) -> Int {
    switch level {
    case .good: 0
    case .poor: 1
    case .bad: 2
    }
}
