//! Two peers, a path between them, and what they told.

use super::super::WebrtcPeers;
use crate::call::ConnectionState;
use crate::media::audio::AudioPacket;
use crate::media::rtp::RtpPacket;
use crate::media::video::codec::{EncodedFrame, VideoCodec};
use crate::outage::Outage;
use crate::peer::{BitrateBounds, PEER_EVENTS, PeerConfig, PeerConnection, PeerEvent, PeerFactory};
use crate::signaling::message::IceCandidate;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(in super::super) fn config(offerer: bool) -> PeerConfig {
    PeerConfig {
        offerer,
        ice_servers: vec![],
        connect: Default::default(),
        relay_only: false,
        bind: vec!["127.0.0.1:0".parse().unwrap()],
        loopback: true,
        video_codecs: vec![VideoCodec::Vp8, VideoCodec::H264],
        bitrate: BitrateBounds::default(),
        outage: Outage::default(),
        keeps_ice_of: None,
    }
}

pub(super) struct Peer {
    pub(super) connection: Arc<dyn PeerConnection>,
    pub(super) events: mpsc::Receiver<PeerEvent>,
    /// Told while something else was waited for.
    pub(super) kept: Vec<PeerEvent>,
}

impl Peer {
    pub(super) async fn new(config: PeerConfig) -> Self {
        let (sender, events) = mpsc::channel(PEER_EVENTS);
        let connection = WebrtcPeers.create(config, sender).await.unwrap();
        Self { connection, events, kept: vec![] }
    }

    /// The first event, from now on or kept, that `pick` takes.
    pub(super) async fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(PeerEvent) -> Result<T, PeerEvent>) -> T {
        for n in 0..self.kept.len() {
            match pick(self.kept.remove(n)) {
                Ok(found) => return found,
                Err(event) => self.kept.insert(n, event),
            }
        }
        let search = async {
            loop {
                let event = self.events.recv().await.unwrap_or_else(|| panic!("closed while waiting for {what}"));
                match pick(event) {
                    Ok(found) => return found,
                    Err(event) => self.kept.push(event),
                }
            }
        };
        tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("no {what} in time"))
    }

    pub(super) async fn connected(&mut self) {
        self.reaches(ConnectionState::Connected).await;
    }

    pub(super) async fn reaches(&mut self, state: ConnectionState) {
        self.wait(&format!("{state:?}"), |event| match event {
            PeerEvent::Connection(s) if s == state => Ok(()),
            other => Err(other),
        })
        .await;
    }

    pub(super) async fn video_track(&mut self) -> (mpsc::Receiver<RtpPacket>, Vec<(u8, VideoCodec)>) {
        self.wait("video track", |event| match event {
            PeerEvent::VideoTrack { packets, payload_types } => Ok((packets, payload_types)),
            other => Err(other),
        })
        .await
    }

    pub(super) async fn audio_track(&mut self) -> mpsc::Receiver<RtpPacket> {
        self.audio_track_and_red().await.0
    }

    pub(super) async fn audio_track_and_red(&mut self) -> (mpsc::Receiver<RtpPacket>, Option<u8>) {
        self.wait("audio track", |event| match event {
            PeerEvent::AudioTrack { packets, red } => Ok((packets, red)),
            other => Err(other),
        })
        .await
    }

    /// Sends a packet that is opaque to transport.
    pub(super) fn send_sound(&self, timestamp: u32) -> bool {
        self.connection.send_audio(AudioPacket::new(timestamp, Bytes::from_static(b"opus")))
    }

    pub(super) async fn agreed_codec(&mut self) -> VideoCodec {
        self.wait("codec", |event| match event {
            PeerEvent::VideoCodec(codec) => Ok(codec),
            other => Err(other),
        })
        .await
    }

    /// Candidates up to the end of gathering.
    pub(super) async fn candidates(&mut self) -> Vec<IceCandidate> {
        let mut all = vec![];
        loop {
            let candidate = self.wait("candidate", |event| match event {
                PeerEvent::Candidate(candidate) => Ok(candidate),
                other => Err(other),
            });
            match candidate.await {
                Some(candidate) => all.push(candidate),
                None => return all,
            }
        }
    }

    pub(super) fn send(&self, codec: VideoCodec, data: &Bytes) -> bool {
        let frame = EncodedFrame {
            codec,
            data: data.clone(),
            keyframe: true,
            width: 640,
            height: 480,
            captured_at: Instant::now(),
        };
        self.connection.send_video(frame)
    }
}

/// `caller` offers, `callee` answers; candidates go both ways.
pub(super) async fn negotiate(caller: &mut Peer, callee: &mut Peer, ice_restart: bool) {
    let offer = caller.connection.offer(ice_restart).await.unwrap();
    let answer = callee.connection.answer(offer, false).await.unwrap();
    caller.connection.apply_answer(answer).await.unwrap();
}

/// As if it were trickled.
pub(super) fn without_candidates(sdp: &str) -> String {
    let kept = |l: &&str| !l.starts_with("a=candidate") && !l.starts_with("a=end-of-candidates");
    sdp.lines().filter(kept).map(|l| format!("{l}\r\n")).collect()
}

pub(super) async fn exchange_candidates(caller: &mut Peer, callee: &mut Peer) {
    for candidate in caller.candidates().await {
        callee.connection.add_candidate(Some(candidate)).await.unwrap();
    }
    callee.connection.add_candidate(None).await.unwrap();
    for candidate in callee.candidates().await {
        caller.connection.add_candidate(Some(candidate)).await.unwrap();
    }
    caller.connection.add_candidate(None).await.unwrap();
}

pub(super) async fn connect(caller: PeerConfig, callee: PeerConfig) -> (Peer, Peer) {
    let (mut caller, mut callee) = (Peer::new(caller).await, Peer::new(callee).await);
    negotiate(&mut caller, &mut callee, false).await;
    exchange_candidates(&mut caller, &mut callee).await;
    caller.connected().await;
    callee.connected().await;
    (caller, callee)
}

pub(super) async fn close(peers: [Peer; 2]) {
    for peer in peers {
        peer.connection.close().await;
    }
}

/// A fake VP8 frame: opaque to transport.
pub(super) fn picture(size: usize, number: u8) -> Bytes {
    (0..size).map(|n| (n as u8).wrapping_mul(31).wrapping_add(number)).collect()
}

/// An H.264 access unit in Annex B form with parameter sets and one IDR slice; opaque to transport.
pub(super) fn access_unit(size: usize) -> Bytes {
    let mut unit = vec![0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x8c, 0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80, 0, 0, 0, 1, 0x65];
    unit.extend((0..size).map(|n| (n % 251) as u8 | 1));
    unit.into()
}

/// Puts packets of VP8 back together; a picture is complete when its marker and all before it came.
pub(super) async fn next_picture(packets: &mut mpsc::Receiver<RtpPacket>) -> Vec<u8> {
    use rtc::rtp::packetizer::Depacketizer;
    let collect = async {
        let mut picture = vec![];
        loop {
            let packet = packets.recv().await.expect("the track ended");
            let mut vp8 = rtc::rtp::codec::vp8::Vp8Packet::default();
            picture.extend_from_slice(&vp8.depacketize(&packet.payload).unwrap());
            if packet.marker {
                return picture;
            }
        }
    };
    tokio::time::timeout(PATIENCE, collect).await.expect("no picture in time")
}
