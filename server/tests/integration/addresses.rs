//! One address does not take the room of the others. A trusted proxy says who comes from where, as all of these come from this machine.

use crate::support::{Client, PATIENCE, Running, config, start, users};
use chamada_server::ServerConfig;
use serde_json::json;
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, tungstenite};

fn behind_a_proxy() -> ServerConfig {
    ServerConfig { trusted_proxies: vec![IpAddr::from([127, 0, 0, 1])], ..config() }
}

async fn connect(server: &Running, from: &str) -> Result<Client, tungstenite::Error> {
    let socket = server.try_connect(&[("x-forwarded-for", from)]).await?;
    Ok(Client { socket, id: 0, token: String::new(), name: String::new() })
}

async fn log_in(server: &Running, from: &str, name: &str) -> Client {
    let mut client = connect(server, from).await.unwrap();
    let id = client.next().await;
    assert_eq!(id["type"], "id", "{id}");
    (client.id, client.token) = (id["id"].as_u64().unwrap(), id["resume"].as_str().unwrap().to_owned());
    client.log_in(name, None).await;
    client
}

#[tokio::test]
async fn silent_connections_of_one_address_leave_room_for_others() {
    let mut config = behind_a_proxy();
    config.limits.connections = 40;
    config.limits.connections_per_address = 10;
    let server = start(config).await;
    let mut silent = Vec::new();
    for n in 0..20 {
        match connect(&server, &format!("2001:db8:1:2::{n}")).await {
            Ok(client) => silent.push(client),
            Err(tungstenite::Error::Http(response)) => assert_eq!(response.status().as_u16(), 429),
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!(silent.len(), 10, "a network of 64 bits is one");
    assert_eq!(log_in(&server, "192.0.2.1", "ana").await.name, "ana");
}

/// What is not from a proxy that is trusted is the client's own invention, and what it claims about itself frees it from no limit.
#[tokio::test]
async fn nobody_chooses_the_address_to_be_counted_under() {
    let mut config = behind_a_proxy();
    config.limits.connections_per_address = 2;
    let server = start(config.clone()).await;
    let _here = [
        connect(&server, "203.0.113.1, 192.0.2.1").await.unwrap(),
        connect(&server, "203.0.113.2, 192.0.2.1").await.unwrap(),
    ];
    let third = connect(&server, "203.0.113.3, 192.0.2.1").await;
    assert!(matches!(&third, Err(tungstenite::Error::Http(answer)) if answer.status() == 429), "{:?}", third.err());
    // Without a proxy that is trusted, everybody here is this machine, whatever the header says.
    config.trusted_proxies.clear();
    let server = start(config).await;
    let mut here = Vec::new();
    for _ in 0..5 {
        here.push(connect(&server, "192.0.2.1").await.unwrap());
    }
}

#[tokio::test]
async fn silent_connections_of_many_addresses_give_way_to_who_comes_now() {
    let mut config = behind_a_proxy();
    config.limits.connections = 10;
    let server = start(config).await;
    let mut silent = Vec::new();
    for n in 0..10 {
        silent.push(connect(&server, &format!("192.0.2.{n}")).await.unwrap());
    }
    for n in 0..5 {
        let name = format!("user {n}");
        let client = log_in(&server, &format!("198.51.100.{n}"), &name).await;
        assert_eq!(client.name, name);
        silent.push(client);
    }
    assert_eq!(silent[0].close_code().await, Some(1013));
}

#[tokio::test]
async fn lost_places_of_one_address_push_out_only_its_own() {
    let mut config = behind_a_proxy();
    config.limits.lost_sessions = 5;
    config.limits.logins_burst = 100;
    let server = start(config).await;
    let lost = log_in(&server, "192.0.2.1", "ana").await;
    let token = lost.token.clone();
    drop(lost);
    let mut watcher = log_in(&server, "192.0.2.7", "watcher").await;
    for n in 0..20 {
        drop(log_in(&server, "198.51.100.1", &format!("attacker {n}")).await);
    }
    watcher.list_where(|list| list.len() == 6 && list.contains(&"attacker 19".to_owned())).await;
    let mut back = connect(&server, "192.0.2.1").await.unwrap();
    back.id = back.next().await["id"].as_u64().unwrap();
    back.log_in("ana", Some(&token)).await;
    assert_eq!(back.name, "ana");
}

#[tokio::test]
async fn logins_of_one_address_have_a_rate() {
    let mut config = behind_a_proxy();
    config.limits.logins_burst = 3;
    let server = start(config).await;
    let mut here = Vec::new();
    for n in 0..3 {
        here.push(log_in(&server, "192.0.2.1", &format!("user {n}")).await);
    }
    let mut late = connect(&server, "192.0.2.1").await.unwrap();
    let id = late.next().await["id"].clone();
    late.refused(json!({"type": "username", "name": "late", "id": id}), "rate-limited").await;
    log_in(&server, "192.0.2.2", "other").await;
}

#[tokio::test]
async fn long_names_of_one_leave_room_for_names_of_others() {
    let mut config = behind_a_proxy();
    config.limits.connections_per_address = 1_000;
    config.limits.logins_burst = 1_000;
    let server = start(config).await;
    let mut here = Vec::new();
    let mut full = 0;
    for n in 0..560 {
        let mut client = connect(&server, "192.0.2.1").await.unwrap();
        let id = client.next().await["id"].clone();
        let name = format!("{n:\u{1F600}>32}");
        client.send(json!({"type": "username", "name": name, "id": id})).await;
        full += usize::from(client.next_of(&["error", "userlist"]).await["code"] == "full");
        here.push(client);
    }
    assert!(full > 100, "{full}");
    let mut newcomer = connect(&server, "192.0.2.2").await.unwrap();
    let id = newcomer.next().await["id"].clone();
    newcomer.send(json!({"type": "username", "name": "Maria Aparecida", "id": id})).await;
    assert!(users(&newcomer.next_of(&["userlist"]).await).contains(&"Maria Aparecida".to_owned()));
}

#[tokio::test]
async fn connections_that_say_nothing_or_not_enough_are_closed() {
    let mut config = config();
    config.request_timeout = Duration::from_millis(300);
    let server = start(config).await;
    let started = Instant::now();
    for begun in ["", "GET / HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The end of the connection ends this.
        let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("it lives on");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn sockets_without_a_name_and_frames_without_an_end_are_closed() {
    let mut config = config();
    config.login_timeout = Duration::from_millis(200);
    let server = start(config).await;
    assert_eq!(server.connect().await.close_code().await, Some(1008));

    let mut config = crate::support::config();
    (config.ping_interval, config.ping_timeout) = (Duration::from_millis(200), Duration::from_millis(300));
    let server = start(config).await;
    let mut ana = server.log_in("ana").await;
    // A text frame of 64 KiB (RFC 6455 section 5.2) that stays unfinished: nothing of it counts as a sign of life.
    let MaybeTlsStream::Plain(socket) = ana.socket.get_mut() else { panic!("no TLS here") };
    socket.write_all(&[0x81, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0]).await.unwrap();
    let ends = async {
        while socket.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, ends).await.expect("it lives on");
}

#[tokio::test]
async fn a_request_without_an_end_is_not_kept() {
    let server = start(config()).await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut sent = 0;
    while sent < 10_000_000 && socket.write_all(format!("X-{sent}: {}\r\n", "x".repeat(1_000)).as_bytes()).await.is_ok()
    {
        sent += 1_000;
    }
    // What the system's buffers took is not what the server did.
    assert!(sent < 10_000_000, "{sent} bytes of header were taken");
}

#[tokio::test]
async fn pages_of_other_hosts_may_not_connect_unless_allowed() {
    let server = start(config()).await;
    let port = server.address.port();
    for (origin, status) in [
        (format!("http://127.0.0.1:{port}"), 101),
        ("http://localhost:8080".into(), 101),
        ("https://evil.example".into(), 403),
        ("https://127.0.0.1.evil.example".into(), 403),
        ("null".into(), 403),
    ] {
        let answer = server.try_connect(&[("origin", origin.as_str())]).await;
        let got = match answer {
            Ok(mut socket) => {
                socket.close(None).await.unwrap();
                101
            }
            Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
            Err(e) => panic!("{e}"),
        };
        assert_eq!(got, status, "{origin}");
    }
    let mut any = config();
    any.allowed_origins = vec!["*".into()];
    assert!(start(any).await.try_connect(&[("origin", "https://evil.example")]).await.is_ok());
}
