//! IPv4 addresses on a network without IPv4, behind NAT64 (RFC 6146). Names are translated there by DNS64 (RFC 6147); addresses
//! that come without a name, or with one that DNS64 was not asked for, have to be translated by the host (RFC 8305 section 7).

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// The addresses of which DNS64 makes those that tell its prefix (RFC 7050 section 8.2).
const WELL_KNOWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];
/// The name that has them.
const WELL_KNOWN_NAME: &str = "ipv4only.arpa";
/// Lengths that a prefix can have, in bytes, the usual one first (RFC 6052 section 2.2).
const LENGTHS: [usize; 6] = [12, 8, 7, 6, 5, 4];

/// How often it is looked whether there is an IPv4 route by now, while the prefix is asked for.
const LOOK: Duration = Duration::from_millis(50);

/// The addresses themselves, and where this host has no IPv4 route, those by which NAT64 reaches them if there is one.
pub(crate) async fn reachable(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let asked = async { super::lookup(WELL_KNOWN_NAME, 0).await.unwrap_or_default() };
    reachable_by(addresses, || source(IPV4_TARGET).is_some(), asked).await
}

/// With that question for the well-known name. A network that is just coming may answer it late, because it has no IPv4 route *yet*.
async fn reachable_by(
    mut addresses: Vec<SocketAddr>,
    has_ipv4_route: impl Fn() -> bool,
    asked: impl Future<Output = Vec<SocketAddr>>,
) -> Vec<SocketAddr> {
    if addresses.iter().any(SocketAddr::is_ipv6) || addresses.is_empty() || has_ipv4_route() {
        return addresses;
    }
    let route_comes = async {
        while !has_ipv4_route() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let known = tokio::select! {
        known = asked => known,
        () = route_comes => return addresses,
    };
    let Some(prefix) = known.into_iter().filter_map(|address| Prefix::of(address.ip())).next() else {
        return addresses;
    };
    let translated = addresses.iter().filter_map(|address| match address.ip() {
        IpAddr::V4(ip) => Some(SocketAddr::new(prefix.embed(ip).into(), address.port())),
        IpAddr::V6(_) => None,
    });
    let mut all: Vec<_> = translated.collect();
    all.append(&mut addresses);
    all
}

/// Addresses of the documentation (RFC 5737, RFC 3849), to which no packet is ever sent.
const IPV4_TARGET: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const IPV6_TARGET: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));

/// The addresses that packets to the internet have as their source, of IPv4 and of IPv6, where there is a route to it.
pub(crate) fn sources() -> [Option<IpAddr>; 2] {
    [IPV4_TARGET, IPV6_TARGET].map(source)
}

/// Asks the system which source a packet to this address would have. Nothing is sent.
fn source(to: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
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

    #[tokio::test(start_paused = true)]
    async fn a_network_whose_route_comes_a_moment_after_its_address_is_not_held_up_by_a_question_that_got_lost() {
        let start = tokio::time::Instant::now();
        let four: Vec<SocketAddr> = vec!["10.0.0.1:1".parse().unwrap()];
        let route = || start.elapsed() >= Duration::from_millis(300);
        assert_eq!(reachable_by(four.clone(), route, std::future::pending()).await, four);
        assert!(start.elapsed() <= Duration::from_millis(350), "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn without_an_ipv4_route_the_address_behind_nat64_comes_first() {
        let four: Vec<SocketAddr> = vec!["10.0.0.1:1".parse().unwrap()];
        let answer = async { vec!["[64:ff9b::c000:aa]:0".parse().unwrap()] };
        let found = reachable_by(four.clone(), || false, answer).await;
        assert_eq!(found, ["[64:ff9b::a00:1]:1".parse().unwrap(), four[0]]);
    }
}
