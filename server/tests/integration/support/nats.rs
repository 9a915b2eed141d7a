//! A NATS server of a test's own.

use super::config;
use chamada_server::{ClusterConfig, ServerConfig};
use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::net::TcpStream;

pub struct NatsServer {
    port: u16,
    folder: PathBuf,
    options: &'static [&'static str],
    process: Option<Child>,
}

impl NatsServer {
    /// `None`, and a line that says why, where there is no `nats-server`.
    pub async fn start() -> Option<Self> {
        Self::start_with(&["-js"]).await
    }

    /// With these options, among which is JetStream's.
    pub async fn start_with(options: &'static [&'static str]) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("chamada-nats-{}-{port}", std::process::id()));
        let mut server = Self { port, folder, options, process: None };
        if Command::new("nats-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            println!("skipped: there is no nats-server (Debian: apt install nats-server)");
            return None;
        }
        server.run().await;
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// That of a node of the service that it joins.
    pub fn node(&self) -> ServerConfig {
        ServerConfig { cluster: Some(ClusterConfig { servers: vec![self.url()], replicas: 1 }), ..config() }
    }

    /// Starts it, again if it was stopped.
    pub async fn run(&mut self) {
        let mut command = Command::new("nats-server");
        command.args(self.options).args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-sd"]).arg(&self.folder);
        self.process = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", self.port)).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nats-server does not listen");
    }

    /// What it has kept so far; it has to be stopped.
    pub fn forget(&self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }

    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
