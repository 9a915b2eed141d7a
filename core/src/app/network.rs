//! Which news of the system about its networks mean something to a call, and when less data is sent.

/// A network, as the system describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Network {
    /// The system's name for it: Android's network handle, the names of the interfaces in use on iOS, the preferred one first.
    pub id: String,
    /// This device's addresses in it, in any order; none where the system does not say, or does not say yet.
    pub addresses: Vec<String>,
    /// Whether what goes through it costs money, or is to be kept small for another reason: `NET_CAPABILITY_NOT_METERED` and data
    /// saver on Android, `isExpensive` and `isConstrained` on iOS.
    pub metered: bool,
}

/// Remembers the network of the moment.
#[derive(Debug, Default)]
pub(super) struct NetworkMonitor {
    current: Option<Network>,
    /// There was a network, and then none: even one of the same name may be another.
    lost: bool,
    /// The person does not want less data on this network.
    lifted: bool,
}

impl NetworkMonitor {
    /// What the system says now, `None` while there is no network. Returns whether the client has to look for its server and repair
    /// its call. The first network is the one that the app began with.
    pub(super) fn changed(&mut self, now: Option<Network>) -> bool {
        let Some(mut now) = now else {
            self.lost = self.lost || self.current.is_some();
            return false;
        };
        now.addresses.sort_unstable();
        if !now.metered {
            self.lifted = false;
        }
        let lost = std::mem::take(&mut self.lost);
        let Some(before) = self.current.replace(now.clone()) else { return false };
        let moved = !before.addresses.is_empty() && !now.addresses.is_empty() && before.addresses != now.addresses;
        if before.id == now.id && now.addresses.is_empty() {
            // It is the same one, of which the system says less this time.
            self.current = Some(Network { addresses: before.addresses, ..now.clone() });
        }
        lost || before.id != now.id || moved
    }

    /// Whether the network of the moment is to be spared.
    pub(super) fn is_metered(&self) -> bool {
        self.current.as_ref().is_some_and(|network| network.metered)
    }

    pub(super) fn is_lifted(&self) -> bool {
        self.lifted
    }

    /// Whether pictures are sent at 360p at most.
    pub(super) fn sends_less(&self) -> bool {
        self.is_metered() && !self.lifted
    }

    /// The person wants full quality on this metered network, or less data again.
    pub(super) fn lift(&mut self, on: bool) {
        self.lifted = on && self.is_metered();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(id: &str, addresses: &[&str], metered: bool) -> Option<Network> {
        let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
        Some(Network { id: id.to_owned(), addresses, metered })
    }

    #[test]
    fn another_network_is_a_change_and_the_first_is_none() {
        let mut monitor = NetworkMonitor::default();
        assert!(!monitor.changed(network("wifi", &[], false)));
        assert!(!monitor.changed(network("wifi", &[], false)));
        assert!(monitor.changed(network("mobile", &[], true)));
    }

    #[test]
    fn a_network_that_comes_back_is_a_change_even_if_it_is_the_same() {
        let mut monitor = NetworkMonitor::default();
        assert!(!monitor.changed(None), "none was there");
        assert!(!monitor.changed(network("wifi", &[], false)));
        assert!(!monitor.changed(None));
        assert!(monitor.changed(network("wifi", &[], false)));
        assert!(!monitor.changed(network("wifi", &[], false)), "told once");
    }

    #[test]
    fn other_addresses_are_a_change_and_those_that_become_known_are_none() {
        let mut monitor = NetworkMonitor::default();
        monitor.changed(network("wifi", &[], false));
        assert!(!monitor.changed(network("wifi", &["10.0.0.2", "fe80::1"], false)));
        assert!(!monitor.changed(network("wifi", &["fe80::1", "10.0.0.2"], false)), "in any order");
        assert!(!monitor.changed(network("wifi", &[], false)), "what is not said is not gone");
        assert!(monitor.changed(network("wifi", &["10.0.0.9"], false)));
    }

    #[test]
    fn a_metered_network_is_spared_until_the_person_lifts_it_and_the_next_one_again() {
        let mut monitor = NetworkMonitor::default();
        monitor.changed(network("mobile", &[], true));
        assert!(monitor.sends_less());
        monitor.lift(true);
        assert!(!monitor.sends_less());
        monitor.changed(network("wifi", &[], false));
        monitor.lift(true);
        monitor.changed(network("mobile", &[], true));
        assert!(monitor.sends_less(), "lifting holds for the network that it was meant for");
    }
}
