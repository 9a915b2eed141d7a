use super::*;
use rtc::stun::message::{BINDING_SUCCESS, MessageType};

const PASSWORD: &str = "a password of twenty-two";
const MEDIA: [u8; 12] = [0x80; 12];

/// Where the other side is at first, and where it is afterwards.
fn at(host: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], 7))
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A message of the agents with the attributes of `like`, under this transaction.
fn message(typ: MessageType, transaction: TransactionId, username: &[u8], password: &str) -> Vec<u8> {
    let crypto = rtc::crypto::default_provider().unwrap();
    let mut message = Message::new();
    let integrity = MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), crypto.crypto());
    message.set_type(typ);
    message.transaction_id = transaction;
    message.write_header();
    if !username.is_empty() {
        message.add(rtc::stun::attributes::AttrType(USERNAME), username);
        message.add(rtc::stun::attributes::AttrType(CONTROLLED), &[7; 8]);
    }
    integrity.add_to(&mut message).unwrap();
    FINGERPRINT.add_to(&mut message).unwrap();
    message.raw.clone()
}

fn answer(transaction: TransactionId, password: &str) -> Vec<u8> {
    message(BINDING_SUCCESS, transaction, b"", password)
}

fn transaction(check: &[u8]) -> TransactionId {
    TransactionId(check[8..20].try_into().unwrap())
}

/// Media goes to and comes from the first address, and the crate has checked it.
fn settled(now: Instant) -> Rebinding {
    let rebinding = Rebinding::default();
    rebinding.password.set(PASSWORD);
    let check = message(BINDING_REQUEST, TransactionId([1; 12]), b"them:us", PASSWORD);
    assert_eq!(rebinding.sent(now, at(1), &check), None);
    assert_eq!(rebinding.sent(now, at(1), &MEDIA), None);
    assert_eq!(rebinding.received(now, at(1), &MEDIA), Some(at(1)));
    rebinding
}

/// The crate answers a check that came from there.
fn accepts(rebinding: &Rebinding, now: Instant, from: SocketAddr) -> Option<Check> {
    rebinding.sent(now, from, &answer(TransactionId([2; 12]), "our own password"))
}

#[test]
fn media_follows_once_a_check_was_answered_there_and_the_old_place_is_silent() {
    let t = Instant::now();
    let rebinding = settled(t);
    let (to, check) = accepts(&rebinding, t + ms(20), at(2)).unwrap();
    assert_eq!(to, at(2));
    assert_eq!(attribute(&check, USERNAME), Some(&b"them:us"[..]));
    assert!(is_authentic(&check, PASSWORD), "with the password of the other side");
    assert_ne!(transaction(&check), TransactionId([1; 12]), "one that only who is there can know");
    assert_eq!(
        rebinding.received(t + ms(40), at(2), &answer(transaction(&check), PASSWORD)),
        None,
        "the crate did not ask"
    );
    assert_eq!(rebinding.received(t + ms(199), at(2), &MEDIA), Some(at(2)), "the old place was heard just before");
    assert_eq!(rebinding.destination(at(1)), at(1));
    assert_eq!(rebinding.received(t + ms(200), at(2), &MEDIA), Some(at(1)), "the crate sees nothing of it");
    assert_eq!(rebinding.destination(at(1)), at(2));
    assert_eq!(rebinding.destination(at(3)), at(3));
    // Consent is asked for and given where the other side is.
    let consent = answer(TransactionId([1; 12]), PASSWORD);
    assert_eq!(rebinding.received(t + ms(300), at(2), &consent), Some(at(1)));
    assert_eq!(accepts(&rebinding, t + ms(300), at(1)), None);
}

#[test]
fn nobody_is_followed_who_has_not_answered_a_check_of_this_side_with_the_right_password() {
    let t = Instant::now();
    let late = t + ms(1_000);
    let nobody = |rebinding: &Rebinding, why| {
        assert_eq!(rebinding.received(late, at(2), &MEDIA), Some(at(2)), "{why}");
        assert_eq!(rebinding.destination(at(1)), at(1), "{why}");
    };
    nobody(&settled(t), "media from anywhere");
    let asked = || {
        let rebinding = settled(t);
        let (_, check) = accepts(&rebinding, t, at(2)).unwrap();
        (rebinding, transaction(&check))
    };
    let (rebinding, _) = asked();
    nobody(&rebinding, "a check that was repeated by somebody is not answered");
    let (rebinding, _) = asked();
    rebinding.received(t, at(2), &answer(TransactionId([1; 12]), PASSWORD));
    nobody(&rebinding, "the answer to a check that went to the old place");
    let (rebinding, known) = asked();
    rebinding.received(t, at(2), &answer(known, "another password, as long"));
    nobody(&rebinding, "a STUN server");
    let (rebinding, known) = asked();
    rebinding.received(t, at(3), &answer(known, PASSWORD));
    nobody(&rebinding, "from somewhere else");
}

#[test]
fn a_place_that_is_only_kept_ready_changes_nothing_until_media_comes_from_it() {
    let t = Instant::now();
    let rebinding = settled(t);
    let (_, check) = accepts(&rebinding, t, at(2)).unwrap();
    rebinding.received(t, at(2), &answer(transaction(&check), PASSWORD));
    let later = t + ms(3_000);
    let request = message(BINDING_REQUEST, TransactionId([3; 12]), b"us:them", PASSWORD);
    assert_eq!(rebinding.received(later, at(2), &request), Some(at(2)));
    assert_eq!(rebinding.destination(at(1)), at(1));
    assert_eq!(rebinding.received(t + FRESH, at(2), &MEDIA), Some(at(2)), "that it was there is too long ago");
    assert_eq!(rebinding.destination(at(1)), at(1));
}

#[test]
fn who_goes_back_is_followed_too_and_another_selection_begins_anew() {
    let t = Instant::now();
    let rebinding = settled(t);
    let (_, check) = accepts(&rebinding, t, at(2)).unwrap();
    rebinding.received(t, at(2), &answer(transaction(&check), PASSWORD));
    rebinding.received(t + ms(250), at(2), &MEDIA);
    rebinding.received(t + ms(300), at(1), &MEDIA);
    assert_eq!(rebinding.destination(at(1)), at(2), "late packets of the old path");
    rebinding.received(t + ms(450), at(1), &MEDIA);
    assert_eq!(rebinding.destination(at(1)), at(1));
    rebinding.sent(t + ms(500), at(5), &MEDIA);
    assert_eq!(rebinding.destination(at(1)), at(1));
    assert_eq!(rebinding.received(t + ms(900), at(2), &MEDIA), Some(at(2)), "what was known was of the other path");
}

#[test]
fn checks_of_other_places_are_few() {
    let t = Instant::now();
    let rebinding = settled(t);
    let checks =
        |from: u8, until: u64| (0..until).filter(|n| accepts(&rebinding, t + ms(10 * n), at(from)).is_some()).count();
    assert_eq!(checks(2, 100), 5, "one in 200 ms");
    (10..100).for_each(|host| drop(accepts(&rebinding, t, at(host))));
    assert_eq!(lock(&rebinding.peer).others.len(), MAX_ADDRESSES);
    assert_eq!(accepts(&Rebinding::default(), t, at(2)), None, "before there is media, ICE itself is at work");
    let known = settled(t);
    let (_, check) = accepts(&known, t, at(2)).unwrap();
    known.received(t, at(2), &answer(transaction(&check), PASSWORD));
    assert_eq!(accepts(&known, t + ms(4_000), at(2)), None, "it is known to be there");
    assert!(accepts(&known, t + ms(5_000), at(2)).is_some());
}
