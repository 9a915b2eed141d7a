//! Which way a call's packets take, and what else goes over it: relays, ICE servers, the data channel.

use chamada::call::EndReason;
use chamada::client::{ClientError, ClientEvent};
use chamada::peer::webrtc::WebrtcPeers;
use chamada::peer::{CandidatePair, DataError, PeerConfig, PeerConnection, PeerError, PeerEvent, PeerFactory};
use chamada::signaling::message::IceServer;
use chamada_server::ServerConfig;
use chamada_tests::mock_server::MockServer;
use chamada_tests::phone::{Phone, PhoneSetup, must};
use chamada_tests::proxy::HttpProxy;
use chamada_tests::real_server::RealServer;
use chamada_tests::turn_server::TurnServer;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

fn relayed(by: &str) -> CandidatePair {
    CandidatePair {
        local: "relay".into(),
        remote: "relay".into(),
        protocol: "udp".into(),
        relay_protocol: Some(by.into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn: `cargo xtask test` runs it where that is installed, and says where it is not"]
async fn a_relay_only_call_takes_the_turn_server_that_the_signaling_server_names_both_ways() {
    let turn = TurnServer::start();
    // Nobody but the signaling server tells of the relay, in its `id` message.
    let server = RealServer::with(ServerConfig { ice_servers: vec![turn.ice_server()], ..Default::default() }).await;
    let relay_only = |name: &str| {
        let mut setup = PhoneSetup::new(server.url(), name);
        setup.config.relay_only = true;
        setup.login()
    };
    let (mut ana, mut rui) = tokio::join!(relay_only("ana"), relay_only("rui"));
    ana.talks_with(&mut rui, "rui").await;
    let (seen_by_ana, seen_by_rui) = (ana.view.clone(), rui.view.clone());
    tokio::join!(seen_by_ana.frames(30), seen_by_rui.frames(30), ana.hears(), rui.hears());
    for phone in [&mut ana, &mut rui] {
        let stats = phone.measures("a path", |stats| stats.peer.pair.is_some()).await;
        assert_eq!(stats.peer.pair, Some(relayed("udp")));
    }
    must(ana.client.hang_up().await);
    tokio::join!(ana.ends(), rui.ends());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn: `cargo xtask test` runs it where that is installed, and says where it is not"]
async fn a_relay_only_side_reaches_one_that_is_not_and_does_not_tell_its_own_address() {
    let turn = TurnServer::start();
    let server = RealServer::start().await;
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.config.relay_only = true;
    setup.config.ice_servers = vec![turn.ice_server()];
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
    let stats = ana.measures("a path", |stats| stats.peer.pair.is_some()).await;
    assert_eq!(stats.peer.pair.map(|pair| pair.local).as_deref(), Some("relay"));
    let stats = rui.measures("a path", |stats| stats.peer.pair.is_some()).await;
    assert_ne!(stats.peer.pair.map(|pair| pair.remote).as_deref(), Some("host"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn: `cargo xtask test` runs it where that is installed, and says where it is not"]
async fn a_relay_only_call_waits_for_no_path_without_a_relay_and_follows_a_new_network_of_either_side() {
    let turn = TurnServer::start();
    let server = MockServer::old_server().await;
    let relay_only = |name: &str| {
        let mut setup = PhoneSetup::new(&server.url(), name);
        setup.config.relay_only = true;
        setup.config.ice_servers = vec![turn.ice_server()];
        setup.login()
    };
    let (mut ana, mut rui) = tokio::join!(relay_only("ana"), relay_only("rui"));
    ana.sees(&["rui"]).await;
    let mut took = Vec::new();
    for _ in 0..2 {
        let asked = Instant::now();
        ana.talks_with_known(&mut rui, "rui").await;
        took.push(asked.elapsed());
        must(ana.client.hang_up().await);
        tokio::join!(ana.ends(), rui.ends());
    }
    // An agent that hopes for a better path gives it two seconds. The machine may be busy in one of the two calls.
    assert!(took.iter().any(|took| *took < Duration::from_millis(1_500)), "connected after {took:?}");

    ana.talks_with_known(&mut rui, "rui").await;
    for mover in [&ana, &rui] {
        let offers = server.frames().iter().filter(|frame| frame["type"] == "video-offer").count();
        must(mover.client.network_changed().await);
        tokio::join!(ana.view.frames(30), rui.view.frames(30));
        let restarts = server.frames().iter().filter(|frame| frame["type"] == "video-offer").count() - offers;
        assert!(restarts > 0, "pictures go on, and ICE has not been restarted");
    }
    for phone in [&mut ana, &mut rui] {
        let stats = phone.measures("a path", |stats| stats.peer.pair.is_some()).await;
        assert_eq!(stats.peer.pair, Some(relayed("udp")), "on a new path as on the first");
    }
    must(ana.client.hang_up().await);
    tokio::join!(ana.ends(), rui.ends());
}

/// Two calls in a row, for an allocation that was not released would be in the second one's way.
async fn talk_relayed_by(ana: PhoneSetup, rui: PhoneSetup, by: &str) {
    let (mut ana, mut rui) = tokio::join!(ana.login(), rui.login());
    ana.sees(&["rui"]).await;
    for _ in 0..2 {
        ana.talks_with_known(&mut rui, "rui").await;
        let (seen_by_ana, seen_by_rui) = (ana.view.clone(), rui.view.clone());
        tokio::join!(seen_by_ana.frames(30), seen_by_rui.frames(30), ana.hears(), rui.hears());
        for phone in [&mut ana, &mut rui] {
            let stats = phone.measures("a path", |stats| stats.peer.pair.is_some()).await;
            assert_eq!(stats.peer.pair, Some(relayed(by)));
        }
        must(ana.client.hang_up().await);
        tokio::join!(ana.ends(), rui.ends());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn: `cargo xtask test` runs it where that is installed, and says where it is not"]
async fn calls_go_through_a_relay_that_is_reached_over_tcp() {
    let turn = TurnServer::start();
    let server = RealServer::start().await;
    let setup = |name: &str| {
        let mut setup = PhoneSetup::new(server.url(), name);
        setup.config.relay_only = true;
        setup.config.ice_servers = vec![turn.over_tcp()];
        setup
    };
    talk_relayed_by(setup("ana"), setup("rui"), "tcp").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn: `cargo xtask test` runs it where that is installed, and says where it is not"]
async fn calls_go_through_a_relay_that_is_reached_over_tls_by_way_of_a_proxy() {
    let turn = TurnServer::start();
    let server = RealServer::start().await;
    let proxy = HttpProxy::start().await.unwrap();
    let setup = |name: &str| {
        let mut setup = PhoneSetup::new(server.url(), name);
        setup.config.relay_only = true;
        setup.config.ice_servers = vec![turn.over_tls()];
        setup.config.signaling.connect.extra_roots = turn.authority();
        setup.config.signaling.connect.proxy = Some(proxy.url().parse().unwrap());
        setup
    };
    talk_relayed_by(setup("ana"), setup("rui"), "tls").await;
    let of_the_server = server.url().strip_prefix("ws://").unwrap().to_owned();
    let (to_the_server, to_the_relay): (Vec<_>, Vec<_>) =
        proxy.targets().into_iter().partition(|target| *target == of_the_server);
    assert_eq!((to_the_server.len(), to_the_relay.len()), (2, 4));
    assert!(to_the_relay.iter().all(|target| target.starts_with("localhost:")), "names are the proxy's to resolve");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs coturn: `cargo xtask test` runs it where that is installed, and says where it is not"]
async fn a_relay_whose_certificate_nobody_vouches_for_is_not_used() {
    let turn = TurnServer::start();
    let server = RealServer::start().await;
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.config.ice_servers = vec![turn.over_tls()];
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    let stats = ana.measures("a path", |stats| stats.peer.pair.is_some()).await;
    assert_eq!(stats.peer.pair.map(|pair| pair.local).as_deref(), Some("host"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_proxy_says_is_why_there_is_no_login() {
    let server = RealServer::start().await;
    let proxy = HttpProxy::start().await.unwrap();
    let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let stranger = proxy.url().replace("s3cret", "guessed");
    for (proxy, why) in [
        (stranger.as_str(), "the proxy does not accept the name and the password"),
        (&format!("http://{nobody}"), "the proxy cannot be reached"),
    ] {
        let mut setup = PhoneSetup::new(server.url(), "ana");
        setup.config.signaling.connect.proxy = Some(proxy.parse().unwrap());
        let Err(refused) = setup.try_login().await else { panic!("logged in by way of {proxy}") };
        assert!(refused.to_string().contains(why), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_only_call_without_a_relay_ends_at_once_for_both() {
    let server = RealServer::start().await;
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.config.relay_only = true;
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    rui.sees(&["ana"]).await;
    must(rui.client.call("ana").await);
    ana.rings().await;
    must(ana.client.accept().await);
    assert_eq!(ana.ends().await, EndReason::NegotiationFailed);
    assert_eq!(rui.ends().await, EndReason::NegotiationFailed);
}

/// Makes ordinary peer connections and remembers what for.
#[derive(Default)]
struct Noted {
    servers: Mutex<Vec<Vec<IceServer>>>,
}

#[async_trait::async_trait]
impl PeerFactory for Noted {
    async fn create(
        &self,
        config: PeerConfig,
        events: mpsc::Sender<PeerEvent>,
    ) -> Result<Arc<dyn PeerConnection>, PeerError> {
        self.servers.lock().unwrap().push(config.ice_servers.clone());
        WebrtcPeers.create(config, events).await
    }
}

fn stun(url: &str) -> IceServer {
    IceServer { urls: vec![url.into()], username: None, credential: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_and_the_apps_ice_servers_both_reach_the_peer_connection() {
    let (of_the_server, of_the_app) = (stun("stun:127.0.0.1:9"), stun("stun:127.0.0.1:10"));
    let server =
        RealServer::with(ServerConfig { ice_servers: vec![of_the_server.clone()], ..Default::default() }).await;
    let noted = Arc::new(Noted::default());
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.config.ice_servers = vec![of_the_app.clone()];
    setup.peers = noted.clone();
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    assert_eq!(*noted.servers.lock().unwrap(), [vec![of_the_app, of_the_server]]);
}

async fn next_message(phone: &mut Phone) -> bytes::Bytes {
    phone
        .until("message on the data channel", |event| match event {
            ClientEvent::Data(data) => Some(data.clone()),
            _ => None,
        })
        .await
}

/// Sends as soon as the channel is open: that is a moment after the call is connected.
async fn sends(phone: &mut Phone, data: &'static [u8]) {
    while let Err(refused) = phone.client.send_data(data.into()).await {
        assert!(matches!(refused, ClientError::Data(DataError::NotOpen)), "{refused}");
        phone.measures("a second", |_| true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_both_ways_beside_the_call_and_not_outside_of_one() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    let refused = ana.client.send_data("early".into()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Data(DataError::NotOpen)), "{refused}");
    ana.talks_with(&mut rui, "rui").await;
    sends(&mut ana, "olá".as_bytes()).await;
    assert_eq!(next_message(&mut rui).await, "olá".as_bytes());
    sends(&mut rui, &[0, 255]).await;
    assert_eq!(&next_message(&mut ana).await[..], [0, 255]);
    let refused = ana.client.send_data(vec![0; 16 * 1024 + 1].into()).await.unwrap_err();
    assert!(matches!(refused, ClientError::Data(DataError::TooLong(16_385))), "{refused}");
    sends(&mut ana, &[7; 16 * 1024]).await;
    assert_eq!(next_message(&mut rui).await.len(), 16 * 1024, "after one that was refused");
    must(ana.client.hang_up().await);
    tokio::join!(ana.ends(), rui.ends());
    assert!(ana.client.send_data("late".into()).await.is_err());
}
