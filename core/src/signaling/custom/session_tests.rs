//! What becomes of messages over a transport that opens, is lost and comes back.

use super::*;
use crate::signaling::message::{CallId, HangUp};
use uuid::Uuid;

const CALL: CallId = CallId(Uuid::from_u128(7));

fn session() -> CustomSession {
    CustomSession::new("ana").unwrap()
}

fn open_session() -> CustomSession {
    let mut session = session();
    session.opened(Vec::new());
    outputs(&mut session);
    session
}

fn outputs(session: &mut CustomSession) -> Vec<Output> {
    std::iter::from_fn(|| session.poll_output()).collect()
}

fn hang_up(to: &str) -> Message {
    Message::HangUp(HangUp { name: None, target: Some(to.into()), reason: None, call: Some(CALL) })
}

fn carried(outputs: &[Output]) -> Vec<&str> {
    outputs
        .iter()
        .filter_map(|output| if let Output::Carry { to, .. } = output { Some(to.as_str()) } else { None })
        .collect()
}

fn events(outputs: Vec<Output>) -> Vec<SignalingEvent> {
    outputs
        .into_iter()
        .filter_map(|output| if let Output::Event(event) = output { Some(event) } else { None })
        .collect()
}

#[test]
fn what_is_sent_before_the_transport_is_open_goes_out_in_order_once_it_is() {
    let mut session = session();
    session.send(hang_up("rui"));
    session.send(hang_up("eva"));
    assert!(outputs(&mut session).is_empty());
    session.opened(Vec::new());
    let out = outputs(&mut session);
    assert!(matches!(&out[0], Output::Event(SignalingEvent::LoggedIn { name, resumed: false, .. }) if name == "ana"));
    assert_eq!(carried(&out), ["rui", "eva"]);
}

#[test]
fn a_message_that_the_transport_did_not_take_goes_out_again_before_what_followed_it() {
    let mut session = open_session();
    session.send(hang_up("rui"));
    session.send(hang_up("eva"));
    let Some(Output::Carry { message, .. }) = session.poll_output() else { panic!("nothing to carry") };
    session.refused(message, TransportError::NotOpen("tunnel".into()));
    let lost = events(outputs(&mut session));
    let why = SignalingError::TransportLost("tunnel".into());
    assert_eq!(lost, [SignalingEvent::Reconnecting { attempt: 1, after: Duration::ZERO, why }]);
    session.opened(Vec::new());
    let out = outputs(&mut session);
    assert!(matches!(&out[0], Output::Event(SignalingEvent::LoggedIn { resumed: true, .. })));
    assert_eq!(carried(&out), ["rui", "eva"]);
}

#[test]
fn of_more_messages_than_can_wait_the_oldest_are_dropped_and_told() {
    let mut session = session();
    for _ in 0..=QUEUE_LEN {
        session.send(hang_up("rui"));
    }
    assert_eq!(events(outputs(&mut session)), [SignalingEvent::Dropped { kind: "hang-up".into() }]);
    session.opened(Vec::new());
    assert_eq!(carried(&outputs(&mut session)).len(), QUEUE_LEN);
}

#[test]
fn the_sender_is_whom_the_transport_names_and_not_whom_the_message_names() {
    let mut session = open_session();
    let text = r#"{"type":"hang-up","name":"eva","target":"ana"}"#;
    session.received("rui", text);
    let Some(Output::Event(SignalingEvent::Call(message))) = session.poll_output() else { panic!("nothing came") };
    assert_eq!(message.of_call().0, Some("rui"));
}

#[test]
fn what_is_no_message_of_a_call_is_counted_and_goes_no_further() {
    let mut session = open_session();
    let texts = ["", "{}", r#"{"type":"userlist","users":["ana"]}"#, r#"{"type":"id","id":1}"#];
    for text in texts {
        session.received("rui", text);
    }
    session.received("", r#"{"type":"hang-up"}"#);
    let totals: Vec<_> = (1..=5).map(|total| SignalingEvent::Malformed { total }).collect();
    assert_eq!(events(outputs(&mut session)), totals);
    // A type of a later version is no fault.
    session.received("rui", r#"{"type":"wave"}"#);
    assert!(outputs(&mut session).is_empty());
}

#[test]
fn nobody_of_the_name_is_told_of_as_the_server_would() {
    let mut session = open_session();
    session.send(hang_up("rui"));
    let Some(Output::Carry { message, .. }) = session.poll_output() else { panic!("nothing to carry") };
    session.refused(message, TransportError::NoSuchUser);
    session.unknown("eva".into());
    let told: Vec<_> = events(outputs(&mut session))
        .into_iter()
        .map(|event| match event {
            SignalingEvent::Call(Message::Error(error)) => (error.code, error.target, error.regarding, error.call),
            other => panic!("{other:?}"),
        })
        .collect();
    let about = |name: &str, regarding: &str, call| {
        (ErrorCode::NoSuchUser, Some(name.to_owned()), Some(regarding.to_owned()), call)
    };
    assert_eq!(told, [about("rui", "hang-up", Some(CALL)), about("eva", "video-offer", None)]);
}

#[test]
fn opened_again_while_it_is_open_renews_the_ice_servers_alone() {
    let mut session = open_session();
    session.opened(Vec::new());
    assert!(outputs(&mut session).is_empty());
    let servers = vec![IceServer { urls: vec!["stun:stun.example".into()], username: None, credential: None }];
    session.opened(servers.clone());
    assert_eq!(events(outputs(&mut session)), [SignalingEvent::IceServers(servers)]);
}

#[test]
fn a_transport_that_never_opens_is_the_end() {
    let mut session = session();
    session.lost("refused".into());
    let why = Some(SignalingError::TransportLost("refused".into()));
    assert_eq!(events(outputs(&mut session)), [SignalingEvent::Closed { why }]);
    session.opened(Vec::new());
    session.send(hang_up("rui"));
    assert!(outputs(&mut session).is_empty());
}

#[test]
fn offers_of_somebody_who_is_blocked_are_dropped() {
    let mut session = open_session();
    let offer = r#"{"type":"video-offer","sdp":{"type":"offer","sdp":"v=0"}}"#;
    session.set_blocked("rui".into(), true);
    session.received("rui", offer);
    assert!(outputs(&mut session).is_empty());
    session.set_blocked("rui".into(), false);
    session.received("rui", offer);
    assert_eq!(outputs(&mut session).len(), 1);
}
