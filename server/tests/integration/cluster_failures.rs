//! Nodes that die, stop for a while or go, and strangers who write to NATS.

use crate::support::{
    Client, PATIENCE, Running,
    calls::{CALL, answer, hears, offer},
    config, http,
    nats::NatsServer,
    start,
};
use chamada_server::{ClusterConfig, ServerConfig};
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const NATS: &str = "CHAMADA_TEST_NATS";

/// What [`Process`] starts.
#[tokio::test]
#[ignore = "a node in a process of its own, which other tests start"]
async fn a_node() {
    let Ok(nats) = std::env::var(NATS) else { return };
    let cluster = Some(ClusterConfig { servers: vec![nats], replicas: 1 });
    let node = start(ServerConfig { cluster, ..config() }).await;
    println!("\nnode {}", node.address);
    node.task.await.unwrap();
}

/// A node in a process of its own.
struct Process {
    child: Child,
    node: Running,
}

impl Process {
    async fn start(nats: &NatsServer) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["cluster_failures::a_node", "--exact", "--ignored", "--nocapture"]).env(NATS, nats.url());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = tokio::task::spawn_blocking(move || {
            let address = |line: String| line.strip_prefix("node ")?.parse::<SocketAddr>().ok();
            lines.map_while(Result::ok).find_map(address).unwrap()
        });
        let node = Running { address: address.await.unwrap(), stop: None, task: tokio::spawn(async {}) };
        Self { child, node }
    }

    /// `kill -SIGNAL`.
    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
    }

    /// Stops all of its threads, which takes the system a moment.
    fn pause(&self) {
        self.signal("STOP");
        let id = self.child.id().to_string();
        let state = || Command::new("ps").args(["-o", "state=", "-p", &id]).output().unwrap().stdout;
        while !state().starts_with(b"T") {}
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Ana here and Bia there, in a call.
async fn in_call(here: &Running, there: &Running) -> (Client, Client) {
    let (mut ana, mut bia) = (here.log_in("ana").await, there.log_in("bia").await);
    ana.sees(&["ana", "bia"]).await;
    ana.send(offer("bia")).await;
    hears(&mut bia, "video-offer", "ana").await;
    bia.send(answer("ana")).await;
    hears(&mut ana, "video-answer", "bia").await;
    (ana, bia)
}

fn state(facing: &str) -> Value {
    json!({"type": "media-state", "target": "bia", "call": CALL, "audio": true, "video": true, "facing": facing})
}

/// Comes back with this token, as often as it takes.
async fn come_back(node: &Running, token: &str) -> Client {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let mut client = node.connect().await;
        client.send(json!({"type": "username", "name": "somebody", "id": client.id, "resume": token})).await;
        let answer = client.next_of(&["rejectusername", "error"]).await;
        if answer["type"] == "rejectusername" {
            client.name = answer["name"].as_str().unwrap().to_owned();
            return client;
        }
        assert_eq!(answer["code"], "unavailable", "{answer}");
    }
    panic!("the node that it was on is not missed");
}

async fn nodes_seen_by(operator: SocketAddr) -> u32 {
    let metrics = http(operator, "GET /metrics HTTP/1.1").await;
    metrics.lines().find_map(|line| line.strip_prefix("chamada_nodes ")?.parse().ok()).unwrap()
}

#[tokio::test]
async fn a_killed_node_is_missed_within_three_seconds_and_its_people_come_back_with_name_call_and_what_waits() {
    let Some(nats) = NatsServer::start().await else { return };
    let (operator, config) = (crate::support::free_address(), nats.node());
    let here = start(ServerConfig { metrics: Some(operator), ..config }).await;
    let mut there = Process::start(&nats).await;
    let (mut ana, bia) = in_call(&here, &there.node).await;
    let eva = there.node.log_in("eva").await;
    ana.sees(&["ana", "bia", "eva"]).await;
    while nodes_seen_by(operator).await < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let killed = Instant::now();
    there.child.kill().unwrap();
    // Nobody waits until it is missed.
    assert_eq!(come_back(&here, &eva.token).await.name, "eva");
    ana.send(state("user")).await;
    while nodes_seen_by(operator).await > 1 {
        assert!(killed.elapsed() < Duration::from_secs(3));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ana.send(state("environment")).await;
    ana.heard_nothing().await;
    let mut back = come_back(&here, &bia.token).await;
    assert_eq!(back.name, "bia");
    for facing in ["user", "environment"] {
        assert_eq!(hears(&mut back, "media-state", "ana").await["facing"], facing);
    }
    back.heard_nothing().await;
    back.send(json!({"type": "hang-up", "target": null, "call": CALL})).await;
    hears(&mut ana, "hang-up", "bia").await;
}

#[tokio::test]
async fn a_node_that_was_only_slow_lets_those_go_who_came_back_elsewhere() {
    let Some(nats) = NatsServer::start().await else { return };
    let (here, there) = (start(nats.node()).await, Process::start(&nats).await);
    let (mut ana, mut bia) = in_call(&here, &there.node).await;
    there.pause();
    ana.send(state("user")).await;
    let mut back = come_back(&here, &bia.token).await;
    assert_eq!(back.name, "bia");
    assert_eq!(hears(&mut back, "media-state", "ana").await["facing"], "user");
    there.signal("CONT");
    // It may still give her what had reached it.
    assert_eq!(bia.close_code().await, Some(1000));
    ana.send(state("environment")).await;
    assert_eq!(hears(&mut back, "media-state", "ana").await["facing"], "environment");
    back.heard_nothing().await;
    let mut eva = there.node.log_in("eva").await;
    eva.send(json!({"type": "userlist-request"})).await;
    eva.sees(&["ana", "bia", "eva"]).await;
}

#[tokio::test]
async fn who_is_on_a_node_that_is_shut_down_goes_on_on_another() {
    let Some(nats) = NatsServer::start().await else { return };
    let (here, mut there) = (start(nats.node()).await, start(nats.node()).await);
    let (mut ana, mut bia) = in_call(&here, &there).await;
    there.stop.take().unwrap().send(()).unwrap();
    assert_eq!(bia.close_code().await, Some(1001));
    ana.send(state("user")).await;
    let mut back = come_back(&here, &bia.token).await;
    assert_eq!(back.name, "bia");
    assert_eq!(hears(&mut back, "media-state", "ana").await["facing"], "user");
    there.task.await.unwrap();
    back.send(json!({"type": "hang-up", "target": null, "call": CALL})).await;
    hears(&mut ana, "hang-up", "bia").await;
}

#[tokio::test]
async fn what_strangers_write_to_nats_stops_nobody() {
    let Some(nats) = NatsServer::start().await else { return };
    let (here, there) = (start(nats.node()).await, start(nats.node()).await);
    let (mut ana, mut bia) = in_call(&here, &there).await;
    let stranger = async_nats::connect(nats.url()).await.unwrap();
    let huge = vec![b'['; 900 * 1024];
    let words: [&[u8]; 8] = [
        b"",
        b"\xff\xfe",
        b"{}",
        b"null",
        b"99999999999999999999 bye",
        br#"{"Parcel":{"to":0,"seq":18446744073709551615,"source":"Server","frame":"","sender":null}}"#,
        br#"{"room":"","from":0,"frame":null}"#,
        &huge,
    ];
    let stores = async_nats::jetstream::new(stranger.clone());
    let nodes = stores.get_key_value("chamada-nodes").await.unwrap().keys().await.unwrap();
    let nodes: Vec<String> = nodes.try_collect().await.unwrap();
    assert_eq!(nodes.len(), 2);
    let mut subjects = ["chamada.beat", "chamada.line"].map(str::to_owned).to_vec();
    for node in &nodes {
        // From a node that nobody knows, from itself, and from none.
        subjects.extend(["1000", node.as_str(), "0", "x"].map(|from| format!("chamada.node.{node}.{from}")));
        subjects.push(format!("chamada.hand-over.{node}"));
    }
    for subject in subjects {
        for word in words {
            stranger.publish_with_reply(subject.clone(), "nobody", word.to_vec().into()).await.unwrap();
        }
    }
    for (bucket, key) in [("chamada-sessions", "7"), ("chamada-sessions", "no-number"), ("chamada-nodes", "x")] {
        let store = stores.get_key_value(bucket).await.unwrap();
        for word in words.iter().filter(|word| word.len() < 1024) {
            store.put(key, word.to_vec().into()).await.unwrap();
        }
    }
    let names = stores.get_key_value("chamada-names").await.unwrap();
    names.put("_.ZXZh", "no claim".into()).await.unwrap();
    stranger.flush().await.unwrap();

    ana.send(state("user")).await;
    assert_eq!(hears(&mut bia, "media-state", "ana").await["facing"], "user");
    bia.send(json!({"type": "hang-up", "target": "ana", "call": CALL})).await;
    hears(&mut ana, "hang-up", "bia").await;
    let eva = there.log_in("eva").await;
    assert_eq!(eva.name, "eva2", "the name may be somebody's");
    ana.sees(&["ana", "bia", "eva2"]).await;
}
