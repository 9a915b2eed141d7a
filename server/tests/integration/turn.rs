//! TURN credentials that expire.

use crate::support::{Client, PATIENCE, config, start};
use chamada_server::{AuthConfig, AuthKeys, ServerConfig, TurnConfig, issue_token};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::timeout;

const URL: &str = "turn:turn.example:3478";

/// A file that goes with the test.
struct Secret(PathBuf);

impl Secret {
    fn new(name: &str) -> Self {
        let file = std::env::temp_dir().join(format!("chamada-turn-{}-{name}", std::process::id()));
        std::fs::write(&file, "a secret that has more than 32 bytes").unwrap();
        Self(file)
    }

    fn turn(&self, seconds: u64) -> Option<TurnConfig> {
        let lifetime = Duration::from_secs(seconds);
        Some(TurnConfig { secret: self.0.clone(), urls: vec![URL.into()], lifetime })
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The session number and how many seconds the credentials are still good for.
fn good_for(message: &Value) -> (u64, u64) {
    let server =
        message["iceServers"].as_array().unwrap().iter().find(|server| server["urls"] == json!([URL])).unwrap();
    assert_eq!(server["credential"].as_str().unwrap().len(), 28, "20 bytes in Base64");
    let (end, session) = server["username"].as_str().unwrap().split_once(':').unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    (session.parse().unwrap(), end.parse::<u64>().unwrap() - now)
}

#[tokio::test]
async fn whoever_connects_gets_credentials_of_its_own() {
    let secret = Secret::new("renewed");
    let server = start(ServerConfig { turn: secret.turn(1), ..config() }).await;
    let socket = server.try_connect(&[]).await.unwrap();
    let mut client = Client { socket, id: 0, token: String::new(), name: String::new() };
    let id = client.next().await;
    let (session, left) = good_for(&id);
    assert_eq!(id["id"], session);
    assert!((55..=60).contains(&left), "a minute is the least: {left}");
    client.id = session;
    client.log_in("ana", None).await;
    client.refused(json!({"type": "ice-servers", "target": "ana", "iceServers": []}), "bad-message").await;
}

#[tokio::test]
async fn where_tokens_are_needed_only_who_shows_one_gets_credentials() {
    let secret = Secret::new("guarded");
    let auth = Some(AuthConfig { keys: AuthKeys::Secret(secret.0.clone()), audience: None, issuer: None });
    let server = start(ServerConfig { turn: secret.turn(600), auth, ..config() }).await;
    let socket = server.try_connect(&[]).await.unwrap();
    let mut client = Client { socket, id: 0, token: String::new(), name: String::new() };
    let id = client.next().await;
    assert_eq!(id["iceServers"], Value::Null);
    let token = issue_token(&secret.0, "1", "ana", None, Duration::from_secs(600), None, None).unwrap();
    client.send(json!({"type": "username", "name": "ana", "id": id["id"], "token": token})).await;
    let servers = timeout(PATIENCE, client.next_of(&["ice-servers"])).await.unwrap();
    assert!((595..=600).contains(&good_for(&servers).1), "{servers}");
}

/// coturn on a free port of this machine; ends when dropped.
struct Coturn {
    process: std::process::Child,
    port: u16,
}

impl Coturn {
    fn start(secret: &str) -> Self {
        use std::process::{Command, Stdio};
        let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let files = std::env::temp_dir().join(format!("chamada-coturn-{}-{port}", std::process::id()));
        let process = Command::new("turnserver")
            .args(["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"])
            .args(["--use-auth-secret", "--realm=chamada.test", "--no-tls", "--no-dtls", "--no-tcp", "--no-tcp-relay"])
            .args(["--no-cli", "--no-rfc5780", "--log-file=stdout", "--simple-log", "--relay-threads=1"])
            .arg(format!("--listening-port={port}"))
            .arg(format!("--static-auth-secret={secret}"))
            .arg(format!("--pidfile={}.pid", files.display()))
            .arg(format!("--userdb={}.db", files.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, port }
    }

    /// Whether a client (coturn's own) gets a relayed address with these, and sends through it.
    async fn relays(&self, user: &str, password: &str) -> bool {
        let port = self.port.to_string();
        let arguments = ["-u", user, "-w", password, "-p", &port, "-n", "1", "-m", "1", "-y", "127.0.0.1"];
        let mut client = std::process::Command::new("turnutils_uclient");
        client.args(arguments).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let done = tokio::task::spawn_blocking(move || client.status());
        timeout(Duration::from_secs(30), done).await.unwrap().unwrap().unwrap().success()
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn: `cargo xtask test` runs it where that is installed, and says where it is not"]
async fn coturn_takes_the_credentials_and_no_others() {
    let secret = Secret::new("coturn");
    let coturn = Coturn::start("a secret that has more than 32 bytes");
    let server = start(ServerConfig { turn: secret.turn(600), ..config() }).await;
    let socket = server.try_connect(&[]).await.unwrap();
    let mut client = Client { socket, id: 0, token: String::new(), name: String::new() };
    let told = client.next().await["iceServers"][0].clone();
    let (user, password) = (told["username"].as_str().unwrap(), told["credential"].as_str().unwrap());
    let ready = async {
        while !coturn.relays(user, password).await {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(Duration::from_secs(60), ready).await.expect("coturn refuses them");
    // Nobody makes them last longer.
    let longer = format!("9{user}");
    assert!(!coturn.relays(&longer, password).await);
}
