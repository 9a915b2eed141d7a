use super::frame::Frame;
use super::*;
use std::time::Instant;

fn id(n: u128) -> TextId {
    TextId(Uuid::from_u128(n))
}

/// Two sides and a channel between them, which loses everything while it is off.
struct Two {
    now: Instant,
    sides: [Conversation; 2],
    on: bool,
    sent: usize,
}

impl Two {
    fn connected() -> Self {
        let mut two = Self { now: Instant::now(), sides: Default::default(), on: true, sent: 0 };
        two.reconnect();
        assert_eq!((two.events(0), two.events(1)), (vec![TextEvent::Available], vec![TextEvent::Available]));
        two
    }

    fn reconnect(&mut self) {
        self.on = true;
        self.sides.iter_mut().for_each(Conversation::connected);
        self.carry();
    }

    fn carry(&mut self) {
        loop {
            let frames: [Vec<String>; 2] = [0, 1].map(|n| std::iter::from_fn(|| self.sides[n].poll_frame()).collect());
            if frames.iter().all(Vec::is_empty) {
                return;
            }
            for (n, frame) in frames.iter().enumerate().flat_map(|(n, frames)| frames.iter().map(move |f| (n, f))) {
                self.sent += 1;
                if self.on {
                    self.sides[1 - n].receive(self.now, frame.as_bytes());
                }
            }
        }
    }

    fn says(&mut self, side: usize, n: u128, text: &str) -> Result<(), TextError> {
        let result = self.sides[side].send(self.now, id(n), text);
        self.carry();
        result
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        for side in &mut self.sides {
            if side.poll_timeout().is_some_and(|at| at <= self.now) {
                side.handle_timeout(self.now);
            }
        }
        self.carry();
    }

    fn events(&mut self, side: usize) -> Vec<TextEvent> {
        std::iter::from_fn(|| self.sides[side].poll_event()).collect()
    }
}

fn received(n: u128, text: &str) -> TextEvent {
    TextEvent::Received { id: id(n), text: text.into() }
}

#[test]
fn a_text_arrives_and_its_mark_comes_back() {
    let mut two = Two::connected();
    two.says(0, 1, "  olá\nrui ").unwrap();
    assert_eq!(two.events(1), [received(1, "olá\nrui")]);
    assert_eq!(two.events(0), [TextEvent::Delivered { id: id(1) }]);
    assert_eq!(two.sides[0].poll_timeout(), None, "nothing is left to do");
}

#[test]
fn what_was_written_before_the_channel_was_there_is_sent_once_it_is() {
    let mut two = Two { now: Instant::now(), sides: Default::default(), on: true, sent: 0 };
    two.says(0, 1, "early").unwrap();
    assert_eq!(two.sent, 0, "nobody has said that they take text");
    two.reconnect();
    assert_eq!(two.events(1), [TextEvent::Available, received(1, "early")]);
}

#[test]
fn what_a_lost_connection_took_with_it_comes_once_over_the_next_one() {
    let mut two = Two::connected();
    two.says(0, 1, "one").unwrap();
    two.events(1);
    two.on = false;
    two.says(0, 2, "two").unwrap();
    two.says(1, 3, "three").unwrap();
    two.reconnect();
    assert_eq!((two.events(1), two.events(0).len()), (vec![received(2, "two"), TextEvent::Delivered { id: id(3) }], 3));
    // The mark was lost, and not the text.
    let mark = Frame::Text { id: id(2), text: "two".into() }.write();
    two.sides[1].receive(two.now, mark.as_bytes());
    two.carry();
    assert!(two.events(1).is_empty() && two.events(0).is_empty(), "it is shown once");
}

#[test]
fn a_text_without_a_mark_is_sent_again_on_the_same_connection() {
    let mut two = Two::connected();
    two.on = false;
    two.says(0, 1, "again").unwrap();
    two.on = true;
    two.pass(RESEND_AFTER - Duration::from_millis(1));
    assert!(two.events(1).is_empty());
    two.pass(Duration::from_millis(1));
    assert_eq!((two.events(1), two.events(0)), (vec![received(1, "again")], vec![TextEvent::Delivered { id: id(1) }]));
}

#[test]
fn the_sender_is_told_what_is_not_taken() {
    let mut two = Two::connected();
    assert_eq!(two.says(0, 1, " \u{202E}\u{7} "), Err(TextError::Empty));
    assert_eq!(two.says(0, 1, &"é".repeat(MAX_CHARS + 1)), Err(TextError::TooLong(MAX_CHARS + 1)));
    two.says(0, 1, &"\"".repeat(MAX_CHARS)).unwrap();
    let fast = (2..100).find_map(|n| two.says(0, n, "x").err());
    assert_eq!(fast, Some(TextError::TooFast));
    two.on = false;
    two.pass(Duration::from_secs(60));
    let full = (100..300).find_map(|n| {
        two.pass(Duration::from_secs(1));
        two.says(0, n, "x").err()
    });
    assert_eq!(full, Some(TextError::TooManyWaiting));
}

#[test]
fn a_sender_that_keeps_to_no_bound_is_refused_with_a_reason_and_loses_nothing_else() {
    let mut two = Two::connected();
    two.events(1);
    let send = |two: &mut Two, n, text: &str| {
        let frame = Frame::Text { id: id(n), text: text.into() }.write();
        two.sides[1].receive(two.now, frame.as_bytes());
        let answer = two.sides[1].poll_frame().unwrap();
        Frame::read(answer.as_bytes()).unwrap()
    };
    let refused = |n, why| Frame::Refused { id: id(n), why };
    assert_eq!(send(&mut two, 1, &"x".repeat(MAX_CHARS + 1)), refused(1, Refusal::TooLong));
    assert_eq!(send(&mut two, 2, "\u{2066} \u{0}"), refused(2, Refusal::Empty));
    let answers: Vec<Frame> = (10..1_000).map(|n| send(&mut two, n, "x")).collect();
    let taken = answers.iter().filter(|answer| matches!(answer, Frame::Delivered { .. })).count();
    assert_eq!((taken, two.events(1).len()), (127, 127));
    assert!(matches!(answers.last(), Some(Frame::Refused { why: Refusal::TooFast, .. })));
    two.pass(Duration::from_secs(1));
    assert_eq!(send(&mut two, 5_000, "later"), Frame::Delivered { id: id(5_000) });
}

#[test]
fn typing_is_said_rarely_however_many_keys_there_are_and_ends_by_itself_or_with_the_text() {
    let mut two = Two::connected();
    let before = two.sent;
    for _ in 0..50 {
        two.sides[0].set_typing(two.now, true);
        two.pass(Duration::from_millis(100));
    }
    assert_eq!((two.sent - before, two.events(1)), (2, vec![TextEvent::Typing(true)]));
    two.pass(TYPING_LASTS);
    assert_eq!(two.events(1), [TextEvent::Typing(false)]);
    two.sides[0].set_typing(two.now, true);
    two.carry();
    two.says(0, 1, "there").unwrap();
    assert_eq!(two.events(1), [TextEvent::Typing(true), TextEvent::Typing(false), received(1, "there")]);
    two.sides[0].set_typing(two.now, true);
    two.sides[0].set_typing(two.now, false);
    two.carry();
    assert_eq!(two.events(1), [TextEvent::Typing(true), TextEvent::Typing(false)]);
}

#[test]
fn a_million_typing_marks_tell_the_app_a_few() {
    let mut two = Two::connected();
    for n in 0..1_000_000 {
        let frame: &[u8] =
            if n % 2 == 0 { br#"{"v":1,"type":"typing","on":true}"# } else { br#"{"v":1,"type":"typing","on":false}"# };
        two.sides[0].receive(two.now, frame);
    }
    assert_eq!(two.events(0).len(), 16);
}

#[test]
fn frames_are_as_the_document_writes_them_and_later_ones_are_passed_over() {
    let text = br#"{"v":1,"type":"text","id":"00000000-0000-0000-0000-000000000007","text":"hi"}"#;
    assert_eq!(Frame::read(text), Some(Frame::Text { id: id(7), text: "hi".into() }));
    assert_eq!(Frame::read(text).unwrap().write().as_bytes(), text);
    let odd = br#"{"v":1,"type":"refused","id":"00000000-0000-0000-0000-000000000007","why":"moon","x":[]}"#;
    assert_eq!(Frame::read(odd), Some(Frame::Refused { id: id(7), why: Refusal::Other }));
    for none in [&br#"{"v":2,"type":"hello"}"#[..], br#"{"v":1,"type":"dance"}"#, b"hello", b"[1]", b"\xff", b""] {
        assert_eq!(Frame::read(none), None);
    }
}
