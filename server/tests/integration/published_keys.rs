//! Keys for tokens that their issuer publishes at a URL, by an issuer of our own.

use crate::support::{Client, Running, config, push_services::https, start};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chamada_server::{AuthConfig, AuthKeys, Server, ServerConfig};
use futures_util::future::join_all;
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A key that the issuer signs with.
struct Key {
    id: &'static str,
    pair: Ed25519KeyPair,
}

impl Key {
    fn new(id: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self { id, pair: Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap() }
    }

    fn jwk(&self) -> Value {
        let public = URL_SAFE_NO_PAD.encode(self.pair.public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.id, "x": public})
    }

    fn token(&self, name: &str) -> String {
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600;
        let header = encode(json!({"alg": "EdDSA", "kid": self.id}));
        let claims = encode(json!({"sub": name, "name": name, "exp": expires}));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(format!("{header}.{claims}").as_bytes()));
        format!("{header}.{claims}.{signature}")
    }
}

fn set(keys: &[&Key]) -> String {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()}).to_string()
}

/// What is published, and how often it was fetched.
#[derive(Debug, Default)]
struct Shelf {
    status: u16,
    body: String,
    /// How long an answer takes.
    delay: Duration,
    fetched: usize,
}

type Shared = Arc<Mutex<Shelf>>;

struct Issuer {
    url: String,
    authorities: PathBuf,
    shelf: Shared,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.authorities);
    }
}

async fn answer(State(shelf): State<Shared>) -> Response {
    let (status, body, delay) = {
        let mut shelf = shelf.lock().unwrap();
        shelf.fetched += 1;
        (StatusCode::from_u16(shelf.status).unwrap(), shelf.body.clone(), shelf.delay)
    };
    tokio::time::sleep(delay).await;
    (status, [("location", "https://elsewhere.example/")], body).into_response()
}

impl Issuer {
    async fn start(keys: &[&Key]) -> Self {
        let shelf = Shared::default();
        let (url, certificate) = https::serve(Router::new().fallback(answer).with_state(shelf.clone())).await;
        let mut random = [0; 8];
        SystemRandom::new().fill(&mut random).unwrap();
        let name = format!("chamada-issuer-{}.pem", URL_SAFE_NO_PAD.encode(random));
        let issuer = Self { url: format!("{url}/keys"), authorities: std::env::temp_dir().join(name), shelf };
        std::fs::write(&issuer.authorities, certificate).unwrap();
        issuer.publish(200, set(keys));
        issuer
    }

    fn publish(&self, status: u16, body: String) {
        let mut shelf = self.shelf.lock().unwrap();
        (shelf.status, shelf.body) = (status, body);
    }

    fn fetched(&self) -> usize {
        self.shelf.lock().unwrap().fetched
    }

    fn config(&self) -> ServerConfig {
        let keys = AuthKeys::JwksUrl(self.url.clone());
        let auth = AuthConfig { keys, audience: None, issuer: None };
        ServerConfig { authorities: Some(self.authorities.clone()), auth: Some(auth), ..config() }
    }
}

async fn logs_in(server: &Running, token: String) -> bool {
    let mut client: Client = server.connect().await;
    let login = json!({"type": "username", "name": "x", "id": client.id, "date": 1, "token": token});
    client.send(login).await;
    let said = client.next_of(&["userlist", "error"]).await;
    match said["type"].as_str() {
        Some("userlist") => true,
        _ => {
            assert_eq!(said["code"], "unauthorized", "{said}");
            false
        }
    }
}

#[tokio::test]
async fn a_key_that_its_issuer_has_just_begun_to_use_is_fetched_and_one_that_is_withdrawn_is_good_no_more() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let issuer = Issuer::start(&[&old]).await;
    let server = start(issuer.config()).await;
    assert!(logs_in(&server, old.token("ana")).await);
    assert_eq!(issuer.fetched(), 1);
    issuer.publish(200, set(&[&old, &new]));
    assert!(logs_in(&server, new.token("bia")).await && logs_in(&server, old.token("eva")).await);
    assert_eq!(issuer.fetched(), 2);
    issuer.publish(200, set(&[&new]));
    assert!(!logs_in(&server, Key::new("another").token("rui")).await);
    assert!(!logs_in(&server, old.token("ana")).await && logs_in(&server, new.token("bia")).await);
}

#[tokio::test]
async fn keys_stay_when_their_issuer_cannot_be_reached_or_publishes_nonsense() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let server = start(issuer.config()).await;
    let bad = [(500, set(&[&key])), (302, set(&[&key])), (200, "nonsense".into())];
    for (fetched, (status, body)) in bad.into_iter().enumerate() {
        issuer.publish(status, body);
        assert!(!logs_in(&server, Key::new("unknown").token("ana")).await);
        assert_eq!(issuer.fetched(), fetched + 2);
        assert!(logs_in(&server, key.token("ana")).await, "{status}");
    }
}

#[tokio::test]
async fn strangers_who_name_keys_that_there_are_not_do_not_make_the_server_ask_all_the_time() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let server = start(issuer.config()).await;
    let strangers = (0..40).map(async |_| logs_in(&server, Key::new("unknown").token("ana")).await);
    assert!(join_all(strangers).await.into_iter().all(|is_in| !is_in));
    // One at the start, three at once, and what a slow machine may take the time for.
    assert!((2..=5).contains(&issuer.fetched()), "{}", issuer.fetched());
    assert!(logs_in(&server, key.token("ana")).await);
}

#[tokio::test]
async fn an_issuer_that_is_slow_holds_up_nobody_whose_key_is_known_and_others_for_a_while() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let server = start(issuer.config()).await;
    issuer.shelf.lock().unwrap().delay = Duration::from_secs(30);
    let since = Instant::now();
    let unknown = async {
        assert!(!logs_in(&server, Key::new("unknown").token("eva")).await);
        since.elapsed()
    };
    let known = async {
        assert!(logs_in(&server, key.token("ana")).await);
        since.elapsed()
    };
    let (unknown, known) = tokio::join!(unknown, known);
    assert!(known < unknown && unknown < Duration::from_secs(9), "{known:?}, {unknown:?}");
}

#[tokio::test]
async fn a_server_that_gets_no_keys_at_its_start_says_why() {
    let key = Key::new("one");
    let issuer = Issuer::start(&[&key]).await;
    let said = async |config: ServerConfig| Server::bind(config).await.err().unwrap().to_string();
    let with_url = |url: &str| {
        let auth = AuthConfig { keys: AuthKeys::JwksUrl(url.into()), audience: None, issuer: None };
        ServerConfig { auth: Some(auth), ..issuer.config() }
    };
    let errors = [
        (with_url("http://id.example/keys"), "has to be https"),
        (with_url("https://"), "no URL"),
        (with_url("http://127.0.0.1:1/keys"), "cannot fetch"),
        // Its certificate is nobody's whom the system trusts.
        (ServerConfig { authorities: None, ..issuer.config() }, "cannot fetch"),
    ];
    for (config, why) in errors {
        let said = said(config).await;
        assert!(said.contains(why), "{said}");
    }
    let published = [
        (404, String::new(), "status 404"),
        (302, set(&[&key]), "status 302"),
        (200, "nonsense".into(), "no JWK Set"),
        (200, json!({"keys": []}).to_string(), "no key"),
        (200, " ".repeat(300_000), "more than 256 KiB"),
    ];
    for (status, body, why) in published {
        issuer.publish(status, body);
        let said = said(issuer.config()).await;
        assert!(said.contains(why), "{said}");
    }
}
