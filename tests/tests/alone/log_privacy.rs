//! What the core's log says of a call to those who read it: nothing of who talks with whom, of SDP, candidates or credentials.

use chamada::call::EndReason;
use chamada::platform::logging::{self, AlreadyInitialised, Level, LevelFilter, LogConfig, LogRecord, LogSink};
use chamada::signaling::message::{Description, Message, SessionDescription};
use chamada::signaling::{SignalingClient, SignalingConfig};
use chamada_tests::phone::{Phone, PhoneSetup, must};
use chamada_tests::real_server::RealServer;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// Nothing of this may be read at `info` and above.
const SECRETS: [&str; 11] = [
    "Zacarias",
    "Quitéria",
    "Intrusa",
    "sussurro",
    "v=0",
    "a=",
    "m=",
    "candidate:",
    "ufrag",
    "127.0.0.1",
    "203.0.113.",
];

/// A description that names who wrote it and where they are, and is none.
const NONSENSE: &str = "v=0\r\no=Intrusa 1 1 IN IP4 203.0.113.77\r\na=ice-pwd:sussurro\r\nm=video nonsense\r\n";

#[derive(Default)]
struct Kept(Mutex<Vec<(Level, String)>>);

impl LogSink for Kept {
    fn log(&self, record: LogRecord<'_>) {
        // The server says to its operator where it listens; its log is on another machine than a phone's.
        if !record.target.starts_with("chamada_server") {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push((record.level, format!("{}: {}", record.target, record.message)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_info_and_above_the_log_tells_neither_names_nor_addresses_nor_what_was_negotiated() {
    let _alone = crate::ALONE.lock().await;
    let kept = Arc::new(Kept::default());
    let config = LogConfig { level: LevelFilter::Trace, sink: Some(kept.clone()), ..LogConfig::default() };
    assert_eq!(logging::init(config.clone()), Ok(()));
    assert_eq!(logging::init(config), Err(AlreadyInitialised), "a second logger");

    let server = RealServer::start().await;
    let mut caller = Phone::login(server.url(), "Zacarias").await;
    let mut callee = PhoneSetup::new(server.url(), "Quitéria").login().await;
    caller.talks_with(&mut callee, "Quitéria").await;
    caller.view.frames(10).await;
    must(caller.client.hang_up().await);
    assert_eq!(callee.ends().await, EndReason::HungUpRemotely);
    caller.ends().await;

    let (events, _heard) = mpsc::channel(256);
    let login = SignalingConfig { url: server.url().to_owned(), name: "Intrusa".into(), ..SignalingConfig::default() };
    let stranger = SignalingClient::connect(login, events).await.unwrap();
    let offer = Description {
        name: Some("Intrusa".into()),
        target: Some("Quitéria".into()),
        sdp: SessionDescription::offer(NONSENSE),
        call: None,
    };
    stranger.send(Message::VideoOffer(offer)).unwrap();
    assert_eq!(callee.rings().await, "Intrusa");
    must(callee.client.accept().await);
    assert_eq!(callee.ends().await, EndReason::NegotiationFailed);

    let kept = kept.0.lock().unwrap();
    let grave: Vec<_> = kept.iter().filter(|(level, _)| *level <= Level::Info).collect();
    assert!(!grave.is_empty(), "the failed negotiation is worth a warning");
    let telling = |line: &str| SECRETS.iter().any(|secret| line.contains(secret));
    assert_eq!(grave.iter().filter(|(_, line)| telling(line)).collect::<Vec<_>>(), Vec::<&&(Level, String)>::new());
    assert!(kept.iter().any(|(_, line)| telling(line)), "whoever looks for a fault finds such things below");
}
