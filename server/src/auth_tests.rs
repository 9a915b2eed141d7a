use super::*;
use crate::config::AuthKeys;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A file of keys that goes with the test.
struct File(PathBuf);

impl File {
    fn new(content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chamada-keys-{}", uuid::Uuid::new_v4()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const OLD: &str = "an old secret of more than 32 bytes";
const NEW: &str = "a new secret of more than 32 bytes!";

fn authority(keys: AuthKeys) -> Authority {
    Authority::new(AuthConfig { keys, audience: None, issuer: None }, None, FetchMetrics::default()).unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signed(secret: &str, claims: &Value) -> String {
    crypto::install();
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn refused(authority: &Authority, token: &str) -> String {
    authority.check(Some(token)).unwrap_err().to_string()
}

#[test]
fn a_token_says_who_it_is_and_until_when() {
    let file = File::new(&format!("{NEW}\n"));
    let authority = authority(AuthKeys::Secret(file.0.clone()));
    let token = issue_token(&file.0, "1", "ana", None, Duration::from_secs(60), None, None).unwrap();
    let person = authority.check(Some(&token)).unwrap();
    assert_eq!((&*person.subject, person.name.as_str()), ("1", "ana"));
    let left = person.expires.duration_since(SystemTime::now()).unwrap();
    assert!(left > Duration::from_secs(50) && left <= Duration::from_secs(60), "{left:?}");
}

#[test]
fn tokens_that_are_none_or_not_ours_are_refused_with_a_reason() {
    let file = File::new(NEW);
    let authority = authority(AuthKeys::Secret(file.0.clone()));
    let good = json!({"sub": "1", "name": "ana", "exp": now() + 60});
    let with = |key: &str, value: Value| {
        let mut claims = good.clone();
        claims[key] = value;
        signed(NEW, &claims)
    };
    assert!(authority.check(Some(&signed(NEW, &good))).is_ok());
    assert_eq!(authority.check(None), Err(TokenError::Missing));
    assert_eq!(authority.check(Some(&with("exp", (now() - 31).into()))), Err(TokenError::Expired));
    for (token, why) in [
        ("", "no token"),
        ("a.b.c", "no token"),
        (&"x".repeat(10_000), "too long"),
        (&signed(OLD, &good), "signature"),
        (&with("exp", "soon".into()), "'exp'"),
        (&with("sub", "".into()), "'sub'"),
        (&with("sub", 7.into()), "'sub'"),
        (&with("name", Value::Null), "'name'"),
        (&with("nbf", (now() + 100).into()), "later"),
        (&with("aud", "somebody else".into()), "audience"),
    ] {
        let said = refused(&authority, token);
        assert!(said.contains(why), "{said}: {why}");
    }
    // A token does not choose how it is checked (RFC 8725 section 2.1).
    let [_, claims, _] = signed(NEW, &good).split('.').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    for header in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJSUzI1NiJ9"] {
        assert!(authority.check(Some(&format!("{header}.{claims}."))).is_err());
        assert!(authority.check(Some(&format!("{header}.{claims}.AAAA"))).is_err());
    }
}

#[test]
fn audience_and_issuer_are_asked_for_where_they_are_configured() {
    let file = File::new(NEW);
    let config = AuthConfig {
        keys: AuthKeys::Secret(file.0.clone()),
        audience: Some("calls".into()),
        issuer: Some("https://id.example".into()),
    };
    let authority = Authority::new(config, None, FetchMetrics::default()).unwrap();
    let token =
        |audience, issuer| issue_token(&file.0, "1", "ana", None, Duration::from_secs(60), audience, issuer).unwrap();
    assert!(authority.check(Some(&token(Some("calls"), Some("https://id.example")))).is_ok());
    for (audience, issuer) in
        [(None, None), (Some("calls"), None), (Some("calls"), Some("x")), (Some("x"), Some("https://id.example"))]
    {
        assert!(authority.check(Some(&token(audience, issuer))).is_err(), "{audience:?} {issuer:?}");
    }
}

#[test]
fn keys_change_while_old_tokens_are_still_about() {
    let file = File::new(OLD);
    let authority = authority(AuthKeys::Secret(file.0.clone()));
    let old = issue_token(&file.0, "1", "ana", None, Duration::from_secs(60), None, None).unwrap();
    std::fs::write(&file.0, format!("{NEW}\n{OLD}\n")).unwrap();
    authority.reload().unwrap();
    let new = issue_token(&file.0, "1", "ana", None, Duration::from_secs(60), None, None).unwrap();
    assert!(authority.check(Some(&old)).is_ok() && authority.check(Some(&new)).is_ok());
    std::fs::write(&file.0, NEW).unwrap();
    authority.reload().unwrap();
    assert!(authority.check(Some(&old)).is_err() && authority.check(Some(&new)).is_ok());
    // A file that is of no use changes nothing.
    std::fs::write(&file.0, "too short").unwrap();
    assert!(matches!(authority.reload(), Err(KeyError::ShortSecret { line: 1, .. })));
    assert!(authority.check(Some(&new)).is_ok());
}

/// Signed with Ed25519 and P-256 keys that `ring` makes here, as an issuer does.
#[test]
fn public_keys_of_a_jwk_set_check_what_their_owner_signed() {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
    };
    let random = SystemRandom::new();
    let ed = Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref()).unwrap();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let point = ec.public_key().as_ref();
    let set = json!({"keys": [
        {"kty": "oct", "k": base64(NEW.as_bytes()), "kid": "secret"},
        {"kty": "OKP", "crv": "Ed25519", "x": base64(ed.public_key().as_ref()), "kid": "ed"},
        {"kty": "EC", "crv": "P-256", "x": base64(&point[1..33]), "y": base64(&point[33..]), "kid": "ec", "use": "sig"},
    ]});
    let file = File::new(&set.to_string());
    let authority = authority(AuthKeys::Jwks(file.0.clone()));
    let message = |algorithm: &str, key: &str| {
        let header = json!({"alg": algorithm, "kid": key}).to_string();
        let claims = json!({"sub": "1", "name": "ana", "exp": now() + 60}).to_string();
        format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()))
    };
    let by_ed = |message: String| format!("{message}.{}", base64(ed.sign(message.as_bytes()).as_ref()));
    let by_ec = |message: String| {
        let signature = ec.sign(&random, message.as_bytes()).unwrap();
        format!("{message}.{}", base64(signature.as_ref()))
    };
    assert!(authority.check(Some(&by_ed(message("EdDSA", "ed")))).is_ok());
    assert!(authority.check(Some(&by_ec(message("ES256", "ec")))).is_ok());
    for wrong in [by_ed(message("ES256", "ec")), by_ec(message("EdDSA", "ed")), by_ed(message("EdDSA", "gone"))] {
        assert!(authority.check(Some(&wrong)).is_err(), "{wrong}");
    }
    // Whoever may read the set could sign with a symmetric key in it.
    let secret = jsonwebtoken::encode(
        &Header { kid: Some("secret".into()), ..Header::new(Algorithm::HS256) },
        &json!({"sub": "1", "name": "ana", "exp": now() + 60}),
        &EncodingKey::from_secret(NEW.as_bytes()),
    );
    assert!(authority.check(Some(&secret.unwrap())).is_err());
}

/// Made with `openssl`, since `ring` makes no RSA keys; it is good until 2100.
#[test]
fn an_rsa_key_of_a_jwk_set_checks_what_its_owner_signed() {
    const MODULUS: &str = "6EkYaVu4zE8fBySxLP5S9iUjYmGpo-Tbpinfi0ZXuSDxWyh4-GAESneDedR-_lryQKnZ--1n0vy4yA6i8wC9MgrcBgPxBmvrQhYx3i906vVP9beHQ1ZqcI_rDaJtAwHHrhZj_H4fBC58kd-XF9ff9srO9SurtJy-ualW3Us3UuRd4Tz5SY2jC8ptph_qIh-mhc8oldKcDY4IY2FZP9NogoC-46LsXA2HYD2d4nF4d7lx3NOzYlWR4u4TDARBKdZfj8dj8JyMmIPtjrG-qicIUF4Uk4PKMhPoYxh1kIb4A-NqjujTTEYcdAJ2Uz13Gcf8KaLDwbXFVOSByakoYzOfMQ";
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJzdWIiOiIxIiwibmFtZSI6ImFuYSIsImV4cCI6NDEwMjQ0NDgwMH0.ea-_hyaL6OePWmP1JOYkNK8DNk5EYnbecOliCeUJi3n-CBZxzIzyOCZz6Od36yi_ek3QVEgqpjecLDMY7MieFJzdR4cUdZWstTgbnpteHfLW2o8_90e2EOOt-LJtanKY9oqCTuqtuPumlsgArg8UYeMW4OgE9ThlqNEa0oltJYnbFVIf4uA9OdOq0dKVhvw2qY5LtYHKUtgWExMrw5x1CvQu4mVPUO9CkxWm1FwKEwqkFPwcWUcSpy6TVOsuSu9a0bRdBe5dIMCYKKvw1h-ksY-LLPsGW-XxiQS1nk8C-Bc76jFa-j6X6u8MboPMWZDekWGA0oHj6WJaHJBcPOyzcg";
    let set = json!({"keys": [{"kty": "RSA", "n": MODULUS, "e": "AQAB", "kid": "rsa", "alg": "RS256", "use": "sig"}]});
    let file = File::new(&set.to_string());
    let authority = authority(AuthKeys::Jwks(file.0.clone()));
    assert_eq!(authority.check(Some(TOKEN)).unwrap().name, "ana");
    assert!(refused(&authority, &TOKEN.replacen(".ea-", ".eb-", 1)).contains("signature"));
}

/// Base64 with the URL's alphabet and without padding (RFC 4648 section 5).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * index) & 63) as usize]));
        }
    }
    out
}

#[test]
fn files_that_are_no_keys_are_refused_with_their_name() {
    for (content, keys) in [
        ("", AuthKeys::Secret as fn(PathBuf) -> AuthKeys),
        ("\n\n", AuthKeys::Secret),
        ("short", AuthKeys::Secret),
        ("{}", AuthKeys::Jwks),
        ("{\"keys\": []}", AuthKeys::Jwks),
        ("{\"keys\": [{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"?\", \"y\": \"?\"}]}", AuthKeys::Jwks),
    ] {
        let file = File::new(content);
        let config = AuthConfig { keys: keys(file.0.clone()), audience: None, issuer: None };
        assert!(Authority::new(config, None, FetchMetrics::default()).is_err(), "{content}");
    }
    let missing = AuthConfig { keys: AuthKeys::Secret("/nowhere/at/all".into()), audience: None, issuer: None };
    assert!(
        Authority::new(missing, None, FetchMetrics::default()).unwrap_err().to_string().contains("/nowhere/at/all")
    );
}
