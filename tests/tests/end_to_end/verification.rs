//! The check of the other end in whole calls, with a peer that is a bare connection: it does what a test wants, or nothing.

use chamada::call::{CallState, ConnectionState};
use chamada::client::{ClientEvent, Verification};
use chamada::media::video::codec::VideoCodec;
use chamada::peer::webrtc::WebrtcPeers;
use chamada::peer::{BitrateBounds, PEER_EVENTS, PeerConfig, PeerConnection, PeerEvent, PeerFactory};
use chamada::security::{Check, CheckResult, RememberedPerson, Secret, Word};
use chamada::signaling::message::{CallId, Description, Message, NewIceCandidate, SessionDescription};
use chamada::signaling::{SignalingClient, SignalingConfig, SignalingEvent};
use chamada_tests::phone::{PATIENCE, Phone, PhoneSetup, must};
use chamada_tests::real_server::RealServer;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How the check goes on, from the phone's side.
async fn checked(phone: &mut Phone, result: CheckResult) -> Verification {
    let is = |event: &ClientEvent| match event {
        ClientEvent::Verification(now) if now.result == result => Some(*now),
        _ => None,
    };
    phone.until(&format!("{result:?}"), is).await
}

/// "rui", who is called by "ana" or calls again within the call.
struct Rui {
    signaling: SignalingClient,
    inbox: mpsc::Receiver<SignalingEvent>,
    call: Option<CallId>,
    connection: Arc<dyn PeerConnection>,
    events: mpsc::Receiver<PeerEvent>,
}

async fn connection(offerer: bool) -> (Arc<dyn PeerConnection>, mpsc::Receiver<PeerEvent>) {
    let config = PeerConfig {
        offerer,
        ice_servers: Vec::new(),
        connect: Default::default(),
        relay_only: false,
        bind: Vec::new(),
        loopback: true,
        video_codecs: vec![VideoCodec::Vp8],
        bitrate: BitrateBounds::default(),
        outage: Default::default(),
        keeps_ice_of: None,
    };
    let (sender, events) = mpsc::channel(PEER_EVENTS);
    (WebrtcPeers.create(config, sender).await.unwrap(), events)
}

impl Rui {
    async fn login(url: &str) -> Self {
        let (sender, inbox) = mpsc::channel(256);
        let config = SignalingConfig { url: url.to_owned(), name: "rui".to_owned(), ..SignalingConfig::default() };
        let signaling = SignalingClient::connect(config, sender).await.unwrap();
        let (connection, events) = connection(false).await;
        Self { signaling, inbox, call: None, connection, events }
    }

    fn say(&self, sdp: SessionDescription, message: fn(Description) -> Message) {
        let described = Description { name: None, target: Some("ana".to_owned()), sdp, call: self.call };
        self.signaling.send(message(described)).unwrap();
    }

    /// Answers, and does what the connection and the server want until it is connected.
    async fn connects(&mut self) {
        timeout(PATIENCE, self.connect()).await.expect("a connection in time");
    }

    async fn connect(&mut self) {
        loop {
            tokio::select! {
                Some(event) = self.inbox.recv() => if let SignalingEvent::Call(message) = event { self.on_message(message).await },
                Some(event) = self.events.recv() => match event {
                    PeerEvent::Candidate(candidate) => {
                        let (target, call) = (Some("ana".to_owned()), self.call);
                        let candidate = NewIceCandidate { name: None, target, candidate, call };
                        self.signaling.send(Message::NewIceCandidate(candidate)).unwrap();
                    }
                    PeerEvent::Connection(ConnectionState::Connected) => return,
                    _ => {}
                },
            }
        }
    }

    async fn on_message(&mut self, message: Message) {
        match message {
            Message::VideoOffer(Description { sdp, call, .. }) => {
                self.call = call;
                let answer = self.connection.answer(sdp, false).await.unwrap();
                self.say(answer, Message::VideoAnswer);
            }
            Message::VideoAnswer(Description { sdp, .. }) => self.connection.apply_answer(sdp).await.unwrap(),
            Message::NewIceCandidate(NewIceCandidate { candidate, .. }) => {
                // One of the connection before is none of this one's.
                let _ = self.connection.add_candidate(candidate).await;
            }
            _ => {}
        }
    }

    /// Has lost the connection: a page that is loaded anew offers in the same call, with another certificate.
    async fn offers_anew(&mut self) {
        let (new, events) = connection(true).await;
        std::mem::replace(&mut self.connection, new).close().await;
        self.events = events;
        let offer = self.connection.offer(false).await.unwrap();
        self.say(offer, Message::VideoOffer);
    }

    /// Does its part of the check.
    async fn checks(&mut self, secrets: Vec<Secret>) -> Check {
        let ends = self.connection.ends().await.unwrap();
        let mut check = Check::new(ends, rand::random(), secrets);
        self.goes_on(&mut check, |check| check.result().is_some()).await;
        check
    }

    async fn goes_on(&mut self, check: &mut Check, is_done: fn(&Check) -> bool) {
        let going = async {
            loop {
                while let Some(frame) = check.poll_frame() {
                    self.connection.send_verification(frame.into()).unwrap();
                }
                if is_done(check) {
                    return;
                }
                if let Some(PeerEvent::Verification(frame)) = self.events.recv().await {
                    check.receive(&frame);
                }
            }
        };
        timeout(PATIENCE, going).await.expect("the check goes on");
    }
}

/// "ana", who calls this one, and knows these devices.
async fn calls(server: &RealServer, rui: &mut Rui, secrets: Vec<Secret>) -> Phone {
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.config.remembered = vec![RememberedPerson { name: "rui".to_owned(), secrets }];
    let mut ana = setup.login().await;
    ana.sees(&["rui"]).await;
    must(ana.client.call("rui").await);
    rui.connects().await;
    ana.reaches(CallState::Connected).await;
    ana
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_know_the_check_is_told_as_such_and_as_another_where_one_was_checked_before() {
    let server = RealServer::start().await;
    for (secrets, result) in [(vec![], CheckResult::Unsupported), (vec![Secret([7; 32])], CheckResult::Changed)] {
        let mut rui = Rui::login(server.url()).await;
        let mut ana = calls(&server, &mut rui, secrets).await;
        assert_eq!(checked(&mut ana, CheckResult::Checking).await.words, None);
        assert_eq!(checked(&mut ana, result).await.words, None);
        assert!(ana.client.confirm_verification(true).await.is_err(), "there is nothing to compare");
        ana.client.logout().await;
        rui.connection.close().await;
        rui.signaling.logout().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_peer_connection_within_the_call_is_checked_anew() {
    let server = RealServer::start().await;
    let mut rui = Rui::login(server.url()).await;
    let mut ana = calls(&server, &mut rui, vec![]).await;
    let mut check = rui.checks(vec![]).await;
    let first: [Word; 4] = check.words().unwrap();
    assert_eq!(checked(&mut ana, CheckResult::Compare).await.words, Some(first));
    check.confirm(true);
    must(ana.client.confirm_verification(true).await);
    rui.goes_on(&mut check, |check| check.result() == Some(CheckResult::Confirmed)).await;
    checked(&mut ana, CheckResult::Confirmed).await;
    let secret = check.secret().unwrap();

    // What was confirmed was another certificate: until this one is checked, nothing is known of it.
    rui.offers_anew().await;
    rui.connects().await;
    assert_eq!(checked(&mut ana, CheckResult::Checking).await.words, None);
    let check = rui.checks(vec![secret]).await;
    let again = checked(&mut ana, CheckResult::Remembered).await;
    assert_eq!(again.words, check.words());
    assert_ne!(again.words, Some(first));

    // Somebody who does not have the secret took the call over.
    rui.offers_anew().await;
    rui.connects().await;
    rui.checks(vec![]).await;
    checked(&mut ana, CheckResult::Changed).await;
    rui.connection.close().await;
}
