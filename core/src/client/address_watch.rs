//! Notices that this device's network changed where the app does not tell, by the addresses that come and go.

use std::net::IpAddr;
use std::time::Duration;

/// How often to look, while a call goes on or the server is away.
pub(super) const INTERVAL: Duration = Duration::from_millis(250);

/// The addresses that were there when it was looked last.
#[derive(Debug, Default)]
pub(super) struct AddressWatch {
    known: Option<Vec<IpAddr>>,
}

impl AddressWatch {
    /// Says whether what changed since the last look calls for another path: an address is gone, which the call or the
    /// connection to the server may have used, or one is new and something waits for it (`waiting`).
    pub(super) fn look(&mut self, mut addresses: Vec<IpAddr>, waiting: bool) -> bool {
        addresses.sort_unstable();
        addresses.dedup();
        let Some(known) = self.known.replace(addresses) else { return false };
        let now = self.known.as_deref().unwrap_or_default();
        let gone = known.iter().any(|address| !now.contains(address));
        let new = now.iter().any(|address| !known.contains(address));
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

    fn addresses(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn an_address_that_is_gone_is_another_network_and_a_new_one_only_if_something_waits_for_it() {
        let mut watch = AddressWatch::default();
        assert!(!watch.look(addresses(&["10.0.0.1"]), true), "the first look compares with nothing");
        assert!(!watch.look(addresses(&["10.0.0.1"]), true));
        assert!(!watch.look(addresses(&["10.1.0.1", "10.0.0.1"]), false));
        assert!(watch.look(addresses(&["10.1.0.1"]), false));
        assert!(!watch.look(addresses(&["10.1.0.1"]), false), "told once");
        assert!(watch.look(addresses(&[]), false));
        assert!(watch.look(addresses(&["fd00::1"]), true));
        watch.forget();
        assert!(!watch.look(addresses(&["10.2.0.1"]), true));
    }
}
