//! Host candidates that stand for an address by an mDNS name (RFC 6762; draft-ietf-mmusic-mdns-ice-candidates), as browsers send
//! them to hide the address from a page.
//!
//! The crate can resolve them, but where its multicast socket cannot be made, as on a host without an IPv4 route, it makes no
//! connection at all, and one that moves to such a network ends. Here a name that stays unresolved is one candidate less.

use super::candidates;
use super::tasks::Tasks;
use crate::signaling::message::IceCandidate;
use bytes::BytesMut;
use rtc::mdns::{MDNS_DEST_ADDR, Mdns, MdnsConfig, MdnsEvent, MulticastSocket};
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use std::io::{Error, Result};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use webrtc::peer_connection::PeerConnection;

/// Most names that are looked up at a time for one connection: each takes a socket.
const MAX_LOOKUPS: usize = 8;
/// How long a name is asked for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two questions, the first of which may meet a radio that sleeps.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Longest message that is read (RFC 6762 section 17).
const MAX_MESSAGE: usize = 9000;
/// Longest name (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;

/// The lookups of one connection.
pub(super) struct Lookups(Arc<Semaphore>);

impl Default for Lookups {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_LOOKUPS)))
    }
}

impl Lookups {
    /// Gives the candidate to `agent` once its name is resolved, by a task of the connection's.
    pub(super) fn start(&self, tasks: &Tasks, agent: &Arc<dyn PeerConnection>, candidate: IceCandidate) {
        let Some(name) = name(&candidate.candidate).map(str::to_owned) else { return };
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else {
            return log::debug!("a candidate was left out: too many mDNS names at a time");
        };
        let agent = Arc::clone(agent);
        tasks.spawn(async move {
            match resolve(&name).await {
                Ok(Some(address)) => {
                    let candidate =
                        IceCandidate { candidate: with_address(&candidate.candidate, address), ..candidate };
                    if agent.add_ice_candidate(candidates::to_crate(candidate)).await.is_err() {
                        log::debug!("a candidate with an mDNS name was of no use");
                    }
                }
                Ok(None) => log::debug!("nobody answers to the mDNS name of a candidate"),
                Err(error) => log::debug!("mDNS cannot be asked: {error}"),
            }
            drop(permit);
        });
    }
}

/// The mDNS name that a candidate has in place of its address, if it has one.
pub(super) fn name(candidate: &str) -> Option<&str> {
    let address = candidate.split_ascii_whitespace().nth(4)?;
    let label = address.len().checked_sub(".local".len()).and_then(|at| address.get(at..));
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_name = label.is_some_and(|label| label.eq_ignore_ascii_case(".local"))
        && address.len() <= MAX_NAME
        && address.chars().all(valid);
    is_name.then_some(address)
}

fn with_address(candidate: &str, address: IpAddr) -> String {
    let address = address.to_string();
    let words = candidate.split_ascii_whitespace().enumerate();
    words.map(|(n, word)| if n == 4 { &address } else { word }).collect::<Vec<_>>().join(" ")
}

async fn resolve(name: &str) -> Result<Option<IpAddr>> {
    let socket = MulticastSocket::new().into_std().and_then(UdpSocket::from_std)?;
    ask(&socket, MDNS_DEST_ADDR, name).await
}

/// Asks `group` for a name until somebody answers or [`PATIENCE`] is over.
async fn ask(socket: &UdpSocket, group: SocketAddr, name: &str) -> Result<Option<IpAddr>> {
    let config = MdnsConfig::new().with_query_interval(ASK_AGAIN).with_query_timeout(PATIENCE);
    let mut mdns = Mdns::new(Instant::now(), config);
    mdns.query_now(Instant::now(), name);
    let mut buffer = vec![0; MAX_MESSAGE];
    loop {
        while let Some(question) = mdns.poll_write() {
            socket.send_to(&question.message, group).await?;
        }
        match mdns.poll_event() {
            Some(MdnsEvent::QueryAnswered(_, address)) => return Ok(Some(address)),
            Some(_) => return Ok(None),
            None => {}
        }
        let wake = mdns.poll_timeout().unwrap_or_else(|| Instant::now() + ASK_AGAIN);
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let (size, from) = received?;
                let message = message(buffer.get(..size).unwrap_or_default(), from);
                mdns.handle_read(message).map_err(Error::other)?;
            }
            () = tokio::time::sleep_until(wake.into()) => mdns.handle_timeout(Instant::now()).map_err(Error::other)?,
        }
    }
}

fn message(bytes: &[u8], from: SocketAddr) -> TaggedBytesMut {
    let transport = TransportContext {
        local_addr: MDNS_DEST_ADDR,
        peer_addr: from,
        transport_protocol: TransportProtocol::UDP,
        ecn: None,
    };
    TaggedBytesMut { now: Instant::now(), transport, message: BytesMut::from(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_an_address() {
        let of = |address: &str| format!("candidate:1 1 udp 2130706431 {address} 9 typ host");
        for named in ["3b6f2c1e-0000-4000-8000-000000000000.local", "PHONE.Local"] {
            assert_eq!(name(&of(named)), Some(named));
        }
        let long = format!("{}.local", "x".repeat(300));
        for other in ["10.0.0.1", "fd00::1", "phone.example", "local", "a_b.local", &long] {
            assert_eq!(name(&of(other)), None, "{other}");
        }
        assert_eq!(name("candidate:"), None);
    }

    #[test]
    fn the_address_takes_the_names_place() {
        let candidate = "candidate:1 1 udp 2130706431 a.local 9 typ host generation 0";
        assert_eq!(
            with_address(candidate, IpAddr::from([10, 0, 0, 7])),
            "candidate:1 1 udp 2130706431 10.0.0.7 9 typ host generation 0"
        );
    }

    #[tokio::test]
    async fn a_question_that_gets_lost_is_asked_again_until_the_host_of_that_name_answers() {
        let responder = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let group = responder.local_addr().unwrap();
        let host = tokio::spawn(async move {
            let address = IpAddr::from([127, 0, 0, 1]);
            let config = MdnsConfig::new().with_local_names(vec!["phone.local".into()]).with_local_ip(address);
            let mut mdns = Mdns::new(Instant::now(), config);
            let mut buffer = [0; MAX_MESSAGE];
            responder.recv_from(&mut buffer).await.unwrap();
            let (size, from) = responder.recv_from(&mut buffer).await.unwrap();
            mdns.handle_read(message(&buffer[..size], from)).unwrap();
            let answer = mdns.poll_write().unwrap();
            responder.send_to(&answer.message, from).await.unwrap();
        });
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let found = ask(&socket, group, "phone.local").await.unwrap();
        assert_eq!(found, Some(IpAddr::from([127, 0, 0, 1])));
        host.await.unwrap();
    }
}
