//! The connection is lost, and comes back.

use super::*;
use chamada_tests::mock_server::Script;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn a_lost_connection_is_taken_up_again_with_the_newest_token() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, mut events, connection) = logged_in(&server).await;
    for (nth, id, shown) in
        [(2, r#"{"type":"id","id":8,"resume":"tok2"}"#, "tok"), (3, r#"{"type":"id","id":9}"#, "tok2")]
    {
        server.connection(nth - 1).await.cut();
        let Event::Reconnecting { attempt, after, why } = next(&mut events).await else { panic!() };
        assert_eq!((attempt, why), (1, SignalingError::ServerClosed { code: 1006, reason: "connection lost".into() }));
        assert!((Duration::from_millis(200)..=Duration::from_millis(400)).contains(&after), "{after:?}");
        let username = server.connection(nth).await.log_in(id, &["ana"]).await;
        assert_eq!((&username["resume"], &username["name"]), (&json!(shown), &json!("ana")));
        let logged_in = next(&mut events).await;
        assert!(matches!(logged_in, Event::LoggedIn { resumed, .. } if resumed == (nth == 2)), "{logged_in:?}");
        until(&mut events, |e| matches!(e, Event::Users(_))).await;
    }
    assert_eq!(connection.closed().await, None);
}

#[tokio::test]
async fn every_way_of_losing_the_server_is_told_with_its_reason() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, mut events, _) = logged_in(&server).await;
    let vanished = SignalingError::ServerClosed { code: 1006, reason: "connection lost".into() };
    for (nth, lose, expected) in [
        (1, Box::new(|c: &Connection| c.cut()) as Box<dyn Fn(&Connection)>, vanished.clone()),
        (2, Box::new(|c| c.reset()), vanished),
        (3, Box::new(|c| c.close(1001, "bye")), SignalingError::ServerClosed { code: 1001, reason: "bye".into() }),
        (4, Box::new(|c| c.close(1008, "")), SignalingError::ServerClosed { code: 1008, reason: String::new() }),
    ] {
        let connection = server.connection(nth).await;
        lose(&connection);
        assert_eq!(until_reconnecting(&mut events).await, expected);
        if nth > 2 {
            // RFC 6455 section 5.5.1: a close frame is answered with its own code.
            assert_eq!(connection.closed().await, Some(if nth == 3 { 1001 } else { 1008 }));
        }
        server.connection(nth + 1).await.log_in(ID, &["ana"]).await;
        until_logged_in(&mut events).await;
    }
    server.connection(5).await.send_raw(&[0xFF, 0x00]);
    assert!(matches!(until_reconnecting(&mut events).await, SignalingError::Protocol(_)));
}

#[tokio::test]
async fn what_is_said_while_away_is_delivered_once_and_in_order_after_the_return() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, _) = logged_in(&server).await;
    server.stop().await;
    until_reconnecting(&mut events).await;
    for n in 0..20 {
        client.chat(&n.to_string()).unwrap();
    }
    server.start_again();
    let connection = server.connection(2).await;
    connection.log_in(r#"{"type":"id","id":99}"#, &["ana"]).await;
    until_logged_in(&mut events).await;
    client.chat("last").unwrap();
    for n in (0..20).map(|n| n.to_string()).chain(["last".into()]) {
        let line = connection.received("message").await;
        assert_eq!((&line["text"], &line["id"]), (&json!(n), &json!(99)));
    }
    client.logout().await;
    connection.closed().await;
    assert_eq!(server.frames().iter().filter(|frame| frame["type"] == "message").count(), 21);
}

#[tokio::test]
async fn of_too_much_said_while_away_the_oldest_goes_and_that_is_told() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, _) = logged_in(&server).await;
    server.stop().await;
    until_reconnecting(&mut events).await;
    for n in 0..66 {
        client.chat(&n.to_string()).unwrap();
    }
    for _ in 0..2 {
        until(&mut events, |e| *e == Event::Dropped { kind: "message".into() }).await;
    }
    server.start_again();
    let connection = server.connection(2).await;
    connection.log_in(ID, &["ana"]).await;
    assert_eq!(connection.received("message").await["text"], "2");
}

#[tokio::test]
async fn each_failed_attempt_waits_longer_up_to_a_bound_and_a_return_starts_over() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, mut events, _) = logged_in(&server).await;
    server.stop().await;
    let mut waits = Vec::new();
    for expected in 1..=3 {
        let Event::Reconnecting { attempt, after, why } = next(&mut events).await else { panic!() };
        assert_eq!((attempt, matches!(why, SignalingError::Unreachable { .. })), (expected, expected > 1), "{why:?}");
        waits.push(after);
    }
    for (n, wait) in waits.iter().enumerate() {
        let ceiling = Duration::from_millis(400 << n);
        assert!((ceiling / 2..=ceiling).contains(wait), "{waits:?}");
    }
    server.start_again();
    server.connection(2).await.log_in(ID, &["ana"]).await;
    until_logged_in(&mut events).await;
    server.restart().await;
    assert!(matches!(
        until(&mut events, |e| matches!(e, Event::Reconnecting { .. })).await,
        Event::Reconnecting { attempt: 1, .. }
    ));
}

#[tokio::test]
async fn a_server_that_comes_back_as_something_else_is_tried_on() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, mut events, _) = logged_in(&server).await;
    server.next_script(Script::http(502));
    server.next_script(Script::no_subprotocol());
    server.restart().await;
    until_reconnecting(&mut events).await;
    assert_eq!(until_reconnecting(&mut events).await, SignalingError::NotWebSocket { status: Some(502) });
    assert_eq!(until_reconnecting(&mut events).await, SignalingError::WrongSubprotocol(None));
    // 1: before; 2: without subprotocol.
    server.connection(3).await.log_in(ID, &["ana"]).await;
    until_logged_in(&mut events).await;
}

#[tokio::test]
async fn a_login_refused_on_return_is_the_end() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, _) = logged_in(&server).await;
    server.set_script(
        Script::mute().hello(ID).hello(r#"{"type":"error","code":"bad-name","message":"no","for":"username"}"#),
    );
    server.restart().await;
    until_reconnecting(&mut events).await;
    let end = Event::Closed { why: Some(SignalingError::LoginRefused("no".into())) };
    assert_eq!(next(&mut events).await, end);
    assert_eq!(events.recv().await, None);
    assert_eq!(client.chat("x"), Err(SignalingError::NotConnected));
}

#[tokio::test]
async fn without_reconnection_a_lost_connection_is_the_end() {
    let server = MockServer::start(Script::mute().hello(ID)).await;
    let (sender, mut events) = channel(16);
    let once = SignalingConfig { reconnect: false, ..config(server.url()) };
    let (client, connection) = tokio::join!(SignalingClient::connect(once, sender), async {
        let connection = server.connection(1).await;
        connection.send_users(&["ana"]);
        connection
    });
    let client = client.unwrap();
    connection.reset();
    assert!(matches!(until(&mut events, |e| matches!(e, Event::Closed { .. })).await, Event::Closed { why: Some(_) }));
    assert_eq!(events.recv().await, None);
    assert_eq!(client.send(hang_up(None)), Err(SignalingError::NotConnected));
    client.logout().await;
}

#[tokio::test]
async fn a_half_open_connection_is_pinged_and_given_up_after_35_seconds() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, mut events, connection) = logged_in(&server).await;
    connection.freeze();
    let started = Instant::now();
    // From here on nothing comes over the socket, so that the clock may run ahead of it.
    tokio::time::pause();
    assert_eq!(until_reconnecting(&mut events).await, SignalingError::Silent);
    tokio::time::resume();
    assert!((35..37).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    server.connection(2).await.log_in(ID, &["ana"]).await;
    until_logged_in(&mut events).await;
    connection.thaw();
    connection.pings(1).await;
    assert_eq!(connection.closed().await, None, "it was no log-out");
}

#[tokio::test]
async fn a_half_open_connection_that_is_looked_at_is_given_up_after_two_seconds() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    // One that answers is kept.
    client.probe();
    connection.pings(1).await;
    // What follows the answer on the same connection shows that the answer has come.
    connection.send_users(&["ana", "rui"]);
    until(&mut events, |event| matches!(event, Event::Users(users) if users.len() == 2)).await;
    connection.freeze();
    let started = Instant::now();
    client.probe();
    tokio::time::pause();
    assert_eq!(until_reconnecting(&mut events).await, SignalingError::Silent);
    tokio::time::resume();
    assert!((2..3).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    server.connection(2).await.log_in(ID, &["ana"]).await;
    until_logged_in(&mut events).await;
}

#[tokio::test]
async fn pings_of_the_server_are_answered_even_while_nothing_is_said() {
    let server = MockServer::start(Script::mute()).await;
    let (_client, _events, connection) = logged_in(&server).await;
    connection.ping();
    connection.pongs(1).await;
    connection.ping();
    connection.pongs(2).await;
}

#[tokio::test]
async fn a_change_of_network_connects_anew_at_once_and_is_no_log_out() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, connection) = logged_in(&server).await;
    client.reconnect_now();
    let username = server.connection(2).await.log_in(ID, &["ana"]).await;
    assert_eq!(username["resume"], "tok");
    until(&mut events, |e| matches!(e, Event::LoggedIn { resumed: true, .. })).await;
    // A close frame of ours would free the name and end the place that the token stands for.
    assert_eq!(connection.closed().await, None);
}

#[tokio::test]
async fn a_change_of_network_cuts_a_long_wait_short() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, _) = logged_in(&server).await;
    server.stop().await;
    while !matches!(next(&mut events).await, Event::Reconnecting { attempt: 3, .. }) {}
    server.start_again();
    let asked = Instant::now();
    client.reconnect_now();
    server.connection(2).await.log_in(ID, &["ana"]).await;
    // The third wait is 0.8 seconds at least.
    assert!(asked.elapsed() < Duration::from_millis(700), "{:?}", asked.elapsed());
    until_logged_in(&mut events).await;
}

#[tokio::test]
async fn a_name_asked_for_while_away_is_that_of_the_next_login() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, _) = logged_in(&server).await;
    server.stop().await;
    until_reconnecting(&mut events).await;
    client.rename("zoë").unwrap();
    server.start_again();
    let username = server.connection(2).await.log_in(ID, &["zoë"]).await;
    assert_eq!(username["name"], "zoë");
    until_logged_in(&mut events).await;
    assert_eq!(client.name(), "zoë");
}

#[tokio::test]
async fn a_log_out_while_away_ends_at_once() {
    let server = MockServer::start(Script::mute()).await;
    let (client, mut events, _) = logged_in(&server).await;
    server.set_script(Script::silent());
    server.restart().await;
    until_reconnecting(&mut events).await;
    server.attempts(2).await;
    let started = Instant::now();
    client.logout().await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(next(&mut events).await, Event::Closed { why: None });
}

/// A runtime of the client's own, so that its tasks can be counted.
fn clients_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

async fn until_no_task_is_left(runtime: &tokio::runtime::Runtime) {
    let ended = async {
        while runtime.metrics().num_alive_tasks() > 0 {
            // A task's end has no event: the count is looked at again and again.
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ended).await.expect("a task was left");
}

#[tokio::test]
async fn a_dropped_client_leaves_no_task_and_no_connection() {
    let runtime = clients_runtime();
    let server = MockServer::start(Script::mute().hello(ID)).await;
    // In the middle of a login.
    let connecting = runtime.spawn(SignalingClient::connect(config(server.url()), channel(16).0));
    let connection = server.connection(1).await;
    connection.received("username").await;
    connecting.abort();
    connection.closed().await;
    until_no_task_is_left(&runtime).await;

    // Logged in, with a full channel of events that nobody reads.
    let (sender, events) = channel(1);
    let connecting = runtime.spawn(SignalingClient::connect(config(server.url()), sender));
    let connection = server.connection(2).await;
    connection.send_users(&["ana"]);
    let client = connecting.await.unwrap().unwrap();
    for n in 0..10 {
        connection.send(json!({"type": "message", "text": n.to_string()}));
    }
    drop(client);
    connection.closed().await;
    until_no_task_is_left(&runtime).await;
    drop(events);

    // Waiting for its next attempt.
    let (sender, mut events) = channel(16);
    let connecting = runtime.spawn(SignalingClient::connect(config(server.url()), sender));
    server.connection(3).await.send_users(&["ana"]);
    let client = connecting.await.unwrap().unwrap();
    server.stop().await;
    until_reconnecting(&mut events).await;
    drop(client);
    until_no_task_is_left(&runtime).await;
    runtime.shutdown_background();
}

#[tokio::test]
async fn an_app_that_drops_its_events_is_logged_out() {
    let server = MockServer::start(Script::mute()).await;
    let (client, events, connection) = logged_in(&server).await;
    drop(events);
    connection.send(json!({"type": "message", "text": "x"}));
    assert_eq!(connection.closed().await, Some(1000));
    let refused = async {
        while client.chat("x") != Err(SignalingError::NotConnected) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.expect("the client goes on for nobody");
}
