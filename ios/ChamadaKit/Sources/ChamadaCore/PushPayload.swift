import Chamada
import Foundation

/// What a push carries, as `AppAction.pushReceived` takes it; empty for what is no JSON.
public func pushJSON(_ payload: [AnyHashable: Any]) -> String {
    guard JSONSerialization.isValidJSONObject(payload), let json = try? JSONSerialization.data(withJSONObject: payload) else { return "" }
    return String(decoding: json, as: UTF8.self)
}

/// PushKit's token, as the server is told it: in hexadecimal.
public func pushRegistration(token: Data, isDevelopment: Bool) -> PushRegistration {
    let hex = token.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    return PushRegistration(platform: isDevelopment ? .apnsDev : .apns, token: hex)
}
