//! Clients that meet through an old server.

use super::*;
use chamada_tests::mock_server::{Faults, Script};
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

#[tokio::test]
async fn two_clients_log_in_chat_and_reach_each_other_through_an_old_server() {
    let server = MockServer::old_server().await;
    let (ana, mut to_ana) = log_in_as("ana", server.url()).await;
    let (bia, mut to_bia) = log_in_as("bia", server.url()).await;
    let Event::LoggedIn { resumed, server: kind, id, .. } =
        until(&mut to_ana, |e| matches!(e, Event::LoggedIn { .. })).await
    else {
        panic!()
    };
    assert_eq!((resumed, kind), (false, None));
    until(&mut to_ana, |e| *e == Event::Users(vec!["ana".into(), "bia".into()])).await;
    ana.chat("a < b <i>c</i>").unwrap();
    for events in [&mut to_ana, &mut to_bia] {
        let Event::Chat { from, text, id: who, date } = until(events, |e| matches!(e, Event::Chat { .. })).await else {
            panic!()
        };
        // Its tags are "complete" from the first `<` on.
        assert_eq!((from.as_deref(), text.as_str(), who), (Some("ana"), "a c", id));
        assert!(date > 1_600_000_000_000);
    }
    let candidate = r#"{"type":"new-ice-candidate","target":"bia","candidate":null}"#;
    ana.send(Message::parse(candidate).unwrap()).unwrap();
    let Event::Call(Message::NewIceCandidate(heard)) = until(&mut to_bia, |e| matches!(e, Event::Call(_))).await else {
        panic!()
    };
    // An old page gives no name; we do, since nobody else would.
    assert_eq!((heard.name.as_deref(), heard.candidate), (Some("ana"), None));
    // Without a target it goes to everyone, its sender too: to know whose hang-up it is there is only the name.
    bia.send(hang_up(None)).unwrap();
    for events in [&mut to_ana, &mut to_bia] {
        let Event::Call(Message::HangUp(heard)) = until(events, |e| matches!(e, Event::Call(_))).await else {
            panic!()
        };
        assert_eq!((heard.name.as_deref(), heard.target), (Some("bia"), None));
    }
    bia.logout().await;
    until(&mut to_ana, |e| *e == Event::Users(vec!["ana".into()])).await;
    assert_eq!(server.users(), ["ana"]);
}

#[tokio::test]
async fn a_taken_name_gets_a_number_and_so_does_ones_own() {
    let server = MockServer::old_server().await;
    let (first, mut events) = log_in_as("ana", server.url()).await;
    let (second, _events) = log_in_as("ana", server.url()).await;
    assert_eq!((first.name(), second.name()), ("ana".into(), "ana1".into()));
    first.rename("ana").unwrap();
    until(&mut events, |e| *e == Event::Renamed { wanted: "ana".into(), name: "ana2".into() }).await;
    assert_eq!(first.name(), "ana2");
    first.rename("zoë").unwrap();
    until(&mut events, |e| *e == Event::Renamed { wanted: "zoë".into(), name: "zoë".into() }).await;
    assert_eq!(server.users(), ["zoë", "ana1"]);
}

#[tokio::test]
async fn who_has_no_name_yet_is_in_nobodys_list() {
    let server = MockServer::old_server().await;
    let (_ana, mut events) = log_in_as("ana", server.url()).await;
    // Connects, and has not said who it is.
    let mut request = server.url().into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("json"));
    let idle = tokio_tungstenite::connect_async(request).await.unwrap();
    let (_bia, _to_bia) = log_in_as("bia", server.url()).await;
    until(&mut events, |e| *e == Event::Users(vec!["ana".into(), "bia".into()])).await;
    drop(idle);
}

#[tokio::test]
async fn an_old_server_that_starts_anew_knows_nobody_and_everyone_comes_back() {
    let server = MockServer::old_server().await;
    let (ana, mut to_ana) = log_in_as("ana", server.url()).await;
    let (bia, mut to_bia) = log_in_as("bia", server.url()).await;
    server.stop().await;
    assert!(server.users().is_empty());
    until_reconnecting(&mut to_ana).await;
    until_reconnecting(&mut to_bia).await;
    ana.chat("while it was away").unwrap();
    server.start_again();
    for events in [&mut to_ana, &mut to_bia] {
        let back = until(events, |e| matches!(e, Event::LoggedIn { .. })).await;
        assert!(matches!(back, Event::LoggedIn { resumed: false, .. }));
    }
    until_chat(&mut to_ana, "while it was away").await;
    assert_eq!((ana.name(), bia.name()), ("ana".into(), "bia".into()));
}

#[tokio::test]
async fn the_ghost_of_a_lost_connection_costs_a_number_on_an_old_server() {
    let server = MockServer::old_server().await;
    let (ana, mut events) = log_in_as("ana", server.url()).await;
    // The server does not learn that this connection has gone.
    server.connection(1).await.freeze();
    ana.reconnect_now();
    until(&mut events, |e| *e == Event::Renamed { wanted: "ana".into(), name: "ana1".into() }).await;
    until_logged_in(&mut events).await;
    assert_eq!(server.users(), ["ana", "ana1"]);
}

#[tokio::test]
async fn faults_of_the_way_hit_only_what_they_are_meant_for() {
    let faults = Faults::seeded(5).duplicate(1.0).only(&["hang-up"]);
    let server = MockServer::start(Script::old_server().faults(faults)).await;
    let (ana, mut to_ana) = log_in_as("ana", server.url()).await;
    until_logged_in(&mut to_ana).await;
    ana.send(hang_up(Some("ana"))).unwrap();
    ana.chat("once").unwrap();
    until(&mut to_ana, |e| matches!(e, Event::Call(_))).await;
    assert!(matches!(next(&mut to_ana).await, Event::Call(_)));
    assert!(matches!(next(&mut to_ana).await, Event::Chat { .. }));
    server.send(json!({"type": "message", "text": "to everyone"}));
    until_chat(&mut to_ana, "to everyone").await;
    assert_eq!(server.received("hang-up").await["name"], "ana");
}
