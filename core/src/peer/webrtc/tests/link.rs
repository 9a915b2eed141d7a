//! A path that loses packets, and what becomes of them.

use super::support::*;
use crate::media::rtp::RtpPacket;
use crate::media::video::codec::VideoCodec;
use crate::peer::{BitrateBounds, PeerEvent};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// Passes datagrams on to `to`, and those that come back to whoever sent last, each `delay` later. Of media that goes forth it loses
/// every `nth` packet that is not a retransmission.
struct LossyPath {
    port: u16,
    lost: Arc<AtomicU32>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for LossyPath {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl LossyPath {
    async fn new(to: SocketAddr, nth: u32, retransmission: u8, delay: Duration) -> Self {
        let near = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let far = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        far.connect(to).await.unwrap();
        let (lost, sender) = (Arc::new(AtomicU32::new(0)), Arc::new(Mutex::new(None)));
        let port = near.local_addr().unwrap().port();
        let (forth, mut delayed_forth) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
        let (back, mut delayed_back) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
        let leave = {
            let (near, lost, sender) = (near.clone(), lost.clone(), sender.clone());
            async move {
                let (mut buffer, mut count) = ([0; 2048], 0);
                while let Ok((size, from)) = near.recv_from(&mut buffer).await {
                    *sender.lock().unwrap() = Some(from);
                    // RFC 7983: 128 to 191 is RTP or RTCP; RFC 5761: RTCP has 192 to 223 in the second byte.
                    let payload_type = buffer[1] & 0x7f;
                    let media = (128..192).contains(&buffer[0]) && !(192..224).contains(&buffer[1]);
                    if media && payload_type != retransmission {
                        count += 1;
                        if count % nth == 0 {
                            lost.fetch_add(1, Ordering::Relaxed);
                            continue;
                        }
                    }
                    let _ = forth.send((Instant::now() + delay, buffer[..size].to_vec()));
                }
            }
        };
        let arrive = {
            let far = far.clone();
            async move {
                while let Some((at, datagram)) = delayed_forth.recv().await {
                    tokio::time::sleep_until(at.into()).await;
                    let _ = far.send(&datagram).await;
                }
            }
        };
        let return_to = sender.clone();
        let returned = async move {
            while let Some((at, datagram)) = delayed_back.recv().await {
                tokio::time::sleep_until(at.into()).await;
                let to = *return_to.lock().unwrap();
                if let Some(to) = to {
                    let _ = near.send_to(&datagram, to).await;
                }
            }
        };
        let collect = async move {
            let mut buffer = [0; 2048];
            loop {
                let Ok(size) = far.recv(&mut buffer).await else { continue };
                let _ = back.send((Instant::now() + delay, buffer[..size].to_vec()));
            }
        };
        let tasks = vec![tokio::spawn(leave), tokio::spawn(arrive), tokio::spawn(collect), tokio::spawn(returned)];
        Self { port, lost, tasks }
    }
}

/// Two peers, of which the first reaches the second by way of such a path only.
async fn connect_through(nth: u32, delay: Duration) -> (Peer, Peer, LossyPath) {
    let mut caller = config(true);
    // The estimate would follow the losses down; that is not looked at here.
    caller.bitrate = BitrateBounds { start: 8_000_000, min: 8_000_000, max: 8_000_000 };
    let (mut a, mut b) = (Peer::new(caller).await, Peer::new(config(false)).await);
    let mut offer = a.connection.offer(false).await.unwrap();
    offer.sdp = without_candidates(&offer.sdp);
    let mut answer = b.connection.answer(offer, false).await.unwrap();
    answer.sdp = without_candidates(&answer.sdp);
    a.connection.apply_answer(answer).await.unwrap();
    // The caller knows the callee only by way of the path; the callee learns the way back from the checks.
    let mut candidate = b.candidates().await.remove(0);
    let words: Vec<&str> = candidate.candidate.split(' ').collect();
    let real: SocketAddr = format!("{}:{}", words[4], words[5]).parse().unwrap();
    let path = LossyPath::new(real, nth, 97, delay).await;
    let port = path.port.to_string();
    let rewritten: Vec<&str> =
        words.iter().enumerate().map(|(n, word)| if n == 5 { port.as_str() } else { word }).collect();
    candidate.candidate = rewritten.join(" ");
    a.connection.add_candidate(Some(candidate)).await.unwrap();
    a.connected().await;
    b.connected().await;
    (a, b, path)
}

#[tokio::test]
async fn lost_packets_are_repaired_and_not_asked_for_again() {
    let (a, mut b, path) = connect_through(7, Duration::ZERO).await;
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    let mut arrived: Vec<RtpPacket> = vec![];
    let mut packets = None;
    for n in 0..100u8 {
        pace.tick().await;
        assert!(a.send(VideoCodec::Vp8, &picture(2_500, n)));
        while let Ok(event) = b.events.try_recv() {
            if let PeerEvent::VideoTrack { packets: p, .. } = event {
                packets = Some(p);
            }
        }
    }
    let sent = 300;
    let mut packets = packets.expect("a video track");
    let mut numbers = HashSet::new();
    let collect = async {
        while numbers.len() < sent {
            let packet = packets.recv().await.unwrap();
            numbers.insert(packet.sequence_number);
            arrived.push(packet);
        }
    };
    let complete = tokio::time::timeout(Duration::from_secs(3), collect).await;
    // One that was lost last of all is noticed only by the next packet.
    assert!(complete.is_ok() || numbers.len() >= sent - 1, "{} of {sent} arrived", numbers.len());
    assert!(arrived.iter().all(|p| p.payload_type == 96), "retransmissions come unwrapped");

    let lost = u64::from(path.lost.load(Ordering::Relaxed));
    let (here, there) = (a.connection.stats().await.video_sent, b.connection.stats().await.video_received);
    assert!(lost > 30, "{lost}");
    assert!(here.retransmitted <= lost + 3, "{lost} lost, {} sent again", here.retransmitted);
    assert!(there.nacks <= lost + 3, "{lost} lost, {} asked for", there.nacks);
    assert!(there.retransmitted + 1 >= lost && there.lost <= 1, "{there:?}");
    assert_eq!(here.nacks, there.nacks, "all requests arrived and were counted");
    close([a, b]).await;
}

#[tokio::test]
async fn a_lost_packet_is_there_a_round_trip_after_the_gap_was_seen() {
    let (a, mut b, _path) = connect_through(9, Duration::from_millis(50)).await;
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    let mut arrived: HashMap<u16, Instant> = HashMap::new();
    let mut packets = None;
    for n in 0..250u8 {
        pace.tick().await;
        // On a busy machine a picture may find the queue full.
        a.send(VideoCodec::Vp8, &picture(800, n));
        while let Ok(event) = b.events.try_recv() {
            if let PeerEvent::VideoTrack { packets: p, .. } = event {
                packets = Some(p);
            }
        }
        while let Some(packet) = packets.as_mut().and_then(|p| p.try_recv().ok()) {
            arrived.entry(packet.sequence_number).or_insert(packet.arrived_at);
        }
    }
    let mut repairs: Vec<Duration> = arrived
        .iter()
        .filter_map(|(number, at)| at.checked_duration_since(*arrived.get(&number.wrapping_add(1))?))
        .collect();
    repairs.sort();
    assert!(repairs.len() > 15, "{}", repairs.len());
    let median = repairs[repairs.len() / 2];
    assert!((Duration::from_millis(95)..Duration::from_millis(150)).contains(&median), "{median:?}");
    close([a, b]).await;
}

#[tokio::test]
async fn twenty_calls_in_a_row_leave_no_socket_open() {
    let sockets = || {
        let links = std::fs::read_dir("/proc/self/fd").unwrap();
        links
            .filter_map(|l| std::fs::read_link(l.ok()?.path()).ok())
            .filter(|l| l.to_string_lossy().starts_with("socket"))
            .count()
    };
    // Other tests run at the same time in this process, so this one runs itself alone in another.
    if std::env::var_os("CHAMADA_TEST_ALONE").is_none() {
        let name = "peer::webrtc::tests::link::twenty_calls_in_a_row_leave_no_socket_open";
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        alone.args(["--exact", name, "--nocapture"]).env("CHAMADA_TEST_ALONE", "1");
        let done = tokio::task::spawn_blocking(move || alone.output().unwrap()).await.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        return;
    }
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (a, b) = connect(config(true), config(false)).await;
    close([a, b]).await;
    tokio::task::yield_now().await;
    let before = (sockets(), tasks());
    for n in 0..20 {
        let (a, b) = connect(config(true), config(false)).await;
        if n % 2 == 0 {
            close([a, b]).await;
        }
        // The others are dropped without being closed.
    }
    let settled = async {
        while sockets() > before.0 || tasks() > before.1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(5), settled).await;
    assert!(gone.is_ok(), "before {before:?}, after {:?}", (sockets(), tasks()));
}
