use super::*;

const ANA: u64 = 1;
const RING_TIME: Duration = Duration::from_secs(45);

struct Bench {
    now: Instant,
    ringing: Ringing<Instant>,
}

fn bench() -> Bench {
    Bench { now: Instant::now(), ringing: Ringing::new(RING_TIME) }
}

fn bia() -> Callee {
    Callee { room: "".into(), subject: "bia".into() }
}

/// A session of somebody whom no other session belongs to.
fn caller(session: u64) -> Caller {
    Caller { session, subject: format!("person {session}").into() }
}

fn phone() -> Option<Arc<str>> {
    Some("phone".into())
}

fn reached(ring: &Ring<Instant>) -> Vec<(u64, Option<Arc<str>>)> {
    ring.reached.iter().map(|reached| (reached.session, reached.device.clone())).collect()
}

impl Bench {
    fn after(&self, seconds: u64) -> Instant {
        self.now + Duration::from_secs(seconds)
    }

    fn offer(&mut self, caller: u64, callee: Callee) -> Result<(), CannotWait> {
        self.ringing
            .start(self.now, (self::caller(caller), callee, "bia", None), "offer".into(), Vec::new(), |until| until)
    }

    fn candidate(&mut self, text: &'static str) -> bool {
        self.ringing.add(ANA, &bia(), None, text.into())
    }

    fn arrived(&mut self, seconds: u64, session: u64, device: Option<Arc<str>>) -> Vec<Vec<String>> {
        let waiting = self.ringing.arrived(self.after(seconds), &bia(), session, device.as_ref());
        waiting.into_iter().map(|call| call.frames.iter().map(|frame| frame.to_string()).collect()).collect()
    }
}

#[test]
fn who_logs_in_gets_the_offer_and_the_candidates_in_their_order() {
    let mut bench = bench();
    bench.offer(ANA, bia()).unwrap();
    assert!(bench.candidate("one") && bench.candidate("two"));
    assert_eq!(bench.ringing.is_reached(ANA, &bia()), Some(false));
    assert_eq!(bench.arrived(44, 7, phone()), [["offer", "one", "two"]]);
    assert_eq!(bench.ringing.is_reached(ANA, &bia()), Some(true));
    assert_eq!((bench.ringing.callee_named(ANA, "bia"), bench.ringing.callee_named(2, "bia")), (Some(bia()), None));
    let ring = bench.ringing.end(ANA, &bia(), None).unwrap();
    assert_eq!((reached(&ring), ring.pushed), (vec![(7, phone())], bench.after(45)));
    assert_eq!(bench.ringing.next_deadline(), None);
}

#[test]
fn nothing_rings_after_it_was_taken_back_or_its_time_is_over() {
    let mut bench = bench();
    bench.offer(ANA, bia()).unwrap();
    assert!(bench.ringing.end(ANA, &bia(), None).is_some());
    assert!(bench.arrived(1, 7, phone()).is_empty());
    bench.offer(ANA, bia()).unwrap();
    assert_eq!(bench.ringing.next_deadline(), Some(bench.after(45)));
    assert!(bench.arrived(45, 7, phone()).is_empty());
    assert!(bench.ringing.expire(bench.after(44)).is_empty());
    assert_eq!(bench.ringing.expire(bench.after(45)).len(), 1);
    bench.offer(ANA, bia()).unwrap();
    assert_eq!(bench.ringing.caller_left(ANA).len(), 1);
    assert!(bench.arrived(1, 7, phone()).is_empty() && !bench.candidate("late"));
}

#[test]
fn a_session_is_rung_once_also_under_another_number_and_each_further_device_too() {
    let mut bench = bench();
    bench.offer(ANA, bia()).unwrap();
    assert_eq!(bench.arrived(1, 7, phone()).len(), 1);
    assert!(bench.arrived(1, 7, phone()).is_empty());
    bench.ringing.renumber(7, 9, Some(&bia()));
    assert!(bench.arrived(2, 9, phone()).is_empty());
    assert_eq!(bench.arrived(3, 10, Some("tablet".into())), [["offer"]]);
    // Started anew, the phone knows of nothing.
    assert_eq!(bench.arrived(4, 11, phone()), [["offer"]]);
    let ring = bench.ringing.end(ANA, &bia(), None).unwrap();
    assert_eq!(reached(&ring), [(10, Some("tablet".into())), (11, phone())]);
}

#[test]
fn an_end_that_names_another_call_ends_nothing() {
    let mut bench = bench();
    let (one, other) = (Some(CallId::random()), Some(CallId::random()));
    bench
        .ringing
        .start(bench.now, (caller(ANA), bia(), "bia", one), "offer".into(), Vec::new(), |until| until)
        .unwrap();
    assert!(bench.ringing.end(ANA, &bia(), other).is_none());
    assert!(!bench.ringing.add(ANA, &bia(), other, "of another call".into()));
    assert!(bench.ringing.end(2, &bia(), one).is_none());
    assert!(bench.ringing.end(ANA, &bia(), one).is_some());
}

#[test]
fn what_waits_is_bounded_per_caller_callee_and_call() {
    let mut bench = bench();
    for n in 0..MAX_OF_CALLER {
        bench.offer(ANA, Callee { subject: n.to_string().into(), ..bia() }).unwrap();
    }
    assert_eq!(bench.offer(ANA, bia()), Err(CannotWait::Caller));
    for caller in 0..MAX_OF_CALLEE as u64 {
        bench.offer(100 + caller, bia()).unwrap();
    }
    assert_eq!(bench.offer(2, bia()), Err(CannotWait::Callee));
    let add = |bench: &mut Bench, frame: &str| bench.ringing.add(100, &bia(), None, frame.into());
    assert!(add(&mut bench, &"x".repeat(MAX_BYTES - 5)) && !add(&mut bench, "x"));
    let taken = (0..).take_while(|_| bench.ringing.add(101, &bia(), None, "x".into())).count();
    assert_eq!(taken, MAX_FRAMES - 1);
    assert_eq!((0..200).map(|caller| bench.ringing.caller_left(100 + caller).len()).sum::<usize>(), MAX_OF_CALLEE);
    assert_eq!(bench.ringing.bytes, MAX_OF_CALLER * "offer".len());
    assert_eq!(bench.ringing.take_all().len(), MAX_OF_CALLER);
    let Ringing { rings, by_session, by_callee, counts, bytes, .. } = &bench.ringing;
    assert!(rings.is_empty() && by_session.is_empty() && by_callee.is_empty() && counts.is_empty() && *bytes == 0);
}

#[test]
fn more_sessions_of_one_person_are_no_more_calls() {
    let mut bench = bench();
    let mut offer = |session: u64, callee: &str| {
        let (caller, callee) = (Caller { session, subject: "eva".into() }, Callee { subject: callee.into(), ..bia() });
        bench.ringing.start(bench.now, (caller, callee, "bia", None), "offer".into(), Vec::new(), |until| until)
    };
    for session in 0..MAX_OF_PAIR as u64 {
        offer(session, "bia").unwrap();
    }
    assert_eq!(offer(8, "bia"), Err(CannotWait::Caller));
    for session in MAX_OF_PAIR..MAX_OF_CALLER {
        offer(session as u64, &format!("another {session}")).unwrap();
    }
    assert_eq!(offer(9, "one more"), Err(CannotWait::Caller));
}

#[test]
fn a_caller_under_another_number_has_its_calls_still() {
    let mut bench = bench();
    bench.offer(ANA, bia()).unwrap();
    bench.ringing.renumber(ANA, 20, None);
    assert!(!bench.ringing.has(ANA, &bia()) && bench.ringing.caller_left(ANA).is_empty());
    assert_eq!(bench.ringing.arrived(bench.now, &bia(), 7, None)[0].caller, 20);
    assert_eq!(bench.ringing.caller_left(20).len(), 1);
}

#[test]
fn all_calls_together_take_no_more_than_a_bound() {
    let mut bench = bench();
    let long = Utf8Bytes::from("x".repeat(64 * 1024));
    let mut count = 0;
    loop {
        let callee = Callee { subject: count.to_string().into(), ..bia() };
        match bench
            .ringing
            .start(bench.now, (caller(count), callee, "bia", None), long.clone(), Vec::new(), |until| until)
        {
            Ok(()) => count += 1,
            Err(full) => break assert_eq!(full, CannotWait::Full),
        }
    }
    assert_eq!(count as usize, MAX_ALL_BYTES / long.len());
}

#[test]
fn a_connected_device_that_does_not_say_that_it_rings_counts_as_asleep() {
    let mut bench = bench();
    let devices = [(7, "phone"), (8, "tablet"), (9, "watch")];
    let connected = devices.map(|(session, device)| Reached::new(session, Some(device.into())));
    let of_ana = (caller(ANA), bia(), "bia", None);
    bench.ringing.start(bench.now, of_ana, "offer".into(), connected.into(), |until| until).unwrap();
    bench.ringing.heard(ANA, &bia(), 7, phone().as_ref());
    // The watch has begun anew and has come for the call.
    assert_eq!(bench.arrived(1, 10, Some("watch".into())), [["offer"]]);
    assert_eq!(bench.ringing.next_deadline(), Some(bench.after(2)));
    let mut silent = Vec::new();
    bench.ringing.take_silent(bench.after(1), |_, devices| silent.extend(devices));
    assert!(silent.is_empty());
    bench.ringing.take_silent(bench.after(2), |_, devices| silent.extend(devices));
    assert_eq!(silent, ["tablet".into()]);
    assert_eq!(bench.ringing.next_deadline(), Some(bench.after(45)));
    // Asleep or not, it gets the call when it comes.
    assert_eq!(bench.arrived(3, 11, Some("tablet".into())), [["offer"]]);
    let mut ring = bench.ringing.end(ANA, &bia(), None).unwrap();
    ring.reached.sort_unstable_by_key(|reached| reached.session);
    assert_eq!(reached(&ring).iter().map(|(session, _)| *session).collect::<Vec<_>>(), [7, 10, 11]);
}

#[test]
fn a_device_that_was_taken_for_asleep_and_was_only_slow_needs_not_be_told_to_stop() {
    let mut bench = bench();
    let connected = vec![Reached::new(7, phone())];
    let of_ana = (caller(ANA), bia(), "bia", None);
    bench.ringing.start(bench.now, of_ana, "offer".into(), connected, |until| until).unwrap();
    bench.ringing.take_silent(bench.after(2), |_, devices| assert_eq!(devices, ["phone".into()]));
    bench.ringing.heard(ANA, &bia(), 7, phone().as_ref());
    let ring = bench.ringing.end(ANA, &bia(), None).unwrap();
    assert_eq!(reached(&ring), [(7, phone())]);
}

#[test]
fn a_call_that_has_waited_elsewhere_waits_for_the_rest_of_its_time() {
    let mut bench = bench();
    bench.offer(ANA, bia()).unwrap();
    let eva = Callee { subject: "eva".into(), ..bia() };
    let frames = vec!["offer".into(), "candidate".into()];
    let of_ana = (caller(ANA), eva.clone(), "eva", None);
    bench.ringing.go_on(bench.after(3), of_ana, frames, Vec::new(), |until| until).unwrap();
    assert_eq!(bench.ringing.next_deadline(), Some(bench.after(3)));
    assert_eq!(bench.ringing.expire(bench.after(3)).len(), 1);
    assert_eq!(bench.ringing.next_deadline(), Some(bench.after(45)));
}
