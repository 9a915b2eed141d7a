//! Firebase Cloud Messaging, HTTP v1: messages of data alone, so that the app itself rings.

use super::{
    config::FcmConfig,
    error::PushError,
    http::{self, Http},
    keys::{SigningKey, read},
    provider::{Notification, Outcome, Provider},
};
use async_trait::async_trait;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;
use url::Url;

const SERVER: &str = "https://fcm.googleapis.com";
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// For how long an access token is asked for, the most that there is.
const TOKEN_LIFE: Duration = Duration::from_secs(3600);
/// For how long no token is asked for after none was given.
const REFUSED_FOR: Duration = Duration::from_millis(500);
/// A token that ends so soon is renewed before it is used.
const TOKEN_MARGIN: Duration = Duration::from_secs(60);

/// What we need of the file that Google gives out for a service account.
#[derive(Deserialize)]
struct Account {
    project_id: String,
    client_email: String,
    private_key: String,
    token_uri: String,
}

/// An access token (OAuth 2.0), if there is one.
#[derive(Debug, Default)]
struct Access {
    /// Until when, and which.
    token: Option<(Instant, String)>,
    /// What was said instead of one, and until when that holds: pushes that waited meanwhile do not each ask anew.
    refused: Option<(Instant, Outcome)>,
}

#[derive(Debug)]
pub(crate) struct Fcm {
    messages: String,
    token_uri: String,
    email: String,
    key: SigningKey,
    /// Held over the request for a token, so that many pushes ask once.
    access: Mutex<Access>,
    http: Http,
}

impl Fcm {
    pub(crate) fn new(config: &FcmConfig, http: Http) -> Result<Self, PushError> {
        let bad = |what| PushError::BadFile { file: config.account.clone(), what };
        let account: Account = serde_json::from_str(&read(&config.account)?)
            .map_err(|_| bad("the JSON key of a service account is expected"))?;
        let is_id =
            account.project_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'.'));
        if !is_id || !Url::parse(&account.token_uri).is_ok_and(|url| url.scheme() == "https") {
            return Err(bad("its 'project_id' or 'token_uri' is wrong"));
        }
        let key = SigningKey::rs256(&account.private_key).ok_or_else(|| bad("its 'private_key' is no RSA key"))?;
        let server = config.server.as_deref().unwrap_or(SERVER);
        Ok(Self {
            messages: format!("{server}/v1/projects/{}/messages:send", account.project_id),
            token_uri: account.token_uri,
            email: account.client_email,
            key,
            access: Mutex::default(),
            http,
        })
    }

    /// An access token: the one that there is, or another one.
    async fn token(&self) -> Result<String, Outcome> {
        let mut access = self.access.lock().await;
        if let Some((ends, token)) = &access.token
            && *ends > Instant::now() + TOKEN_MARGIN
        {
            return Ok(token.clone());
        }
        if let Some((until, refused)) = &access.refused
            && *until > Instant::now()
        {
            return Err(refused.clone());
        }
        match self.new_token().await {
            Ok((life, token)) => {
                access.token = Some((Instant::now() + life, token.clone()));
                Ok(token)
            }
            Err(outcome) => {
                access.refused = Some((Instant::now() + REFUSED_FOR, outcome.clone()));
                Err(outcome)
            }
        }
    }

    /// Asks for an access token by a signed assertion (RFC 7523 section 2.1). Gives for how long it is good, and the token.
    async fn new_token(&self) -> Result<(Duration, String), Outcome> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = json!({
            "iss": self.email, "scope": SCOPE, "aud": self.token_uri, "iat": now, "exp": now + TOKEN_LIFE.as_secs(),
        });
        let refused = || Outcome::Refused("no access token".into());
        let assertion = self.key.sign(None, &claims).ok_or_else(refused)?;
        // A JWT has no character that a form would encode.
        let form = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let content = "application/x-www-form-urlencoded";
        let request = self.http.chosen.post(&self.token_uri).header("content-type", content).body(form);
        // No push has been sent yet.
        let answer = http::send(request).await.map_err(|_| Outcome::Later(None))?;
        if !answer.status.is_success() {
            return Err(match answer.outcome() {
                Outcome::Later(after) => Outcome::Later(after),
                _ => Outcome::Refused(format!("no access token, status {}", answer.status.as_u16())),
            });
        }
        let body: Value = serde_json::from_str(&answer.body).map_err(|_| refused())?;
        let token = body["access_token"].as_str().ok_or_else(refused)?.to_owned();
        let life = Duration::from_secs(body["expires_in"].as_u64().unwrap_or(0)).min(TOKEN_LIFE);
        Ok((life, token))
    }

    /// This token is good no more.
    async fn forget(&self, token: &str) {
        let mut access = self.access.lock().await;
        access.token.take_if(|(_, held)| held == token);
    }
}

#[async_trait]
impl Provider for Fcm {
    async fn send(&self, push: Notification<'_>) -> Outcome {
        let access = match self.token().await {
            Ok(access) => access,
            Err(outcome) => return outcome,
        };
        // Values of `data` are texts.
        let call = push.call;
        let message = json!({"message": {
            "token": push.to.address.token,
            "data": {
                "kind": call.kind, "call": call.call, "from": call.from, "room": call.room, "sent": call.sent.to_string(),
            },
            "android": {"priority": "HIGH", "ttl": format!("{}s", push.ttl.as_secs())},
        }});
        let request = self.http.chosen.post(&self.messages).bearer_auth(&access);
        let request = request.header("content-type", "application/json").body(message.to_string());
        let answer = match http::send(request).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let details = body["error"]["details"].as_array().into_iter().flatten();
        let code = details.filter_map(|detail| detail["errorCode"].as_str()).next().unwrap_or_default();
        match (answer.status, code) {
            // Without that word, a 404 is of a project that does not exist: an operator's mistake must not cost registrations.
            (_, "UNREGISTERED") => Outcome::Gone,
            (StatusCode::UNAUTHORIZED, _) => {
                self.forget(&access).await;
                Outcome::Later(None)
            }
            _ => answer.outcome(),
        }
    }
}
