//! Setting a connection up on a path that loses packets from the start.

use super::support::*;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;

/// Decides of each datagram whether it is lost; the first argument says whether it goes to the callee.
type Loses = Box<dyn FnMut(bool, &[u8]) -> bool + Send>;

/// Passes datagrams on both ways, but for those that are lost. It is gone with its task.
async fn path(to: SocketAddr, mut loses: Loses) -> (u16, tokio::task::JoinHandle<()>) {
    let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    far.connect(to).await.unwrap();
    let port = near.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut forth, mut back, mut caller) = ([0; 2048], [0; 2048], None);
        loop {
            tokio::select! {
                Ok((size, from)) = near.recv_from(&mut forth) => {
                    caller = Some(from);
                    if !loses(true, &forth[..size]) {
                        let _ = far.send(&forth[..size]).await;
                    }
                }
                Ok(size) = far.recv(&mut back) => {
                    if let Some(caller) = caller && !loses(false, &back[..size]) {
                        let _ = near.send_to(&back[..size], caller).await;
                    }
                }
            }
        }
    });
    (port, task)
}

/// How long two peers take to connect from the answer on, if they do in [`PATIENCE`].
async fn connects(loses: Loses) -> Duration {
    let (mut a, mut b) = (Peer::new(config(true)).await, Peer::new(config(false)).await);
    let mut offer = a.connection.offer(false).await.unwrap();
    offer.sdp = without_candidates(&offer.sdp);
    let mut answer = b.connection.answer(offer, false).await.unwrap();
    answer.sdp = without_candidates(&answer.sdp);
    a.connection.apply_answer(answer).await.unwrap();
    let mut candidate = b.candidates().await.remove(0);
    let words: Vec<_> = candidate.candidate.split(' ').map(str::to_owned).collect();
    let (port, task) = path(format!("{}:{}", words[4], words[5]).parse().unwrap(), loses).await;
    candidate.candidate = candidate.candidate.replacen(&format!(" {} ", words[5]), &format!(" {port} "), 1);
    let start = Instant::now();
    a.connection.add_candidate(Some(candidate)).await.unwrap();
    a.connected().await;
    b.connected().await;
    let took = start.elapsed();
    close([a, b]).await;
    task.abort();
    took
}

/// A DTLS record of these types begins the datagram (RFC 7983).
fn is_dtls(datagram: &[u8]) -> bool {
    (20..64).contains(&datagram[0])
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_come_about_on_paths_that_lose_a_tenth_of_all_packets() {
    let took = join_all((0..24).map(|seed| {
        let mut random = StdRng::seed_from_u64(seed);
        connects(Box::new(move |_, _| random.random_bool(0.1)))
    }))
    .await;
    let slowest = took.iter().max().unwrap();
    assert!(*slowest < Duration::from_secs(5), "{took:?}");
}

/// Nothing of the client's second flight gets through until the server has repeated the flight before it, which ends the
/// timer of the crate's client.
#[tokio::test(flavor = "multi_thread")]
async fn a_flight_that_is_lost_while_the_one_before_is_repeated_does_not_end_the_handshake() {
    let mut until = None;
    let took = connects(Box::new(move |to_callee, datagram| {
        const CLIENT_HELLO: u8 = 1;
        // The callee's answer makes it the client.
        let second = !to_callee && is_dtls(datagram) && (datagram[0], datagram[13]) != (22, CLIENT_HELLO);
        second && Instant::now() < *until.get_or_insert(Instant::now() + Duration::from_millis(1200))
    }))
    .await;
    assert!(took < Duration::from_secs(4), "{took:?}");
}
