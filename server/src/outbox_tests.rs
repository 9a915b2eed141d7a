//! The queue's bounds, and what they do.

use super::*;

const BYE: Closing = Closing { code: code::NORMAL, reason: "bye" };

fn drain(outbox: &Outbox) -> Vec<String> {
    let text = |outgoing| match outgoing {
        Outgoing::Frame(text) => text.to_string(),
        Outgoing::Ping => "ping".into(),
        Outgoing::Close(closing) => closing.code.to_string(),
    };
    let mut out = Vec::new();
    while let Some(outgoing) = outbox.try_next() {
        let last = matches!(outgoing, Outgoing::Close(_));
        out.push(text(outgoing));
        if last {
            break;
        }
    }
    out
}

#[test]
fn one_frame_too_many_marks_the_client_as_too_slow_and_frees_its_memory() {
    let outbox = Outbox::new(2, 1_000);
    assert!(outbox.push("a".into()) && outbox.push("b".into()));
    assert!(!outbox.is_closing());
    assert!(!outbox.push("c".into()));
    assert!(outbox.is_closing());
    assert!(drain(&outbox).is_empty());
    assert!(!outbox.push("d".into()), "nothing is taken for who is dropped");
}

#[test]
fn bytes_are_bounded_too_and_what_was_sent_makes_room() {
    let outbox = Outbox::new(100, 10);
    assert!(outbox.push("12345".into()) && outbox.push("12345".into()));
    assert_eq!(drain(&outbox), ["12345", "12345"]);
    assert!(outbox.push("1234567890".into()));
    assert!(!outbox.push("1".into()));
}

#[test]
fn a_waiting_list_gives_way_to_a_newer_one_and_other_frames_keep_their_order() {
    let outbox = Outbox::new(4, 40);
    outbox.push("a".into());
    for n in 0..100 {
        assert!(outbox.push_list(format!("list {n}").into()));
    }
    outbox.push("b".into());
    outbox.push_list("list of all".into());
    assert_eq!(drain(&outbox), ["a", "b", "list of all"]);
}

#[test]
fn a_close_comes_after_what_waits_and_a_ping_before_it_and_the_first_reason_stays() {
    let outbox = Outbox::new(4, 40);
    outbox.push("a".into());
    outbox.ping();
    outbox.ping();
    outbox.close(BYE);
    outbox.close(Closing { code: code::POLICY, reason: "later" });
    assert!(!outbox.push("b".into()));
    assert_eq!(drain(&outbox), ["ping", "a", "1000"]);
}

#[test]
fn who_is_away_loses_what_does_not_fit_and_not_the_place() {
    let outbox = Outbox::new(4, 1_000);
    assert!(outbox.try_push("chat".into(), 2) && outbox.try_push("chat".into(), 2));
    assert!(!outbox.try_push("chat".into(), 2), "half of the room is for calls");
    assert!(
        outbox.try_push("call".into(), 1) && outbox.try_push("call".into(), 1) && !outbox.try_push("call".into(), 1)
    );
    assert!(!outbox.is_closing());
    outbox.push_list("list".into());
    assert_eq!(outbox.take().len(), 0, "that one was too many: pushed, and not kept");
    let outbox = Outbox::new(4, 1_000);
    outbox.push_list("list".into());
    outbox.try_push("call".into(), 1);
    assert_eq!(outbox.take(), ["call"]);
}
