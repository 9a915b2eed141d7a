//! What is known of a path that is not found yet.

use std::fmt;

/// Types of ICE candidates (RFC 8445 section 4; W3C `RTCIceCandidateType`), each there or not. Those that only checks bring to light
/// (`prflx`) are nobody's to tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CandidateTypes {
    /// `host`: an address of the device itself, or an mDNS name for one.
    pub host: bool,
    /// `srflx`: the address of its NAT, as a STUN server saw it.
    pub srflx: bool,
    /// `relay`: an address at a TURN server.
    pub relay: bool,
}

impl CandidateTypes {
    /// Their W3C names.
    pub fn names(self) -> Vec<&'static str> {
        let all = [(self.host, "host"), (self.srflx, "srflx"), (self.relay, "relay")];
        all.into_iter().filter_map(|(is_there, name)| is_there.then_some(name)).collect()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Counts a candidate of the type of this name in; others are passed over.
    pub fn add(&mut self, name: &str) {
        match name {
            "host" => self.host = true,
            "srflx" => self.srflx = true,
            "relay" => self.relay = true,
            _ => {}
        }
    }
}

/// The search for a path after it has found none for a while.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathSearch {
    /// Candidates of this side.
    pub local: CandidateTypes,
    /// Candidates that the other side told.
    pub remote: CandidateTypes,
    /// Whether this side may use relayed candidates alone.
    pub relay_only: bool,
    /// Both sides have told all their candidates and no check was answered: nothing more is to be hoped for.
    pub is_over: bool,
}

/// Why there is no path, as far as one side can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoPath {
    /// This device has no address that a call could use.
    NoNetworkHere,
    /// Only relays may be used, and none has answered.
    NoRelayHere,
    /// The other side has told no address.
    NothingFromThere,
    /// Nothing gets through between the networks, and neither side has a relay that would get around them.
    NoRelay,
    /// Nothing gets through between the networks, not by a relay either.
    Unanswered,
}

impl NoPath {
    /// A name for programs, e.g. `no-relay`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoNetworkHere => "no-network-here",
            Self::NoRelayHere => "no-relay-here",
            Self::NothingFromThere => "nothing-from-there",
            Self::NoRelay => "no-relay",
            Self::Unanswered => "unanswered",
        }
    }
}

impl PathSearch {
    /// Why nothing was found.
    pub fn why(self) -> NoPath {
        match self {
            _ if self.local.is_empty() && self.relay_only => NoPath::NoRelayHere,
            _ if self.local.is_empty() => NoPath::NoNetworkHere,
            _ if self.remote.is_empty() => NoPath::NothingFromThere,
            _ if !self.local.relay && !self.remote.relay => NoPath::NoRelay,
            _ => NoPath::Unanswered,
        }
    }
}

impl fmt::Display for PathSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: CandidateTypes| if types.is_empty() { "none".to_owned() } else { types.names().join(", ") };
        write!(f, "candidates here: {}; there: {}", list(self.local), list(self.remote))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(names: &[&str]) -> CandidateTypes {
        let mut types = CandidateTypes::default();
        names.iter().for_each(|name| types.add(name));
        types
    }

    #[test]
    fn what_is_missing_says_why_there_is_no_path() {
        let why = |local: &[&str], remote: &[&str], relay_only| {
            PathSearch { local: types(local), remote: types(remote), relay_only, is_over: false }.why()
        };
        assert_eq!(why(&[], &["host"], false), NoPath::NoNetworkHere);
        assert_eq!(why(&[], &["host"], true), NoPath::NoRelayHere);
        assert_eq!(why(&["host"], &["prflx"], false), NoPath::NothingFromThere);
        assert_eq!(why(&["host", "srflx"], &["host"], false), NoPath::NoRelay);
        assert_eq!(why(&["host"], &["host", "relay"], false), NoPath::Unanswered);
    }
}
