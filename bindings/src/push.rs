//! Calls that come although the app is closed: what the app tells the server of its device.

use chamada::signaling::message as core;

/// How a push notification reaches the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum PushPlatform {
    /// Apple's push service: VoIP pushes by PushKit.
    Apns,
    /// The same for apps that Xcode has installed.
    ApnsDev,
    /// Firebase Cloud Messaging.
    Fcm,
    /// UnifiedPush.
    UnifiedPush,
    /// Web Push of a browser.
    WebPush,
    /// The operator's own service.
    Webhook,
}

/// Where this device can be reached while it is not connected.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct PushRegistration {
    /// How.
    pub platform: PushPlatform,
    /// `APNS`, `APNS_DEV`: the token in hexadecimal. `FCM`, `WEBHOOK`: the token as it is.
    #[uniffi(default = None)]
    pub token: Option<String>,
    /// `UNIFIED_PUSH`, `WEB_PUSH`: the URL of the subscription.
    #[uniffi(default = None)]
    pub endpoint: Option<String>,
    /// `UNIFIED_PUSH`, `WEB_PUSH`: its keys.
    #[uniffi(default = None)]
    pub keys: Option<PushKeys>,
    /// The user's language (BCP 47), for services that write texts.
    #[uniffi(default = None)]
    pub locale: Option<String>,
}

impl std::fmt::Debug for PushRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushRegistration").field("platform", &self.platform).finish_non_exhaustive()
    }
}

/// The keys of a Web Push subscription, in base64url.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct PushKeys {
    /// Its public key.
    pub p256dh: String,
    /// Its authentication secret.
    pub auth: String,
}

impl std::fmt::Debug for PushKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushKeys")
    }
}

same_cases!(PushPlatform => core::PushPlatform { Apns, ApnsDev, Fcm, UnifiedPush, WebPush, Webhook });
same_fields!(PushKeys => core::PushKeys { p256dh, auth });

impl PushPlatform {
    pub(crate) fn from_core(platform: core::PushPlatform) -> Option<Self> {
        Some(match platform {
            core::PushPlatform::Apns => Self::Apns,
            core::PushPlatform::ApnsDev => Self::ApnsDev,
            core::PushPlatform::Fcm => Self::Fcm,
            core::PushPlatform::UnifiedPush => Self::UnifiedPush,
            core::PushPlatform::WebPush => Self::WebPush,
            core::PushPlatform::Webhook => Self::Webhook,
            core::PushPlatform::Unrecognised => return None,
        })
    }
}

impl From<PushRegistration> for core::PushRegister {
    fn from(from: PushRegistration) -> Self {
        let PushRegistration { platform, token, endpoint, keys, locale } = from;
        Self { platform: platform.into(), token, endpoint, keys: keys.map(Into::into), locale }
    }
}
