use std::{path::PathBuf, time::Duration};

/// How devices that are not connected are rung: needs tokens ([`AuthConfig`](crate::AuthConfig)), as a registration belongs to a person.
#[derive(Debug, Clone)]
pub struct PushConfig {
    /// The directory that registrations and the key for Web Push are kept in; it is made if need be.
    pub data: PathBuf,
    /// Turns on Web Push and UnifiedPush: a `mailto:` or `https:` URI by which a push service reaches the operator (RFC 8292 section 2.1).
    pub contact: Option<String>,
    /// Turns on Apple's push service.
    pub apns: Option<ApnsConfig>,
    /// Turns on Firebase Cloud Messaging.
    pub fcm: Option<FcmConfig>,
    /// Turns on the operator's own webhook.
    pub webhook: Option<WebhookConfig>,
    /// Sends to what devices have registered even if it is a private address or has no TLS.
    pub allow_private: bool,
    /// How long a call waits for somebody who is rung by push.
    pub ring_time: Duration,
}

impl Default for PushConfig {
    fn default() -> Self {
        Self {
            data: PathBuf::new(),
            contact: None,
            apns: None,
            fcm: None,
            webhook: None,
            allow_private: false,
            ring_time: Duration::from_secs(45),
        }
    }
}

/// The token-based connection to Apple's push service.
#[derive(Debug, Clone)]
pub struct ApnsConfig {
    /// The private key (`.p8`, PEM) that Apple gives out.
    pub key: PathBuf,
    /// The key's identifier, 10 characters.
    pub key_id: String,
    /// The team's identifier, 10 characters.
    pub team_id: String,
    /// The app's bundle identifier, without `.voip`.
    pub bundle_id: String,
    /// Another server than Apple's, for tests: `https://host:port`.
    pub server: Option<String>,
}

/// The HTTP v1 interface of Firebase Cloud Messaging.
#[derive(Debug, Clone)]
pub struct FcmConfig {
    /// The service account's key, as JSON.
    pub account: PathBuf,
    /// Another server than Google's, for tests: `https://host:port`.
    pub server: Option<String>,
}

/// A web service of the operator's that gets each push as a signed POST request.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Where to.
    pub url: String,
    /// The file with the secret for signatures: base64 of at least 24 bytes, on one line.
    pub secret: PathBuf,
}
