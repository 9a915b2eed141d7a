//! What logins cost, without sockets.

use super::*;
use crate::{departure::Departure, outbox::Outgoing, rooms::DEFAULT, router::Alone};
use futures_util::FutureExt;
use std::{collections::BTreeSet, time::Duration};

fn log_in(hub: &Hub, name: &str) -> (u64, Arc<Outbox>) {
    log_in_at(hub, DEFAULT, name, "[]")
}

fn log_in_at(hub: &Hub, room: &str, name: &str, features: &str) -> (u64, Arc<Outbox>) {
    let (number, outbox) = hub.connect(room.into(), None);
    let login = format!(r#"{{"type":"username","name":"{name}","id":{number},"features":{features}}}"#);
    hub.receive(number, &login).now_or_never().expect("a server that is alone waits for nobody");
    (number, outbox)
}

/// What both tasks do after a change, `turn` longest pauses after the start.
fn tell(hub: &Hub, turn: u32) {
    let now = Instant::now() + Duration::from_secs(31) * turn;
    hub.send_changes(now);
    hub.send_user_lists(now);
}

/// How many lists wait, and the last one; takes everything out.
fn lists(outbox: &Outbox) -> (usize, String) {
    let (mut count, mut last) = (0, String::new());
    while let Some(Outgoing::Frame(frame)) = outbox.try_next() {
        if frame.starts_with(r#"{"type":"userlist","#) {
            count += 1;
            last = frame.to_string();
        }
    }
    (count, last)
}

/// What this thread has had of a processor, whatever else the machine did meanwhile.
fn cpu_time() -> Duration {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)).unwrap()
}

/// A bound far above what is measured, hardly optimised: some 30 ms, and 240 where all want the same name.
#[test]
fn a_thousand_logins_and_their_lists_take_well_under_a_second() {
    for name_of in [|n: usize| format!("user {n}"), |_| "everyone the same".to_owned()] {
        let hub = Hub::new(ServerConfig::default(), Arc::new(Alone)).unwrap();
        let started = cpu_time();
        let mut people = Vec::new();
        for n in 0..1_000 {
            people.push(log_in(&hub, &name_of(n)).1);
            // Twenty lists a second is the most that is sent; this is as if they came in over two and a half.
            if n % 20 == 0 {
                tell(&hub, n as u32);
            }
        }
        tell(&hub, 1_000);
        let took = cpu_time() - started;
        println!("1,000 logins and 51 lists: {took:?}");
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(hub.counts(), (1_000, 1_000));
        for outbox in people {
            // Those that were not read gave way to the newest.
            let (count, list) = lists(&outbox);
            assert_eq!((count, list.matches(',').count()), (1, 1_000));
        }
    }
}

/// Somebody who reads changes, and counts what comes.
struct Reader {
    name: String,
    outbox: Arc<Outbox>,
    users: BTreeSet<String>,
    seq: Option<u64>,
    lists: usize,
    deltas: usize,
}

impl Reader {
    fn read(&mut self) {
        while let Some(Outgoing::Frame(frame)) = self.outbox.try_next() {
            let message: Value = serde_json::from_str(&frame).unwrap();
            let names = |field: &str| -> BTreeSet<String> {
                message[field].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
            };
            match message["type"].as_str().unwrap() {
                "userlist" => {
                    self.lists += 1;
                    self.users = names("users");
                }
                "userlist-delta" => {
                    self.deltas += 1;
                    assert_eq!(message["seq"].as_u64(), self.seq.map(|seq| seq + 1), "{}", self.name);
                    self.users.extend(names("joined"));
                }
                _ => continue,
            }
            self.seq = message["seq"].as_u64();
        }
    }
}

/// As each hears of all that come later, what is told would grow with the square of a room's people.
#[test]
fn very_many_logins_at_once_make_a_bounded_number_of_frames_and_nobody_waits_for_the_list() {
    const ROOMS: usize = 20;
    let limits = Limits { connections: 5_000, ..Limits::default() };
    let hub = Hub::new(ServerConfig { limits, ..ServerConfig::default() }, Arc::new(Alone)).unwrap();
    // Rooms begin by the clock of the machine.
    let start = Instant::now() + Duration::from_secs(3600);
    let mut people: Vec<Reader> = Vec::new();
    for ms in 0..4_000 {
        let name = format!("person {ms}");
        let outbox = log_in_at(&hub, &format!("room {}", ms % ROOMS), &name, r#"["user-delta"]"#).1;
        people.push(Reader { name, outbox, users: BTreeSet::new(), seq: None, lists: 0, deltas: 0 });
        hub.send_changes(start + Duration::from_millis(ms as u64));
        if let Some(newcomer) = ms.checked_sub(50).and_then(|before| people.get_mut(before)) {
            newcomer.read();
            assert!(newcomer.users.contains(&newcomer.name), "{} has no list after 50 ms", newcomer.name);
        }
    }
    hub.send_changes(start + Duration::from_secs(60));
    people.iter_mut().for_each(Reader::read);
    let everybody: BTreeSet<_> = (0..4_000 / ROOMS).map(|n| format!("person {}", n * ROOMS)).collect();
    for reader in people.iter().step_by(ROOMS) {
        assert_eq!((reader.lists, &reader.users), (1, &everybody), "{}", reader.name);
    }
    let deltas: usize = people.iter().map(|reader| reader.deltas).sum();
    println!("4,000 logins in 4 s: {deltas} deltas");
    // At 50 ms each there would be 160,000 of them; the rate is that of four seconds, and one more for each at the end.
    assert!(deltas < 4 * 4 * 1024 * 1024 / (256 + 64) + 4_000, "{deltas}");
}

#[test]
fn a_list_is_told_when_it_has_changed_and_to_newcomers() {
    let hub = Hub::new(ServerConfig::default(), Arc::new(Alone)).unwrap();
    let (_, ana) = log_in(&hub, "ana");
    tell(&hub, 0);
    assert_eq!(lists(&ana).0, 1);
    // Somebody comes and goes between two lists.
    let (number, _) = log_in(&hub, "bia");
    hub.disconnect(number, Departure::Left);
    tell(&hub, 1);
    assert_eq!(lists(&ana).0, 0);
    let (_, eva) = log_in(&hub, "eva");
    tell(&hub, 2);
    assert_eq!((lists(&ana).0, lists(&eva).0), (1, 1));
}

#[test]
fn all_names_together_fit_into_one_frame() {
    let mut config = ServerConfig::default();
    config.limits.connections = 5_000;
    config.limits.people_per_room = 5_000;
    let hub = Hub::new(config, Arc::new(Alone)).unwrap();
    let mut full = 0;
    for n in 0..3_000 {
        let (_, outbox) = log_in(&hub, &format!("{n:\u{1F600}>32}"));
        while let Some(Outgoing::Frame(frame)) = outbox.try_next() {
            full += usize::from(frame.contains(r#""code":"full""#));
        }
    }
    tell(&hub, 0);
    let list = hub.lock().rooms[DEFAULT].roster.list();
    assert!(full > 0 && list.len() <= MAX_FRAME_BYTES && list.len() > MAX_FRAME_BYTES / 2, "{full}, {}", list.len());
}

#[test]
fn turn_credentials_are_renewed_when_half_of_their_time_is_over() {
    let secret = std::env::temp_dir().join(format!("chamada-hub-turn-{}", std::process::id()));
    std::fs::write(&secret, "sixteen bytes or more").unwrap();
    let turn = crate::TurnConfig {
        secret: secret.clone(),
        urls: vec!["turn:turn.example".into()],
        lifetime: Duration::from_secs(3600),
    };
    let hub = Hub::new(ServerConfig { turn: Some(turn), ..ServerConfig::default() }, Arc::new(Alone)).unwrap();
    std::fs::remove_file(secret).unwrap();
    let (_, ana) = log_in(&hub, "ana");
    let nameless = hub.connect(DEFAULT.into(), None).1;
    let told = |outbox: &Outbox| {
        std::iter::from_fn(|| outbox.try_next())
            .filter(|next| matches!(next, Outgoing::Frame(frame) if frame.contains("\"ice-servers\"")))
            .count()
    };
    let start = Instant::now();
    for (minutes, times) in [(0, 0), (29, 0), (31, 1), (60, 0), (62, 1)] {
        hub.renew_turn_credentials(start + Duration::from_secs(60 * minutes));
        assert_eq!(told(&ana), times, "after {minutes} minutes");
    }
    assert_eq!(told(&nameless), 0);
}
