/// Something to tell the person, before it is put into a language.
public struct Message: Equatable, Sendable {
    public let key: TextKey
    public let values: [String: String]

    public init(_ key: TextKey, _ values: [String: String] = [:]) {
        self.key = key
        self.values = values
    }

    /// The text in the language of `lookup`, e.g. `Bundle.main.localizedString`. Values are put in as they are, once: what a
    /// person is called is never read as a placeholder.
    public func text(_ lookup: (String) -> String) -> String {
        var said = ""
        var rest = Substring(lookup(key.rawValue))
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = String(rest[rest.index(after: open)..<close])
            said += rest[..<open]
            said += values[name] ?? "{\(name)}"
            rest = rest[rest.index(after: close)...]
        }
        return said + rest
    }
}
