//! Calls that ring devices which are not connected, against push services of our own.

use crate::support::{
    Client, PATIENCE, Running, config, free_address, http, nats::NatsServer, push_services::PushServices, start,
};
use chamada_server::{AuthConfig, AuthKeys, FcmConfig, PushConfig, ServerConfig, issue_token};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};
use tokio::time::timeout;

const CALL: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// A service that asks for tokens and rings by push, and the push services.
struct World {
    /// Clients come to one after the other, so that with several nodes caller and callee are on different ones.
    nodes: Vec<Running>,
    /// Where each tells how it is.
    operators: Vec<SocketAddr>,
    next: usize,
    nats: Option<NatsServer>,
    services: PushServices,
    /// Devices that have registered.
    registered: usize,
    /// What all nodes have in common.
    config: ServerConfig,
}

impl World {
    async fn alone(ring_time: Duration) -> Self {
        let services = PushServices::start().await;
        services.google_account();
        let config = config_with(&services.folder, &services.url, ring_time);
        let mut world =
            Self { nodes: Vec::new(), operators: Vec::new(), next: 0, nats: None, services, registered: 0, config };
        world.add_node("data").await;
        world
    }

    /// Three nodes.
    async fn cluster(ring_time: Duration) -> Option<Self> {
        let nats = NatsServer::start().await?;
        let services = PushServices::start().await;
        services.google_account();
        let config =
            ServerConfig { cluster: nats.node().cluster, ..config_with(&services.folder, &services.url, ring_time) };
        let mut world = Self {
            nodes: Vec::new(),
            operators: Vec::new(),
            next: 0,
            nats: Some(nats),
            services,
            registered: 0,
            config,
        };
        for node in ["first", "second", "third"] {
            world.add_node(node).await;
        }
        Some(world)
    }

    async fn add_node(&mut self, name: &str) {
        let push = PushConfig { data: self.services.folder.join(name), ..self.config.push.clone().unwrap() };
        let metrics = free_address();
        self.nodes.push(start(ServerConfig { push: Some(push), metrics: Some(metrics), ..self.config.clone() }).await);
        self.operators.push(metrics);
    }

    /// Waits until each node says that it has the others, and that there are so many of both.
    async fn settled(&self, people: usize, registrations: usize) {
        let people = format!("chamada_users {people}\n");
        let wanted = [people, format!("chamada_push_registrations {registrations}\n"), "chamada_joined 1\n".into()];
        for operator in &self.operators {
            let settled = async {
                loop {
                    let metrics = http(*operator, "GET /metrics HTTP/1.1").await;
                    if wanted.iter().all(|line| metrics.contains(line)) {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            timeout(PATIENCE, settled).await.expect("the nodes do not agree");
        }
    }

    async fn log_in(&mut self, person: &str, more: Value) -> Client {
        let at = self.next;
        self.next += 1;
        self.log_in_at(at, person, more).await
    }

    async fn log_in_at(&self, node: usize, person: &str, more: Value) -> Client {
        let mut client = self.nodes[node % self.nodes.len()].connect().await;
        let secret = self.services.folder.join("auth-secret");
        let token = issue_token(&secret, person, person, None, Duration::from_secs(600), None, None).unwrap();
        let mut login = json!({"token": token, "features": ["push", "user-delta"]});
        for (field, value) in more.as_object().unwrap() {
            login[field] = value.clone();
        }
        client.log_in_with(person, login).await;
        client
    }

    /// These devices of somebody's register and go.
    async fn asleep(&mut self, person: &str, devices: &[&str]) {
        for device in devices {
            let mut client = self.log_in(person, json!({"device": device})).await;
            client.send(register(device)).await;
            assert_eq!(client.next_of(&["push-registered"]).await["platform"], "fcm");
            client.close(1000).await;
        }
        self.registered += devices.len();
        self.settled(0, self.registered).await;
    }

    /// Has this person among those who are away in its list.
    async fn ana_who_sees_away(&mut self, person: &str) -> Client {
        let mut ana = self.log_in("ana", json!({})).await;
        sees(&mut ana, "away", person).await;
        ana
    }

    async fn stop_node(&mut self, node: usize) {
        let _ = self.nodes[node].stop.take().unwrap().send(());
        (&mut self.nodes[node].task).await.unwrap();
    }

    /// The next push: the device's token and its data.
    async fn pushed(&mut self) -> (String, Value) {
        let message = self.services.next().await.json()["message"].clone();
        (message["token"].as_str().unwrap().to_owned(), message["data"].clone())
    }
}

const RING_TIME: Duration = Duration::from_secs(45);

/// That of a server which uses these push services, with what they have in their folder.
fn config_with(folder: &Path, url: &str, ring_time: Duration) -> ServerConfig {
    let secret = folder.join("auth-secret");
    std::fs::write(&secret, "a secret that has more than 32 bytes").unwrap();
    let push = PushConfig {
        data: folder.join("data"),
        contact: Some("mailto:operator@call.example".into()),
        fcm: Some(FcmConfig { account: folder.join("account.json"), server: Some(url.to_owned()) }),
        ring_time,
        ..PushConfig::default()
    };
    let auth = AuthConfig { keys: AuthKeys::Secret(secret), audience: None, issuer: None };
    ServerConfig { authorities: Some(folder.join("authority.pem")), auth: Some(auth), push: Some(push), ..config() }
}

/// The same story on a server that is alone, and on three nodes.
macro_rules! on_both_routers {
    ($($story:ident($ring_time:expr);)*) => {
        mod alone {
            $(#[tokio::test]
            async fn $story() {
                super::$story(super::World::alone($ring_time).await).await;
            })*
        }
        mod cluster {
            $(#[tokio::test]
            async fn $story() {
                if let Some(world) = super::World::cluster($ring_time).await {
                    super::$story(world).await;
                }
            })*
        }
    };
}

mod cluster;
mod devices;
mod full_disk;
mod registration;
mod ringing;

/// Waits until a list of this client's has this person among its `users`, or those who are `away`.
async fn sees(client: &mut Client, among: &str, person: &str) {
    client.send(json!({"type": "userlist-request"})).await;
    let joined = if among == "users" { "joined" } else { among };
    loop {
        let list = client.next_of(&["userlist", "userlist-delta"]).await;
        let has = |field: &str| list[field].as_array().is_some_and(|people| people.contains(&json!(person)));
        if has(among) || has(joined) {
            return;
        }
    }
}

fn register(token: &str) -> Value {
    json!({"type": "push-register", "platform": "fcm", "token": token})
}

fn offer(to: &str) -> Value {
    json!({"type": "video-offer", "target": to, "call": CALL, "sdp": {"type": "offer", "sdp": "v=0"}})
}

fn candidate(to: &str, which: &str) -> Value {
    let candidate = json!({"candidate": which, "sdpMid": "0", "sdpMLineIndex": 0});
    json!({"type": "new-ice-candidate", "target": to, "call": CALL, "candidate": candidate})
}

fn answer(to: &str) -> Value {
    json!({"type": "video-answer", "target": to, "call": CALL, "sdp": {"type": "answer", "sdp": "v=0"}})
}

fn hang_up(to: &str, reason: &str) -> Value {
    json!({"type": "hang-up", "target": to, "call": CALL, "reason": reason})
}

const OF_CALLS: [&str; 6] = ["video-offer", "video-answer", "new-ice-candidate", "hang-up", "call-pushed", "error"];

/// Shows that nothing of a call of hers comes to somebody: something else that she sends later comes first. Her node may not know yet that this
/// device is there, too.
async fn hears_of_no_call(client: &mut Client, ana: &mut Client) {
    let name = client.name.clone();
    sees(ana, "users", &name).await;
    let hears = async {
        loop {
            let message = client.next().await;
            if message["type"] == "marker" {
                return;
            }
            assert!(!OF_CALLS.iter().any(|kind| message["type"] == *kind), "{message}");
        }
    };
    let asks = async {
        loop {
            ana.send(json!({"type": "marker", "target": name})).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = hears => {}
        () = asks => {}
    }
}
