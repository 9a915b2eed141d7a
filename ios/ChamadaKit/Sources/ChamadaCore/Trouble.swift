import Chamada

/// What a call goes on without.
func deviceMessage(_ device: DeviceKind) -> Message {
    switch device {
    case .camera: Message(.mediaNoCamera)
    case .microphone: Message(.mediaNoMicrophone)
    case .speaker: Message(.mediaSpeakerFailed)
    }
}

/// Why a call that was accepted is not connected yet.
func pathMessage(_ why: NoPath, with name: String) -> Message {
    switch why {
    case .noNetworkHere: Message(.pathNoNetworkHere)
    case .noRelayHere: Message(.pathNoRelayHere)
    case .nothingFromThere: Message(.pathNothingFromThere, ["name": name])
    case .noRelay: Message(.pathNoRelay)
    case .unanswered: Message(.pathUnanswered)
    }
}

/// What of the other side does not come.
func missingMessage(_ kind: MediaKind, _ why: MissingMedia, with name: String) -> Message {
    let values = ["name": name]
    switch (why, kind) {
    case (.noCommonCodec, .video): return Message(.mediaSoundAlone, values)
    case (.noCommonCodec, .audio): return Message(.mediaPictureAlone, values)
    case (.noPackets, .video): return Message(.mediaNoPictureThere, values)
    case (.noPackets, .audio): return Message(.mediaNoSoundThere, values)
    case (.notDecodable, _): return Message(.mediaUnreadableThere, values)
    }
}

extension Message {
    /// Whether it tells of a path that was not found yet.
    var isOfPath: Bool {
        [.pathNoNetworkHere, .pathNoRelayHere, .pathNothingFromThere, .pathNoRelay, .pathUnanswered].contains(key)
    }

    /// Whether it tells of a call that goes on, so that the call's end is the end of it.
    var isOfCall: Bool {
        let missing: [TextKey] = [
            .mediaSoundAlone, .mediaPictureAlone, .mediaNoPictureThere, .mediaNoSoundThere, .mediaUnreadableThere,
        ]
        return isOfPath || missing.contains(key)
    }
}
