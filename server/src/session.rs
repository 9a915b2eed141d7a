//! What the server knows of one client.

use crate::{
    addresses::AddressKey,
    calls::CallPeers,
    cluster::Remote,
    config::Limits,
    nuisance::Nuisance,
    outbox::{Outbox, Source},
    rate::Budget,
    router::NodeId,
};
use chamada::signaling::message::Message;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Instant, SystemTime},
};

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) outbox: Arc<Outbox>,
    /// The key of its room.
    pub(crate) room: Arc<str>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) attached: bool,
    /// Its call ends if it does not come back.
    pub(crate) hangs_up: bool,
    /// Where it is if not on this node; its outbox then keeps what was sent there and not taken so far.
    pub(crate) remote: Option<Remote>,
    /// The number that it had first, by which the nodes know it.
    pub(crate) origin: u64,
    /// Counts what the other nodes were told.
    pub(crate) version: u64,
    /// When it got its name, in milliseconds since 1970.
    pub(crate) named_at: u64,
    /// The last parcel that came from each node.
    pub(crate) heard: HashMap<NodeId, u64>,
    /// That is not known, as it was on a node that died.
    pub(crate) heard_unknown: bool,
    /// None on this machine itself.
    pub(crate) address: Option<AddressKey>,
    pub(crate) call_peers: CallPeers,
    /// The hash of its resume token.
    pub(crate) token: String,
    /// The token that it came back with, good for as long as nothing shows that the client knows of its return: a connection that breaks
    /// just then leaves it with this one.
    pub(crate) shown: Option<String>,
    /// Its place in the user list: the number that it had first.
    pub(crate) place: u64,
    pub(crate) wants_list: bool,
    /// It came with a token that this server does not know: mostly one of before a restart.
    pub(crate) has_foreign_token: bool,
    /// Who it is by its token.
    pub(crate) subject: Option<Arc<str>>,
    pub(crate) token_ends: Option<TokenEnd>,
    /// When it gets new TURN credentials; none if it has got none so far.
    pub(crate) turn_renewal: Option<Instant>,
    /// Names its installation.
    pub(crate) device: Option<Arc<str>>,
    /// It gets the calls that wait for its person as soon as it has the list, by which clients know that they are logged in.
    pub(crate) awaits_calls: bool,
    /// It reads `call-pushed`.
    pub(crate) reads_pushed: bool,
    /// It reads `userlist-delta`.
    pub(crate) reads_deltas: bool,
    /// What it was told last, if that was a whole list.
    pub(crate) told: u64,
    /// Changes of name, and lists asked for.
    pub(crate) renames: Budget,
    pub(crate) nuisance: Nuisance,
    pub(crate) lines: Budget,
    /// Bytes that its public lines may make the server send.
    pub(crate) fan_out: Budget,
}

/// Until when somebody's token is good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenEnd {
    pub(crate) at: SystemTime,
    /// The client has been asked for another one.
    pub(crate) told: bool,
}

impl Session {
    pub(crate) fn new(
        outbox: Arc<Outbox>,
        room: Arc<str>,
        number: u64,
        address: Option<AddressKey>,
        token: String,
        limits: &Limits,
    ) -> Self {
        let now = Instant::now();
        Self {
            outbox,
            room,
            name: None,
            attached: true,
            hangs_up: false,
            remote: None,
            origin: number,
            version: 0,
            named_at: 0,
            heard: HashMap::new(),
            heard_unknown: false,
            address,
            call_peers: CallPeers::default(),
            token,
            shown: None,
            place: number,
            wants_list: false,
            has_foreign_token: false,
            subject: None,
            token_ends: None,
            turn_renewal: None,
            device: None,
            awaits_calls: false,
            reads_pushed: false,
            reads_deltas: false,
            told: 0,
            nuisance: Nuisance::new(now),
            renames: Budget::new(limits.renames_per_minute as f64 / 60.0, limits.renames_burst as f64, now),
            lines: Budget::new(limits.lines_per_second as f64, limits.lines_burst as f64, now),
            fan_out: Budget::new(limits.fan_out_per_second as f64, limits.fan_out_burst as f64, now),
        }
    }

    pub(crate) fn send_message(&self, message: &Message) -> bool {
        self.outbox.push(Source::Server, message.to_json().into())
    }
}
