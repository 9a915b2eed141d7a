import Chamada

/// Which routes for sound there are to choose from.
public enum AudioRoutes {
    public static let speaker = AppAudioRoute(id: "speaker", kind: .speaker, name: nil)
    public static let earpiece = AppAudioRoute(id: "earpiece", kind: .earpiece, name: nil)

    /// What is plugged in or paired, then speaker and earpiece; a wired headset takes the earpiece's place, as the system sees to itself.
    public static func choices(inputs: [AppAudioRoute], hasEarpiece: Bool) -> [AppAudioRoute] {
        let devices = inputs.filter { $0.kind != .earpiece && $0.kind != .speaker }
        let hasWire = devices.contains { $0.kind == .wired }
        return devices + [speaker] + (hasEarpiece && !hasWire ? [earpiece] : [])
    }

    /// The one in use: the system's own devices have one name for the microphone and another for what is heard.
    public static func current(output: AppAudioRoute, choices: [AppAudioRoute]) -> String? {
        let same = choices.first { $0.id == output.id } ?? choices.first { $0.kind == output.kind }
        return same?.id
    }
}
