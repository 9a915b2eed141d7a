//! Apple Push Notification service over HTTP/2, with tokens instead of certificates: VoIP pushes, which iOS hands to PushKit.

use super::{
    config::ApnsConfig,
    error::PushError,
    http::{self, Http},
    keys::SigningKey,
    provider::{Notification, Outcome, Provider},
};
use async_trait::async_trait;
use chamada::signaling::message::PushPlatform;
use reqwest::StatusCode;
use serde_json::json;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const PRODUCTION: &str = "https://api.push.apple.com";
const DEVELOPMENT: &str = "https://api.sandbox.push.apple.com";
/// Apple refuses tokens of more than an hour, and those that are changed more often than every 20 minutes.
const TOKEN_LIFE: Duration = Duration::from_secs(40 * 60);

#[derive(Debug)]
pub(crate) struct Apns {
    config: ApnsConfig,
    key: SigningKey,
    token: Mutex<Option<(Instant, String)>>,
    http: Http,
}

impl Apns {
    pub(crate) fn new(config: ApnsConfig, http: Http) -> Result<Self, PushError> {
        let is_id = |id: &str| !id.is_empty() && id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_id(&config.key_id) || !is_id(&config.team_id) {
            return Err(PushError::BadOption("Apple's key and team identifiers are letters and digits".into()));
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if config.bundle_id.is_empty() || !config.bundle_id.bytes().all(is_name) {
            return Err(PushError::BadOption("a bundle identifier looks like org.example.app".into()));
        }
        let key = SigningKey::read_es256(&config.key)?;
        Ok(Self { config, key, token: Mutex::default(), http })
    }

    /// The provider token, made anew when it is old.
    fn token(&self) -> Option<String> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, token)) = &*token
            && since.elapsed() < TOKEN_LIFE
        {
            return Some(token.clone());
        }
        let issued = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = json!({"iss": self.config.team_id, "iat": issued});
        let new = self.key.sign(Some(&self.config.key_id), &claims)?;
        *token = Some((Instant::now(), new.clone()));
        Some(new)
    }

    /// This token is good no more.
    fn forget(&self, token: &str) {
        let mut held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        held.take_if(|(_, held)| held == token);
    }

    fn server(&self, platform: PushPlatform) -> &str {
        match (&self.config.server, platform) {
            (Some(server), _) => server,
            (None, PushPlatform::ApnsDev) => DEVELOPMENT,
            (None, _) => PRODUCTION,
        }
    }
}

#[async_trait]
impl Provider for Apns {
    async fn send(&self, push: Notification<'_>) -> Outcome {
        let (Some(device), Some(token)) = (&push.to.address.token, self.token()) else {
            return Outcome::Refused("no token".into());
        };
        // A ring that comes after its call is worse than none; a cancel has to come whenever the ring has.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let expiration = now.saturating_add(push.ttl).as_secs();
        let mut body = json!(push.call);
        body["aps"] = json!({});
        let request = self
            .http
            .chosen
            .post(format!("{}/3/device/{device}", self.server(push.to.address.platform)))
            .bearer_auth(&token)
            .header("apns-push-type", "voip")
            .header("apns-topic", format!("{}.voip", self.config.bundle_id))
            .header("apns-priority", "10")
            .header("apns-expiration", expiration.to_string())
            .header("apns-collapse-id", push.call.call.to_string())
            .body(body.to_string());
        let answer = match http::send(request).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let reason = body["reason"].as_str().unwrap_or_default();
        match (answer.status, reason) {
            (StatusCode::GONE, _) | (_, "BadDeviceToken" | "Unregistered") => Outcome::Gone,
            (_, "ExpiredProviderToken") => {
                self.forget(&token);
                Outcome::Later(None)
            }
            (status, _) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                let reason: String = reason.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
                Outcome::Refused(format!("status {} {reason}", status.as_u16()))
            }
            _ => answer.outcome(),
        }
    }
}
