//! What connections take from the machine: memory and open files are figures of a whole process, so this test shares its process with no other.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "the helpers are tests too")]

use chamada_server::{Server, ServerConfig};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A WebSocket of which the client's side takes next to nothing; the server's `id` has come.
async fn silent(server: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(server).await.unwrap();
    socket.write_all(UPGRADE.as_bytes()).await.unwrap();
    let mut heard = Vec::with_capacity(2_048);
    while !String::from_utf8_lossy(&heard).contains("\"resume\"") {
        assert_ne!(
            timeout(Duration::from_secs(10), socket.read_buf(&mut heard)).await.unwrap().unwrap(),
            0,
            "it closed"
        );
    }
    socket
}

fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_server_opens_as_many_files_as_it_may_and_a_silent_connection_takes_16_kib() {
    let most = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum: most }).unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(ServerConfig { listen, ..ServerConfig::default() }).await.unwrap();
    let address = server.local_addr();
    tokio::spawn(server.run(std::future::pending()));
    assert_eq!(getrlimit(Resource::Nofile).current, most);

    // The first ones pay for what all share.
    let mut kept = Vec::new();
    for _ in 0..100 {
        kept.push(silent(address).await);
    }
    let before = resident_kib();
    for _ in 0..500 {
        kept.push(silent(address).await);
    }
    let each = (resident_kib() - before) / 500.0;
    println!("a silent connection, both ends: {each:.1} KiB");
    assert!(each <= 16.0, "{each:.1} KiB");
}
