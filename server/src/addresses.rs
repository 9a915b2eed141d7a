//! Where connections come from, and how many each address has: one address must not take the room of all others.

use crate::{config::Limits, rate::Budget};
use axum::http::HeaderMap;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// The header in which a reverse proxy says for whom it asks.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Budgets of addresses that are remembered at most; full ones are forgotten first.
const MAX_REMEMBERED: usize = 10_000;

/// Whom limits per address count as one: an IPv4 address, or a network of IPv6 with 64 bits, which is the least that a customer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AddressKey(u128);

/// `None` for this machine itself, which has no limits of its own.
fn key(address: IpAddr) -> Option<AddressKey> {
    match address.to_canonical() {
        address if address.is_loopback() => None,
        IpAddr::V4(address) => Some(AddressKey(u128::from(address.to_bits()))),
        IpAddr::V6(address) => Some(AddressKey(address.to_bits() >> 64 << 64)),
    }
}

/// The address that a request comes from, by way of any proxies that are trusted.
pub(crate) fn client_key(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Option<AddressKey> {
    let mut address = peer.to_canonical();
    let named = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let mut hops: Vec<&str> = named.flat_map(|value| value.split(',')).map(str::trim).collect();
    // Each proxy adds at the end whom it has heard from; what is before an untrusted one is anybody's invention.
    while trusted.contains(&address) {
        match hops.pop().map(str::parse::<IpAddr>) {
            Some(Ok(hop)) => address = hop.to_canonical(),
            _ => break,
        }
    }
    key(address)
}

#[derive(Debug)]
struct Usage {
    connections: usize,
    logins: Budget,
}

/// What each address uses.
#[derive(Debug)]
pub(crate) struct Addresses {
    limits: Limits,
    trusted: Vec<IpAddr>,
    usage: Mutex<HashMap<AddressKey, Usage>>,
}

/// Counts as a connection of its address until it is dropped.
#[derive(Debug)]
pub(crate) struct Entered {
    addresses: Arc<Addresses>,
    key: AddressKey,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut usage = self.addresses.lock();
        if let Some(one) = usage.get_mut(&self.key) {
            one.connections = one.connections.saturating_sub(1);
        }
    }
}

impl Addresses {
    pub(crate) fn new(limits: Limits, trusted: Vec<IpAddr>) -> Self {
        let trusted = trusted.into_iter().map(|address| address.to_canonical()).collect();
        Self { limits, trusted, usage: Mutex::default() }
    }

    pub(crate) fn trusted(&self) -> &[IpAddr] {
        &self.trusted
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AddressKey, Usage>> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a TCP connection from `peer`. `Err`: that address has enough. A proxy's connections are other people's: see [`Self::enter`].
    pub(crate) fn accept(self: &Arc<Self>, peer: IpAddr) -> Result<Option<Entered>, TooMany> {
        if self.trusted.contains(&peer.to_canonical()) {
            return Ok(None);
        }
        key(peer).map(|key| self.enter(key)).transpose()
    }

    /// Counts a connection of this address.
    pub(crate) fn enter(self: &Arc<Self>, key: AddressKey) -> Result<Entered, TooMany> {
        let mut usage = self.lock();
        let one = self.of(&mut usage, key);
        if one.connections >= self.limits.connections_per_address {
            return Err(TooMany);
        }
        one.connections += 1;
        Ok(Entered { addresses: self.clone(), key })
    }

    /// Counts a login. `false`: too many.
    pub(crate) fn log_in(&self, key: AddressKey) -> bool {
        self.of(&mut self.lock(), key).logins.take(1.0, Instant::now())
    }

    /// How many connections this address has.
    pub(crate) fn connections(&self, key: AddressKey) -> usize {
        self.lock().get(&key).map_or(0, |one| one.connections)
    }

    fn of<'a>(&self, usage: &'a mut HashMap<AddressKey, Usage>, key: AddressKey) -> &'a mut Usage {
        let now = Instant::now();
        if usage.len() >= MAX_REMEMBERED && !usage.contains_key(&key) {
            usage.retain(|_, one| one.connections > 0 || !one.logins.is_full(now));
        }
        let Limits { logins_per_minute, logins_burst, .. } = self.limits;
        usage.entry(key).or_insert_with(|| Usage {
            connections: 0,
            logins: Budget::new(f64::from(logins_per_minute) / 60.0, f64::from(logins_burst), now),
        })
    }
}

/// An address has as much as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, forwarded: &[&str], trusted: &[&str]) -> Option<AddressKey> {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|address| address.parse().unwrap()).collect();
        client_key(peer.parse().unwrap(), &headers, &trusted)
    }

    #[test]
    fn a_customer_of_ipv6_counts_as_one_and_this_machine_as_none() {
        assert_eq!(from("2001:db8:1:2::1", &[], &[]), from("2001:db8:1:2:ffff::9", &[], &[]));
        assert_ne!(from("2001:db8:1:2::1", &[], &[]), from("2001:db8:1:3::1", &[], &[]));
        assert_eq!(from("::ffff:192.0.2.1", &[], &[]), from("192.0.2.1", &[], &[]));
        assert_ne!(from("192.0.2.1", &[], &[]), from("192.0.2.2", &[], &[]));
        assert_eq!((from("127.0.0.1", &[], &[]), from("::1", &[], &[])), (None, None));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_what_it_added() {
        let direct = |address| from(address, &[], &[]);
        assert_eq!(from("192.0.2.1", &["198.51.100.7"], &[]), direct("192.0.2.1"));
        assert_eq!(from("127.0.0.1", &["203.0.113.9, 198.51.100.7"], &["127.0.0.1"]), direct("198.51.100.7"));
        assert_eq!(from("127.0.0.1", &["203.0.113.9", "198.51.100.7"], &["127.0.0.1"]), direct("198.51.100.7"));
        let both = ["127.0.0.1", "10.0.0.1"];
        assert_eq!(from("127.0.0.1", &["203.0.113.9, 198.51.100.7,10.0.0.1"], &both), direct("198.51.100.7"));
        assert_eq!(from("127.0.0.1", &["nonsense"], &both), None);
    }

    #[test]
    fn connections_and_logins_of_an_address_are_counted() {
        let limits = Limits { connections_per_address: 2, logins_burst: 3, ..Limits::default() };
        let addresses = Arc::new(Addresses::new(limits, Vec::new()));
        let ip = IpAddr::from([192, 0, 2, 1]);
        let first = addresses.accept(ip).unwrap();
        let _second = addresses.accept(ip).unwrap();
        assert_eq!(addresses.accept(ip).unwrap_err(), TooMany);
        assert!(addresses.accept(IpAddr::from([192, 0, 2, 2])).is_ok());
        drop(first);
        assert!(addresses.accept(ip).is_ok());
        let key = key(ip).unwrap();
        assert_eq!((0..10).filter(|_| addresses.log_in(key)).count(), 3);
    }
}
