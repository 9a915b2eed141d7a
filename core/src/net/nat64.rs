//! IPv4 addresses on a network without IPv4, behind NAT64 (RFC 6146). Names are translated there by DNS64 (RFC 6147); addresses
//! that come without a name, or with one that DNS64 was not asked for, have to be translated by the host (RFC 8305 section 7).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The addresses of which DNS64 makes those that tell its prefix (RFC 7050 section 8.2).
const WELL_KNOWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];
/// The name that has them.
const WELL_KNOWN_NAME: &str = "ipv4only.arpa";
/// Lengths that a prefix can have, in bytes, the usual one first (RFC 6052 section 2.2).
const LENGTHS: [usize; 6] = [12, 8, 7, 6, 5, 4];

/// The addresses themselves, and where this host has no IPv4 route, those by which NAT64 reaches them if there is one.
pub(crate) async fn reachable(mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    if addresses.iter().any(SocketAddr::is_ipv6) || addresses.is_empty() || has_ipv4_route() {
        return addresses;
    }
    let Ok(known) = tokio::net::lookup_host((WELL_KNOWN_NAME, 0)).await else { return addresses };
    let Some(prefix) = known.filter_map(|address| Prefix::of(address.ip())).next() else { return addresses };
    let translated = addresses.iter().filter_map(|address| match address.ip() {
        IpAddr::V4(ip) => Some(SocketAddr::new(prefix.embed(ip).into(), address.port())),
        IpAddr::V6(_) => None,
    });
    let mut all: Vec<_> = translated.collect();
    all.append(&mut addresses);
    all
}

/// Asks the system which way a packet to an address of the documentation (RFC 5737) would take. Nothing is sent.
fn has_ipv4_route() -> bool {
    UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)))
        .is_ok()
}

/// A prefix under which NAT64 has all of IPv4.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Prefix {
    octets: [u8; 16],
    /// In bytes.
    length: usize,
}

impl Prefix {
    /// The prefix by which a well-known address was made.
    fn of(address: IpAddr) -> Option<Self> {
        let IpAddr::V6(address) = address else { return None };
        LENGTHS
            .iter()
            .map(|&length| Self { octets: address.octets(), length })
            .find(|prefix| WELL_KNOWN.iter().any(|&known| prefix.embed(known) == address))
    }

    fn embed(self, ip: Ipv4Addr) -> Ipv6Addr {
        let mut octets = [0; 16];
        let mut rest = ip.octets().into_iter();
        for (n, octet) in octets.iter_mut().enumerate() {
            *octet = match n {
                _ if n < self.length => self.octets[n],
                // Bits 64 to 71 are zero.
                8 => 0,
                _ => rest.next().unwrap_or(0),
            };
        }
        octets.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6052 section 2.4.
    #[test]
    fn addresses_are_embedded_as_the_examples_are() {
        for (length, prefix, address) in [
            (4, "2001:db8::", "2001:db8:c000:221::"),
            (5, "2001:db8:100::", "2001:db8:1c0:2:21::"),
            (6, "2001:db8:122::", "2001:db8:122:c000:2:2100::"),
            (7, "2001:db8:122:300::", "2001:db8:122:3c0:0:221::"),
            (8, "2001:db8:122:344::", "2001:db8:122:344:c0:2:2100::"),
            (12, "2001:db8:122:344::", "2001:db8:122:344::192.0.2.33"),
            (12, "64:ff9b::", "64:ff9b::192.0.2.33"),
        ] {
            let prefix = Prefix { octets: prefix.parse::<Ipv6Addr>().unwrap().octets(), length };
            assert_eq!(prefix.embed([192, 0, 2, 33].into()), address.parse::<Ipv6Addr>().unwrap());
        }
    }

    #[test]
    fn a_prefix_is_found_in_the_answer_for_the_well_known_name() {
        let found =
            |address: &str| Prefix::of(address.parse().unwrap()).map(|p| p.embed([10, 0, 0, 1].into()).to_string());
        assert_eq!(found("64:ff9b::c000:aa").as_deref(), Some("64:ff9b::a00:1"));
        assert_eq!(found("2001:db8:122:344:c0:0:aa00:0").as_deref(), Some("2001:db8:122:344:a:0:100:0"));
        assert_eq!(found("2001:db8::1"), None);
        assert_eq!(found("192.0.0.170"), None);
    }

    #[tokio::test]
    async fn what_has_ipv6_or_is_reached_by_ipv4_stays_as_it_is() {
        let six = vec!["[2001:db8::1]:1".parse().unwrap()];
        assert_eq!(reachable(six.clone()).await, six);
        assert!(reachable(vec![]).await.is_empty());
    }
}
