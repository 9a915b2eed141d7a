//! One service of one node or of several: what people see and do is the same.

use crate::support::{
    Client, Running,
    calls::{CALL, answer, hears, offer, sdp},
    config,
    nats::NatsServer,
    start,
};
use chamada_server::{AuthConfig, AuthKeys, ClusterConfig, Server, ServerConfig, ServerError, issue_token};
use serde_json::json;
use std::{path::PathBuf, time::Duration};

/// Where each story runs: `here` and `there` are the same node, or two.
struct Service {
    nodes: Vec<Running>,
    nats: Option<NatsServer>,
}

impl Service {
    async fn alone(config: ServerConfig) -> Self {
        Self { nodes: vec![start(config).await], nats: None }
    }

    async fn cluster(config: ServerConfig) -> Option<Self> {
        let nats = NatsServer::start().await?;
        let config = ServerConfig { cluster: Some(ClusterConfig { servers: vec![nats.url()], replicas: 1 }), ..config };
        let nodes = vec![start(config.clone()).await, start(config).await];
        Some(Self { nodes, nats: Some(nats) })
    }

    fn here(&self) -> &Running {
        self.nodes.first().unwrap()
    }

    fn there(&self) -> &Running {
        self.nodes.last().unwrap()
    }
}

/// The same story on a server that is alone, and on two nodes.
macro_rules! on_both_routers {
    ($($story:ident($config:expr);)*) => {
        mod alone {
            $(#[tokio::test]
            async fn $story() {
                super::$story(super::Service::alone($config).await).await;
            })*
        }
        mod cluster {
            $(#[tokio::test]
            async fn $story() {
                if let Some(service) = super::Service::cluster($config).await {
                    super::$story(service).await;
                }
            })*
        }
    };
}

on_both_routers! {
    people_see_each_other_and_hear_what_is_said_in_their_room(super::config());
    a_name_is_given_once(super::config());
    a_call_is_set_up_and_ended(super::config());
    a_hang_up_without_a_target_goes_to_the_peer(super::config());
    who_is_blocked_reaches_nobody(super::config());
    who_calls_too_often_is_refused(super::config());
    the_first_device_that_answers_has_the_call(super::with_tokens());
    a_lost_client_comes_back_with_its_name_its_call_and_what_waits(super::config());
    what_is_sent_arrives_once_and_in_order(super::config());
}

fn secret() -> PathBuf {
    let secret = std::env::temp_dir().join(format!("chamada-cluster-{}", std::process::id()));
    std::fs::write(&secret, "0123456789abcdef0123456789abcdef").unwrap();
    secret
}

fn with_tokens() -> ServerConfig {
    let auth = Some(AuthConfig { keys: AuthKeys::Secret(secret()), audience: None, issuer: None });
    ServerConfig { auth, ..config() }
}

/// Both are there, and know of each other.
async fn two(service: &Service) -> (Client, Client) {
    let (mut ana, mut bia) = (service.here().log_in("ana").await, service.there().log_in("bia").await);
    ana.sees(&["ana", "bia"]).await;
    if service.nodes.len() > 1 {
        // Its own list may have been told before it was known there who is here.
        bia.send(json!({"type": "userlist-request"})).await;
        bia.sees(&["ana", "bia"]).await;
    }
    (ana, bia)
}

async fn in_call(service: &Service) -> (Client, Client) {
    let (mut ana, mut bia) = two(service).await;
    ana.send(offer("bia")).await;
    hears(&mut bia, "video-offer", "ana").await;
    bia.send(answer("ana")).await;
    hears(&mut ana, "video-answer", "bia").await;
    (ana, bia)
}

async fn people_see_each_other_and_hear_what_is_said_in_their_room(service: Service) {
    let (mut ana, mut bia) = two(&service).await;
    let mut other = service.there().log_in_at("/room/other", "ana").await;
    bia.send(json!({"type": "message", "text": "hello", "id": bia.id, "date": 1})).await;
    assert_eq!(hears(&mut ana, "message", "bia").await["text"], "hello");
    hears(&mut bia, "message", "bia").await;
    other.heard_nothing().await;
    bia.send(json!({"type": "username", "name": "zoë", "id": bia.id})).await;
    ana.sees(&["ana", "zoë"]).await;
    bia.close(1000).await;
    ana.sees(&["ana"]).await;
}

async fn a_name_is_given_once(service: Service) {
    let mut tasks = Vec::new();
    let mut clients = Vec::new();
    for n in 0..8 {
        let node = if n % 2 == 0 { service.here() } else { service.there() };
        clients.push(node.connect().await);
    }
    for mut client in clients {
        tasks.push(tokio::spawn(async move {
            client.log_in("everyone", None).await;
            client
        }));
    }
    let mut names = Vec::new();
    let mut kept = Vec::new();
    for task in tasks {
        let client = task.await.unwrap();
        names.push(client.name.clone());
        kept.push(client);
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 8, "{names:?}");
    assert!(names.contains(&"everyone".to_owned()));
}

async fn a_call_is_set_up_and_ended(service: Service) {
    let (mut ana, mut bia) = two(&service).await;
    let mut eva = service.there().log_in("eva").await;
    ana.send(offer("bia")).await;
    hears(&mut bia, "video-offer", "ana").await;
    bia.send(json!({"type": "call-ringing", "target": "ana", "call": CALL})).await;
    hears(&mut ana, "call-ringing", "bia").await;
    for n in 0..20 {
        let candidate = json!({"candidate": format!("candidate:{n}"), "sdpMid": "0", "sdpMLineIndex": 0});
        ana.send(json!({"type": "new-ice-candidate", "target": "bia", "candidate": candidate, "call": CALL})).await;
    }
    for n in 0..20 {
        assert_eq!(
            hears(&mut bia, "new-ice-candidate", "ana").await["candidate"]["candidate"],
            format!("candidate:{n}")
        );
    }
    bia.send(answer("ana")).await;
    hears(&mut ana, "video-answer", "bia").await;
    // A stranger ends nothing.
    eva.send(json!({"type": "hang-up", "target": "ana", "call": CALL})).await;
    eva.heard_nothing().await;
    ana.send(json!({"type": "hang-up", "target": "bia", "call": CALL, "reason": "ended"})).await;
    assert_eq!(hears(&mut bia, "hang-up", "ana").await["reason"], "ended");
    while ana.heard().await["name"] != "eva" {}
    ana.refused(offer("nobody"), "no-such-user").await;
}

async fn a_hang_up_without_a_target_goes_to_the_peer(service: Service) {
    let (mut ana, mut bia) = two(&service).await;
    ana.send(json!({"type": "video-offer", "target": "bia", "sdp": sdp("offer")})).await;
    hears(&mut bia, "video-offer", "ana").await;
    bia.send(json!({"type": "video-answer", "target": "ana", "sdp": sdp("answer")})).await;
    hears(&mut ana, "video-answer", "bia").await;
    bia.send(json!({"type": "hang-up", "target": null})).await;
    assert_eq!(hears(&mut ana, "hang-up", "bia").await["target"], "ana");
}

async fn who_is_blocked_reaches_nobody(service: Service) {
    let (mut ana, mut bia) = two(&service).await;
    bia.send(json!({"type": "block", "name": "ana"})).await;
    bia.heard_nothing().await;
    assert_eq!(hears(&mut ana, "message", "bia").await["type"], "message");
    ana.refused(offer("bia"), "blocked").await;
    ana.send(json!({"type": "message", "text": "unheard", "id": ana.id, "date": 1})).await;
    hears(&mut ana, "message", "ana").await;
    bia.heard_nothing().await;
    // Its refused call is no call.
    ana.send(json!({"type": "hang-up", "target": null})).await;
    bia.heard_nothing().await;
}

async fn who_calls_too_often_is_refused(service: Service) {
    let (mut ana, mut bia) = two(&service).await;
    for _ in 0..6 {
        ana.send(offer("bia")).await;
        hears(&mut bia, "video-offer", "ana").await;
        ana.send(json!({"type": "hang-up", "target": "bia", "call": CALL})).await;
        hears(&mut bia, "hang-up", "ana").await;
    }
    ana.refused(offer("bia"), "rate-limited").await;
    bia.heard_nothing().await;
}

async fn the_first_device_that_answers_has_the_call(service: Service) {
    let secret = secret();
    let token = |sub: &str, name: &str| json!({"token": issue_token(&secret, sub, name, None, Duration::from_secs(600), None, None).unwrap()});
    let (mut ana, mut phone, mut tablet) =
        (service.here().connect().await, service.here().connect().await, service.there().connect().await);
    ana.log_in_with("ana", token("1", "ana")).await;
    phone.log_in_with("bia", token("2", "bia")).await;
    tablet.log_in_with("bia", token("2", "bia")).await;
    let mut other = service.there().connect().await;
    other.log_in_with("bia", token("3", "bia")).await;
    assert_eq!((tablet.name.as_str(), other.name.as_str()), ("bia", "bia2"));
    ana.sees(&["ana", "bia", "bia2"]).await;
    ana.send(offer("bia")).await;
    hears(&mut phone, "video-offer", "ana").await;
    hears(&mut tablet, "video-offer", "ana").await;
    tablet.send(answer("ana")).await;
    hears(&mut ana, "video-answer", "bia").await;
    assert_eq!(hears(&mut phone, "hang-up", "ana").await["reason"], "elsewhere");
    ana.send(json!({"type": "media-state", "target": "bia", "call": CALL, "audio": true, "video": false})).await;
    hears(&mut tablet, "media-state", "ana").await;
    phone.heard_nothing().await;
}

async fn a_lost_client_comes_back_with_its_name_its_call_and_what_waits(service: Service) {
    let (mut ana, bia) = in_call(&service).await;
    let token = bia.token.clone();
    drop(bia.socket);
    // A message that is written before the server sees that the connection is gone would be lost with it.
    let left = format!(r#""connections":{}"#, 2 - service.nodes.len());
    while !crate::support::http(service.there().address, "GET /healthz HTTP/1.1").await.contains(&left) {}
    let mut sent = Vec::new();
    for facing in ["user", "environment"] {
        ana.send(json!({"type": "media-state", "target": "bia", "call": CALL, "audio": true, "video": true, "facing": facing}))
            .await;
        sent.push(facing);
    }
    ana.heard_nothing().await;
    let mut back = service.here().connect().await;
    back.send(json!({"type": "username", "name": "somebody", "id": back.id, "resume": token})).await;
    assert_eq!(back.next_of(&["rejectusername"]).await["name"], "bia");
    for facing in sent {
        let state = loop {
            let state = back.heard().await;
            if state["type"] == "media-state" {
                break state;
            }
        };
        assert_eq!(state["facing"], facing);
    }
    back.send(json!({"type": "hang-up", "target": null, "call": CALL})).await;
    hears(&mut ana, "hang-up", "bia").await;
    ana.send(json!({"type": "userlist-request"})).await;
    ana.sees(&["ana", "bia"]).await;
    // The old token is worth nothing any more, anywhere.
    let mut late = service.there().connect().await;
    late.log_in("late", Some(&token)).await;
    assert_eq!(late.name, "late");
}

async fn what_is_sent_arrives_once_and_in_order(service: Service) {
    let (mut ana, mut bia) = in_call(&service).await;
    let reader = tokio::spawn(async move {
        for n in 0..150 {
            assert_eq!(bia.heard().await["n"], n);
        }
        bia
    });
    for n in 0..150 {
        ana.send(json!({"type": "wave", "target": "bia", "n": n, "call": CALL})).await;
    }
    reader.await.unwrap().heard_nothing().await;
}

#[tokio::test]
async fn without_nats_local_calls_go_on_and_the_rest_says_so_and_heals() {
    let Some(mut service) = Service::cluster(config()).await else { return };
    let (mut ana, mut bia) = two(&service).await;
    let mut eva = service.here().log_in("eva").await;
    bia.sees(&["ana", "bia", "eva"]).await;
    let mut nats = service.nats.take().unwrap();
    nats.stop();
    // Nobody is told at once that a connection is gone.
    loop {
        ana.send(json!({"type": "wave", "target": "bia"})).await;
        ana.send(json!({"type": "message", "text": "now", "id": ana.id, "date": 1})).await;
        let said = ana.heard().await;
        if said["code"] == "unavailable" {
            ana.heard().await;
            break;
        }
    }
    while eva.heard().await["type"] != "message" {}
    ana.send(offer("eva")).await;
    while eva.heard().await["type"] != "video-offer" {}
    eva.send(answer("ana")).await;
    hears(&mut ana, "video-answer", "eva").await;
    let mut late = service.here().connect().await;
    late.send(json!({"type": "username", "name": "late", "id": late.id, "date": 1})).await;
    assert_eq!(late.heard().await["code"], "unavailable");
    assert_eq!(late.close_code().await, Some(1013));

    nats.run().await;
    let late = loop {
        let mut late = service.there().connect().await;
        late.send(json!({"type": "username", "name": "late", "id": late.id, "date": 1})).await;
        if late.next_of(&["userlist", "error"]).await["type"] == "userlist" {
            break late;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    ana.list_where(|list| list.contains(&"late".to_owned())).await;
    bia.send(json!({"type": "hang-up", "target": null})).await;
    ana.send(json!({"type": "wave", "target": "bia", "healed": true})).await;
    while bia.heard().await["healed"] != true {}
    drop(late);
}

#[tokio::test]
async fn a_nats_that_wants_a_password_gets_that_of_the_url_and_a_wrong_one_is_a_clear_error() {
    let Some(nats) = NatsServer::start_with(&["-js", "--user", "node", "--pass", "s@cret"]).await else { return };
    let at = |credentials: &str| {
        let servers = vec![nats.url().replace("nats://", &format!("nats://{credentials}"))];
        Server::bind(ServerConfig { cluster: Some(ClusterConfig { servers, replicas: 1 }), ..config() })
    };
    at("node:s%40cret@").await.unwrap();
    for wrong in ["", "node:secret@"] {
        let error = at(wrong).await.unwrap_err().to_string();
        assert!(error.contains("nats://USER:PASSWORD@HOST") && !error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_url_of_nats_is_said_before_anybody_is_served() {
    for server in ["http://node:secret@127.0.0.1", "nats://"] {
        let cluster = Some(ClusterConfig { servers: vec![server.into()], replicas: 1 });
        let error = Server::check(ServerConfig { cluster, ..config() }).unwrap_err().to_string();
        assert!(error.contains("nats://[USER:PASSWORD@]HOST") && !error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_nats_that_is_not_there_is_a_clear_error() {
    let cluster = ClusterConfig { servers: vec!["nats://127.0.0.1:1".into()], replicas: 1 };
    let error = Server::bind(ServerConfig { cluster: Some(cluster), ..config() }).await.unwrap_err();
    assert!(matches!(error, ServerError::Cluster(_)), "{error}");
}

#[tokio::test]
async fn a_nats_without_jetstream_is_a_clear_error() {
    let Some(nats) = NatsServer::start_with(&[]).await else { return };
    let error = Server::bind(nats.node()).await.unwrap_err().to_string();
    assert!(error.to_lowercase().contains("jetstream"), "{error}");
}
