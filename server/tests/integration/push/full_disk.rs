//! A disk that is full under the registrations for push: what was accepted stays, the rest is refused and said.
#![cfg(target_os = "linux")]

use super::*;
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const FOLDER: &str = "CHAMADA_TEST_FOLDER";
const SERVICES: &str = "CHAMADA_TEST_SERVICES";

/// What [`Process`] starts.
#[tokio::test]
#[ignore = "a server in a process of its own, which another test starts"]
async fn a_server_that_rings() {
    let (Ok(folder), Ok(url)) = (std::env::var(FOLDER), std::env::var(SERVICES)) else { return };
    let metrics = free_address();
    let config = config_with(Path::new(&folder), &url, Duration::from_secs(45));
    let server = start(ServerConfig { metrics: Some(metrics), ..config }).await;
    println!("\nserver {} {metrics}", server.address);
    server.task.await.unwrap();
}

/// A server in a process of its own, which ends with this.
struct Process {
    child: Child,
    server: Running,
    metrics: SocketAddr,
    secret: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Process {
    /// No file of it grows over so many KiB.
    async fn start(services: &PushServices, most: Option<u64>) -> Self {
        // A signal would end it otherwise; a disk that is full sends none.
        let limit = most.map_or(String::new(), |most| format!("trap '' XFSZ; ulimit -f {}; ", most * 2));
        let mut command = Command::new("sh");
        command.args([
            "-c",
            &format!("{limit}exec \"$0\" push::full_disk::a_server_that_rings --exact --ignored --nocapture"),
        ]);
        command.arg(std::env::current_exe().unwrap()).env(FOLDER, &services.folder).env(SERVICES, &services.url);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addresses = tokio::task::spawn_blocking(move || {
            let addresses = |line: String| {
                let (address, metrics) = line.strip_prefix("server ")?.split_once(' ')?;
                Some((address.parse().ok()?, metrics.parse().ok()?))
            };
            lines.map_while(Result::ok).find_map(addresses).unwrap()
        });
        let (address, metrics) = addresses.await.unwrap();
        let server = Running { address, stop: None, task: tokio::spawn(async {}) };
        Self { child, server, metrics, secret: services.folder.join("auth-secret") }
    }

    async fn log_in(&self, person: &str) -> Client {
        let mut client = self.server.connect().await;
        let token = issue_token(&self.secret, person, person, None, Duration::from_secs(600), None, None).unwrap();
        client.log_in_with(person, json!({"token": token, "device": "phone", "features": ["push"]})).await;
        client
    }

    /// Registers somebody's phone. `false`: it is refused for now.
    async fn register(&self, person: &str) -> bool {
        let mut client = self.log_in(person).await;
        client.send(register(&format!("{person}-{}", "x".repeat(2000)))).await;
        let said = client.next_of(&["push-registered", "error"]).await;
        client.close(1000).await;
        if said["type"] == "error" {
            assert_eq!(said["code"], "unavailable", "{said}");
        }
        said["type"] == "push-registered"
    }

    async fn metric(&self, name: &str) -> u64 {
        let metrics = http(self.metrics, "GET /metrics HTTP/1.1").await;
        metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap()
    }

    /// Whom a call rings.
    async fn ring(&self, services: &mut PushServices, person: &str) -> Value {
        let mut ana = self.log_in("ana").await;
        ana.send(offer(person)).await;
        assert_eq!(ana.next_of(&["call-pushed", "error"]).await["type"], "call-pushed");
        services.next().await.json()["message"]["token"].clone()
    }
}

#[tokio::test]
async fn on_a_full_disk_registrations_are_refused_those_that_were_accepted_ring_and_it_heals() {
    let mut services = PushServices::start().await;
    services.google_account();
    std::fs::write(services.folder.join("auth-secret"), "a secret that has more than 32 bytes").unwrap();
    let before = Process::start(&services, None).await;
    assert!(before.register("bia").await);
    drop(before);

    let file = services.folder.join("data").join("registrations.redb");
    let full = Process::start(&services, Some(std::fs::metadata(&file).unwrap().len().div_ceil(1024))).await;
    let mut accepted = 1;
    while full.register(&format!("person-{accepted}")).await {
        accepted += 1;
        assert!(accepted < 2_000, "the disk is not full");
    }
    assert!(full.metric("chamada_push_store_errors_total").await > 0);
    assert_eq!(full.metric("chamada_push_registrations").await, accepted);
    assert!(full.ring(&mut services, "bia").await.as_str().unwrap().starts_with("bia-"));
    drop(full);

    let after = Process::start(&services, None).await;
    assert_eq!(after.metric("chamada_push_registrations").await, accepted);
    assert!(after.register(&format!("person-{accepted}")).await);
}
