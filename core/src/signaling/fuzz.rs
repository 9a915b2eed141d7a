//! What a server may send.

use super::message::{MAX_FRAME_BYTES, Message};
use super::session::{Output, Session};
use std::collections::HashSet;
use std::time::Duration;

/// Lines are text frames in one session, which gets older between them.
pub(crate) fn frames(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Ok(mut session) = Session::new("ana", true, Box::new(|| 0.5)) else { return };
    let mut now = Duration::ZERO;
    session.connected(now);
    for frame in text.split('\n').take(64) {
        now += Duration::from_millis(frame.len() as u64 * 97 % 20_000);
        if let Ok(message) = Message::parse(frame) {
            read_as_written(&message);
        }
        session.frame(frame, now, 1_700_000_000_000);
        outputs(&mut session, now);
        if session.next_timeout().is_some_and(|due| due <= now) {
            session.timeout(now);
            outputs(&mut session, now);
        }
    }
}

fn read_as_written(message: &Message) {
    let written = message.to_json();
    if written.len() > MAX_FRAME_BYTES {
        return;
    }
    match (Message::parse(&written), message) {
        // Numbers with a point may lose their last digit.
        (Ok(read), Message::Unknown(_)) => assert_eq!(read.kind(), message.kind()),
        (Ok(read), message) => assert_eq!(&read, message),
        (Err(error), message) => panic!("{error}: {message:?}"),
    }
}

fn outputs(session: &mut Session, now: Duration) {
    let mut connect = false;
    while let Some(output) = session.poll_output() {
        match output {
            Output::Send(frame) => assert!(Message::parse_object(&frame).is_ok(), "{frame}"),
            Output::Event(super::SignalingEvent::Users(users)) => {
                let once: HashSet<&String> = users.iter().collect();
                assert!(once.len() == users.len() && !users.iter().any(String::is_empty), "{users:?}");
            }
            Output::ConnectAt(at) => {
                assert!(at >= now);
                connect = true;
            }
            _ => {}
        }
    }
    if connect {
        session.connected(now);
    }
}
