//! Calls to people who are away: each waits, with the candidates that follow its offer, until its callee logs in or it is over.
//!
//! Sans-IO: who calls these methods says what time it is and does what they answer.

use axum::extract::ws::Utf8Bytes;
use chamada::signaling::message::CallId;
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

/// Frames that wait with an offer: candidates come one by one.
const MAX_FRAMES: usize = 128;
/// What waits for one call, in bytes: an offer of the longest, and as much again.
const MAX_BYTES: usize = 128 * 1024;
/// Calls of one person that wait at a time, from all of its sessions.
const MAX_OF_CALLER: usize = 4;
/// Calls of one person to the same other that wait at a time: a session whose connection broke may still have one.
const MAX_OF_PAIR: usize = 2;
/// Calls that wait for one person at a time.
const MAX_OF_CALLEE: usize = 8;
/// Bytes of all that waits.
const MAX_ALL_BYTES: usize = 64 * 1024 * 1024;

/// A device that was connected when the call began has so long to say that it rings; else it is taken for asleep.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// A person in a room, by the claim `sub`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Callee {
    pub(crate) room: Arc<str>,
    pub(crate) subject: Arc<str>,
}

/// A session that calls, and whose it is by the claim `sub`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) session: u64,
    pub(crate) subject: Arc<str>,
}

/// A call that waits, or that somebody who was away hears ring. `R` is what keeps devices ringing by push.
#[derive(Debug)]
pub(crate) struct Ring<R> {
    pub(crate) caller: Caller,
    pub(crate) callee: Callee,
    /// The callee's name, as it was called.
    pub(crate) name: String,
    /// None if the caller's page is too old to name it.
    pub(crate) call: Option<CallId>,
    /// Devices that have got the offer.
    pub(crate) reached: Vec<Reached>,
    pub(crate) pushed: R,
    pub(crate) frames: Vec<Utf8Bytes>,
    bytes: usize,
    pub(crate) deadline: Instant,
}

/// A device that has got the offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) session: u64,
    /// Names the installation.
    pub(crate) device: Option<Arc<str>>,
    /// Nothing is awaited from it: it has said that it rings, or has come for the call.
    heard: bool,
}

impl Reached {
    /// A device that is connected, as far as is known.
    pub(crate) fn new(session: u64, device: Option<Arc<str>>) -> Self {
        Self { session, device, heard: false }
    }

    /// One of which nothing is awaited.
    pub(crate) fn heard(session: u64, device: Option<Arc<str>>) -> Self {
        Self { session, device, heard: true }
    }
}

/// Why a call cannot wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CannotWait {
    #[error("too many of your calls wait already")]
    Caller,
    #[error("too many calls wait for this person already")]
    Callee,
    #[error("too many calls wait here already")]
    Full,
}

/// What somebody who was away is handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) caller: u64,
    pub(crate) call: Option<CallId>,
    /// In the order in which they were sent: offer, then candidates.
    pub(crate) frames: Vec<Utf8Bytes>,
}

/// All calls to people who are away.
#[derive(Debug)]
pub(crate) struct Ringing<R> {
    rings: HashMap<u64, Ring<R>>,
    /// When the time of each is over.
    deadlines: BTreeSet<(Instant, u64)>,
    /// Numbers of rings by the caller's session.
    by_session: HashMap<u64, Vec<u64>>,
    by_callee: HashMap<Callee, Vec<u64>>,
    /// How many calls of one person wait.
    counts: HashMap<Arc<str>, usize>,
    /// When to look which of the connected devices ring, and for which call.
    checks: VecDeque<(Instant, u64)>,
    next: u64,
    bytes: usize,
    ring_time: Duration,
}

/// Takes one number out of a list in an index, and a list that is empty then.
fn forget<K: Eq + std::hash::Hash>(index: &mut HashMap<K, Vec<u64>>, key: &K, number: u64) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.retain(|other| *other != number);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}

impl<R> Ringing<R> {
    pub(crate) fn new(ring_time: Duration) -> Self {
        Self {
            rings: HashMap::new(),
            deadlines: BTreeSet::new(),
            by_session: HashMap::new(),
            by_callee: HashMap::new(),
            counts: HashMap::new(),
            checks: VecDeque::new(),
            next: 0,
            bytes: 0,
            ring_time,
        }
    }

    fn of_session(&self, caller: u64) -> impl Iterator<Item = (u64, &Ring<R>)> {
        let numbers = self.by_session.get(&caller).into_iter().flatten();
        numbers.filter_map(|number| Some((*number, self.rings.get(number)?)))
    }

    fn number(&self, caller: u64, callee: &Callee) -> Option<u64> {
        self.of_session(caller).find(|(_, ring)| ring.callee == *callee).map(|(number, _)| number)
    }

    /// Whether a call of this session's waits for this person, or rings there.
    pub(crate) fn has(&self, caller: u64, callee: &Callee) -> bool {
        self.number(caller, callee).is_some()
    }

    /// Whether this session's call has been handed out to a device; `None`: there is no such call.
    pub(crate) fn is_reached(&self, caller: u64, callee: &Callee) -> Option<bool> {
        self.rings.get(&self.number(caller, callee)?).map(|ring| !ring.reached.is_empty())
    }

    /// The person that this session has called under this name.
    pub(crate) fn callee_named(&self, caller: u64, name: &str) -> Option<Callee> {
        self.of_session(caller).find(|(_, ring)| ring.name == name).map(|(_, ring)| ring.callee.clone())
    }

    /// An offer to somebody of whom devices sleep: rings those by `push`, which is given the time until which they ring. An earlier call of the same to the
    /// same person has to be [ended](Self::end) before. `reached`: devices that are connected, and have got it.
    ///
    /// # Errors
    /// [`CannotWait`] without a push.
    pub(crate) fn start(
        &mut self,
        now: Instant,
        who: (Caller, Callee, &str, Option<CallId>),
        offer: Utf8Bytes,
        reached: Vec<Reached>,
        push: impl FnOnce(Instant) -> R,
    ) -> Result<(), CannotWait> {
        if !reached.is_empty() {
            self.checks.push_back((now + ANSWER_TIME, self.next));
        }
        self.go_on(now + self.ring_time, who, vec![offer], reached, push)
    }

    /// As [`start`](Self::start), for a call that has waited elsewhere, with all its frames.
    pub(crate) fn go_on(
        &mut self,
        deadline: Instant,
        (caller, callee, name, call): (Caller, Callee, &str, Option<CallId>),
        frames: Vec<Utf8Bytes>,
        reached: Vec<Reached>,
        push: impl FnOnce(Instant) -> R,
    ) -> Result<(), CannotWait> {
        let waiting = self.by_callee.get(&callee).map_or(&[][..], Vec::as_slice);
        let is_of_caller =
            |number: &&u64| self.rings.get(number).is_some_and(|ring| ring.caller.subject == caller.subject);
        if self.counts.get(&caller.subject).is_some_and(|count| *count >= MAX_OF_CALLER)
            || waiting.iter().filter(is_of_caller).count() >= MAX_OF_PAIR
        {
            return Err(CannotWait::Caller);
        }
        if waiting.len() >= MAX_OF_CALLEE {
            return Err(CannotWait::Callee);
        }
        let bytes: usize = frames.iter().map(|frame| frame.len()).sum();
        if self.bytes + bytes > MAX_ALL_BYTES {
            return Err(CannotWait::Full);
        }
        self.deadlines.insert((deadline, self.next));
        self.by_session.entry(caller.session).or_default().push(self.next);
        self.by_callee.entry(callee.clone()).or_default().push(self.next);
        *self.counts.entry(caller.subject.clone()).or_default() += 1;
        self.bytes += bytes;
        let ring = Ring {
            caller,
            callee,
            name: name.to_owned(),
            call,
            reached,
            pushed: push(deadline),
            frames,
            bytes,
            deadline,
        };
        self.rings.insert(self.next, ring);
        self.next += 1;
        Ok(())
    }

    /// What follows an offer waits with it. `false`: there is no such call, or no room in it.
    pub(crate) fn add(&mut self, caller: u64, callee: &Callee, call: Option<CallId>, frame: Utf8Bytes) -> bool {
        let Some(ring) = self.number(caller, callee).and_then(|number| self.rings.get_mut(&number)) else {
            return false;
        };
        let fits = ring.frames.len() < MAX_FRAMES && ring.bytes + frame.len() <= MAX_BYTES;
        if !fits || ring.call != call || self.bytes + frame.len() > MAX_ALL_BYTES {
            return false;
        }
        ring.bytes += frame.len();
        self.bytes += frame.len();
        ring.frames.push(frame);
        true
    }

    /// A device of this person has logged in: what it is to be handed out, call by call.
    pub(crate) fn arrived(
        &mut self,
        now: Instant,
        callee: &Callee,
        session: u64,
        device: Option<&Arc<str>>,
    ) -> Vec<Waiting> {
        let mut waiting = Vec::new();
        for number in self.by_callee.get(callee).into_iter().flatten() {
            let Some(ring) = self.rings.get_mut(number).filter(|ring| ring.deadline > now) else { continue };
            if ring.reached.iter().any(|reached| reached.session == session) {
                continue;
            }
            // The same installation again has lost what it had.
            ring.reached.retain(|reached| reached.device.is_none() || reached.device.as_ref() != device);
            ring.reached.push(Reached::heard(session, device.cloned()));
            waiting.push(Waiting { caller: ring.caller.session, call: ring.call, frames: ring.frames.clone() });
        }
        waiting
    }

    /// A device says that the call of the two rings there, maybe after it was taken for asleep.
    pub(crate) fn heard(&mut self, caller: u64, callee: &Callee, session: u64, device: Option<&Arc<str>>) {
        let Some(ring) = self.number(caller, callee).and_then(|number| self.rings.get_mut(&number)) else { return };
        ring.reached.retain(|reached| reached.session != session);
        ring.reached.push(Reached::heard(session, device.cloned()));
    }

    /// Calls of which connected devices had the time to say that they ring, each with those that have not, which count as asleep from now on.
    pub(crate) fn take_silent(&mut self, now: Instant, mut ring_too: impl FnMut(&mut Ring<R>, Vec<Arc<str>>)) {
        while let Some((_, number)) = self.checks.pop_front_if(|(at, _)| *at <= now) {
            let Some(ring) = self.rings.get_mut(&number) else { continue };
            let is_silent = |reached: &mut Reached| !reached.heard && reached.device.is_some();
            let silent: Vec<Arc<str>> =
                ring.reached.extract_if(.., is_silent).filter_map(|reached| reached.device).collect();
            if !silent.is_empty() {
                ring_too(ring, silent);
            }
        }
    }

    /// The call of the two is over or answered, or only the one that is named.
    pub(crate) fn end(&mut self, caller: u64, callee: &Callee, call: Option<CallId>) -> Option<Ring<R>> {
        let number = self.number(caller, callee)?;
        let ring = self.rings.get(&number)?;
        let is_another = matches!((ring.call, call), (Some(one), Some(ended)) if one != ended);
        if is_another { None } else { self.remove(number) }
    }

    /// The caller is gone: none of its calls rings any more.
    pub(crate) fn caller_left(&mut self, caller: u64) -> Vec<Ring<R>> {
        let numbers = self.by_session.get(&caller).cloned().unwrap_or_default();
        numbers.into_iter().filter_map(|number| self.remove(number)).collect()
    }

    /// A session has another number now; who it is, if calls may have reached it.
    pub(crate) fn renumber(&mut self, old: u64, new: u64, person: Option<&Callee>) {
        if let Some(numbers) = self.by_session.remove(&old) {
            for number in &numbers {
                if let Some(ring) = self.rings.get_mut(number) {
                    ring.caller.session = new;
                }
            }
            self.by_session.entry(new).or_default().extend(numbers);
        }
        for number in person.and_then(|person| self.by_callee.get(person)).into_iter().flatten() {
            let reached = self.rings.get_mut(number).into_iter().flat_map(|ring| &mut ring.reached);
            for reached in reached.filter(|reached| reached.session == old) {
                reached.session = new;
            }
        }
    }

    /// When [`Self::expire`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let check = self.checks.front().map(|(at, _)| *at);
        self.deadlines.first().map(|(at, _)| *at).into_iter().chain(check).min()
    }

    /// Calls whose time is over. Those that were handed out are left to caller and callee, which have clocks of their own.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Ring<R>> {
        let over = self.deadlines.iter().take_while(|(deadline, _)| *deadline <= now);
        let numbers: Vec<u64> = over.map(|(_, number)| *number).collect();
        numbers.into_iter().filter_map(|number| self.remove(number)).collect()
    }

    /// All calls: nobody waits for anybody any more.
    pub(crate) fn take_all(&mut self) -> Vec<Ring<R>> {
        let numbers: Vec<u64> = self.rings.keys().copied().collect();
        numbers.into_iter().filter_map(|number| self.remove(number)).collect()
    }

    fn remove(&mut self, number: u64) -> Option<Ring<R>> {
        let ring = self.rings.remove(&number)?;
        self.deadlines.remove(&(ring.deadline, number));
        self.bytes = self.bytes.saturating_sub(ring.bytes);
        forget(&mut self.by_session, &ring.caller.session, number);
        forget(&mut self.by_callee, &ring.callee, number);
        if let Some(count) = self.counts.get_mut(&ring.caller.subject) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&ring.caller.subject);
            }
        }
        Some(ring)
    }
}

#[cfg(test)]
#[path = "ringing_tests.rs"]
mod tests;
