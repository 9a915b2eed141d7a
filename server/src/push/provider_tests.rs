//! What goes out to each push service, by services of our own.

use super::*;
use chamada::signaling::message::{CallId, PushKeys, PushedKind};
use ring::hmac;
use serde_json::{Value, json};
use std::sync::mpsc::channel;
use tokio::time;

#[path = "../../tests/integration/support/push_services.rs"]
mod push_services;

use push_services::{PushServices, Subscription, WEBHOOK_SECRET};

fn config(services: &PushServices) -> PushConfig {
    let server = Some(services.url.clone());
    PushConfig {
        data: services.folder.join("data"),
        contact: Some("mailto:operator@call.example".into()),
        apns: Some(ApnsConfig {
            key: services.apple_key(),
            key_id: "ABC123DEFG".into(),
            team_id: "TEAM123456".into(),
            bundle_id: "org.example.app".into(),
            server: server.clone(),
        }),
        fcm: Some(FcmConfig { account: services.google_account(), server }),
        webhook: Some(WebhookConfig { url: format!("{}/hook", services.url), secret: services.webhook_secret() }),
        allow_private: true,
        ring_time: Duration::from_secs(45),
    }
}

async fn open(services: &PushServices) -> Push {
    Push::open(&config(services), Some(&services.authorities()), PushMetrics::default(), None).await.unwrap()
}

fn id() -> DeviceId {
    DeviceId { room: "lobby".into(), subject: "subject 1".into(), device: "a".into() }
}

/// Registers and waits until that is safe.
async fn register(push: &Push, wanted: Value) {
    let (told, registered) = channel();
    push.register(id(), "ana", serde_json::from_value(wanted).unwrap(), move |result| told.send(result).unwrap())
        .unwrap();
    tokio::task::spawn_blocking(move || registered.recv().unwrap()).await.unwrap().unwrap();
}

fn call() -> PushedCall {
    PushedCall {
        kind: PushedKind::Ring,
        call: CallId::random(),
        from: "bia".into(),
        room: "lobby".into(),
        sent: 1_700_000_000_000,
    }
}

fn ring(push: &Push, call: &PushedCall) -> PushedRing {
    let callee = Callee { room: "lobby".into(), subject: "subject 1".into() };
    push.ring(&callee, call, Instant::now() + push.ring_time(), |_| true)
}

#[tokio::test]
async fn apple_gets_a_voip_push_over_http2_signed_with_the_key_of_the_team() {
    let mut services = PushServices::start().await;
    let push = open(&services).await;
    register(&push, json!({"platform": "apns", "token": "ab".repeat(32)})).await;
    let call = call();
    let ring = ring(&push, &call);
    let pushed = services.next().await;
    assert!(pushed.http2);
    assert_eq!(pushed.path, format!("/3/device/{}", "ab".repeat(32)));
    assert_eq!((pushed.header("apns-push-type"), pushed.header("apns-topic")), ("voip", "org.example.app.voip"));
    assert_eq!((pushed.header("apns-priority"), pushed.header("apns-collapse-id")), ("10", &*call.call.to_string()));
    let expires = pushed.header("apns-expiration").parse::<u64>().unwrap().saturating_sub(seconds_now());
    assert!((30..=45).contains(&expires), "{expires}");
    assert_eq!(pushed.claims()["iss"], "TEAM123456");
    let mut expected = json!(call);
    expected["aps"] = json!({});
    assert_eq!(pushed.json(), expected);
    ring.stop(Vec::new());
    assert_eq!(services.next().await.json()["kind"], "cancel");
}

#[tokio::test]
async fn google_gets_a_message_of_data_with_an_access_token() {
    let mut services = PushServices::start().await;
    let push = open(&services).await;
    register(&push, json!({"platform": "fcm", "token": "a-token"})).await;
    let call = call();
    let _ring = ring(&push, &call);
    let pushed = services.next().await;
    assert_eq!(
        (&*pushed.path, pushed.header("authorization")),
        ("/v1/projects/an-app/messages:send", "Bearer an access token")
    );
    let message = &pushed.json()["message"];
    assert_eq!((&message["token"], &message["android"]["priority"]), (&json!("a-token"), &json!("HIGH")));
    let data = json!({"kind": "ring", "call": call.call, "from": "bia", "room": "lobby", "sent": "1700000000000"});
    assert_eq!(message["data"], data);
}

#[tokio::test]
async fn a_browser_can_read_what_it_is_sent_and_the_push_service_cannot() {
    let mut services = PushServices::start().await;
    let push = open(&services).await;
    let subscription = Subscription::new();
    let endpoint = format!("{}/subscription/7", services.url);
    register(&push, json!({"platform": "webpush", "endpoint": endpoint, "keys": subscription.keys()})).await;
    let call = call();
    let _ring = ring(&push, &call);
    let pushed = services.next().await;
    assert_eq!(pushed.path, "/subscription/7");
    assert_eq!((pushed.header("urgency"), pushed.header("content-encoding")), ("high", "aes128gcm"));
    assert_eq!(pushed.header("topic"), call.call.0.simple().to_string());
    assert!((30..=45).contains(&pushed.header("ttl").parse::<u64>().unwrap()));
    let claims = pushed.claims();
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(services.url), &json!("mailto:operator@call.example")));
    let key = push.info().application_server_key.unwrap();
    assert!(pushed.header("authorization").ends_with(&format!("k={key}")));
    assert_eq!(subscription.decrypt(&pushed.body), json!(call));
}

#[tokio::test]
async fn a_webhook_gets_what_it_needs_with_a_signature_that_it_can_check() {
    let mut services = PushServices::start().await;
    let push = open(&services).await;
    register(&push, json!({"platform": "webhook", "token": "+55 11".replace(' ', ""), "locale": "pt-BR"})).await;
    let _ring = ring(&push, &call());
    let pushed = services.next().await;
    let body = pushed.json();
    assert_eq!(
        (&body["subject"], &body["token"], &body["locale"]),
        (&json!("subject 1"), &json!("+5511"), &json!("pt-BR"))
    );
    let signed = format!(
        "{}.{}.{}",
        pushed.header("webhook-id"),
        pushed.header("webhook-timestamp"),
        std::str::from_utf8(&pushed.body).unwrap()
    );
    use base64::{Engine, engine::general_purpose::STANDARD};
    let signature = STANDARD.decode(pushed.header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(WEBHOOK_SECRET).unwrap());
    hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn what_a_service_says_is_gone_is_forgotten() {
    let mut services = PushServices::start().await;
    let push = open(&services).await;
    let subscription = json!({
        "platform": "unifiedpush", "endpoint": format!("{}/up", services.url), "keys": Subscription::new().keys(),
    });
    let cases = [
        (json!({"platform": "apns", "token": "cd".repeat(32)}), 410, json!({"reason": "Unregistered"})),
        (json!({"platform": "apns-dev", "token": "ef".repeat(32)}), 400, json!({"reason": "BadDeviceToken"})),
        (json!({"platform": "fcm", "token": "x"}), 404, json!({"error": {"details": [{"errorCode": "UNREGISTERED"}]}})),
        (subscription, 410, json!({})),
        (json!({"platform": "webhook", "token": "x"}), 410, json!({})),
    ];
    for (wanted, status, body) in cases {
        register(&push, wanted).await;
        services.reply(status, None, body);
        let ring = ring(&push, &call());
        services.next().await;
        let is_gone = async {
            while push.subject("lobby", "ana").is_some() {
                time::sleep(Duration::from_millis(5)).await;
            }
        };
        time::timeout(Duration::from_secs(10), is_gone).await.unwrap();
        drop(ring);
    }
    assert!(services.is_quiet());
}

#[tokio::test]
async fn an_operators_mistake_or_a_busy_service_costs_no_registration() {
    let mut services = PushServices::start().await;
    let push = open(&services).await;
    register(&push, json!({"platform": "fcm", "token": "x"})).await;
    let sender = json!({"error": {"details": [{"errorCode": "SENDER_ID_MISMATCH"}]}});
    for (status, body) in [(404, json!({})), (403, sender)] {
        services.reply(status, None, body);
        let ring = ring(&push, &call());
        services.next().await;
        drop(ring);
        time::timeout(Duration::from_secs(10), push.idle()).await.unwrap();
        assert!(push.subject("lobby", "ana").is_some(), "{status}");
    }
    services.reply(503, None, json!({}));
    let ring = ring(&push, &call());
    for _ in 0..2 {
        assert_eq!(services.next().await.json()["message"]["data"]["kind"], "ring");
    }
    drop(ring);
    assert_eq!(services.next().await.json()["message"]["data"]["kind"], "cancel");
}

#[tokio::test]
async fn many_pushes_ask_for_one_access_token_and_do_not_each_ask_anew_when_none_is_given() {
    let mut services = PushServices::start().await;
    let push = open(&services).await;
    for device in 0..8 {
        let (told, registered) = channel();
        let wanted = serde_json::from_value(json!({"platform": "fcm", "token": device.to_string()})).unwrap();
        let id = DeviceId { device: device.to_string().into(), ..id() };
        push.register(id, "ana", wanted, move |result| told.send(result).unwrap()).unwrap();
        tokio::task::spawn_blocking(move || registered.recv().unwrap()).await.unwrap().unwrap();
    }
    services.tokens.lock().unwrap().status = 503;
    let _ring = ring(&push, &call());
    let is_refused = async {
        while services.tokens.lock().unwrap().asked == 0 {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(Duration::from_secs(10), is_refused).await.unwrap();
    services.tokens.lock().unwrap().status = 200;
    for _ in 0..8 {
        services.next().await;
    }
    assert_eq!(services.tokens.lock().unwrap().asked, 2);
}

#[tokio::test]
async fn registrations_and_the_key_for_browsers_outlive_the_server() {
    let services = PushServices::start().await;
    let push = open(&services).await;
    register(&push, json!({"platform": "fcm", "token": "x"})).await;
    push.rename("lobby", "subject 1", "ana 2");
    let key = push.info().application_server_key.unwrap();
    push.close();
    let again = open(&services).await;
    assert_eq!(again.info().application_server_key.unwrap(), key);
    assert_eq!(again.name("lobby", "subject 1").as_deref(), Some("ana 2"));
    assert_eq!(again.people(), [("lobby".into(), "subject 1".into(), "ana 2".to_owned())]);
}

#[tokio::test]
async fn wrong_keys_and_options_are_named() {
    let services = PushServices::start().await;
    let good = config(&services);
    let junk = services.folder.join("junk");
    std::fs::write(&junk, "{}").unwrap();
    let said = |config: PushConfig| Push::check(&config, None).unwrap_err().to_string();
    let apns = ApnsConfig { key: junk.clone(), ..good.apns.clone().unwrap() };
    assert!(said(PushConfig { apns: Some(apns), ..good.clone() }).contains("P-256"));
    let fcm = FcmConfig { account: junk.clone(), server: None };
    assert!(said(PushConfig { fcm: Some(fcm), ..good.clone() }).contains("service account"));
    let webhook = WebhookConfig { url: "https://hook.example".into(), secret: junk.clone() };
    assert!(said(PushConfig { webhook: Some(webhook), ..good.clone() }).contains("24 bytes"));
    assert!(said(PushConfig { contact: Some("operator".into()), ..good.clone() }).contains("mailto:"));
    let with = |authorities: &Path| Push::check(&good, Some(authorities)).unwrap_err().to_string();
    assert!(with(&junk).contains("certificate") && with(Path::new("/nowhere")).contains("/nowhere"));
    assert!(said(PushConfig { data: good.data.clone(), ..PushConfig::default() }).contains("push service"));
    Push::check(&good, None).unwrap();
    assert!(!good.data.exists());
}

#[tokio::test]
async fn what_a_device_registers_is_not_sent_to_private_addresses() {
    let services = PushServices::start().await;
    let strict = PushConfig { allow_private: false, ..config(&services) };
    let push = Push::open(&strict, None, PushMetrics::default(), None).await.unwrap();
    let keys = Subscription::new().keys();
    let wanted = |endpoint: &str| PushRegister {
        platform: PushPlatform::WebPush,
        token: None,
        endpoint: Some(endpoint.into()),
        keys: serde_json::from_value::<PushKeys>(keys.clone()).ok(),
        locale: None,
    };
    for endpoint in [&services.url, "https://127.0.0.1/x", "http://push.example/x"] {
        let refused = push.register(id(), "ana", wanted(endpoint), |_| {});
        assert!(matches!(refused, Err(RegisterError::Fault(RegistrationFault::Endpoint(_)))), "{endpoint}");
    }
}

#[tokio::test]
async fn what_was_registered_while_the_operator_allowed_private_addresses_gets_nothing_afterwards() {
    let mut services = PushServices::start().await;
    let push = open(&services).await;
    // By its address alone no resolver is asked.
    let endpoint = services.url.replace("localhost", "127.0.0.1");
    register(&push, json!({"platform": "webpush", "endpoint": endpoint, "keys": Subscription::new().keys()})).await;
    push.close();
    let strict = PushConfig { allow_private: false, ..config(&services) };
    let strict = Push::open(&strict, Some(&services.authorities()), PushMetrics::default(), None).await.unwrap();
    assert!(strict.subject("lobby", "ana").is_some());
    let _ring = ring(&strict, &call());
    let is_refused = async {
        while !metrics_of(&strict).contains("outcome=\"refused\"") {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(Duration::from_secs(10), is_refused).await.unwrap();
    assert!(services.is_quiet());
}

fn metrics_of(push: &Push) -> String {
    let mut registry = prometheus_client::registry::Registry::default();
    push.registrations.metrics.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text
}
