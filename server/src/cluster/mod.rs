//! People on other nodes. Each of their sessions is known here by what its own node tells ([`Record`]); what is sent to it is kept until that
//! node has taken it, so that nothing is lost or comes twice while both nodes live, and what a dead node had not delivered is there when its
//! client comes back elsewhere. What a session does is decided by its own node alone.

mod hub;
mod parcels;

pub(crate) use hub::Renewals;
pub(crate) use parcels::{Receipt, Taken};

use crate::{
    hub::{State, now_ms},
    outbox::{Closing, Entry, Outbox, code},
    router::{Claim, HandOver, HandedOver, NodeId, Record, Waiting},
    sanitise,
    session::Session,
};
use chamada::signaling::message::MAX_NAME_CHARS;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// How much newer a session becomes when another node takes it over: newer than anything that its old node may still say.
const TAKEN_OVER: u64 = 1 << 20;
/// Frames that wait for a session which is handed over, as JSON: a message of NATS has 1 MiB at most.
const MAX_HANDED_OVER_BYTES: usize = 900 * 1024;
/// Longest texts in a record, in bytes; what is longer is none of ours.
const MAX_TEXT_BYTES: usize = 1024;

/// Where a session is that is not here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remote {
    pub(crate) node: NodeId,
    /// Whether its connection is there, as its node says.
    attached: bool,
    /// The last parcel sent to it, and the last one taken. They begin anew with the time, so that a later beginning is told from an earlier one.
    sent: u64,
    taken: u64,
    /// Since when the next parcel has been waiting to be taken, and after how long all that wait are sent once more.
    waiting_since: Instant,
    pause: Duration,
    sent_again: Option<Instant>,
}

/// How many parcels there are from one beginning to a next one, a millisecond later.
const PARCELS: u64 = 1 << 20;
/// After how long a parcel that is not taken is sent once more.
const RESEND_AFTER: Duration = Duration::from_secs(1);
/// How long a session is kept that NATS has forgotten: its node, if it is there, tells of it anew.
const UNCONFIRMED: Duration = Duration::from_secs(10);

impl Remote {
    fn new(node: NodeId, attached: bool, beginning: u64) -> Self {
        let (sent, waiting_since) = (beginning.saturating_mul(PARCELS), Instant::now());
        Self { node, attached, sent, taken: sent, waiting_since, pause: RESEND_AFTER, sent_again: None }
    }

    fn wait_from(&mut self, now: Instant) {
        (self.waiting_since, self.pause) = (now, RESEND_AFTER);
    }
}

/// What is known of the other nodes, beside their sessions.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    /// They cannot be reached: who is gone is not known, and what this node holds for true may be out of date.
    cut_off: bool,
    /// Nodes that are not there any more, and since when.
    gone: HashMap<NodeId, Instant>,
    /// People of other nodes whose names are taken here, which only a while without the other nodes can bring about.
    unseated: HashMap<u64, Record>,
    /// Sessions by origin that were on other nodes before they could not be reached, and that nobody has told of since that time.
    unconfirmed: HashMap<u64, Instant>,
    /// Sessions by origin that were handed over, and since when, as long as nothing shows that the answer has arrived.
    handed: HashMap<u64, (HandedOver, Instant)>,
    last_beginning: u64,
}

impl Nodes {
    /// Later than every one before.
    fn beginning(&mut self) -> u64 {
        self.last_beginning = now_ms().max(self.last_beginning.saturating_add(1));
        self.last_beginning
    }

    pub(crate) fn is_gone(&self, node: NodeId) -> bool {
        self.gone.contains_key(&node)
    }

    /// A session is there no more.
    pub(crate) fn forget(&mut self, origin: u64) {
        self.unconfirmed.remove(&origin);
        self.handed.remove(&origin);
    }
}

impl State {
    pub(crate) fn is_local(&self, number: u64) -> bool {
        self.sessions.get(&number).is_some_and(|session| session.remote.is_none())
    }

    /// What other nodes have to know of a session of this one.
    pub(crate) fn record_of(&self, number: u64) -> Option<Record> {
        let session = self.sessions.get(&number).filter(|session| session.remote.is_none())?;
        Some(Record {
            origin: session.origin,
            number,
            node: self.router.node(),
            version: session.version,
            room: session.room.clone(),
            name: session.name.clone()?,
            named_at: session.named_at,
            place: session.place,
            subject: session.subject.clone(),
            token: session.token.clone(),
            attached: session.attached,
            takes_calls: !session.awaits_calls,
            device: session.device.clone(),
            call_peers: session.call_peers.clone(),
        })
    }

    /// Tells the other nodes what a session is now.
    pub(crate) fn announce(&mut self, number: u64) {
        if self.router.node() == 0 {
            return;
        }
        if let Some(session) = self.sessions.get_mut(&number).filter(|session| session.remote.is_none()) {
            session.version = session.version.saturating_add(1);
        }
        if let Some(record) = self.record_of(number) {
            self.router.announce(record.origin, Some(record));
        }
    }

    /// Takes in what another node says of one of its sessions.
    pub(crate) fn learn(&mut self, record: Record) {
        if record.node == self.router.node() || record.node == 0 || !is_plausible(&record) {
            return;
        }
        let Some(number) = self.origins.get(&record.origin).copied() else { return self.meet(record) };
        let Some(session) = self.sessions.get_mut(&number) else { return };
        if record.version <= session.version {
            return;
        }
        self.nodes.forget(record.origin);
        if session.remote.is_none() {
            tracing::info!(connection = number, node = record.node, "its client is on another node now");
            // What it called waits there no more than here.
            self.give_rings_up(number, "moved");
            self.let_go(number, record.node);
        }
        let is_gone = self.nodes.is_gone(record.node);
        let Some(session) = self.sessions.get_mut(&number) else { return };
        let arrives = session.awaits_calls && record.takes_calls;
        session.version = record.version;
        session.attached = record.attached && !is_gone;
        session.awaits_calls = !record.takes_calls;
        session.device = record.device;
        session.call_peers = record.call_peers;
        self.tokens.remove(&session.token);
        session.token = record.token;
        self.tokens.insert(session.token.clone(), number);
        let has_moved = session.remote.is_some_and(|remote| remote.node != record.node);
        if let Some(remote) = &mut session.remote {
            (remote.node, remote.attached) = (record.node, record.attached);
        }
        if record.named_at > session.named_at {
            session.named_at = record.named_at;
            self.rename(number, &record.name);
        }
        if record.number != number {
            self.rekey(number, record.number);
        }
        if has_moved {
            self.send_again(record.number, Instant::now());
        }
        if arrives {
            self.hand_out_calls(record.number);
        }
    }

    /// Somebody on another node whom this one does not know yet.
    fn meet(&mut self, record: Record) {
        let look = sanitise::look(&record.name);
        self.room_at(&record.room);
        let Some(room) = self.rooms.get_mut(&record.room) else { return };
        let owner = room.looks.get(&look).cloned();
        let devices = owner.as_ref().and_then(|owner| room.names.get(owner)).and_then(|devices| devices.first());
        let first = devices.and_then(|first| self.sessions.get(first));
        let is_other = first.is_some_and(|first| first.subject.is_none() || first.subject != record.subject);
        let fits = owner.is_some() || room.roster.set(record.place, &record.name);
        if is_other || !fits || self.sessions.contains_key(&record.number) {
            tracing::warn!(
                node = record.node,
                "somebody of another node has a name that is taken here, or too long a list"
            );
            if room.names.is_empty() {
                self.rooms.remove(&record.room);
            }
            self.nodes.unseated.insert(record.origin, record);
            return;
        }
        let place = first.map_or(record.place, |first| first.place);
        room.looks.entry(look.clone()).or_insert_with(|| record.name.clone());
        room.names.entry(owner.unwrap_or_else(|| record.name.clone())).or_default().push(record.number);
        let mut session = Session::new(
            Arc::new(Outbox::new(self.limits.queue_frames.max(2), self.limits.queue_bytes)),
            record.room.clone(),
            record.number,
            None,
            record.token.clone(),
            &self.limits,
        );
        session.origin = record.origin;
        session.version = record.version;
        session.named_at = record.named_at;
        session.name = Some(record.name.clone());
        session.place = place;
        session.subject = record.subject.clone();
        session.attached = record.attached && !self.nodes.is_gone(record.node);
        session.awaits_calls = !record.takes_calls;
        session.device = record.device;
        session.call_peers = record.call_peers;
        session.remote = Some(Remote::new(record.node, record.attached, self.nodes.beginning()));
        self.sessions.insert(record.number, session);
        self.origins.insert(record.origin, record.number);
        self.tokens.insert(record.token, record.number);
        if let Some(subject) = &record.subject {
            let is_here =
                |room: &str, look: &str| self.rooms.get(room).is_some_and(|room| room.looks.contains_key(look));
            self.subjects.give(&record.room, subject, &look, is_here);
        }
        self.apply_blocks(record.number, &look);
        self.update_away(&record.room, &record.name);
        self.mark_changed(&record.room);
        if record.takes_calls {
            self.hand_out_calls(record.number);
        }
    }

    /// A person of another node has another name; all devices of one person have it.
    fn rename(&mut self, number: u64, name: &Arc<str>) {
        let Some(session) = self.sessions.get(&number) else { return };
        let (Some(own), key, place, subject) =
            (session.name.clone(), session.room.clone(), session.place, session.subject.clone())
        else {
            return;
        };
        let look = sanitise::look(name);
        let Some(room) = self.rooms.get_mut(&key) else { return };
        let is_taken = room.looks.get(&look).is_some_and(|owner| *owner != own);
        if own == *name || is_taken || !room.roster.set(place, name) {
            return;
        }
        let devices = room.names.remove(&own).unwrap_or_default();
        room.looks.remove(&sanitise::look(&own));
        room.looks.insert(look.clone(), name.clone());
        room.names.insert(name.clone(), devices.clone());
        for device in devices {
            if let Some(session) = self.sessions.get_mut(&device) {
                session.name = Some(name.clone());
                session.named_at = now_ms();
            }
            self.apply_blocks(device, &look);
            self.announce(device);
        }
        if let Some(subject) = &subject {
            let is_here =
                |room: &str, look: &str| self.rooms.get(room).is_some_and(|room| room.looks.contains_key(look));
            self.subjects.give(&key, subject, &look, is_here);
        }
        self.update_away(&key, &own);
        self.update_away(&key, name);
        self.mark_changed(&key);
    }

    /// A session of another node has another number.
    fn rekey(&mut self, old: u64, new: u64) {
        let Some(session) = self.sessions.remove(&old) else { return };
        let (room, name) = (session.room.clone(), session.name.clone());
        self.tokens.insert(session.token.clone(), new);
        self.origins.insert(session.origin, new);
        self.sessions.insert(new, session);
        if let (Some(room), Some(name)) = (self.rooms.get_mut(&room), name) {
            for device in room.names.get_mut(&name).into_iter().flatten().filter(|device| **device == old) {
                *device = new;
            }
        }
        self.renumber(old, new);
    }

    /// A session of this node belongs to another one from now on. Gives what waits for its client.
    fn let_go(&mut self, number: u64, node: NodeId) -> HandedOver {
        // In one message, whose length NATS bounds: what does not fit is lost, as it is on a broken connection.
        let mut room = MAX_HANDED_OVER_BYTES / 2;
        let rings = self.hand_rings_over(number, &mut room);
        room += MAX_HANDED_OVER_BYTES / 2;
        let outbox = Arc::new(Outbox::new(self.limits.queue_frames.max(2), self.limits.queue_bytes));
        let beginning = self.nodes.beginning();
        let Some(session) = self.sessions.get_mut(&number) else { return HandedOver::default() };
        let old = std::mem::replace(&mut session.outbox, outbox);
        let fits = |entry: &Waiting| {
            let left = room.checked_sub(entry.frame.len() * 2 + 64);
            room = left.unwrap_or_default();
            left.is_some()
        };
        let waiting = old.take().into_iter().map(Entry::into_waiting).take_while(fits).collect();
        old.close(Closing { code: code::NORMAL, reason: "resumed by another connection" });
        session.remote = Some(Remote::new(node, false, beginning));
        session.address = None;
        self.lost.retain(|(_, lost)| *lost != number);
        let heard = std::mem::take(&mut session.heard);
        HandedOver { waiting, heard, version: session.version, call_peers: session.call_peers.clone(), rings }
    }

    /// A client has come to another node with this session's token. Who asks again gets the same answer: the first may be lost.
    pub(crate) fn hand_over(&mut self, what: &HandOver, now: Instant) -> Option<HandedOver> {
        let number = *self.origins.get(&what.origin)?;
        let session = self.sessions.get_mut(&number)?;
        if session.token != what.token || session.name.is_none() || what.to == self.router.node() {
            return None;
        }
        if let Some(remote) = &mut session.remote {
            let (handed, _) = self.nodes.handed.get(&what.origin)?;
            if remote.node != what.to && !self.nodes.is_gone(remote.node) {
                return None;
            }
            remote.node = what.to;
            return Some(handed.clone());
        }
        tracing::info!(connection = number, node = what.to, "its client is on another node now");
        let handed = self.let_go(number, what.to);
        self.nodes.handed.insert(what.origin, (handed.clone(), now));
        Some(handed)
    }

    /// Makes a session of another node one of this one, for the connection `number`: with what that node has `handed` over, or as far as it is
    /// known here where that node is gone.
    pub(crate) fn take_over(&mut self, old: u64, handed: Option<HandedOver>) {
        let node = self.router.node();
        let Some(session) = self.sessions.get_mut(&old) else { return };
        let origin = session.origin;
        let mut rings = Vec::new();
        session.version = session.version.saturating_add(TAKEN_OVER);
        match handed {
            Some(mut handed) => {
                rings = std::mem::take(&mut handed.rings);
                session.version = session.version.max(handed.version.saturating_add(TAKEN_OVER));
                session.call_peers = handed.call_peers;
                session.heard = handed.heard;
                let taken = session.heard.get(&node).copied().unwrap_or_default();
                self.taken(origin, taken);
                let Some(session) = self.sessions.get_mut(&old) else { return };
                let rest = session.outbox.take();
                for Waiting { source, frame, parcel } in handed.waiting {
                    // What came from here is here no more: it was taken.
                    let receipt = parcel
                        .filter(|(from, _)| *from != node)
                        .map(|(from, seq)| self.taken.receipt(from, origin, seq));
                    session.outbox.push_with(source, frame.into(), receipt);
                }
                session.outbox.restore(rest);
            }
            None => session.heard_unknown = true,
        }
        if let Some(session) = self.sessions.get_mut(&old) {
            session.remote = None;
        }
        self.take_rings_over(old, rings);
    }

    /// Takes in all sessions that there are. Those that are not among them may have ended, or NATS may have forgotten them; then their nodes,
    /// if they are there, tell of them anew.
    pub(crate) fn learn_all(&mut self, all: HashMap<u64, Record>, now: Instant) {
        let node = self.router.node();
        let vanished: Vec<u64> =
            self.remote_sessions().map(|(_, one)| one.origin).filter(|origin| !all.contains_key(origin)).collect();
        self.nodes.unconfirmed = vanished.into_iter().map(|origin| (origin, now)).collect();
        self.nodes.cut_off = false;
        // They could not come back elsewhere meanwhile, as far as this node would know.
        for since in self.nodes.gone.values_mut() {
            *since = now;
        }
        let own: Vec<u64> =
            self.sessions.iter().filter(|(_, one)| one.remote.is_none()).map(|(number, _)| *number).collect();
        for (origin, record) in all {
            if record.node == node && !self.origins.contains_key(&origin) {
                // Of an earlier node of that number.
                self.router.announce(origin, None);
            }
            self.learn(record);
        }
        for number in own {
            if self.is_local(number) {
                self.announce(number);
            }
        }
        self.send_all_again(now);
    }

    pub(crate) fn cut_off(&mut self) {
        self.nodes.cut_off = true;
    }

    pub(crate) fn remote_sessions(&self) -> impl Iterator<Item = (u64, &Session)> {
        self.sessions.iter().filter(|(_, one)| one.remote.is_some()).map(|(number, one)| (*number, one))
    }

    /// A session is gone, as another node says. `true`: it is not, it is one of this node; somebody took this node for dead.
    pub(crate) fn forget(&mut self, origin: u64) -> bool {
        self.nodes.unseated.remove(&origin);
        let Some(number) = self.origins.get(&origin).copied() else { return false };
        let is_here = self.is_local(number);
        if is_here {
            self.announce(number);
        } else {
            self.remove(number);
            self.seat();
        }
        is_here
    }

    /// Takes in those whose names were taken when they were met, as far as the names are free by now.
    pub(crate) fn seat(&mut self) {
        for (_, record) in std::mem::take(&mut self.nodes.unseated) {
            self.learn(record);
        }
    }

    pub(crate) fn node_gone(&mut self, node: NodeId, now: Instant) {
        self.nodes.gone.insert(node, now);
        for session in self.sessions.values_mut().filter(|session| session.is_on(node)) {
            session.attached = false;
        }
    }

    pub(crate) fn node_back(&mut self, node: NodeId) {
        self.nodes.gone.remove(&node);
        let numbers: Vec<u64> =
            self.sessions.iter().filter(|(_, one)| one.is_on(node)).map(|(number, _)| *number).collect();
        for number in numbers {
            if let Some(session) = self.sessions.get_mut(&number) {
                session.attached = session.remote.is_some_and(|remote| remote.attached);
            }
            self.send_again(number, Instant::now());
        }
    }

    /// Forgets the sessions of nodes that have been gone for as long as a place is kept, and others that nobody has told of for as long.
    pub(crate) fn forget_gone(&mut self, now: Instant, grace: Duration) {
        if self.nodes.cut_off {
            return;
        }
        let is_over = |since: Instant, time: Duration| now.saturating_duration_since(since) >= time;
        let nodes: Vec<NodeId> =
            self.nodes.gone.iter().filter(|(_, since)| is_over(**since, grace)).map(|(node, _)| *node).collect();
        let mut left: Vec<u64> = Vec::new();
        for node in nodes {
            self.nodes.gone.remove(&node);
            left.extend(self.sessions.iter().filter(|(_, one)| one.is_on(node)).map(|(number, _)| *number));
        }
        // Those of nodes that are gone are kept for as long as the others of these nodes.
        let unconfirmed = self.nodes.unconfirmed.iter().filter(|(origin, since)| {
            let number = self.origins.get(origin);
            let remote = number.and_then(|number| self.sessions.get(number)?.remote);
            is_over(**since, UNCONFIRMED) && remote.is_none_or(|remote| !self.nodes.is_gone(remote.node))
        });
        // Its client has come back nowhere.
        let handed = self.nodes.handed.iter().filter(|(_, (_, since))| is_over(*since, grace));
        let origins: Vec<u64> =
            unconfirmed.map(|(origin, _)| *origin).chain(handed.map(|(origin, _)| *origin)).collect();
        for origin in origins {
            self.nodes.forget(origin);
            left.extend(self.origins.get(&origin));
        }
        for number in left {
            let Some(session) = self.sessions.get(&number).filter(|session| session.remote.is_some()) else { continue };
            self.router.announce(session.origin, None);
            if let (None, Some(name)) = (&session.subject, &session.name) {
                let claim = Claim { place: session.place, subject: None };
                self.router.release(&session.room, &sanitise::look(name), &claim);
            }
            self.remove(number);
        }
    }
}

impl Session {
    fn is_on(&self, node: NodeId) -> bool {
        self.remote.is_some_and(|remote| remote.node == node)
    }
}

fn is_plausible(record: &Record) -> bool {
    record.name.len() <= MAX_TEXT_BYTES
        && record.name.chars().count() <= MAX_NAME_CHARS
        && !record.name.is_empty()
        && record.room.len() <= MAX_TEXT_BYTES
        && record.token.len() <= MAX_TEXT_BYTES
        && record.subject.as_ref().is_none_or(|subject| subject.len() <= MAX_TEXT_BYTES)
}

#[cfg(test)]
mod tests;
