//! A real TURN server (coturn) on this machine, for calls that must go through a relay.

use chamada::roots::RootCertificates;
use chamada::signaling::message::IceServer;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const USER: &str = "chamada";
const PASSWORD: &str = "loopback-only";
/// How long coturn may take to listen before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two questions whether it does.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// coturn on free ports of 127.0.0.1, over UDP, TCP and TLS; ends when dropped.
pub struct TurnServer {
    process: Child,
    port: u16,
    tls_port: u16,
    certificate: String,
    files: PathBuf,
}

impl TurnServer {
    /// Starts it. `cargo xtask setup --tests` installs it.
    pub fn start() -> Self {
        let (port, tls_port) = (free_port(), free_port());
        let files = std::env::temp_dir().join(format!("chamada-turn-{}-{port}", std::process::id()));
        let CertifiedKey { cert, signing_key } =
            must(generate_simple_self_signed(["localhost".to_owned()]), "certificate");
        must(std::fs::create_dir_all(&files), "folder");
        let (certificate, key) = (files.join("certificate.pem"), files.join("key.pem"));
        must(std::fs::write(&certificate, cert.pem()), "certificate");
        must(std::fs::write(&key, signing_key.serialize_pem()), "key");
        let spawned = Command::new("turnserver")
            .args(["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"])
            .args([format!("--listening-port={port}"), format!("--tls-listening-port={tls_port}")])
            .args([format!("--cert={}", certificate.display()), format!("--pkey={}", key.display())])
            .args([format!("--user={USER}:{PASSWORD}")])
            .args(["--lt-cred-mech", "--realm=chamada.test", "--no-dtls", "--no-tcp-relay"])
            .args(["--no-cli", "--no-rfc5780", "--log-file=stdout", "--simple-log", "--relay-threads=1"])
            .arg(format!("--pidfile={}", files.join("pid").display()))
            .arg(format!("--userdb={}", files.join("db").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = Self { process: must(spawned, "coturn"), port, tls_port, certificate: cert.pem(), files };
        for listening in [answers_udp(port), accepts(port), accepts(tls_port)] {
            must(listening, "coturn's answer");
        }
        server
    }

    /// It, over UDP, as a client is told of it.
    pub fn ice_server(&self) -> IceServer {
        server(format!("turn:127.0.0.1:{}?transport=udp", self.port))
    }

    /// It, over TCP.
    pub fn over_tcp(&self) -> IceServer {
        server(format!("turn:127.0.0.1:{}?transport=tcp", self.port))
    }

    /// It, over TLS.
    pub fn over_tls(&self) -> IceServer {
        server(format!("turns:localhost:{}", self.tls_port))
    }

    /// Who vouches for it.
    pub fn authority(&self) -> RootCertificates {
        must(RootCertificates::from_pem(self.certificate.as_bytes()), "certificate")
    }
}

fn server(url: String) -> IceServer {
    IceServer { urls: vec![url], username: Some(USER.into()), credential: Some(PASSWORD.into()) }
}

fn must<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("no {what}: {error}"))
}

/// A port that was free a moment ago, for TCP and UDP.
fn free_port() -> u16 {
    loop {
        let listener = must(TcpListener::bind("127.0.0.1:0"), "free port");
        let port = must(listener.local_addr(), "free port").port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for TurnServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.files);
    }
}

/// Waits until something answers a STUN binding request (RFC 8489 section 5) there: its log comes in blocks, long after it listens.
fn answers_udp(port: u16) -> std::io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(ASK_AGAIN))?;
    let mut request = [7; 20];
    request[..8].copy_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
    until(|| socket.send(&request).and_then(|_| socket.recv(&mut [0; 512])).map(drop))
}

/// Waits until somebody takes connections there.
fn accepts(port: u16) -> std::io::Result<()> {
    until(|| TcpStream::connect(("127.0.0.1", port)).map(drop))
}

fn until(mut question: impl FnMut() -> std::io::Result<()>) -> std::io::Result<()> {
    let start = Instant::now();
    loop {
        match question() {
            Err(error) if start.elapsed() > PATIENCE => return Err(error),
            // Refused at once while nobody listens.
            Err(_) => std::thread::sleep(ASK_AGAIN),
            Ok(()) => return Ok(()),
        }
    }
}
