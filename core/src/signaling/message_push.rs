//! Messages about push notifications: a device that is not connected can be rung through a push service.

use super::CallId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The feature of a server that rings devices by push, and of a client that reads `call-pushed`.
pub const PUSH: &str = "push";

/// How a push notification reaches a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushPlatform {
    /// Apple Push Notification service, for VoIP pushes (PushKit).
    Apns,
    /// The same, in its development environment.
    ApnsDev,
    /// Firebase Cloud Messaging.
    Fcm,
    /// UnifiedPush: a distributor of the user's choice, with Web Push behind it.
    #[serde(rename = "unifiedpush")]
    UnifiedPush,
    /// Web Push (RFC 8030) of a browser.
    #[serde(rename = "webpush")]
    WebPush,
    /// The operator's own webhook, which knows what to do with the token.
    Webhook,
    /// One this version does not know.
    #[serde(other)]
    Unrecognised,
}

impl PushPlatform {
    /// As it is on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apns => "apns",
            Self::ApnsDev => "apns-dev",
            Self::Fcm => "fcm",
            Self::UnifiedPush => "unifiedpush",
            Self::WebPush => "webpush",
            Self::Webhook => "webhook",
            Self::Unrecognised => "unrecognised",
        }
    }
}

/// Part of [`Id`](super::Id): how the server can ring a device that is not connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushInfo {
    /// What a device can register for.
    pub platforms: Vec<PushPlatform>,
    /// The server's VAPID public key (RFC 8292) for a Web Push subscription: a point of P-256, uncompressed, in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_server_key: Option<String>,
}

/// `push-register`: where this device can be reached while it is not connected. It takes the place of what the device registered before.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRegister {
    /// How.
    pub platform: PushPlatform,
    /// The device's token: with `apns` in hexadecimal, with `fcm` and `webhook` as the service gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The URL of the subscription, with `webpush` and `unifiedpush`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What content is encrypted with (RFC 8291), with `webpush` and `unifiedpush`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<PushKeys>,
    /// The user's language (BCP 47), for a webhook that writes texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// Prints no token and no URL: who has them can send pushes to the device, or tell whose it is.
impl fmt::Debug for PushRegister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushRegister").field("platform", &self.platform).finish_non_exhaustive()
    }
}

/// The keys of a Web Push subscription, as `PushSubscription.toJSON` writes them: base64url.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushKeys {
    /// The subscription's public key: an uncompressed point of P-256, 65 bytes.
    pub p256dh: String,
    /// Its authentication secret, 16 bytes.
    pub auth: String,
}

impl fmt::Debug for PushKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKeys")
    }
}

/// `push-registered`: what is kept for this device from now on, as answer to `push-register` and `push-unregister`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRegistered {
    /// None: the device is not registered any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<PushPlatform>,
}

/// `call-pushed`: nobody is there, but a push has been sent for the call. The caller's clock is that of ringing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallPushed {
    /// Who is being called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
}

/// What a push carries to the device: nothing that lets its carrier join or listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedCall {
    /// Ring, or stop ringing.
    pub kind: PushedKind,
    /// The call; the server makes one up where the caller's page is too old to name it.
    pub call: CallId,
    /// Who calls.
    pub from: String,
    /// The room that both are in; empty for the one without a name.
    pub room: String,
    /// When the push was sent: milliseconds since 1970 by the server's clock.
    pub sent: u64,
}

/// What a push asks of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushedKind {
    /// Somebody calls: log in, and the offer comes.
    Ring,
    /// The call is over, or was answered on another device.
    Cancel,
}

impl PushedKind {
    /// As it is in the push.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Cancel => "cancel",
        }
    }
}
