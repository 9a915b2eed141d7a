use super::frame::{self, Control, MAX_CHUNK, Received};
use super::pace::PathLoad;
use super::storage::{FileSink, FileSource, Files, Job};
use super::*;
use bytes::Bytes;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A file whose bytes follow from their places.
struct Made(u64);

fn byte(at: u64) -> u8 {
    (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

impl FileSource for Made {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = usize::try_from(self.0.saturating_sub(offset)).unwrap().min(buffer.len());
        buffer.iter_mut().zip(offset..).for_each(|(to, at)| *to = byte(at));
        Ok(count)
    }
}

/// What was kept: whole files only.
type Kept = Arc<Mutex<Vec<Vec<u8>>>>;

struct Keeps(Kept, Vec<u8>);

impl FileSink for Keeps {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.1.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Option<PathBuf>> {
        self.0.lock().unwrap().push(self.1);
        Ok(Some("kept".into()))
    }
}

/// A disk that is full after so many bytes.
struct Full(u64);

impl FileSink for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0 = self.0.checked_sub(bytes.len() as u64).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<Option<PathBuf>> {
        Ok(None)
    }
}

#[derive(Default)]
struct Side {
    transfers: Transfers,
    files: Files,
    /// Events that were not asked for yet.
    events: Vec<FileEvent>,
    /// The disk stands still.
    is_slow: bool,
    jobs: Vec<Job>,
    most_waiting: usize,
}

impl Side {
    fn work(&mut self, now: Instant) {
        loop {
            self.jobs.extend(std::iter::from_fn(|| self.transfers.poll_job()));
            let waiting = self.jobs.iter().map(|job| if let Job::Write { bytes, .. } = job { bytes.len() } else { 0 });
            self.most_waiting = self.most_waiting.max(waiting.sum());
            if self.is_slow || self.jobs.is_empty() {
                break;
            }
            for job in std::mem::take(&mut self.jobs) {
                if let Some(done) = self.files.run(job) {
                    self.transfers.done(now, done);
                }
            }
        }
        self.events.extend(std::iter::from_fn(|| self.transfers.poll_event()));
    }
}

/// Two sides and a channel between them, which loses everything while it is off.
struct Two {
    now: Instant,
    sides: [Side; 2],
    on: bool,
    kept: Kept,
    chunks: u64,
}

impl Two {
    fn connected() -> Self {
        let mut two =
            Self { now: Instant::now(), sides: Default::default(), on: true, kept: Kept::default(), chunks: 0 };
        two.reconnect();
        for side in &mut two.sides {
            assert_eq!(std::mem::take(&mut side.events), [FileEvent::Available]);
        }
        two
    }

    fn reconnect(&mut self) {
        self.on = true;
        self.sides.iter_mut().for_each(|side| side.transfers.connected());
        self.carry();
    }

    /// Brings everything over that may leave at this moment.
    fn carry(&mut self) {
        loop {
            let mut moved = false;
            for n in [0, 1] {
                self.sides[n].work(self.now);
                while self.sides[n].transfers.has_frame(self.now) {
                    let Some(message) = self.sides[n].transfers.poll_frame(self.now) else { break };
                    moved = true;
                    self.chunks += u64::from(message[0] != b'{');
                    if self.on {
                        self.sides[1 - n].transfers.receive(self.now, message);
                        self.sides[1 - n].work(self.now);
                    }
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// Time passes on a path with nothing else on it.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(1);
            for side in &mut self.sides {
                if side.transfers.poll_timeout(self.now).is_some_and(|at| at <= self.now) {
                    side.transfers.handle_timeout(self.now);
                }
                if side.transfers.is_sending() {
                    side.transfers.observe(self.now, &PathLoad::default());
                }
            }
            self.carry();
        }
    }

    /// Until this has happened, at the most for a minute.
    fn until(&mut self, side: usize, what: impl Fn(&FileEvent) -> bool) -> FileEvent {
        for _ in 0..60_000 {
            if let Some(at) = self.sides[side].events.iter().position(&what) {
                return self.sides[side].events.drain(..=at).next_back().unwrap();
            }
            self.pass(Duration::from_millis(1));
        }
        panic!("it does not happen; what did: {:?}", self.sides[side].events);
    }

    fn offers(&mut self, side: usize, n: u128, name: &str, size: u64) -> FileId {
        let id = FileId(Uuid::from_u128(n));
        let offer = FileOffer { id, name: name.into(), size, media_type: Some("image/png".into()) };
        self.sides[side].transfers.send(offer).unwrap();
        self.sides[side].files.add_source(id, size, Box::new(Made(size)));
        self.carry();
        id
    }

    fn accepts(&mut self, side: usize, id: FileId) {
        self.sides[side].files.add_sink(id, Box::new(Keeps(self.kept.clone(), Vec::new())));
        self.sides[side].transfers.accept(id).unwrap();
        self.carry();
    }

    fn is_kept(&self, size: u64) -> bool {
        let kept = self.kept.lock().unwrap();
        kept.iter().any(|file| file.len() as u64 == size && file.iter().zip(0..).all(|(one, at)| *one == byte(at)))
    }

    fn is_kept_nothing(&self) -> bool {
        self.kept.lock().unwrap().is_empty()
    }
}

fn is_done(event: &FileEvent) -> bool {
    matches!(event, FileEvent::Done { .. })
}

fn is_ended(event: &FileEvent) -> bool {
    matches!(event, FileEvent::Ended { .. })
}

fn has_progress(at_least: u64) -> impl Fn(&FileEvent) -> bool {
    move |event| matches!(event, FileEvent::Progress { bytes, .. } if *bytes >= at_least)
}

const MIB: u64 = 1 << 20;

#[test]
fn nothing_comes_before_somebody_has_said_yes_and_then_all_of_it() {
    let mut two = Two::connected();
    let id = two.offers(0, 1, "/home/ana/fér ias.png", 5 * MIB + 3);
    let offered = two.until(1, |event| matches!(event, FileEvent::Offered(_)));
    let media_type = Some("image/png".into());
    assert_eq!(
        offered,
        FileEvent::Offered(FileOffer { id, name: "fér ias.png".into(), size: 5 * MIB + 3, media_type })
    );
    two.pass(Duration::from_secs(5));
    assert_eq!(two.chunks, 0);
    two.accepts(1, id);
    assert_eq!(two.until(0, |_| true), FileEvent::Accepted { id });
    assert_eq!(two.until(1, is_done), FileEvent::Done { id, path: Some("kept".into()) });
    assert_eq!(two.until(0, is_done), FileEvent::Done { id, path: None });
    assert!(two.is_kept(5 * MIB + 3));
    assert!(!two.sides[0].transfers.is_sending());
}

#[test]
fn an_empty_file_is_a_file_too() {
    let mut two = Two::connected();
    let id = two.offers(0, 1, "empty", 0);
    two.accepts(1, id);
    assert_eq!(two.until(0, is_done), FileEvent::Done { id, path: None });
    assert!(two.is_kept(0));
}

#[test]
fn whoever_says_no_or_changes_their_mind_ends_it_with_a_reason_on_both_sides() {
    let mut two = Two::connected();
    let ended = |id, why, here| FileEvent::Ended { id, why, here };
    let id = two.offers(0, 1, "a", MIB);
    two.sides[1].transfers.end(id, FileEnd::Declined).unwrap();
    assert_eq!(two.until(0, is_ended), ended(id, FileEnd::Declined, false));
    assert_eq!(two.until(1, is_ended), ended(id, FileEnd::Declined, true));
    for side in [0, 1] {
        let id = two.offers(0, 2 + side as u128, "b", 64 * MIB);
        two.accepts(1, id);
        two.until(1, has_progress(MIB));
        two.sides[side].transfers.end(id, FileEnd::Cancelled).unwrap();
        two.carry();
        for other in [0, 1] {
            assert_eq!(two.until(other, is_ended), ended(id, FileEnd::Cancelled, other == side));
        }
        assert_eq!(two.sides[side].transfers.end(id, FileEnd::Cancelled), Err(TransferError::NoFile));
    }
    assert!(two.is_kept_nothing());
}

#[test]
fn either_side_has_it_wait_and_both_have_to_let_it_go_on() {
    let mut two = Two::connected();
    let id = two.offers(0, 1, "a", 40 * MIB);
    two.accepts(1, id);
    two.until(1, has_progress(MIB));
    two.sides[0].transfers.pause(id, true).unwrap();
    two.sides[1].transfers.pause(id, true).unwrap();
    two.carry();
    let before = two.chunks;
    for (on, side) in [(true, 0), (false, 0)] {
        two.sides[side].transfers.pause(id, on).unwrap();
        two.pass(Duration::from_secs(2));
        assert_eq!(two.chunks, before, "the other one still has it wait");
    }
    let paused = |here, there| move |event: &FileEvent| matches!(event, FileEvent::Paused { here: h, there: t, .. } if (*h, *t) == (here, there));
    two.until(0, paused(false, true));
    two.until(1, paused(true, false));
    two.sides[1].transfers.pause(id, false).unwrap();
    two.until(0, is_done);
    assert!(two.is_kept(40 * MIB));
}

#[test]
fn after_a_reconnect_it_goes_on_where_it_was() {
    let mut two = Two::connected();
    let id = two.offers(0, 1, "a", 30 * MIB);
    two.accepts(1, id);
    let asked = two.offers(1, 2, "asked", 10);
    two.until(1, has_progress(10 * MIB));
    two.sides[0].transfers.pause(id, true).unwrap();
    two.carry();
    two.sides[0].transfers.pause(id, false).unwrap();
    two.on = false;
    two.pass(Duration::from_secs(3));
    let before = two.chunks;
    two.reconnect();
    two.until(1, is_done);
    two.until(0, is_done);
    assert!(two.is_kept(30 * MIB));
    let again = (two.chunks - before) * MAX_CHUNK as u64;
    assert!(again < 26 * MIB, "{again} bytes went over the second connection");
    // What was only asked is asked once.
    two.accepts(0, asked);
    two.until(1, is_done);
    let asked = |event: &&FileEvent| matches!(event, FileEvent::Offered(_));
    assert_eq!(two.sides[0].events.iter().filter(asked).count(), 0);
}

#[test]
fn what_ends_while_there_is_no_connection_ends_on_the_other_side_once_there_is() {
    let mut two = Two::connected();
    let [one, other] = [1, 2].map(|n| {
        let id = two.offers(0, n, "a", 50 * MIB);
        two.accepts(1, id);
        id
    });
    two.pass(Duration::from_millis(300));
    two.on = false;
    two.sides[0].transfers.end(one, FileEnd::Cancelled).unwrap();
    two.sides[1].transfers.end(other, FileEnd::Cancelled).unwrap();
    two.pass(Duration::from_secs(1));
    two.reconnect();
    for side in [0, 1] {
        let ended = [two.until(side, is_ended), two.until(side, is_ended)];
        assert!(
            [one, other]
                .iter()
                .all(|id| ended.iter().any(|event| matches!(event, FileEvent::Ended { id: of, .. } if of == id)))
        );
    }
}

#[test]
fn a_mark_that_is_lost_with_the_connection_is_given_again() {
    let mut two = Two::connected();
    let id = two.offers(0, 1, "a", 1_000);
    two.sides[1].is_slow = true;
    two.accepts(1, id);
    two.pass(Duration::from_millis(500));
    two.on = false;
    two.sides[1].is_slow = false;
    assert_eq!(two.until(1, is_done), FileEvent::Done { id, path: Some("kept".into()) });
    two.reconnect();
    assert_eq!(two.until(0, is_done), FileEvent::Done { id, path: None });
    assert_eq!(two.kept.lock().unwrap().len(), 1);
}

#[test]
fn a_disk_that_is_slow_holds_the_sender_back_and_memory_stays_small() {
    let mut two = Two::connected();
    let ids: Vec<FileId> = (0..6).map(|n| two.offers(0, n, "a", 20 * MIB)).collect();
    two.sides[1].is_slow = true;
    ids.iter().for_each(|id| two.accepts(1, *id));
    two.pass(Duration::from_secs(5));
    assert_eq!(two.sides[1].most_waiting as u64, MAX_WINDOWS as u64 * WINDOW);
    two.sides[1].is_slow = false;
    for _ in 0..6 {
        two.until(0, is_done);
    }
    assert_eq!(two.kept.lock().unwrap().len(), 6);
    assert!(two.sides[1].most_waiting as u64 <= MAX_WINDOWS as u64 * WINDOW);
}

#[test]
fn a_full_disk_ends_it_with_a_reason() {
    let mut two = Two::connected();
    let id = two.offers(0, 1, "a", 3 * MIB);
    two.sides[1].files.add_sink(id, Box::new(Full(MIB)));
    two.sides[1].transfers.accept(id).unwrap();
    let ended = |here| FileEvent::Ended { id, why: FileEnd::Storage, here };
    assert_eq!((two.until(0, is_ended), two.until(1, is_ended)), (ended(false), ended(true)));
}

#[test]
fn a_file_that_became_shorter_or_other_than_announced_ends_with_a_reason() {
    let mut two = Two::connected();
    let id = FileId(Uuid::from_u128(1));
    two.sides[0].transfers.send(FileOffer { id, name: "a".into(), size: MIB, media_type: None }).unwrap();
    two.sides[0].files.add_source(id, MIB, Box::new(Made(MIB / 2)));
    two.carry();
    two.accepts(1, id);
    assert_eq!(two.until(1, is_ended), FileEvent::Ended { id, why: FileEnd::Source, here: false });
    assert!(two.is_kept_nothing());
}

/// Somebody who keeps to nothing, against a receiver that has accepted a file of 100 bytes.
fn against(messages: &[Bytes]) -> (Vec<FileEvent>, bool) {
    let id = FileId(Uuid::from_u128(7));
    let mut two = Two::connected();
    let now = two.now;
    let tell = |two: &mut Two, message: Bytes| {
        two.sides[1].transfers.receive(now, message);
        two.sides[1].work(now);
    };
    let offer = Control::Offer { id, name: "a".into(), size: 100, media_type: None };
    tell(&mut two, offer.write());
    two.sides[1].files.add_sink(id, Box::new(Keeps(two.kept.clone(), Vec::new())));
    two.sides[1].transfers.accept(id).unwrap();
    messages.iter().for_each(|message| tell(&mut two, message.clone()));
    let kept = !two.is_kept_nothing();
    (two.sides[1].events.drain(..).filter(is_ended).collect(), kept)
}

#[test]
fn chunks_and_ends_that_do_not_belong_there_end_the_file_and_nothing_is_kept() {
    let id = FileId(Uuid::from_u128(7));
    let chunk = |offset, length| frame::chunk(id, offset, &vec![0; length]);
    let end = |sha256: &str| Control::End { id, sha256: sha256.into() }.write();
    let zeros = "cd00e292c5970d3c5e2f0ffa5171e555bc46bfc4faddfb4a418b6840b86e79a3";
    assert_eq!(against(&[chunk(0, 60), chunk(60, 40), end(zeros)]), (vec![], true), "as it should be");
    for (messages, why) in [
        (vec![chunk(0, 101)], FileEnd::Size),
        (vec![chunk(u64::MAX, 1)], FileEnd::Protocol),
        (vec![chunk(1, 10)], FileEnd::Protocol),
        (vec![chunk(0, 10), chunk(0, 10)], FileEnd::Protocol),
        (vec![chunk(0, 99), end(zeros)], FileEnd::Size),
        (vec![chunk(0, 100), end("beef")], FileEnd::Protocol),
        (vec![chunk(0, 100), end(&"0".repeat(64))], FileEnd::Checksum),
    ] {
        let (ended, kept) = against(&messages);
        assert_eq!((ended, kept), (vec![FileEvent::Ended { id, why, here: true }], false));
    }
}

#[test]
fn an_answer_that_makes_no_sense_ends_the_file() {
    for (n, (answer, is_opened)) in [
        (Control::Accept { id: FileId(Uuid::from_u128(1)), offset: 1, limit: 10 }, false),
        (Control::Accept { id: FileId(Uuid::from_u128(1)), offset: 0, limit: 10 }, true),
        (Control::Progress { id: FileId(Uuid::from_u128(1)), offset: 0, limit: 10 }, false),
        (Control::Progress { id: FileId(Uuid::from_u128(1)), offset: u64::MAX, limit: u64::MAX }, true),
        (Control::Done { id: FileId(Uuid::from_u128(1)) }, true),
    ]
    .into_iter()
    .enumerate()
    {
        let mut two = Two::connected();
        let id = two.offers(0, 1, "a", 1_000);
        if is_opened {
            two.sides[0].transfers.receive(two.now, Control::Accept { id, offset: 0, limit: 10 }.write());
        }
        two.sides[0].transfers.receive(two.now, answer.write());
        two.sides[0].work(two.now);
        let ended = two.sides[0].events.contains(&FileEvent::Ended { id, why: FileEnd::Protocol, here: true });
        assert!(ended, "{n}");
    }
}

#[test]
fn many_offers_and_many_pauses_are_bounded() {
    let mut two = Two::connected();
    for n in 0..10_000 {
        let id = FileId(Uuid::from_u128(n));
        let offer = Control::Offer { id, name: "x".repeat(10_000), size: 1, media_type: Some("no type".into()) };
        two.sides[1].transfers.receive(two.now, offer.write());
        two.sides[1].work(two.now);
    }
    assert_eq!(two.sides[1].events.len(), MAX_FILES);
    let FileEvent::Offered(offer) = &two.sides[1].events[0] else { panic!() };
    assert!(offer.name.len() <= 200 && offer.media_type.is_none());
    let id = offer.id;
    for n in 0..10_000 {
        let frame = if n % 2 == 0 { Control::Pause { id } } else { Control::Resume { id } };
        two.sides[1].transfers.receive(two.now, frame.write());
        two.sides[1].work(two.now);
    }
    assert!(two.sides[1].events.len() < 100, "{}", two.sides[1].events.len());
    let frames = std::iter::from_fn(|| two.sides[1].transfers.poll_frame(two.now)).count();
    assert!(frames <= 256, "{frames}");
    let full = (0..100).find_map(|n| {
        let offer = FileOffer { id: FileId(Uuid::from_u128(n)), name: "a".into(), size: 1, media_type: None };
        two.sides[0].transfers.send(offer).err()
    });
    assert_eq!(full, Some(TransferError::TooMany));
}

#[test]
fn messages_are_as_the_document_writes_them_and_others_are_passed_over() {
    let id = FileId(Uuid::from_u128(7));
    let offer = r#"{"v":1,"type":"offer","id":"00000000-0000-0000-0000-000000000007","name":"a.png","size":3,"mediaType":"image/png"}"#;
    let control = Control::Offer { id, name: "a.png".into(), size: 3, media_type: Some("image/png".into()) };
    assert_eq!(frame::read(offer.into()), Some(Received::Control(control.clone())));
    assert_eq!(control.write(), offer);
    let chunk = frame::chunk(id, 258, b"abc");
    assert_eq!(&chunk[..], b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\x01\x02abc");
    assert_eq!(frame::read(chunk), Some(Received::Chunk { id, offset: 258, bytes: Bytes::from_static(b"abc") }));
    let others = [
        r#"{"v":2,"type":"hello"}"#.into(),
        Bytes::from_static(b"\x02"),
        frame::chunk(id, 0, b""),
        Bytes::new(),
        vec![1; MAX_MESSAGE + 1].into(),
    ];
    for other in others {
        assert_eq!(frame::read(other), None);
    }
}
