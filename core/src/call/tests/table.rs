//! Walks the table of the module doc cell by cell: the very text that the documentation shows.

use super::sim::{answer, hang_up, id, offer};
use crate::call::{
    CallEngine, CallError, CallEvent, CallState, Command, ConnectionState, EndReason, Output, PeerId, PeerReport,
};
use crate::signaling::message::{
    CallId, CallPushed, CallRinging, ErrorCode, ErrorMessage, HangUpReason, IceCandidate, MediaState,
    MediaStateMessage, Message, NewIceCandidate, SessionDescription,
};
use std::collections::HashSet;
use std::time::{Duration, Instant};

const TABLE: &str = include_str!("../table.md");
const PEER: &str = "rui";
const STRANGER: &str = "eva";
const STATES: [CallState; 8] = [
    CallState::Idle,
    CallState::Calling,
    CallState::RingingRemotely,
    CallState::RingingByPush,
    CallState::RingingLocally,
    CallState::Connecting,
    CallState::Connected,
    CallState::Reconnecting,
];

/// An engine with its latest peer connection and the time.
struct Cell {
    engine: CallEngine,
    now: Instant,
    peer: PeerId,
}

impl Cell {
    fn in_state(state: CallState, polite: bool, caller: bool) -> Self {
        let mut engine = CallEngine::new();
        let now = Instant::now();
        engine.logged_in(now, if polite { "ana" } else { "zoe" });
        let mut cell = Self { engine, now, peer: PeerId(u64::MAX) };
        let caller = match state {
            CallState::Idle => return cell,
            CallState::Calling | CallState::RingingRemotely | CallState::RingingByPush => true,
            CallState::RingingLocally => false,
            _ => caller,
        };
        if caller {
            cell.command(Command::Call { to: PEER.into(), media: MediaState::default() }).unwrap();
            cell.report(PeerReport::LocalDescription(SessionDescription::offer("ours")));
        } else {
            cell.message(offer(PEER, "theirs", Some(id(7))));
        }
        if state == CallState::RingingRemotely {
            cell.message(ringing(Some(cell.call())));
        }
        if state == CallState::RingingByPush {
            cell.message(pushed(cell.call()));
        }
        if matches!(state, CallState::Connecting | CallState::Connected | CallState::Reconnecting) {
            if caller {
                cell.message(answer(PEER, "theirs", Some(cell.call())));
            } else {
                cell.command(Command::Accept { media: MediaState::default() }).unwrap();
            }
        }
        if matches!(state, CallState::Connected | CallState::Reconnecting) {
            cell.report(match caller {
                true => PeerReport::AnswerApplied,
                false => PeerReport::LocalDescription(SessionDescription::answer("ours")),
            });
            cell.report(PeerReport::Connection(ConnectionState::Connected));
        }
        if state == CallState::Reconnecting {
            cell.report(PeerReport::Connection(ConnectionState::Disconnected));
        }
        assert_eq!(cell.engine.snapshot().state, state);
        cell
    }

    fn call(&self) -> CallId {
        self.engine.snapshot().call.unwrap_or(id(7))
    }

    fn command(&mut self, command: Command) -> Result<(), CallError> {
        let result = self.engine.command(self.now, command);
        self.drain();
        result
    }

    fn message(&mut self, message: Message) {
        self.engine.message(self.now, message);
        self.drain();
    }

    fn report(&mut self, report: PeerReport) {
        self.engine.report(self.now, self.peer, report);
        self.drain();
    }

    fn drain(&mut self) -> Vec<EndReason> {
        let mut ends = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Peer { peer, .. } => self.peer = peer,
                Output::Event(CallEvent::Ended { reason, .. }) => ends.push(reason),
                _ => {}
            }
        }
        ends
    }

    /// Does what the row says; whether it was refused, and the calls that ended.
    fn apply(&mut self, input: &str) -> (bool, Vec<EndReason>) {
        let (now, call, peer) = (self.now, self.call(), self.peer);
        let media = MediaState::default();
        let me = if input.contains("oneself") { "ana" } else { PEER };
        let command = |this: &mut Self, command| this.engine.command(now, command).is_err();
        let message = |this: &mut Self, message| {
            this.engine.message(now, message);
            false
        };
        let report = |this: &mut Self, report| {
            this.engine.report(now, peer, report);
            false
        };
        let refused = match input {
            "command: call somebody" | "command: call oneself" => command(self, Command::Call { to: me.into(), media }),
            "command: accept" => command(self, Command::Accept { media }),
            "command: decline" => command(self, Command::Decline),
            "command: hang up" => command(self, Command::HangUp),
            "command: hold" => command(self, Command::SetHeld(true)),
            "command: share the screen" => command(self, Command::SetScreen(true)),
            "command: resume" => command(self, Command::SetHeld(false)),
            "command: microphone off" => command(self, Command::SetMicrophone(false)),
            "offer of a stranger" => message(self, offer(STRANGER, "a stranger's", Some(id(99)))),
            "offer in this call, we are polite" | "offer in this call, we are impolite" => {
                message(self, offer(PEER, "another", Some(call)))
            }
            "offer of a new call by the peer, we are polite" => message(self, offer(PEER, "new", Some(id(8)))),
            "answer of the peer" => message(self, answer(PEER, "an answer", Some(call))),
            "answer of a stranger" => message(self, answer(STRANGER, "an answer", Some(id(99)))),
            "call-pushed of the server" => message(self, pushed(call)),
            "call-ringing of the peer" => message(self, ringing(Some(call))),
            "candidate of the peer" => message(self, candidate(call)),
            "media-state of the peer" => message(self, media_state(call)),
            "hang-up of the peer" => message(self, hang_up(Some(PEER), Some(call), None)),
            "hang-up of the peer, busy" => message(self, hang_up(Some(PEER), Some(call), Some(HangUpReason::Busy))),
            "hang-up of the peer, no-common-codec" => {
                message(self, hang_up(Some(PEER), Some(call), Some(HangUpReason::NoCommonCodec)))
            }
            "hang-up of the peer, handshake-failed" => {
                message(self, hang_up(Some(PEER), Some(call), Some(HangUpReason::HandshakeFailed)))
            }
            "hang-up of the peer, media-error" => {
                message(self, hang_up(Some(PEER), Some(call), Some(HangUpReason::MediaError)))
            }
            "hang-up of the peer, another call" => message(self, hang_up(Some(PEER), Some(id(98)), None)),
            "hang-up of a stranger" => message(self, hang_up(Some(STRANGER), None, None)),
            "hang-up of nobody" => message(self, hang_up(None, Some(call), None)),
            "error: no such user, for the offer" => message(self, refusal(ErrorCode::NoSuchUser, call)),
            "error: bad message, for the offer" => message(self, refusal(ErrorCode::BadMessage, call)),
            "the peer leaves the user list" => {
                self.engine.users(now, &["ana".into(), "zoe".into()]);
                false
            }
            "the peer is away, and can be reached by push" => {
                self.engine.away(&[PEER.into()]);
                self.engine.users(now, &["ana".into(), "zoe".into()]);
                false
            }
            "the server is lost" => {
                self.engine.signaling_lost(now);
                false
            }
            "connection: connected" => report(self, PeerReport::Connection(ConnectionState::Connected)),
            "connection: connecting" => report(self, PeerReport::Connection(ConnectionState::Connecting)),
            "connection: closed" => report(self, PeerReport::Connection(ConnectionState::Closed)),
            "connection: disconnected" => report(self, PeerReport::Connection(ConnectionState::Disconnected)),
            "connection: failed" => report(self, PeerReport::Connection(ConnectionState::Failed)),
            "negotiation failed" => report(self, PeerReport::NegotiationFailed("as the table wants".into())),
            "no common codec" => report(self, PeerReport::NoCommonCodec),
            "handshake failed" => report(self, PeerReport::HandshakeFailed),
            "camera or microphone failed" => report(self, PeerReport::MediaFailed("as the table wants".into())),
            "report of an earlier peer connection" => {
                self.engine.report(now, PeerId(0), PeerReport::Connection(ConnectionState::Failed));
                self.engine.report(now, PeerId(0), PeerReport::MediaFailed("of another call".into()));
                false
            }
            "time runs out" => {
                self.engine.handle_timeout(now + Duration::from_secs(3_600));
                false
            }
            other => panic!("the table has a row that this test does not know: {other}"),
        };
        (refused, self.drain())
    }
}

fn ringing(call: Option<CallId>) -> Message {
    Message::CallRinging(CallRinging { name: Some(PEER.into()), target: None, call })
}

fn pushed(call: CallId) -> Message {
    Message::CallPushed(CallPushed { target: Some(PEER.into()), call: Some(call) })
}

fn candidate(call: CallId) -> Message {
    let candidate = IceCandidate {
        candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host".into(),
        sdp_mid: None,
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    let message =
        NewIceCandidate { name: Some(PEER.into()), target: None, candidate: Some(candidate), call: Some(call) };
    Message::NewIceCandidate(message)
}

fn media_state(call: CallId) -> Message {
    let state = MediaState { video: false, ..MediaState::default() };
    Message::MediaState(MediaStateMessage { name: Some(PEER.into()), target: None, call: Some(call), state })
}

fn refusal(code: ErrorCode, call: CallId) -> Message {
    Message::Error(ErrorMessage {
        code,
        message: "refused".into(),
        regarding: Some("video-offer".into()),
        target: Some(PEER.into()),
        call: Some(call),
    })
}

fn row(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn every_cell_of_the_table_is_what_the_engine_does() {
    let mut lines = TABLE.lines();
    let columns = row(lines.next().unwrap());
    let states: Vec<String> = STATES.iter().map(|state| format!("{state:?}")).collect();
    assert_eq!(columns[1..], states, "one column for each state");
    assert!(lines.next().unwrap().starts_with("| ---"));
    let (mut cells, mut inputs) = (0, HashSet::new());
    for line in lines {
        let fields = row(line);
        let input = fields[0];
        assert!(inputs.insert(input), "{input} is there twice");
        assert_eq!(fields.len(), columns.len(), "{input}");
        let manners: &[bool] = match input {
            _ if input.ends_with("we are polite") || input.contains("oneself") => &[true],
            _ if input.ends_with("we are impolite") => &[false],
            _ => &[true, false],
        };
        for (state, expected) in STATES.into_iter().zip(&fields[1..]) {
            for &polite in manners {
                for caller in [true, false] {
                    check(input, state, polite, caller, expected);
                    cells += 1;
                }
            }
        }
    }
    assert!(cells > 30 * STATES.len(), "the whole table was walked");
}

fn check(input: &str, state: CallState, polite: bool, caller: bool, expected: &str) {
    let what = format!("{input}, {state:?}, polite {polite}, caller {caller}: {expected}");
    let mut cell = Cell::in_state(state, polite, caller);
    let before = cell.engine.snapshot();
    let (refused, ends) = cell.apply(input);
    let after = cell.engine.snapshot();
    assert_eq!(refused, expected == "refused", "{what}");
    if matches!(expected, "refused" | "=") {
        assert_eq!((after.state, &after.with, after.call), (before.state, &before.with, before.call), "{what}");
        assert_eq!(ends, [], "{what}");
        return;
    }
    let (new_state, reason) = expected.split_once(' ').map_or((expected, None), |(s, r)| (s, Some(r)));
    assert_eq!(format!("{:?}", after.state), new_state, "{what}");
    let ended: Vec<String> = ends.iter().map(|reason| format!("{reason:?}")).collect();
    assert_eq!(ended.iter().map(String::as_str).collect::<Vec<_>>(), Vec::from_iter(reason), "{what}");
}
