//! Addresses and servers that are none of ours: each is its own error.

use super::*;
use chamada_tests::mock_server::Script;
use std::time::Duration;
use tokio::time::Instant;

async fn failure_at(script: Script) -> SignalingError {
    let server = MockServer::start(script).await;
    failure(server.url()).await
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_before_anything_is_sent() {
    for url in ["", " ", "ftp://localhost", "ws://", "ws://localhost:99999", "ws://u:p@localhost", "javascript://x\n"] {
        assert!(matches!(failure(url).await, SignalingError::BadUrl(_)), "{url}");
    }
    assert!(
        matches!(failure("ws://example.org").await, SignalingError::Insecure(host) if host.contains("example.org"))
    );
    let named = SignalingConfig { name: " \u{7} ".into(), ..config("ws://localhost:1") };
    assert_eq!(SignalingClient::connect(named, channel(1).0).await.err(), Some(SignalingError::BadName));
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_unreachable_and_the_error_names_it() {
    let server = MockServer::start(Script::mute()).await;
    server.stop().await;
    let SignalingError::Unreachable { host, .. } = failure(server.url()).await else { panic!() };
    assert_eq!(host, server.address().to_string());
    assert!(matches!(failure("ws://nobody.localhost:1").await, SignalingError::Unreachable { .. }));
}

#[tokio::test]
async fn an_http_answer_is_no_websocket_and_its_status_is_told() {
    for status in [200, 301, 401, 404, 500, 503] {
        assert_eq!(failure_at(Script::http(status)).await, SignalingError::NotWebSocket { status: Some(status) });
    }
}

#[tokio::test]
async fn a_server_of_something_else_is_no_websocket() {
    for bytes in [b"SSH-2.0-x\r\n".as_slice(), b"220 mail ESMTP\r\n", b"\0\x01\x02\xff\xff", b"HTTP/1.1 101\r\n", b""] {
        assert_eq!(failure_at(Script::raw(bytes)).await, SignalingError::NotWebSocket { status: None }, "{bytes:?}");
    }
    assert_eq!(failure_at(Script::reset()).await, SignalingError::NotWebSocket { status: None });
}

#[tokio::test]
async fn endless_headers_are_given_up() {
    let line = format!("x: {}\r\n", "y".repeat(1_000)).repeat(2_000);
    let error = failure_at(Script::raw(format!("HTTP/1.1 101 Switching\r\n{line}").as_bytes())).await;
    assert_eq!(error, SignalingError::NotWebSocket { status: None });
}

#[tokio::test]
async fn another_subprotocol_or_none_is_told() {
    assert_eq!(failure_at(Script::no_subprotocol()).await, SignalingError::WrongSubprotocol(None));
    assert!(matches!(failure_at(Script::subprotocol("xml")).await, SignalingError::WrongSubprotocol(Some(_))));
    assert!(matches!(failure_at(Script::subprotocol("json, xml")).await, SignalingError::WrongSubprotocol(Some(_))));
}

#[tokio::test]
async fn tls_to_a_plain_port_is_no_secure_connection() {
    let server = MockServer::start(Script::mute()).await;
    let error = failure(server.url().replace("ws://", "wss://")).await;
    assert!(matches!(error, SignalingError::Tls(_)), "{error:?}");
    server.set_script(Script::raw(b"SSH-2.0-x\r\n"));
    let error = failure(server.url().replace("ws://", "https://")).await;
    assert!(matches!(error, SignalingError::Tls(_)), "{error:?}");
}

#[tokio::test]
async fn a_plain_connection_to_a_tls_port_is_told_to_use_tls() {
    // An alert (RFC 8446 section 6), which is how TLS refuses what is none, and here each handshake as well.
    let server = MockServer::start(Script::raw(&[21, 3, 3, 0, 2, 2, 40])).await;
    assert_eq!(failure(server.url()).await, SignalingError::NeedsTls(server.address().to_string()));
    let host = server.address().ip();
    for (status, location, told) in [
        (301, format!("https://{host}/x"), true),
        (308, format!("HTTPS://{host}:8443"), true),
        (301, format!("http://{host}/x"), false),
        (302, "https://elsewhere.example/".to_owned(), false),
        (200, format!("https://{host}/x"), false),
    ] {
        let answer = format!("HTTP/1.1 {status} x\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        server.set_script(Script::raw(answer.as_bytes()));
        let error = failure(server.url()).await;
        assert_eq!(matches!(error, SignalingError::NeedsTls(_)), told, "{status} {location}: {error:?}");
    }
}

#[tokio::test]
async fn who_takes_the_connection_and_never_answers_is_given_up_in_time() {
    let server = MockServer::start(Script::silent()).await;
    let started = Instant::now();
    let patient = SignalingConfig { connect_timeout: Duration::from_millis(200), ..config(server.url()) };
    assert_eq!(SignalingClient::connect(patient, channel(1).0).await.err(), Some(SignalingError::TimedOut));
    assert!(started.elapsed() >= Duration::from_millis(200));
    // Nor does TLS wait for ever.
    let url = server.url().replace("ws://", "wss://");
    let patient = SignalingConfig { connect_timeout: Duration::from_millis(200), ..config(url) };
    assert_eq!(SignalingClient::connect(patient, channel(1).0).await.err(), Some(SignalingError::TimedOut));
}

/// Runs the clock ahead once the WebSocket is open: from there on the client waits for nothing but frames that do not come.
async fn failure_of_a_login_that_stalls(script: Script) -> SignalingError {
    let server = MockServer::start(script).await;
    let (error, ()) = tokio::join!(failure(server.url()), async {
        server.connections(1).await;
        tokio::time::pause();
    });
    tokio::time::resume();
    error
}

#[tokio::test]
async fn a_websocket_that_does_not_log_us_in_is_given_up() {
    for script in [Script::mute(), Script::mute().hello(ID), Script::mute().hello(r#"{"type":"wave"}"#)] {
        let started = Instant::now();
        let error = failure_of_a_login_that_stalls(script).await;
        assert!(matches!(error, SignalingError::Protocol(_)), "{error:?}");
        assert!(started.elapsed() >= Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_refused_login_tells_the_servers_reason() {
    for code in ["bad-name", "too-large", "bad-message"] {
        let refusal = format!(r#"{{"type":"error","code":"{code}","message":"not so","for":"username"}}"#);
        let error = failure_at(Script::mute().hello(ID).hello(refusal)).await;
        assert_eq!(error, SignalingError::LoginRefused("not so".into()), "{code}");
    }
    let full = r#"{"type":"error","code":"full","message":"no room"}"#;
    let error = failure_at(Script::mute().hello(full)).await;
    assert_eq!(error, SignalingError::ServerClosed { code: 1013, reason: "no room".into() });
}

#[tokio::test]
async fn a_server_that_leaves_during_the_login_tells_how() {
    let server = MockServer::start(Script::mute().hello(ID)).await;
    let (error, ()) = tokio::join!(failure(server.url()), async {
        server.connection(1).await.close(1013, "later");
    });
    assert_eq!(error, SignalingError::ServerClosed { code: 1013, reason: "later".into() });
    for (nth, reset) in [(2, true), (3, false)] {
        let (error, ()) = tokio::join!(failure(server.url()), async {
            let connection = server.connection(nth).await;
            connection.received("username").await;
            if reset { connection.reset() } else { connection.cut() }
        });
        assert!(matches!(error, SignalingError::ServerClosed { code: 1006, .. }), "{error:?}");
    }
    server.attempts(3).await;
    let (error, ()) = tokio::join!(failure(server.url()), async {
        let connection = server.connection(4).await;
        // A frame of an unknown kind with reserved bits.
        connection.send_raw(&[0xFF, 0x00]);
    });
    assert!(matches!(error, SignalingError::Protocol(_)), "{error:?}");
}
