//! What a device registers, and what of it is refused.

use super::url_check::{UrlFault, check_url};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chamada::signaling::message::{PushKeys, PushPlatform, PushRegister};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

/// Longest identifier of an installation, in bytes.
const MAX_DEVICE_BYTES: usize = 64;
/// Longest token. Those of FCM have a few hundred bytes at present, and no bound that is written down.
const MAX_TOKEN_BYTES: usize = 2048;
/// Longest URL of a subscription.
const MAX_URL_BYTES: usize = 2048;
/// Longest language tag (RFC 5646 section 4.4.1 recommends 35 at least).
const MAX_LOCALE_BYTES: usize = 35;
/// An uncompressed point of P-256 (RFC 8291 section 3.1).
pub(crate) const PUBLIC_KEY_BYTES: usize = 65;
/// RFC 8291 section 3.2.
pub(crate) const AUTH_SECRET_BYTES: usize = 16;

/// Whose device it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct DeviceId {
    pub(crate) room: Arc<str>,
    /// The claim `sub` of the token.
    pub(crate) subject: Arc<str>,
    /// The installation.
    pub(crate) device: Arc<str>,
}

/// One device that can be reached while it is not connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) id: DeviceId,
    pub(crate) details: Details,
}

/// What is kept of a device, beside whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// The person's name in the room.
    pub(crate) name: String,
    pub(crate) address: PushRegister,
    /// Seconds since 1970: when the device has last said that it is there.
    pub(crate) refreshed: u64,
    /// What names look like that the person wants nothing from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) blocked: Vec<String>,
}

/// Why a registration is refused; the words are for the app's developer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegistrationFault {
    #[error("this server sends no pushes of that kind")]
    Platform,
    #[error("the login named no 'device', or not with 1 to 64 printable ASCII characters")]
    Device,
    #[error("the token is missing or wrong")]
    Token,
    #[error("the endpoint is missing or wrong: {0}")]
    Endpoint(UrlFault),
    #[error("the keys are missing or wrong: p256dh has 65 bytes and auth 16, in base64url")]
    Keys,
    #[error("the locale is no language tag")]
    Locale,
}

pub(crate) fn check_device(device: Option<&str>) -> Result<Arc<str>, RegistrationFault> {
    let device = device.ok_or(RegistrationFault::Device)?;
    let is_good = (1..=MAX_DEVICE_BYTES).contains(&device.len()) && device.bytes().all(|byte| byte.is_ascii_graphic());
    if is_good { Ok(device.into()) } else { Err(RegistrationFault::Device) }
}

/// Refuses what could never be sent to, and takes out what this platform has no use for.
pub(crate) fn check_address(wanted: PushRegister, allow_private: bool) -> Result<PushRegister, RegistrationFault> {
    let PushRegister { platform, token, endpoint, keys, locale } = wanted;
    if locale.as_ref().is_some_and(|locale| !is_language_tag(locale)) {
        return Err(RegistrationFault::Locale);
    }
    let bare = PushRegister { platform, token: None, endpoint: None, keys: None, locale };
    match platform {
        PushPlatform::Apns | PushPlatform::ApnsDev => {
            let is_token =
                |token: &String| (64..=200).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_hexdigit());
            let token = token.filter(is_token).ok_or(RegistrationFault::Token)?.to_ascii_lowercase();
            Ok(PushRegister { token: Some(token), ..bare })
        }
        PushPlatform::Fcm | PushPlatform::Webhook => {
            let is_token = |token: &String| {
                (1..=MAX_TOKEN_BYTES).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
            };
            Ok(PushRegister { token: Some(token.filter(is_token).ok_or(RegistrationFault::Token)?), ..bare })
        }
        PushPlatform::WebPush | PushPlatform::UnifiedPush => {
            let endpoint = endpoint.ok_or(RegistrationFault::Endpoint(UrlFault::NoUrl))?;
            if endpoint.len() > MAX_URL_BYTES {
                return Err(RegistrationFault::Endpoint(UrlFault::TooLong));
            }
            let url = Url::parse(&endpoint).map_err(|_| RegistrationFault::Endpoint(UrlFault::NoUrl))?;
            check_url(&url, allow_private).map_err(RegistrationFault::Endpoint)?;
            let keys = keys.ok_or(RegistrationFault::Keys)?;
            decode_keys(&keys).ok_or(RegistrationFault::Keys)?;
            Ok(PushRegister { endpoint: Some(url.into()), keys: Some(keys), ..bare })
        }
        PushPlatform::Unrecognised => Err(RegistrationFault::Platform),
    }
}

/// Public key and authentication secret of a subscription.
pub(crate) fn decode_keys(keys: &PushKeys) -> Option<(Vec<u8>, Vec<u8>)> {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    // Longer texts than that are not worth the decoding.
    if keys.p256dh.len() > 100 || keys.auth.len() > 100 {
        return None;
    }
    let (public, auth) = (decode(&keys.p256dh)?, decode(&keys.auth)?);
    let is_good = public.len() == PUBLIC_KEY_BYTES && public.first() == Some(&4) && auth.len() == AUTH_SECRET_BYTES;
    is_good.then_some((public, auth))
}

fn is_language_tag(text: &str) -> bool {
    let is_subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= MAX_LOCALE_BYTES && text.split('-').all(is_subtag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(wanted: Value) -> Result<PushRegister, RegistrationFault> {
        check_address(serde_json::from_value(wanted).unwrap(), false)
    }

    fn subscription(endpoint: &str) -> Value {
        let mut point = [7; PUBLIC_KEY_BYTES];
        point[0] = 4;
        let keys = json!({"p256dh": URL_SAFE_NO_PAD.encode(point), "auth": URL_SAFE_NO_PAD.encode([1; 16])});
        json!({"platform": "webpush", "endpoint": endpoint, "keys": keys, "locale": "pt-BR"})
    }

    #[test]
    fn what_apple_google_and_browsers_give_out_is_taken() {
        let apple = check(json!({"platform": "apns", "token": "AB".repeat(32)})).unwrap();
        assert_eq!(apple.token.unwrap(), "ab".repeat(32));
        assert!(check(json!({"platform": "fcm", "token": "c0fJ:APA91b-_x"})).is_ok());
        let web = check(subscription("https://push.example/send/abc")).unwrap();
        assert_eq!(
            (web.endpoint.as_deref(), web.locale.as_deref()),
            (Some("https://push.example/send/abc"), Some("pt-BR"))
        );
        assert!(check(json!({"platform": "webhook", "token": "5511999999999"})).is_ok());
    }

    #[test]
    fn what_can_never_be_sent_to_is_refused() {
        use RegistrationFault::{Endpoint, Keys, Locale, Platform, Token};
        assert_eq!(check(json!({"platform": "pigeon", "token": "x"})), Err(Platform));
        for token in [json!(null), json!(""), json!("xyz"), json!("ab/../..".repeat(8)), json!("a".repeat(201))] {
            assert_eq!(check(json!({"platform": "apns-dev", "token": token})), Err(Token));
        }
        assert_eq!(check(json!({"platform": "fcm", "token": "a\nb"})), Err(Token));
        assert_eq!(check(json!({"platform": "fcm", "token": "a".repeat(2049)})), Err(Token));
        assert_eq!(check(json!({"platform": "fcm", "token": "a", "locale": "de_DE"})), Err(Locale));
        assert!(matches!(check(json!({"platform": "webpush"})), Err(Endpoint(UrlFault::NoUrl))));
        let mut wrong_keys = subscription("https://push.example/");
        wrong_keys["keys"]["auth"] = json!("AAAA");
        assert_eq!(check(wrong_keys), Err(Keys));
        let long = format!("https://push.example/{}", "a".repeat(2048));
        assert_eq!(check(subscription(&long)), Err(Endpoint(UrlFault::TooLong)));
    }

    #[test]
    fn an_installation_has_a_short_name_that_can_be_printed() {
        assert!(check_device(Some("3f1c")).is_ok());
        for bad in [None, Some(""), Some("a b"), Some("ä"), Some(&*"x".repeat(65))] {
            assert_eq!(check_device(bad), Err(RegistrationFault::Device));
        }
    }
}
