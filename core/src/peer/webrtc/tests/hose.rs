//! What somebody can make this side send to others by naming them in candidates.

use super::support::*;
use crate::signaling::message::SessionDescription;
use std::net::UdpSocket;
use std::time::Duration;

/// For how long packets are counted.
const WINDOW: Duration = Duration::from_millis(3_500);

/// Sockets that stand for people who have nothing to do with the call.
struct Bystanders(Vec<UdpSocket>);

impl Bystanders {
    fn new(count: usize) -> Self {
        let bind = |_| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            socket
        };
        Self((0..count).map(bind).collect())
    }

    fn candidates(&self) -> Vec<String> {
        let port = |socket: &UdpSocket| socket.local_addr().unwrap().port();
        let line = |(n, port)| format!("a=candidate:{n} 1 udp {} 127.0.0.1 {port} typ host", 2_000_000_000 - n);
        self.0.iter().map(port).enumerate().map(line).collect()
    }

    /// Packets that have come since the last count.
    fn packets(&self) -> usize {
        let mut buffer = [0; 2_048];
        self.0.iter().map(|socket| std::iter::from_fn(|| socket.recv_from(&mut buffer).ok()).count()).sum()
    }
}

/// An offer that names all these, and others up to the size of a message.
fn naming(offer: &str, bystanders: &Bystanders) -> SessionDescription {
    let mut lines = bystanders.candidates();
    let more = (1..).map(|n| format!("a=candidate:{n} 1 udp {n} 127.0.0.1 {} typ host", 1_024 + n % 60_000));
    lines.extend(more.take(900));
    let sdp = offer.replacen("a=sendrecv\r\n", &format!("a=sendrecv\r\n{}\r\n", lines.join("\r\n")), 1);
    assert!((48_000..65_536).contains(&sdp.len()), "{} bytes", sdp.len());
    SessionDescription::offer(sdp)
}

#[tokio::test]
async fn an_offer_full_of_candidates_sends_no_flood_to_whom_it_names_and_neither_do_restarts() {
    let bystanders = Bystanders::new(64);
    let offerer = Peer::new(config(true)).await;
    let answerer = Peer::new(config(false)).await;
    let offer = offerer.connection.offer(false).await.unwrap();
    answerer.connection.answer(naming(&offer.sdp, &bystanders), false).await.unwrap();
    tokio::time::sleep(WINDOW).await;
    let first = bystanders.packets();
    for generation in 0..8 {
        let restart = offer.sdp.replace("a=ice-ufrag:", &format!("a=ice-ufrag:{generation}"));
        answerer.connection.answer(naming(&restart, &bystanders), false).await.unwrap();
    }
    tokio::time::sleep(WINDOW).await;
    let restarts = bystanders.packets();
    println!("{first} packets of the first offer, {restarts} of eight restarts");
    // All destinations share 500 a second.
    assert!((100..=1_800).contains(&first), "{first} packets of the first offer");
    assert!(restarts <= 1_800, "{restarts} packets of eight restarts");
}
