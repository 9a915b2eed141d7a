//! Push services of our own, over TLS and HTTP/2, for tests: they note what they are sent and answer as they are told.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used)] // The unit tests of the providers use a part of it.

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Version},
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::mpsc, time::timeout};

#[path = "https.rs"]
pub mod https;

/// Bounds a wait that fails the test.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came.
#[derive(Debug)]
pub struct Pushed {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub http2: bool,
}

impl Pushed {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The claims of the JWT in the `authorization` header.
    pub fn claims(&self) -> Value {
        let header = self.header("authorization");
        let token = header.trim_start_matches("bearer ").trim_start_matches("Bearer ").trim_start_matches("vapid t=");
        let claims = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    }
}

/// Status, `retry-after` and body of the answers to come.
type Replies = Arc<Mutex<VecDeque<(u16, Option<u64>, String)>>>;

#[derive(Clone)]
struct Shared {
    came: mpsc::UnboundedSender<Pushed>,
    replies: Replies,
    tokens: Arc<Mutex<Tokens>>,
}

/// Requests for access tokens.
#[derive(Debug, Clone, Copy)]
pub struct Tokens {
    pub asked: usize,
    /// What they are answered with.
    pub status: u16,
}

/// A server at `https://localhost:PORT` that stands for any push service.
pub struct PushServices {
    pub url: String,
    /// Its own certificate, and what else the configuration names.
    pub folder: PathBuf,
    pub tokens: Arc<Mutex<Tokens>>,
    came: mpsc::UnboundedReceiver<Pushed>,
    replies: Replies,
}

impl Drop for PushServices {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl PushServices {
    pub async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("chamada-push-{}", random_name()));
        std::fs::create_dir_all(&folder).unwrap();
        let (sender, came) = mpsc::unbounded_channel();
        let replies = Replies::default();
        let tokens = Arc::new(Mutex::new(Tokens { asked: 0, status: 200 }));
        let shared = Shared { came: sender, replies: replies.clone(), tokens: tokens.clone() };
        let service = Router::new().fallback(answer).with_state(shared);
        let (url, certificate) = https::serve(service).await;
        std::fs::write(folder.join("authority.pem"), certificate).unwrap();
        Self { url, folder, tokens, came, replies }
    }

    /// The next request that gets no other answer, gets this one; without any, all is well.
    pub fn reply(&self, status: u16, retry_after: Option<u64>, body: Value) {
        self.replies.lock().unwrap().push_back((status, retry_after, body.to_string()));
    }

    /// The next push; requests for access tokens are not told.
    pub async fn next(&mut self) -> Pushed {
        timeout(PATIENCE, self.came.recv()).await.expect("no push came").unwrap()
    }

    /// Whether nothing has come that was not looked at.
    pub fn is_quiet(&mut self) -> bool {
        self.came.try_recv().is_err()
    }

    pub fn authorities(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// A private key as Apple gives it out.
    pub fn apple_key(&self) -> PathBuf {
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let text = STANDARD.encode(der.as_ref());
        let file = self.folder.join("apple.p8");
        std::fs::write(&file, format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")).unwrap();
        file
    }

    /// The key of a service account as Google gives it out; its tokens come from here.
    pub fn google_account(&self) -> PathBuf {
        let file = self.folder.join("account.json");
        let account = json!({
            "type": "service_account", "project_id": "an-app", "client_email": "push@an-app.example",
            "private_key": include_str!("rsa_key_for_tests.pem"), "token_uri": format!("{}/token", self.url),
        });
        std::fs::write(&file, account.to_string()).unwrap();
        file
    }

    pub fn webhook_secret(&self) -> PathBuf {
        let file = self.folder.join("webhook-secret");
        std::fs::write(&file, WEBHOOK_SECRET).unwrap();
        file
    }
}

/// Base64 of 32 bytes.
pub const WEBHOOK_SECRET: &str = "c2VjcmV0IG9mIGEgd2ViaG9vaywgMzIgYnl0ZXMgbG8=";

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap();
    if parts.uri.path() == "/token" {
        let body = json!({"access_token": "an access token", "expires_in": 3599, "token_type": "Bearer"});
        let mut tokens = shared.tokens.lock().unwrap();
        tokens.asked += 1;
        return (StatusCode::from_u16(tokens.status).unwrap(), body.to_string()).into_response();
    }
    let http2 = parts.version == Version::HTTP_2;
    let _ = shared.came.send(Pushed { path: parts.uri.path().into(), headers: parts.headers, body, http2 });
    let (status, retry_after, body) = shared.replies.lock().unwrap().pop_front().unwrap_or((200, None, "{}".into()));
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", seconds.into());
    }
    response
}

fn random_name() -> String {
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).unwrap();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A browser's subscription, which can read one push.
pub struct Subscription {
    private: EphemeralPrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Subscription {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let private = EphemeralPrivateKey::generate(&ECDH_P256, &random).unwrap();
        let public = private.compute_public_key().unwrap().as_ref().to_vec();
        let mut auth = [0; 16];
        random.fill(&mut auth).unwrap();
        Self { private, public, auth }
    }

    /// As `PushSubscription.toJSON` gives them.
    pub fn keys(&self) -> Value {
        json!({"p256dh": URL_SAFE_NO_PAD.encode(&self.public), "auth": URL_SAFE_NO_PAD.encode(self.auth)})
    }

    /// Reads a body by RFC 8291, written anew from there.
    pub fn decrypt(self, body: &[u8]) -> Value {
        let (salt, rest) = body.split_at(16);
        let (record_size, rest) = rest.split_at(4);
        assert!(u32::from_be_bytes(record_size.try_into().unwrap()) as usize >= body.len() - 86);
        let (length, rest) = rest.split_first().unwrap();
        let (sender, record) = rest.split_at(usize::from(*length));
        let (auth, receiver) = (self.auth, self.public);
        let input = agree_ephemeral(self.private, &UnparsedPublicKey::new(&ECDH_P256, sender), |shared| {
            expand::<32>(&auth, shared, &[b"WebPush: info\0".as_slice(), &receiver, sender].concat())
        })
        .unwrap();
        let key = expand::<16>(salt, &input, b"Content-Encoding: aes128gcm\0");
        let nonce = expand::<12>(salt, &input, b"Content-Encoding: nonce\0");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let mut record = record.to_vec();
        let text = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record).unwrap();
        let (last, text) = text.split_last().unwrap();
        assert_eq!(*last, 2);
        serde_json::from_slice(text).unwrap()
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(salt: &[u8], secret: &[u8], info: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let info = [info];
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(&info, Length(N)).unwrap().fill(&mut out).unwrap();
    out
}
