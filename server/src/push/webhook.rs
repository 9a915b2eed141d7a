//! The operator's own web service, which gets each push as a POST request signed by the scheme of Standard Webhooks
//! (<https://www.standardwebhooks.com>): HMAC-SHA256 over identifier, time and body, with a key that is written in base64.

use super::{
    config::WebhookConfig,
    error::PushError,
    http::{self, Http},
    keys::read,
    provider::{Notification, Outcome, Provider},
};
use async_trait::async_trait;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::StatusCode;
use ring::{
    digest::{SHA256, digest},
    hmac,
};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};
use url::Url;

/// What Standard Webhooks asks for at least.
const MIN_SECRET_BYTES: usize = 24;

pub(crate) struct Webhook {
    url: Url,
    key: hmac::Key,
    http: Http,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Webhook")
    }
}

impl Webhook {
    pub(crate) fn new(config: &WebhookConfig, http: Http) -> Result<Self, PushError> {
        let bad_url = || PushError::BadOption("the webhook is no http: or https: URL".into());
        let url = Url::parse(&config.url).map_err(|_| bad_url())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad_url());
        }
        let key = key(&read(&config.secret)?).ok_or_else(|| PushError::BadFile {
            file: config.secret.clone(),
            what: "the webhook's secret is base64 of at least 24 bytes on one line, as from 'openssl rand -base64 32'",
        })?;
        Ok(Self { url, key, http })
    }
}

/// The key that this secret stands for, with or without the prefix that tells secrets of webhooks from others.
fn key(secret: &str) -> Option<hmac::Key> {
    let secret = secret.trim();
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
    (bytes.len() >= MIN_SECRET_BYTES).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn signature(key: &hmac::Key, id: &str, time: u64, body: &str) -> String {
    format!("v1,{}", STANDARD.encode(hmac::sign(key, format!("{id}.{time}.{body}").as_bytes())))
}

#[async_trait]
impl Provider for Webhook {
    async fn send(&self, push: Notification<'_>) -> Outcome {
        let body = json!({
            "call": push.call.call, "from": push.call.from, "room": push.call.room, "kind": push.call.kind,
            "sent": push.call.sent, "ttl": push.ttl.as_secs(), "subject": push.subject, "name": push.to.name,
            "token": push.to.address.token, "locale": push.to.address.locale,
        });
        let body = body.to_string();
        // The same for each try of one push, so that who gets it twice recognises that; another one for each device.
        let device = push.to.address.token.as_deref().unwrap_or_default();
        let device = URL_SAFE_NO_PAD.encode(digest(&SHA256, device.as_bytes()));
        let id = format!("{}-{}-{device}", push.call.call.0.simple(), push.call.kind.name());
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let signature = signature(&self.key, &id, time, &body);
        let request = self
            .http
            .chosen
            .post(self.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", time.to_string())
            .header("webhook-signature", signature)
            .body(body);
        match http::send(request).await {
            Ok(answer) if answer.status == StatusCode::GONE => Outcome::Gone,
            Ok(answer) => answer.outcome(),
            Err(outcome) => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_libraries_of_standard_webhooks() {
        for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"] {
            let made = signature(
                &key(secret).unwrap(),
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#,
            );
            assert_eq!(made, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        }
        for secret in ["", "too short", "c2hvcnQ=", "a sentence of more than twenty-four letters"] {
            assert!(key(secret).is_none(), "{secret}");
        }
    }
}
