//! TURN over TCP and over TLS (RFC 8656), which the crate does not have.
//!
//! The crate is told of such a server as of one over UDP, under a name of ours and an address that no network has. What its sockets
//! send there goes over one connection to the server instead, and what comes from that arrives as if from that address. The
//! crate's TURN client stays the only one; a stream adds no more than framing. `docs/decisions/0007-turn-over-streams.md` says why.

mod framing;
mod link;

use crate::net::ConnectConfig;
use crate::signaling::ice_url::{IceUrl, IceUrlKind};
use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;

/// Datagrams that wait for the connection; more are lost, as on any path. Half a second of 720p.
const OUTGOING: usize = 128;
/// Datagrams that wait for the crate. While they do, nothing is read, and the server sends no more.
pub(super) const INCOMING: usize = 64;
/// Requests whose repetitions are known.
const REQUESTS: usize = 32;
const PORT: u16 = 3478;

/// What came from a relay, and the address under which the crate knows it.
pub(super) type Arrival = (SocketAddr, Vec<u8>);

/// The relays of one connection that are reached over streams.
#[derive(Debug, Default)]
pub(super) struct Relays(Vec<Relay>);

#[derive(Debug)]
struct Relay {
    url: IceUrl,
    connect: ConnectConfig,
    link: Mutex<Option<Link>>,
}

/// A connection that one socket of the crate has to the server.
#[derive(Debug)]
struct Link {
    outgoing: mpsc::Sender<Vec<u8>>,
    incoming: mpsc::Sender<Arrival>,
    /// Transactions that have been sent: a stream repeats by itself what it loses (RFC 8489 section 6.2.2).
    requests: VecDeque<[u8; 12]>,
}

impl Relays {
    /// Takes a server in. The URL that the crate is to be given for it, which is the server's own where that goes over UDP.
    pub(super) fn add(&mut self, url: &IceUrl, connect: &ConnectConfig) -> String {
        if matches!(url.kind, IceUrlKind::Stun | IceUrlKind::TurnUdp) {
            return url.to_string();
        }
        let name = name(self.0.len(), url.kind);
        self.0.push(Relay { url: url.clone(), connect: connect.clone(), link: Mutex::new(None) });
        format!("turn:{name}:{PORT}?transport=udp")
    }

    /// The address of a name of ours. One family is enough: each local address of that family would make an allocation.
    pub(super) fn resolve(&self, host: &str, ipv4: bool) -> Option<SocketAddr> {
        let name = host.strip_suffix(&format!(":{PORT}"))?;
        let number = self.0.iter().enumerate().position(|(n, relay)| self::name(n, relay.url.kind) == name)?;
        Some(address(number, ipv4))
    }

    /// Sends a datagram to a relay, over a connection that is made with the first; `None` if the address is none of a relay's.
    /// A socket has the connection for as long as it lives; what others send is an error, which ends their attempt.
    pub(super) fn send(&self, to: SocketAddr, datagram: &[u8], incoming: &mpsc::Sender<Arrival>) -> Option<Result<()>> {
        let relay = self.0.iter().enumerate().find(|(n, _)| address(*n, to.is_ipv4()) == to)?.1;
        let mut link = relay.link.lock().unwrap_or_else(PoisonError::into_inner);
        let link = match link.as_mut().filter(|link| !link.incoming.is_closed()) {
            Some(link) if link.incoming.same_channel(incoming) => link,
            Some(_) => return Some(Err(Error::new(ErrorKind::AddrInUse, "another socket uses the relay"))),
            None => link.insert(relay.open(to, incoming.clone())),
        };
        Some(link.send(datagram))
    }
}

impl Relay {
    fn open(&self, known_as: SocketAddr, incoming: mpsc::Sender<Arrival>) -> Link {
        let (outgoing, queue) = mpsc::channel(OUTGOING);
        tokio::spawn(link::run(self.url.clone(), self.connect.clone(), known_as, queue, incoming.clone()));
        Link { outgoing, incoming, requests: VecDeque::new() }
    }
}

impl Link {
    fn send(&mut self, datagram: &[u8]) -> Result<()> {
        if let Some(transaction) = framing::request(datagram) {
            if self.requests.contains(&transaction) && !self.outgoing.is_closed() {
                return Ok(());
            }
            if self.requests.len() >= REQUESTS {
                self.requests.pop_front();
            }
            self.requests.push_back(transaction);
        }
        match self.outgoing.try_send(framing::padded(datagram)) {
            // A full queue loses, as a network does.
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => {
                Err(Error::new(ErrorKind::ConnectionReset, "there is no connection to the relay"))
            }
        }
    }
}

/// `.invalid` is no name of the internet (RFC 6761 section 6.4).
fn name(number: usize, kind: IceUrlKind) -> String {
    let protocol = if kind == IceUrlKind::TurnTls { "tls" } else { "tcp" };
    format!("relay-{number}.{protocol}.invalid")
}

/// How the TURN server of a URL that the crate was given is reached (W3C `relayProtocol`).
pub(super) fn protocol(url: &str) -> &'static str {
    let is = |protocol: &str| url.contains(&format!(".{protocol}.invalid:"));
    if is("tls") {
        "tls"
    } else if is("tcp") {
        "tcp"
    } else {
        "udp"
    }
}

/// An address that nothing has: of the class that was reserved for ever (RFC 1112 section 4), or of the prefix whose packets are
/// discarded (RFC 6666).
fn address(number: usize, ipv4: bool) -> SocketAddr {
    // There are a few hundred at most.
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    let [high, low] = number.to_be_bytes();
    let ip: IpAddr = if ipv4 {
        Ipv4Addr::new(240, 0, high, low).into()
    } else {
        Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, number).into()
    };
    SocketAddr::new(ip, PORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relays(urls: &[&str]) -> (Relays, Vec<String>) {
        let mut relays = Relays::default();
        let told = urls.iter().map(|url| relays.add(&url.parse().unwrap(), &ConnectConfig::default())).collect();
        (relays, told)
    }

    #[test]
    fn servers_over_streams_get_names_of_ours_and_others_keep_theirs() {
        let (relays, told) =
            relays(&["stun:a.example?transport=udp", "turn:a.example", "turn:a.example?transport=tcp", "turns:[::1]"]);
        assert_eq!(
            told,
            [
                "stun:a.example:3478",
                "turn:a.example:3478?transport=udp",
                "turn:relay-0.tcp.invalid:3478?transport=udp",
                "turn:relay-1.tls.invalid:3478?transport=udp",
            ]
        );
        assert_eq!(told.iter().map(|url| protocol(url)).collect::<Vec<_>>(), ["udp", "udp", "tcp", "tls"]);
        assert_eq!(relays.resolve("relay-1.tls.invalid:3478", true), Some("240.0.0.1:3478".parse().unwrap()));
        assert_eq!(relays.resolve("relay-1.tls.invalid:3478", false), Some("[100::1]:3478".parse().unwrap()));
        assert_eq!(relays.resolve("relay-1.tcp.invalid:3478", true), None);
        assert_eq!(relays.resolve("a.example:3478", true), None);
    }

    #[tokio::test]
    async fn one_socket_has_the_relay_until_it_is_gone() {
        let (relays, _) = relays(&["turn:127.0.0.1:9?transport=tcp"]);
        let to = relays.resolve("relay-0.tcp.invalid:3478", true).unwrap();
        let ((first, kept), (second, _other)) = (mpsc::channel(1), mpsc::channel(1));
        assert!(relays.send("192.0.2.1:3478".parse().unwrap(), b"data", &first).is_none());
        relays.send(to, b"data", &first).unwrap().unwrap();
        let refused = relays.send(to, b"data", &second).unwrap().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AddrInUse);
        drop(kept);
        relays.send(to, b"data", &second).unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_makes_sending_fail() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (relays, _) = relays(&[&format!("turn:{free}?transport=tcp")]);
        let to = relays.resolve("relay-0.tcp.invalid:3478", true).unwrap();
        let (incoming, _kept) = mpsc::channel(1);
        let failing = async {
            while relays.send(to, b"data", &incoming).unwrap().is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(5), failing).await.unwrap();
    }
}
