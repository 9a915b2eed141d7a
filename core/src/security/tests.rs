use super::frame::Frame;
use super::keys::commitment;
use super::*;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::HashSet;

const ANA: Fingerprint = [0xa; 32];
const RUI: Fingerprint = [0xb; 32];

fn offerer(secrets: Vec<Secret>) -> Check {
    Check::new(Ends { role: Role::Offerer, own: ANA, peer: RUI }, [1; 32], secrets)
}

fn answerer(secrets: Vec<Secret>) -> Check {
    Check::new(Ends { role: Role::Answerer, own: RUI, peer: ANA }, [2; 32], secrets)
}

/// Carries frames both ways until there are none.
fn talk(one: &mut Check, other: &mut Check) {
    loop {
        let mut still = true;
        while let Some(frame) = one.poll_frame() {
            other.receive(&frame);
            still = false;
        }
        while let Some(frame) = other.poll_frame() {
            one.receive(&frame);
            still = false;
        }
        if still {
            return;
        }
    }
}

fn met(secrets: [Vec<Secret>; 2]) -> (Check, Check) {
    let [one, other] = secrets;
    let (mut one, mut other) = (offerer(one), answerer(other));
    talk(&mut one, &mut other);
    (one, other)
}

#[test]
fn both_sides_get_the_same_words_to_compare() {
    let (one, other) = met([vec![], vec![]]);
    assert_eq!((one.result(), other.result()), (Some(CheckResult::Compare), Some(CheckResult::Compare)));
    assert!(one.words().is_some());
    assert_eq!(one.words(), other.words());
}

#[test]
fn the_words_are_those_of_the_protocol() {
    // Computed by another implementation (Python's hashlib and hmac): see docs/protocol.md.
    let (one, _) = met([vec![], vec![]]);
    let words = one.words().unwrap().map(|word| WORDS.iter().position(|w| *w == word).unwrap());
    assert_eq!(words, [10, 218, 250, 4]);
}

#[test]
fn a_server_in_the_middle_is_seen_each_time() {
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..10_000 {
        let [ana, rui, middle_1, middle_2]: [Fingerprint; 4] = random.random();
        let [n1, n2, n3, n4]: [Nonce; 4] = random.random();
        let mut one = Check::new(Ends { role: Role::Offerer, own: ana, peer: middle_1 }, n1, vec![]);
        let mut to_one = Check::new(Ends { role: Role::Answerer, own: middle_1, peer: ana }, n2, vec![]);
        let mut to_other = Check::new(Ends { role: Role::Offerer, own: middle_2, peer: rui }, n3, vec![]);
        let mut other = Check::new(Ends { role: Role::Answerer, own: rui, peer: middle_2 }, n4, vec![]);
        talk(&mut one, &mut to_one);
        talk(&mut to_other, &mut other);
        assert!(one.words().is_some() && other.words().is_some());
        assert_ne!(one.words(), other.words());
    }
}

#[test]
fn a_server_that_passes_the_frames_on_is_seen_too() {
    let mut random = StdRng::seed_from_u64(8);
    for _ in 0..10_000 {
        let [ana, rui, middle]: [Fingerprint; 3] = random.random();
        let mut one = Check::new(Ends { role: Role::Offerer, own: ana, peer: middle }, random.random(), vec![]);
        let mut other = Check::new(Ends { role: Role::Answerer, own: rui, peer: middle }, random.random(), vec![]);
        talk(&mut one, &mut other);
        assert!(one.words().is_some());
        assert_ne!(one.words(), other.words());
    }
}

#[test]
fn who_changes_their_mind_after_committing_is_caught() {
    let mut check = answerer(vec![]);
    check.receive(&Frame::Commit(commitment(&[7; 32])).write());
    check.receive(&Frame::Nonce([8; 32]).write());
    assert_eq!(check.result(), Some(CheckResult::Failed(CheckFailure::Commitment)));
    assert!(check.words().is_none() && !check.confirm(true) && check.secret().is_none());
}

#[test]
fn the_committing_side_reveals_nothing_before_the_other_has() {
    let mut check = offerer(vec![]);
    assert!(check.poll_frame().is_none(), "one that does not know the check gets no frame");
    check.receive(&Frame::Hello.write());
    assert_eq!(check.poll_frame(), Some(Frame::Commit(commitment(&[1; 32])).write()));
    assert!(check.poll_frame().is_none());
}

#[test]
fn a_side_that_gets_its_own_frames_back_sees_no_check() {
    let known = || vec![Secret([5; 32])];
    for mut check in [offerer(known()), answerer(known())] {
        check.receive(&Frame::Hello.write());
        for _ in 0..8 {
            while let Some(frame) = check.poll_frame() {
                check.receive(&frame);
            }
        }
        check.give_up();
        assert!(matches!(check.result(), Some(CheckResult::Failed(_))), "{:?}", check.result());
    }
}

#[test]
fn a_code_of_ones_own_is_none_of_the_others() {
    let mut check = answerer(vec![Secret([5; 32])]);
    check.receive(&Frame::Commit(commitment(&[1; 32])).write());
    check.receive(&Frame::Nonce([1; 32]).write());
    let mut own = vec![];
    while let Some(frame) = check.poll_frame() {
        own.push(frame);
    }
    check.receive(own.last().unwrap());
    assert_eq!(check.result(), Some(CheckResult::Changed));
}

#[test]
fn once_both_said_yes_the_devices_know_each_other_in_the_next_call() {
    let (mut one, mut other) = met([vec![], vec![]]);
    assert!(one.confirm(true) && one.secret().is_none(), "one alone is not enough");
    talk(&mut one, &mut other);
    assert_eq!((one.result(), other.result()), (Some(CheckResult::Compare), Some(CheckResult::Compare)));
    assert!(other.confirm(true));
    talk(&mut one, &mut other);
    assert_eq!((one.result(), other.result()), (Some(CheckResult::Confirmed), Some(CheckResult::Confirmed)));
    let (secret, same) = (one.secret().unwrap(), other.secret().unwrap());
    assert_eq!(secret, same);

    let (mut one, mut other) = (offerer(vec![Secret([9; 32]), secret.clone()]), answerer(vec![secret]));
    talk(&mut one, &mut other);
    assert_eq!((one.result(), other.result()), (Some(CheckResult::Remembered), Some(CheckResult::Remembered)));
}

#[test]
fn another_device_than_last_time_is_told() {
    for theirs in [vec![], vec![Secret([6; 32])]] {
        let (one, other) = met([vec![Secret([5; 32])], theirs.clone()]);
        assert_eq!(one.result(), Some(CheckResult::Changed));
        let expected = if theirs.is_empty() { CheckResult::Compare } else { CheckResult::Changed };
        assert_eq!(other.result(), Some(expected));
        assert_eq!(one.words(), other.words(), "they can be compared again");
    }
}

#[test]
fn somebody_in_the_middle_cannot_use_what_the_two_remember() {
    let known = || vec![Secret([5; 32])];
    let middle = [0xc; 32];
    let mut one = Check::new(Ends { role: Role::Offerer, own: ANA, peer: middle }, [1; 32], known());
    let mut other = Check::new(Ends { role: Role::Answerer, own: RUI, peer: middle }, [2; 32], known());
    talk(&mut one, &mut other);
    assert_eq!((one.result(), other.result()), (Some(CheckResult::Changed), Some(CheckResult::Changed)));
}

#[test]
fn one_no_is_enough_and_is_told_to_both() {
    let (mut one, mut other) = met([vec![], vec![]]);
    assert!(one.confirm(true) && other.confirm(false));
    talk(&mut one, &mut other);
    assert_eq!((one.result(), other.result()), (Some(CheckResult::Differs), Some(CheckResult::Differs)));
    assert!(one.secret().is_none() && other.secret().is_none());
}

#[test]
fn who_does_not_know_the_check_gets_no_warning_unless_their_device_did() {
    let (mut new, mut known) = (offerer(vec![]), answerer(vec![Secret([5; 32])]));
    new.give_up();
    known.give_up();
    assert_eq!((new.result(), known.result()), (Some(CheckResult::Unsupported), Some(CheckResult::Changed)));
    let mut begun = answerer(vec![]);
    begun.receive(&Frame::Commit([0; 32]).write());
    begun.give_up();
    assert_eq!(begun.result(), Some(CheckResult::Failed(CheckFailure::Timeout)));
}

#[test]
fn answers_without_end_end_the_check() {
    let (mut one, _) = met([vec![], vec![]]);
    for n in 0..1_000 {
        one.receive(&Frame::Same(n % 2 == 0).write());
    }
    assert_eq!(one.result(), Some(CheckResult::Failed(CheckFailure::TooMany)));
}

#[test]
fn a_version_to_come_is_told_from_nonsense() {
    for (bytes, why) in [
        (&[2, 0][..], CheckFailure::Version),
        (&[], CheckFailure::Malformed),
        (&[1], CheckFailure::Malformed),
        (&[1, 9], CheckFailure::Malformed),
        (&[1, 0, 0], CheckFailure::Malformed),
        (&[1, 4, 1], CheckFailure::Order),
    ] {
        let mut check = offerer(vec![]);
        check.receive(bytes);
        assert_eq!(check.result(), Some(CheckResult::Failed(why)), "{bytes:?}");
    }
}

#[test]
fn every_word_is_there_once() {
    assert_eq!(WORDS.iter().map(|word| word.emoji).collect::<HashSet<_>>().len(), WORDS.len());
    assert_eq!(WORDS.iter().map(|word| word.en).collect::<HashSet<_>>().len(), WORDS.len());
    assert_eq!(WORDS.iter().map(|word| word.pt_br).collect::<HashSet<_>>().len(), WORDS.len());
    assert!(WORDS.iter().all(|word| word.emoji.chars().count() == 1 && !word.en.is_empty()));
}

#[test]
fn the_oldest_device_of_five_is_forgotten() {
    let mut person = RememberedPerson { name: "ana".into(), secrets: vec![] };
    (0..5).for_each(|n| person.add(Secret([n; 32])));
    assert_eq!(person.secrets, [4, 3, 2, 1].map(|n| Secret([n; 32])));
}

#[test]
fn a_secret_is_not_written_to_a_log() {
    assert_eq!(format!("{:?}", Secret([77; 32])), "Secret(…)");
}

proptest! {
    #[test]
    fn any_frames_end_in_a_result_and_never_in_a_confirmation_that_nobody_gave(
        frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..160), 0..40),
        offers in any::<bool>(),
    ) {
        let mut check = if offers { offerer(vec![]) } else { answerer(vec![]) };
        for frame in frames {
            check.receive(&frame);
        }
        check.give_up();
        prop_assert!(check.result().is_some_and(|result| result != CheckResult::Confirmed));
    }
}

#[test]
fn what_is_remembered_is_json_that_is_read_again_and_half_a_secret_is_none() {
    let person = RememberedPerson { name: "rui".to_owned(), secrets: vec![Secret([0xa5; 32])] };
    let json = serde_json::to_string(&person).unwrap();
    assert_eq!(json, format!("{{\"name\":\"rui\",\"secrets\":[\"{}\"]}}", "a5".repeat(32)));
    assert_eq!(serde_json::from_str::<RememberedPerson>(&json).unwrap(), person);
    for wrong in ["", "a5", &"a5".repeat(33), &"zz".repeat(32), &"é".repeat(32), &"+1".repeat(32)] {
        let json = format!("{{\"name\":\"rui\",\"secrets\":[\"{wrong}\"]}}");
        let error = serde_json::from_str::<RememberedPerson>(&json).unwrap_err().to_string();
        assert!(error.contains("64 hexadecimal digits") && (wrong.is_empty() || !error.contains(wrong)), "{error}");
    }
}
