//! Phones with simulated peer connections, a simulated server and network between them, and a virtual clock.

use super::sim_peer::{Generation, SimPeer};
use crate::call::{
    CallEngine, CallEvent, CallSnapshot, CallState, Command, ConnectionState, EndReason, Output, PeerAction, PeerId,
    PeerReport, RING_TIMEOUT,
};
use crate::signaling::message::{
    CallId, Description, ErrorCode, ErrorMessage, HangUp, HangUpReason, MediaState, Message, SessionDescription,
};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a path that is down goes unnoticed, and then until it is given up, in milliseconds.
const UNNOTICED: u64 = 2_000;
const GIVEN_UP: u64 = 15_000;
const TICK: u64 = 100;

/// How the network between the phones treats messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Network {
    /// Percent of messages that are lost, and that come twice.
    pub(super) lost: u64,
    pub(super) twice: u64,
    /// Percent of actions of peer connections that fail.
    pub(super) failing: u64,
    /// The longest delay of a message and of an action, in milliseconds.
    pub(super) delay: u64,
    /// The shortest delay of a message, in milliseconds.
    pub(super) wire: u64,
    /// Whether messages of one sender to one receiver stay in order, as they do on a TCP connection.
    pub(super) in_order: bool,
    /// Whether media gets through.
    pub(super) media: bool,
}

impl Network {
    pub(super) const GOOD: Self =
        Self { lost: 0, twice: 0, failing: 0, delay: 20, wire: 0, in_order: true, media: true };
}

/// What happens at some time.
#[derive(Debug)]
enum Happening {
    Arrives { to: usize, message: Message },
    Done { phone: usize, peer: PeerId },
}

pub(super) struct Phone {
    pub(super) name: String,
    pub(super) engine: CallEngine,
    pub(super) online: bool,
    unsent: Vec<Message>,
    pub(super) peers: BTreeMap<PeerId, SimPeer>,
    pub(super) heard: Vec<CallEvent>,
    pub(super) sent: Vec<Message>,
    /// Calls that were placed or that rang.
    pub(super) begun: usize,
}

impl Phone {
    pub(super) fn ends(&self) -> Vec<EndReason> {
        let reason = |event: &CallEvent| match event {
            CallEvent::Ended { reason, .. } => Some(*reason),
            _ => None,
        };
        self.heard.iter().filter_map(reason).collect()
    }

    /// The states that the app was told, in their order.
    pub(super) fn states(&self) -> Vec<CallState> {
        let state = |event: &CallEvent| match event {
            CallEvent::Changed(now) => Some(now.state),
            _ => None,
        };
        let mut states: Vec<CallState> = self.heard.iter().filter_map(state).collect();
        states.dedup();
        states
    }

    pub(super) fn rings(&self) -> usize {
        self.heard.iter().filter(|event| matches!(event, CallEvent::Incoming { .. })).count()
    }

    pub(super) fn snapshot(&self) -> CallSnapshot {
        self.engine.snapshot()
    }

    pub(super) fn state(&self) -> CallState {
        self.engine.snapshot().state
    }

    pub(super) fn open_peers(&self) -> impl Iterator<Item = &SimPeer> {
        self.peers.values().filter(|peer| !peer.closed)
    }

    pub(super) fn kinds_sent(&self) -> Vec<&str> {
        self.sent.iter().map(Message::kind).collect()
    }
}

pub(super) struct World {
    pub(super) net: Network,
    pub(super) phones: Vec<Phone>,
    /// Names of people who are there but are no simulated phones, such as old pages, and what was sent to them.
    pub(super) pages: Vec<&'static str>,
    pub(super) to_pages: Vec<Message>,
    start: Instant,
    pub(super) now: u64,
    coming: BTreeMap<(u64, u64), Happening>,
    last_arrival: BTreeMap<(usize, usize), u64>,
    count: u64,
    random: u64,
    connections: u64,
}

impl World {
    /// These people are logged in.
    pub(super) fn of(names: &[&str]) -> Self {
        let mut world = Self {
            net: Network::GOOD,
            phones: Vec::new(),
            pages: Vec::new(),
            to_pages: Vec::new(),
            start: Instant::now(),
            now: 0,
            coming: BTreeMap::new(),
            last_arrival: BTreeMap::new(),
            count: 0,
            random: 1,
            connections: 0,
        };
        for (index, name) in names.iter().enumerate() {
            let mut calls = (index as u128 + 1) << 64;
            let new_id = move || {
                calls += 1;
                CallId(Uuid::from_u128(calls))
            };
            let mut engine = CallEngine::with(RING_TIMEOUT, new_id);
            engine.logged_in(world.start, name);
            world.phones.push(Phone {
                name: (*name).to_owned(),
                engine,
                online: true,
                unsent: Vec::new(),
                peers: BTreeMap::new(),
                heard: Vec::new(),
                sent: Vec::new(),
                begun: 0,
            });
        }
        world
    }

    pub(super) fn seed(&mut self, seed: u64) {
        self.random = seed;
    }

    /// A number below `end` (splitmix64).
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn time(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    // What people do.

    pub(super) fn command(&mut self, phone: usize, command: Command) -> Result<(), crate::call::CallError> {
        let placed = matches!(command, Command::Call { .. });
        let now = self.time();
        let result = self.phones[phone].engine.command(now, command);
        self.phones[phone].begun += usize::from(placed && result.is_ok());
        self.pump(phone);
        result
    }

    /// In the call behind.
    pub(super) fn command_in_other(&mut self, phone: usize, command: Command) -> Result<(), crate::call::CallError> {
        let now = self.time();
        let other = self.phones[phone].snapshot().other.ok_or(crate::call::CallError::NoOtherCall)?;
        let result = self.phones[phone].engine.command_in(now, other.call, command);
        self.pump(phone);
        result
    }

    pub(super) fn call(&mut self, from: usize, to: usize) {
        let to = self.phones[to].name.clone();
        self.command(from, Command::Call { to, media: MediaState::default() }).unwrap();
    }

    pub(super) fn accept(&mut self, phone: usize) {
        self.command(phone, Command::Accept { media: MediaState::default() }).unwrap();
    }

    pub(super) fn hang_up(&mut self, phone: usize) {
        self.command(phone, Command::HangUp).unwrap();
    }

    /// Rings, is accepted, connects.
    pub(super) fn connect(&mut self, from: usize, to: usize) {
        self.call(from, to);
        self.run(1_000);
        self.accept(to);
        self.run(1_000);
        self.assert_connected(from, to);
    }

    pub(super) fn go_offline(&mut self, phone: usize) {
        self.phones[phone].online = false;
        let now = self.time();
        self.phones[phone].engine.signaling_lost(now);
        self.pump(phone);
    }

    /// Comes back, possibly under another name, and sends what waited.
    pub(super) fn come_back(&mut self, phone: usize, name: &str) {
        let now = self.time();
        self.phones[phone].online = true;
        self.phones[phone].name = name.to_owned();
        for message in std::mem::take(&mut self.phones[phone].unsent) {
            self.route(phone, message);
        }
        self.phones[phone].engine.logged_in(now, name);
        self.pump(phone);
        self.tell_users();
    }

    pub(super) fn tell_users(&mut self) {
        let mut users: Vec<String> = self.phones.iter().map(|phone| phone.name.clone()).collect();
        users.extend(self.pages.iter().map(|&page| page.to_owned()));
        let now = self.time();
        for phone in 0..self.phones.len() {
            if self.phones[phone].online {
                self.phones[phone].engine.users(now, &users);
                self.pump(phone);
            }
        }
    }

    /// A message from somebody who is no simulated phone, such as an old page.
    pub(super) fn tell(&mut self, phone: usize, message: Message) {
        let now = self.time();
        self.phones[phone].engine.message(now, message);
        self.pump(phone);
    }

    pub(super) fn not_sent(&mut self, phone: usize, message: &Message) {
        let now = self.time();
        self.phones[phone].engine.not_sent(now, message);
        self.pump(phone);
    }

    pub(super) fn report(&mut self, phone: usize, report: PeerReport) {
        let peer = *self.phones[phone].peers.iter().rfind(|(_, peer)| !peer.closed).unwrap().0;
        let now = self.time();
        self.phones[phone].engine.report(now, peer, report);
        self.pump(phone);
    }

    /// What the client does when the system tells of another network: the server is looked for anew, and only then told.
    pub(super) fn network_changes(&mut self, phone: usize) {
        self.go_offline(phone);
        let now = self.time();
        self.phones[phone].engine.network_changed(now);
        self.pump(phone);
        self.run(100);
        let name = self.phones[phone].name.clone();
        self.come_back(phone, &name);
    }

    /// The task of the phone's peer connection dies.
    pub(super) fn kill_peer(&mut self, phone: usize) {
        let now = self.time();
        let Some((id, peer)) = self.phones[phone].peers.iter_mut().rfind(|(_, peer)| !peer.closed) else { return };
        let id = *id;
        peer.dead = true;
        self.phones[phone].engine.report(now, id, PeerReport::Connection(ConnectionState::Closed));
        self.pump(phone);
    }

    // How time goes by.

    pub(super) fn run(&mut self, millis: u64) {
        let end = self.now + millis;
        while self.now < end {
            let next = self.coming.keys().next().map_or(u64::MAX, |key| key.0);
            let tick = (self.now / TICK + 1) * TICK;
            self.now = next.min(tick).min(end).max(self.now);
            while let Some(entry) = self.coming.first_entry()
                && entry.key().0 <= self.now
            {
                let happening = entry.remove();
                self.happen(happening);
            }
            if self.now.is_multiple_of(TICK) {
                self.move_media();
                self.ring_timers();
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        let now = self.time();
        match happening {
            Happening::Arrives { to, message } => {
                // What comes for a phone that is away is lost here: the worst that a server may do.
                if self.phones[to].online {
                    self.phones[to].engine.message(now, message);
                    self.pump(to);
                }
            }
            Happening::Done { phone, peer } => {
                let fail = self.net.failing > 0 && self.chance(self.net.failing);
                let Some(done) = self.phones[phone].peers.get_mut(&peer) else { return };
                for report in done.finish(fail) {
                    self.phones[phone].engine.report(now, peer, report);
                    self.pump(phone);
                }
            }
        }
    }

    fn ring_timers(&mut self) {
        let now = self.time();
        for phone in 0..self.phones.len() {
            if self.phones[phone].engine.poll_timeout().is_some_and(|at| at <= now) {
                self.phones[phone].engine.handle_timeout(now);
                assert!(self.phones[phone].engine.poll_timeout().is_none_or(|at| at > now), "the timer stands still");
                self.pump(phone);
            }
        }
    }

    /// Peer connections find each other, and lose each other.
    fn move_media(&mut self) {
        let mut reports = Vec::new();
        for (index, phone) in self.phones.iter().enumerate() {
            for (id, peer) in phone.peers.iter().filter(|(_, peer)| !peer.closed && !peer.dead) {
                let others = self.phones.iter().enumerate().filter(|(i, _)| *i != index);
                let up = self.net.media && others.flat_map(|(_, p)| p.peers.values()).any(|other| peer.meets(other));
                let down_for = peer.down_since.map_or(0, |since| self.now - since);
                let tell = match peer.told {
                    ConnectionState::Connected if !up && down_for >= UNNOTICED => Some(ConnectionState::Disconnected),
                    ConnectionState::Disconnected if !up && down_for >= GIVEN_UP => Some(ConnectionState::Failed),
                    ConnectionState::Connected => None,
                    _ if up => Some(ConnectionState::Connected),
                    _ => None,
                };
                reports.push((index, *id, up, tell));
            }
        }
        let now = self.time();
        for (index, id, up, tell) in reports {
            let Some(peer) = self.phones[index].peers.get_mut(&id) else { continue };
            peer.down_since = if up { None } else { peer.down_since.or(Some(self.now)) };
            if let Some(state) = tell.filter(|_| !peer.closed) {
                peer.told = state;
                self.phones[index].engine.report(now, id, PeerReport::Connection(state));
                self.pump(index);
            }
        }
    }

    pub(super) fn pump(&mut self, phone: usize) {
        while let Some(output) = self.phones[phone].engine.poll_output() {
            match output {
                Output::Event(event) => {
                    let begins = matches!(event, CallEvent::Incoming { .. } | CallEvent::Waiting { .. });
                    self.phones[phone].begun += usize::from(begins);
                    self.phones[phone].heard.push(event);
                }
                Output::Send(message) => {
                    self.phones[phone].sent.push(message.clone());
                    if self.phones[phone].online {
                        self.route(phone, message);
                    } else {
                        self.phones[phone].unsent.push(message);
                    }
                }
                Output::Peer { peer, action: PeerAction::Create { keeps_ice_of, media, .. } } => {
                    self.connections += 1;
                    let mut made = SimPeer::new(self.connections);
                    made.media = media;
                    made.keeps_ice = keeps_ice_of.and_then(|description| Generation::read(&description.sdp));
                    assert!(self.phones[phone].peers.insert(peer, made).is_none(), "created twice");
                    let most = usize::from(self.phones[phone].engine.call_waiting) + 1;
                    let open = self.phones[phone].open_peers().count();
                    assert!(open <= most, "one call has one peer connection");
                    self.assert_one_has_the_devices(phone);
                }
                Output::Peer { peer, action } => {
                    let acting = self.phones[phone].peers.get_mut(&peer).expect("an action before Create");
                    if acting.act(action) {
                        let delay = 1 + self.below(self.net.delay);
                        self.later(delay, Happening::Done { phone, peer });
                    }
                    self.assert_one_has_the_devices(phone);
                }
            }
        }
    }

    fn assert_one_has_the_devices(&self, phone: usize) {
        let using = self.phones[phone].open_peers().filter(|peer| !peer.media.held).count();
        assert!(using <= 1, "a call on hold has the microphone of {}", self.phones[phone].name);
    }

    /// What the server does: it stamps the sender's name and passes the message on.
    fn route(&mut self, from: usize, mut message: Message) {
        let name = Some(self.phones[from].name.clone());
        let (target, call) = match &mut message {
            Message::VideoOffer(m) | Message::VideoAnswer(m) => {
                m.name = name;
                (m.target.clone(), m.call)
            }
            Message::NewIceCandidate(m) => {
                m.name = name;
                (m.target.clone(), m.call)
            }
            Message::HangUp(m) => {
                m.name = name;
                (m.target.clone(), m.call)
            }
            Message::CallRinging(m) => {
                m.name = name;
                (m.target.clone(), m.call)
            }
            Message::MediaState(m) => {
                m.name = name;
                (m.target.clone(), m.call)
            }
            other => panic!("the engine sends {other:?}"),
        };
        let target = target.expect("every message has a target");
        if self.pages.iter().any(|page| *page == target) {
            return self.to_pages.push(message);
        }
        let Some(to) = self.phones.iter().position(|phone| phone.name == target) else {
            if !matches!(message, Message::HangUp(_)) {
                let error = ErrorMessage {
                    code: ErrorCode::NoSuchUser,
                    message: "nobody of that name is here".into(),
                    regarding: Some(message.kind().to_owned()),
                    target: Some(target),
                    call,
                };
                self.later(self.net.delay, Happening::Arrives { to: from, message: Message::Error(error) });
            }
            return;
        };
        if self.chance(self.net.lost) {
            return;
        }
        let copies = 1 + u64::from(self.chance(self.net.twice));
        for _ in 0..copies {
            let mut at = self.now + self.net.wire + 1 + self.below(self.net.delay);
            if self.net.in_order {
                let last = self.last_arrival.entry((from, to)).or_default();
                at = at.max(*last);
                *last = at;
            }
            self.later(at - self.now, Happening::Arrives { to, message: message.clone() });
        }
    }

    fn later(&mut self, delay: u64, happening: Happening) {
        self.count += 1;
        self.coming.insert((self.now + delay, self.count), happening);
    }

    // What is expected.

    pub(super) fn assert_connected(&self, a: usize, b: usize) {
        let (left, right) = (self.phones[a].snapshot(), self.phones[b].snapshot());
        assert_eq!((left.state, right.state), (CallState::Connected, CallState::Connected), "{left:?} {right:?}");
        let [left_call, right_call] = [a, b].map(|phone| self.phones[phone].engine.call_in_messages());
        assert_eq!(left_call, right_call, "both are in one call");
        assert_eq!(left.with.as_ref(), Some(&self.phones[b].name));
        assert_eq!(right.with.as_ref(), Some(&self.phones[a].name));
    }

    /// Everything is over, everywhere: no call, no peer connection, no timer, and one end for each beginning.
    pub(super) fn assert_all_idle(&self) {
        for phone in &self.phones {
            assert_eq!(phone.state(), CallState::Idle, "{}", phone.name);
            assert_eq!(phone.open_peers().count(), 0, "{} closed its peer connections", phone.name);
            assert_eq!(phone.engine.poll_timeout(), None, "{} has no timer", phone.name);
            assert_eq!(phone.begun, phone.ends().len(), "{}: one end for each call", phone.name);
        }
    }
}

/// The same cases each time, so that CI fails only for a reason; `PROPTEST_RNG_SEED` and `PROPTEST_CASES` look for others.
pub(super) fn cases(cases: u32) -> ProptestConfig {
    let chosen = ProptestConfig::default();
    let chosen_cases = if std::env::var_os("PROPTEST_CASES").is_some() { chosen.cases } else { cases };
    let rng_seed = if chosen.rng_seed == RngSeed::Random { RngSeed::Fixed(6_503) } else { chosen.rng_seed };
    ProptestConfig { cases: chosen_cases, rng_seed, failure_persistence: None, ..chosen }
}

// Messages as others than the engine send them.

/// The two of most stories.
pub(super) const ANA: usize = 0;
pub(super) const RUI: usize = 1;

/// The two in a call.
pub(super) fn in_a_call() -> World {
    let mut world = World::of(&["ana", "rui"]);
    world.connect(ANA, RUI);
    world
}

/// How many offers a phone has sent.
pub(super) fn offers(world: &World, phone: usize) -> usize {
    world.phones[phone].kinds_sent().iter().filter(|kind| **kind == "video-offer").count()
}

pub(super) fn offer(name: &str, sdp: &str, call: Option<CallId>) -> Message {
    let sdp = SessionDescription::offer(sdp);
    Message::VideoOffer(Description { name: Some(name.into()), target: None, sdp, call })
}

pub(super) fn answer(name: &str, sdp: &str, call: Option<CallId>) -> Message {
    let sdp = SessionDescription::answer(sdp);
    Message::VideoAnswer(Description { name: Some(name.into()), target: None, sdp, call })
}

pub(super) fn hang_up(name: Option<&str>, call: Option<CallId>, reason: Option<HangUpReason>) -> Message {
    Message::HangUp(HangUp { name: name.map(Into::into), target: None, reason, call })
}

pub(super) fn id(number: u128) -> CallId {
    CallId(Uuid::from_u128(number))
}
