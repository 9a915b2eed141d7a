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
fn whoever_fills_the_room_is_refused_and_takes_nobody_elses() {
    let outbox = Outbox::new(64, 8_000);
    let fill = |source| (0..100).take_while(|_| outbox.push(source, "x".repeat(100).into())).count();
    assert_eq!(fill(Source::Stranger(1)), 8, "an eighth of the frames");
    // Any number of strangers leave half of it free.
    assert_eq!((2..100).map(|n| fill(Source::Stranger(n))).sum::<usize>(), 24);
    assert_eq!(fill(Source::Peer(200)), 32, "the other half is for the peer of the call");
    assert!(!outbox.is_closing());
    assert_eq!(drain(&outbox).len(), 64);
    assert_eq!(fill(Source::Stranger(1)), 8, "what was sent makes room");
}

#[test]
fn bytes_are_bounded_too_and_what_was_sent_makes_room() {
    let outbox = Outbox::new(100, 80);
    assert!(outbox.push(Source::Stranger(1), "1234567890".into()) && !outbox.push(Source::Stranger(1), "1".into()));
    assert!(outbox.push(Source::Server, "12345".into()));
    assert_eq!(drain(&outbox), ["1234567890", "12345"]);
    assert!(outbox.push(Source::Stranger(1), "1".into()));
}

#[test]
fn a_waiting_list_gives_way_to_a_newer_one_and_other_frames_keep_their_order() {
    let outbox = Outbox::new(4, 40);
    outbox.push(Source::Server, "a".into());
    for n in 0..100 {
        assert!(outbox.push_list(format!("list {n}").into()));
    }
    outbox.push(Source::Server, "b".into());
    outbox.push_list("list of all".into());
    assert_eq!(drain(&outbox), ["a", "b", "list of all"]);
}

#[test]
fn a_close_comes_after_what_waits_and_a_ping_before_it_and_the_first_reason_stays() {
    let outbox = Outbox::new(4, 40);
    outbox.push(Source::Server, "a".into());
    outbox.ping();
    outbox.ping();
    outbox.close(BYE);
    outbox.close(Closing { code: code::POLICY, reason: "later" });
    assert!(!outbox.push(Source::Server, "b".into()));
    assert_eq!(drain(&outbox), ["ping", "a", "1000"]);
}

#[test]
fn what_waited_for_who_was_away_comes_in_order_and_without_lists() {
    let away = Outbox::new(64, 1_000);
    for (source, frame) in [(Source::Peer(1), "a"), (Source::Stranger(2), "b")] {
        away.push(source, frame.into());
    }
    away.push_list("list".into());
    let back = Outbox::new(64, 1_000);
    back.push(Source::Server, "id".into());
    back.restore(away.take());
    assert_eq!(drain(&back), ["id", "a", "b"]);
    assert!(drain(&away).is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_write_lines_of_the_chat_wait_for_one_another_and_for_nothing_else() {
    let outbox = Outbox::new(64, 8_000);
    let line = |n: usize| assert!(outbox.push_line(Source::Stranger(1), n.to_string().into()));
    let started = Instant::now();
    let waits = async {
        outbox.gather().await;
        started.elapsed()
    };
    let says = async {
        for n in 0..3 {
            line(n);
            time::sleep(GATHER / 8).await;
        }
    };
    assert_eq!(tokio::join!(waits, says).0.as_millis(), GATHER.as_millis(), "no line ends it");
    assert_eq!(drain(&outbox), ["0", "1", "2"]);
    // Once it is over, the next one goes at once.
    line(3);
    assert!(matches!(outbox.next().await, Outgoing::Frame(text) if text == "3"));

    for urgent in [
        (|outbox: &Outbox| assert!(outbox.push(Source::Peer(2), "call".into()))) as fn(&Outbox),
        |outbox| outbox.ping(),
        |outbox| outbox.close(BYE),
    ] {
        let outbox = Outbox::new(64, 8_000);
        let started = Instant::now();
        let says = async {
            outbox.push_line(Source::Stranger(1), "x".into());
            tokio::task::yield_now().await;
            urgent(&outbox);
        };
        tokio::join!(outbox.gather(), says);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn very_many_lines_do_not_wait() {
    let outbox = Outbox::new(16 * GATHERED, 80_000);
    let started = Instant::now();
    let says = async {
        for _ in 0..GATHERED {
            tokio::task::yield_now().await;
            assert!(outbox.push_line(Source::Stranger(1), "x".into()));
        }
    };
    tokio::join!(outbox.gather(), says);
    assert_eq!(started.elapsed(), Duration::ZERO);
    // What is taken for whoever comes back counts no more.
    assert_eq!(outbox.take().len(), GATHERED);
    outbox.gather().await;
    assert_eq!(started.elapsed(), GATHER);
}
