//! Notices that this device's network changed where the app does not tell, by the addresses that come and go.

use crate::net;
use crate::peer::webrtc::local_addresses;
use std::net::IpAddr;
use std::time::Duration;

/// How often to look, while a call goes on or the server is away.
pub(super) const INTERVAL: Duration = Duration::from_millis(250);

/// What was there when it was looked last.
#[derive(Debug, Default)]
pub(super) struct AddressWatch {
    known: Option<Network>,
}

/// This device's place in the network.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Network {
    /// By which others can reach it.
    pub(super) addresses: Vec<IpAddr>,
    /// Which of them, of each family, packets to the internet have as their source: where there is none, there is no route. It comes a
    /// moment after the address, and what was tried in between has failed or hangs.
    pub(super) sources: [Option<IpAddr>; 2],
}

impl Network {
    /// Of this moment.
    pub(super) fn now() -> Self {
        Self { addresses: local_addresses(), sources: net::sources() }
    }
}

impl AddressWatch {
    /// Says whether what changed since the last look calls for another path: an address is gone, which the call or the
    /// connection to the server may have used, or an address or a route is new and something waits for it (`waiting`).
    pub(super) fn look(&mut self, network: Network, waiting: bool) -> bool {
        let Some(known) = self.known.replace(network) else { return false };
        let now = self.known.clone().unwrap_or_default();
        let gone = known.addresses.iter().any(|address| !now.addresses.contains(address));
        let new = now.addresses.iter().any(|address| !known.addresses.contains(address))
            || now.sources.iter().zip(&known.sources).any(|(now, known)| now.is_some() && now != known);
        gone || (new && waiting)
    }

    /// Nothing has been looked at for a while: what changes until the next look is no event.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(list: &[&str]) -> Network {
        let addresses: Vec<IpAddr> = list.iter().map(|address| address.parse().unwrap()).collect();
        Network { sources: [addresses.first().copied(), None], addresses }
    }

    #[test]
    fn an_address_that_is_gone_is_another_network_and_a_new_one_only_if_something_waits_for_it() {
        let mut watch = AddressWatch::default();
        assert!(!watch.look(network(&["10.0.0.1"]), true), "the first look compares with nothing");
        assert!(!watch.look(network(&["10.0.0.1"]), true));
        assert!(!watch.look(network(&["10.1.0.1", "10.0.0.1"]), false));
        assert!(watch.look(network(&["10.1.0.1"]), false));
        assert!(!watch.look(network(&["10.1.0.1"]), false), "told once");
        assert!(watch.look(network(&[]), false));
        assert!(watch.look(network(&["fd00::1"]), true));
        watch.forget();
        assert!(!watch.look(network(&["10.2.0.1"]), true));
    }

    #[test]
    fn a_route_that_comes_after_its_address_is_told_too() {
        let mut watch = AddressWatch::default();
        watch.look(network(&[]), true);
        let unrouted = Network { sources: [None, None], ..network(&["10.1.0.1"]) };
        assert!(watch.look(unrouted.clone(), true));
        assert!(watch.look(network(&["10.1.0.1"]), true), "what was tried without a route was tried in vain");
        assert!(!watch.look(unrouted, true), "the address is still there");
        assert!(!watch.look(network(&["10.1.0.1"]), false), "nothing waits for it");
    }
}
