//! The signaling client against mock servers of every kind, and against ours.

mod away;
mod hostile;
mod login;
mod old_server;
mod our_server;
mod wrong_servers;

use chamada::signaling::message::{HangUp, HangUpReason, Message};
use chamada::signaling::{SignalingClient, SignalingConfig, SignalingError, SignalingEvent as Event};
use chamada_tests::mock_server::{Connection, MockServer, PATIENCE};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

/// The `id` of a server that knows tokens.
const ID: &str = r#"{"type":"id","id":7,"resume":"tok"}"#;

fn config(url: impl ToString) -> SignalingConfig {
    SignalingConfig { url: url.to_string(), name: "ana".into(), ..Default::default() }
}

/// What keeps a client from logging in there.
async fn failure(url: impl ToString) -> SignalingError {
    SignalingClient::connect(config(url), channel(16).0).await.err().expect("must fail")
}

async fn next(events: &mut Receiver<Event>) -> Event {
    timeout(PATIENCE, events.recv()).await.expect("an event in time").expect("events go on")
}

/// Passes over events until one is wanted.
async fn until(events: &mut Receiver<Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = next(events).await;
        if wanted(&event) {
            return event;
        }
    }
}

async fn until_chat(events: &mut Receiver<Event>, said: &str) {
    until(events, |e| matches!(e, Event::Chat { text, .. } if text == said)).await;
}

async fn until_reconnecting(events: &mut Receiver<Event>) -> SignalingError {
    let Event::Reconnecting { why, .. } = until(events, |e| matches!(e, Event::Reconnecting { .. })).await else {
        unreachable!()
    };
    why
}

async fn until_logged_in(events: &mut Receiver<Event>) {
    until(events, |e| matches!(e, Event::LoggedIn { .. })).await;
}

/// Logs "ana" in at a mute server that gives tokens; the events of the login have been read.
async fn logged_in(server: &MockServer) -> (SignalingClient, Receiver<Event>, Connection) {
    let (sender, mut events) = channel(64);
    let (client, connection) = tokio::join!(SignalingClient::connect(config(server.url()), sender), async {
        let connection = server.connection(1).await;
        connection.log_in(ID, &["ana"]).await;
        connection
    });
    until(&mut events, |e| matches!(e, Event::Users(_))).await;
    (client.unwrap(), events, connection)
}

/// Connects to a server that lets people in by itself.
async fn log_in_as(name: &str, url: impl ToString) -> (SignalingClient, Receiver<Event>) {
    let (sender, events) = channel(64);
    let config = SignalingConfig { name: name.into(), ..config(url) };
    (SignalingClient::connect(config, sender).await.unwrap(), events)
}

fn hang_up(target: Option<&str>) -> Message {
    let target = target.map(str::to_owned);
    Message::HangUp(HangUp { name: None, target, reason: Some(HangUpReason::Ended), call: None })
}
