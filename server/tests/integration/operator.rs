//! What whoever runs the server sees and does.

use crate::support::{Client, PATIENCE, Running, config, http};
use chamada_server::{Server, ServerConfig};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, sync::oneshot, time::timeout};

async fn start(config: ServerConfig) -> (Running, SocketAddr) {
    let metrics = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let server = Server::bind(ServerConfig { metrics, ..config }).await.unwrap();
    let (address, operator) = (server.local_addr(), server.metrics_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let stopped = async move {
            let _ = stopped.await;
        };
        server.run(stopped).await.unwrap();
    });
    (Running { address, stop: Some(stop), task }, operator)
}

#[tokio::test]
async fn counts_are_at_an_address_of_their_own() {
    let (server, operator) = start(config()).await;
    let (mut ana, _bia) = (server.log_in("ana").await, server.log_in("bia").await);
    ana.send(json!({"type": "message", "text": "hello"})).await;
    ana.heard().await;
    ana.refused(json!({"type": "made-up", "target": "nobody"}), "no-such-user").await;
    ana.send(json!({"type": "made-up", "target": "bia"})).await;
    ana.heard_nothing().await;
    assert!(server.try_connect(&[("origin", "https://evil.example")]).await.is_err());
    let text = http(operator, "GET /metrics HTTP/1.1").await;
    for line in [
        "chamada_connections 2",
        "chamada_users 2",
        "chamada_logins_total 2",
        "chamada_messages_total{type=\"message\"} 2",
        "chamada_messages_total{type=\"other\"} 1",
        "chamada_refused_total{code=\"no-such-user\"} 1",
        "chamada_turned_away_total{reason=\"origin\"} 1",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in {text}");
    }
    assert!(!text.contains("ana") && !text.contains("hello") && !text.contains("made-up"), "{text}");
    assert!(http(operator, "GET /readyz HTTP/1.1").await.starts_with("HTTP/1.1 200"));
    for path in ["/metrics", "/readyz"] {
        let answer = http(server.address, &format!("GET {path} HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
}

#[tokio::test]
async fn at_the_end_calls_go_on_for_a_while_and_everybody_else_is_sent_away() {
    let (mut server, operator) = start(ServerConfig { drain: Duration::from_secs(30), ..config() }).await;
    let (mut ana, mut bia) = (server.log_in("ana").await, server.log_in("bia").await);
    let mut eva = server.log_in("eva").await;
    let describe = |kind: &str, to: &str| json!({"type": format!("video-{kind}"), "target": to, "sdp": {"type": kind, "sdp": "v=0"}});
    ana.send(describe("offer", "bia")).await;
    bia.heard().await;
    bia.send(describe("answer", "ana")).await;
    ana.heard().await;
    drop(server.stop.take());
    assert_eq!(eva.close_code().await, Some(1001));
    assert!(http(operator, "GET /readyz HTTP/1.1").await.starts_with("HTTP/1.1 503"));
    let closed = async { while TcpStream::connect(server.address).await.is_ok() {} };
    timeout(PATIENCE, closed).await.expect("newcomers are still taken");
    // Those in a call hear each other still, and are sent away when it is over.
    ana.send(json!({"type": "new-ice-candidate", "target": "bia", "candidate": null})).await;
    assert_eq!(bia.heard().await["type"], "new-ice-candidate");
    ana.send(json!({"type": "hang-up", "target": "bia"})).await;
    assert_eq!(bia.heard().await["type"], "hang-up");
    for client in [&mut ana, &mut bia] {
        assert_eq!(Client::close_code(client).await, Some(1001));
    }
    timeout(PATIENCE, server.task).await.expect("the server does not end").unwrap();
}

#[tokio::test]
async fn a_configuration_can_be_checked_without_a_port() {
    let (server, _) = start(config()).await;
    let taken = ServerConfig { listen: server.address, ..config() };
    assert!(Server::check(taken.clone()).is_ok());
    assert!(Server::bind(taken).await.is_err());
}
