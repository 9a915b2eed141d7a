//! A real TURN server (coturn) on this machine, for calls that must go through a relay.

use chamada::signaling::message::IceServer;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const USER: &str = "chamada";
const PASSWORD: &str = "loopback-only";
/// How long coturn may take to listen before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two questions whether it does.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// coturn on a free UDP port of 127.0.0.1; ends when dropped.
pub struct TurnServer {
    process: Child,
    url: String,
}

impl TurnServer {
    /// Starts it. `cargo xtask setup --tests` installs it.
    pub fn start() -> Self {
        // A port that was free a moment ago.
        let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map(|address| address.port());
        let port = port.unwrap_or_else(|error| panic!("no free port: {error}"));
        let files = std::env::temp_dir().join(format!("chamada-turn-{}-{port}", std::process::id()));
        let spawned = Command::new("turnserver")
            .args(["-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"])
            .args([format!("--listening-port={port}"), format!("--user={USER}:{PASSWORD}")])
            .args(["--lt-cred-mech", "--realm=chamada.test", "--no-tls", "--no-dtls", "--no-tcp", "--no-tcp-relay"])
            .args(["--no-cli", "--no-rfc5780", "--log-file=stdout", "--simple-log", "--relay-threads=1"])
            .arg(format!("--pidfile={}.pid", files.display()))
            .arg(format!("--userdb={}.db", files.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process = match spawned {
            Ok(process) => process,
            Err(error) => panic!("coturn cannot be started: {error}"),
        };
        let server = Self { process, url: format!("turn:127.0.0.1:{port}?transport=udp") };
        if let Err(error) = answers(port) {
            panic!("coturn does not answer on port {port}: {error}");
        }
        server
    }

    /// It, as a client is told of it.
    pub fn ice_server(&self) -> IceServer {
        IceServer { urls: vec![self.url.clone()], username: Some(USER.into()), credential: Some(PASSWORD.into()) }
    }
}

impl Drop for TurnServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until something answers a STUN binding request (RFC 8489 section 5) there: its log comes in blocks, long after it listens.
fn answers(port: u16) -> std::io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(ASK_AGAIN))?;
    let mut request = [7; 20];
    request[..8].copy_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
    let start = Instant::now();
    loop {
        let answer = socket.send(&request).and_then(|_| socket.recv(&mut [0; 512]));
        match answer {
            Ok(_) => return Ok(()),
            Err(error) if start.elapsed() > PATIENCE => return Err(error),
            // Refused at once while nobody listens.
            Err(_) => std::thread::sleep(ASK_AGAIN),
        }
    }
}
