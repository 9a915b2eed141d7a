//! Web Push (RFC 8030) with encrypted content (RFC 8291) and the server's own signature (VAPID, RFC 8292). UnifiedPush is the same.

use super::{
    encryption::encrypt,
    error::PushError,
    http::{self, Http},
    keys::{SigningKey, vapid_key},
    provider::{Notification, Outcome, Provider},
    registration::decode_keys,
    url_check::check_url,
};
use async_trait::async_trait;
use reqwest::StatusCode;
use serde_json::json;
use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use url::Url;

/// How long a signature is good: at most a day (RFC 8292 section 2), and the clocks may differ.
const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3600);

#[derive(Debug)]
pub(crate) struct WebPush {
    contact: String,
    key: SigningKey,
    public_key: String,
    http: Http,
}

impl WebPush {
    /// `key_file` is made if it is not there.
    pub(crate) fn new(contact: &str, key_file: &Path, http: Http) -> Result<Self, PushError> {
        check_contact(contact)?;
        let (key, public_key) = vapid_key(key_file)?;
        Ok(Self { contact: contact.into(), key, public_key, http })
    }

    /// For subscriptions: `applicationServerKey`.
    pub(crate) fn public_key(&self) -> &str {
        &self.public_key
    }
}

pub(crate) fn check_contact(contact: &str) -> Result<(), PushError> {
    let is_contact = Url::parse(contact).is_ok_and(|url| matches!(url.scheme(), "mailto" | "https"));
    let why = "the contact for push services is a URI that begins with mailto: or https:";
    if is_contact { Ok(()) } else { Err(PushError::BadOption(why.into())) }
}

#[async_trait]
impl Provider for WebPush {
    async fn send(&self, push: Notification<'_>) -> Outcome {
        let address = &push.to.address;
        let url = address.endpoint.as_deref().and_then(|endpoint| Url::parse(endpoint).ok());
        let (Some(url), Some((public, auth))) = (url, address.keys.as_ref().and_then(decode_keys)) else {
            return Outcome::Gone;
        };
        // It may be of a time when the operator allowed more.
        if let Err(fault) = check_url(&url, self.http.allow_private) {
            return Outcome::Refused(fault.to_string());
        }
        let text = json!(push.call).to_string();
        let Ok(body) = encrypt(&public, &auth, text.as_bytes()) else { return Outcome::Gone };
        let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(TOKEN_LIFE);
        let claims = json!({"aud": url.origin().ascii_serialization(), "exp": expires.as_secs(), "sub": self.contact});
        let Some(token) = self.key.sign(None, &claims) else { return Outcome::Refused("no signature".into()) };
        let request = self
            .http
            .registered
            .post(url)
            .header("authorization", format!("vapid t={token}, k={}", self.public_key))
            .header("content-type", "application/octet-stream")
            .header("content-encoding", "aes128gcm")
            .header("ttl", push.ttl.as_secs().to_string())
            .header("urgency", "high")
            // A cancel takes the place of a ring that the device has not got yet (RFC 8030 section 5.4).
            .header("topic", push.call.call.0.simple().to_string())
            .body(body);
        match http::send(request).await {
            Ok(answer) if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE) => Outcome::Gone,
            Ok(answer) => answer.outcome(),
            Err(outcome) => outcome,
        }
    }
}
