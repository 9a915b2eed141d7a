//! A NAT on the way gives one of the two another address in the call.

use super::support::*;
use crate::media::audio::AudioPacket;
use crate::media::rtp::RtpPacket;
use crate::peer::{PeerConnection, PeerEvent};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Passes datagrams on both ways, to the outside each time from another address once it is told to: what is sent to the last one is lost.
async fn nat(to: SocketAddr, mut rebind: mpsc::Receiver<()>, tasks: &mut JoinSet<()>) -> u16 {
    let outside = move || async move {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(to).await.unwrap();
        socket
    };
    let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut far = outside().await;
    let port = near.local_addr().unwrap().port();
    tasks.spawn(async move {
        let (mut forth, mut back, mut inside, mut old) = ([0; 2048], [0; 2048], None, Vec::new());
        loop {
            tokio::select! {
                Some(()) = rebind.recv() => old.push(std::mem::replace(&mut far, outside().await)),
                Ok((size, from)) = near.recv_from(&mut forth) => {
                    inside = Some(from);
                    let _ = far.send(&forth[..size]).await;
                }
                Ok(size) = far.recv(&mut back) => {
                    let Some(inside) = inside else { continue };
                    let _ = near.send_to(&back[..size], inside).await;
                }
            }
        }
    });
    port
}

/// Sends a packet of sound every 20 ms; each has the next number.
fn talk(connection: &Arc<dyn PeerConnection>, tasks: &mut JoinSet<()>) -> Arc<AtomicU32> {
    let (connection, sent) = (Arc::clone(connection), Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&sent);
    tasks.spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let number = count.fetch_add(1, Ordering::Relaxed);
            connection.send_audio(AudioPacket::new(960 * number, Bytes::copy_from_slice(&number.to_be_bytes())));
        }
    });
    sent
}

/// Waits for sound that is sent from now on, so many packets of it.
async fn hears(packets: &mut mpsc::Receiver<RtpPacket>, sent: &AtomicU32, count: u32) {
    let last = sent.load(Ordering::Relaxed) + count;
    let is_new = |packet: RtpPacket| u32::from_be_bytes(packet.payload[..].try_into().unwrap()) >= last;
    let search = async { while !is_new(packets.recv().await.expect("the track ended")) {} };
    tokio::time::timeout(PATIENCE, search).await.expect("no sound in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_whose_nat_gives_it_another_address_is_followed_without_a_restart() {
    for offers in [true, false] {
        let (mut inside, mut outside) = (Peer::new(config(offers)).await, Peer::new(config(!offers)).await);
        let (caller, callee) = if offers { (&mut inside, &mut outside) } else { (&mut outside, &mut inside) };
        let mut offer = caller.connection.offer(false).await.unwrap();
        offer.sdp = without_candidates(&offer.sdp);
        let mut answer = callee.connection.answer(offer, false).await.unwrap();
        answer.sdp = without_candidates(&answer.sdp);
        caller.connection.apply_answer(answer).await.unwrap();
        let mut candidate = outside.candidates().await.remove(0);
        let words: Vec<_> = candidate.candidate.split(' ').map(str::to_owned).collect();
        let (rebind, told) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        let port = nat(format!("{}:{}", words[4], words[5]).parse().unwrap(), told, &mut tasks).await;
        candidate.candidate = candidate.candidate.replacen(&format!(" {} ", words[5]), &format!(" {port} "), 1);
        inside.connection.add_candidate(Some(candidate)).await.unwrap();
        inside.connected().await;
        outside.connected().await;

        let (from_inside, from_outside) = (talk(&inside.connection, &mut tasks), talk(&outside.connection, &mut tasks));
        let (mut here, mut there) = (outside.audio_track().await, inside.audio_track().await);
        tokio::join!(hears(&mut here, &from_inside, 1), hears(&mut there, &from_outside, 1));
        let told = |peer: &mut Peer| std::iter::from_fn(|| peer.events.try_recv().ok()).collect::<Vec<_>>();
        let _ = [told(&mut inside), told(&mut outside)];
        for _ in 0..2 {
            rebind.send(()).await.unwrap();
            // For more than two seconds, in which the checks that the crate misses would tell of a dead path.
            tokio::join!(hears(&mut here, &from_inside, 120), hears(&mut there, &from_outside, 120));
        }
        for event in [told(&mut inside), told(&mut outside)].into_iter().flatten() {
            assert!(!matches!(event, PeerEvent::Connection(_)), "{event:?}");
        }
        tasks.abort_all();
        close([inside, outside]).await;
    }
}
