#if canImport(PushKit) && canImport(UIKit)
import Chamada
import ChamadaCore
import Foundation
import PushKit

/// Pushes that ring. The system ends an app that gets one and reports no call before the handler returns, so each is reported
/// at once, whatever it says; whether there is a call behind it turns out afterwards.
@MainActor
public final class VoIPPushHandler: NSObject {
    private let registry: PKPushRegistry
    private let dispatch: @MainActor (AppAction) -> Void
    private let isDevelopment: Bool

    /// To be made at each start of the app, before anything else waits: a push may be why it was started. `isDevelopment` where Xcode
    /// installed the app: its pushes go by Apple's development environment.
    public init(isDevelopment: Bool, dispatch: @escaping @MainActor (AppAction) -> Void) {
        (self.isDevelopment, self.dispatch) = (isDevelopment, dispatch)
        registry = PKPushRegistry(queue: .main)
        super.init()
        registry.delegate = self
        registry.desiredPushTypes = [.voIP]
    }
}

// The registry calls on the queue that it was given: the main one.
extension VoIPPushHandler: PKPushRegistryDelegate {
    public nonisolated func pushRegistry(
        _ registry: PKPushRegistry, didUpdate pushCredentials: PKPushCredentials, for type: PKPushType
    ) {
        let token = pushCredentials.token
        MainActor.assumeIsolated {
            dispatch(.pushRegistrationChanged(registration: pushRegistration(token: token, isDevelopment: isDevelopment)))
        }
    }

    public nonisolated func pushRegistry(_ registry: PKPushRegistry, didInvalidatePushTokenFor type: PKPushType) {
        MainActor.assumeIsolated { dispatch(.pushRegistrationChanged(registration: nil)) }
    }

    public nonisolated func pushRegistry(
        _ registry: PKPushRegistry, didReceiveIncomingPushWith payload: PKPushPayload, for type: PKPushType,
        completion: @escaping () -> Void
    ) {
        let push = pushJSON(payload.dictionaryPayload)
        // The core has it reported before this returns.
        MainActor.assumeIsolated { dispatch(.pushReceived(json: push)) }
        completion()
    }
}
#endif
