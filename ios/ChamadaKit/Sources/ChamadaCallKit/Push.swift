#if canImport(PushKit) && canImport(UIKit)
import ChamadaCore
import Foundation
import PushKit

/// Pushes that ring. The system ends an app that gets one and reports no call before the handler returns, so each is reported
/// at once, whatever it says; whether there is a call behind it turns out afterwards.
///
/// The payload that the server sends: `{"kind": "ring" or "cancel", "call": "the call's UUID", "from": "the caller's name", "room": …, "sent": …}`.
@MainActor
public final class Push: NSObject {
    private let registry: PKPushRegistry
    private let system: SystemCalls
    /// The address of this app for the server's pushes, whenever it changes; none when there is no more.
    private let tokenChanged: @MainActor (Data?) -> Void
    /// The app is to log in, if it is not: it may have been started by the push.
    private let woken: @MainActor () -> Void

    /// To be made at each start of the app, before anything else waits: a push may be why it was started.
    public init(
        system: SystemCalls, tokenChanged: @escaping @MainActor (Data?) -> Void, woken: @escaping @MainActor () -> Void
    ) {
        (self.system, self.tokenChanged, self.woken) = (system, tokenChanged, woken)
        registry = PKPushRegistry(queue: .main)
        super.init()
        registry.delegate = self
        registry.desiredPushTypes = [.voIP]
    }
}

// The registry calls on the queue that it was given: the main one.
extension Push: PKPushRegistryDelegate {
    public nonisolated func pushRegistry(
        _ registry: PKPushRegistry, didUpdate pushCredentials: PKPushCredentials, for type: PKPushType
    ) {
        let token = pushCredentials.token
        MainActor.assumeIsolated { tokenChanged(token) }
    }

    public nonisolated func pushRegistry(_ registry: PKPushRegistry, didInvalidatePushTokenFor type: PKPushType) {
        MainActor.assumeIsolated { tokenChanged(nil) }
    }

    public nonisolated func pushRegistry(
        _ registry: PKPushRegistry, didReceiveIncomingPushWith payload: PKPushPayload, for type: PKPushType,
        completion: @escaping () -> Void
    ) {
        let call = PushedCall(payload: payload.dictionaryPayload)
        // Main already, and not sent anywhere: only the compiler cannot see it.
        nonisolated(unsafe) let done = completion
        MainActor.assumeIsolated {
            system.pushed(call) { done() }
            woken()
        }
    }
}
#endif
