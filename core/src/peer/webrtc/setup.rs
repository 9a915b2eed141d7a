//! From a configuration to a connection of the crate.

use super::codecs;
use super::events::Events;
use super::interceptors::counters;
use super::interceptors::keyframe::{self, KeyframeRequests};
use super::interceptors::nack::Nack;
use super::interceptors::rtx::{self, Unwrap};
use super::interceptors::transmit::Transmit;
use super::interceptors::unsignaled::{self, Unsignaled};
use super::sending::Shared;
use super::sockets::Sockets;
use crate::peer::{PeerConfig, PeerError};
use crate::sdp;
use crate::signaling::message::IceServer;
use rtc::interceptor::TwccReceiverBuilder;
use rtc::peer_connection::configuration::interceptor_registry::configure_rtcp_reports;
use rtc::rtp_transceiver::rtp_sender::{RTCPFeedback, RTCRtpHeaderExtensionCapability, RtpCodecKind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceServer, RTCIceTransportPolicy, Registry, SettingEngineBuilder, Slot,
};

/// How often the other side is told what arrived: often enough for its congestion control to see a queue before it is long.
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);
/// Bytes that may wait to be sent on the data channel.
const DATA_BUFFER: usize = 1 << 20;
/// Time between ICE connectivity checks: the pace of RFC 8445 section 14.2. At the crate's 200 ms a connection on one
/// machine takes 400 ms, all of it waiting.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// Checks of one pair before it is given up: 3 seconds, for the other side may still be busy with its description.
const CHECKS: u16 = 60;
/// Most servers, and most URLs of one: more only delays gathering.
const MAX_SERVERS: usize = 16;

/// Makes it.
///
/// # Errors
/// [`PeerError::Setup`].
pub(super) async fn build(
    config: &PeerConfig,
    events: &Events,
    shared: &Shared,
    handler: Arc<dyn PeerConnectionEventHandler>,
    video_ssrc: u32,
) -> Result<Arc<dyn PeerConnection>, PeerError> {
    let bounds = config.bitrate;
    if !(0 < bounds.min && bounds.min <= bounds.start && bounds.start <= bounds.max) {
        return Err(PeerError::Setup("the bitrate bounds are not in order".into()));
    }
    let servers = ice_servers(&config.ice_servers);
    if config.relay_only && !servers.iter().any(|s| s.urls.iter().any(|u| is_turn(u))) {
        return Err(PeerError::Setup("only relayed candidates are allowed, and no usable relay is configured".into()));
    }
    let (v4, v6, lo) = ("0.0.0.0:0".to_owned(), "[::]:0".to_owned(), "127.0.0.1:0".to_owned());
    let attempts: Vec<Vec<String>> = match (config.bind.as_slice(), config.loopback) {
        // A machine without IPv6 cannot bind the second.
        ([], false) => vec![vec![v4.clone(), v6], vec![v4]],
        ([], true) => vec![vec![v4.clone(), v6, lo.clone()], vec![v4, lo]],
        (given, _) => vec![given.iter().map(ToString::to_string).collect()],
    };
    let mut reason = String::new();
    for addresses in attempts {
        let built = attempt(config, servers.clone(), addresses, events, shared, Arc::clone(&handler), video_ssrc).await;
        match built {
            Ok(connection) => return Ok(connection),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(PeerError::Setup(reason))
}

async fn attempt(
    config: &PeerConfig,
    servers: Vec<RTCIceServer>,
    addresses: Vec<String>,
    events: &Events,
    shared: &Shared,
    handler: Arc<dyn PeerConnectionEventHandler>,
    video_ssrc: u32,
) -> Result<Arc<dyn PeerConnection>, rtc::shared::error::Error> {
    let mut media = MediaEngine::default();
    for codec in codecs::audio() {
        media.register_codec(codec, RtpCodecKind::Audio)?;
    }
    for codec in codecs::video(&config.video_codecs) {
        media.register_codec(codec, RtpCodecKind::Video)?;
    }
    let registry = chain(events, shared, &mut media, video_ssrc)?;
    let settings = SettingEngineBuilder::new()
        .with_include_loopback_candidate(config.loopback)
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS))
        .with_discard_local_candidates_during_ice_restart(true);
    let policy = if config.relay_only { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All };
    let configuration =
        RTCConfigurationBuilder::new().with_ice_servers(servers).with_ice_transport_policy(policy).build();
    let connection = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_media_engine(media)
        .with_setting_engine(settings.build())
        .with_interceptor_registry(registry)
        .with_handler(handler)
        .with_runtime(Arc::new(Sockets { outage: config.outage.clone() }))
        .with_udp_addrs(addresses)
        .with_data_channel_send_buffer_limit(DATA_BUFFER)
        .build()
        .await?;
    Ok(Arc::new(connection))
}

/// The packet chain: our links, the crate's reports, and its feedback on what arrived.
fn chain(
    events: &Events,
    shared: &Shared,
    media: &mut MediaEngine,
    video_ssrc: u32,
) -> Result<Registry, rtc::shared::error::Error> {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.into(), parameter: parameter.into() };
    media.register_feedback(feedback("nack", ""), RtpCodecKind::Video);
    media.register_feedback(feedback("nack", "pli"), RtpCodecKind::Video);
    // Sound is numbered, too: it takes part of the path.
    for kind in [RtpCodecKind::Video, RtpCodecKind::Audio] {
        media.register_feedback(feedback("transport-cc", ""), kind);
        for uri in [sdp::TRANSPORT_CC, sdp::SDES_MID] {
            media.register_header_extension(RTCRtpHeaderExtensionCapability { uri: uri.to_owned() }, kind, None)?;
        }
    }
    let receiver = TwccReceiverBuilder::new().with_interval(FEEDBACK_INTERVAL);
    Ok(configure_rtcp_reports(Registry::new())
        .with(Slot::from(counters::WIRE), shared.counters.wire())
        .with(Slot::Pacer, Transmit::new(Instant::now(), shared, events.clone()))
        .with(Slot::from(rtx::POSITION), Unwrap::new(Arc::clone(&shared.payload_types)))
        .with(Slot::from(unsignaled::POSITION), Unsignaled::new(Arc::clone(&shared.streams)))
        .with(Slot::from(counters::REPAIRED), shared.counters.repaired())
        .with(Slot::NackGenerator, Nack::new(Arc::clone(&shared.sending), video_ssrc))
        .with(Slot::TwccReceiver, receiver.build())
        .with(Slot::from(keyframe::POSITION), KeyframeRequests::new(events.clone(), video_ssrc)))
}

/// Those servers, and of each those URLs, that the crate can use. The rest is said in the log: a server that cannot be used
/// must not stop a call that may do without it.
fn ice_servers(servers: &[IceServer]) -> Vec<RTCIceServer> {
    let mut usable = Vec::new();
    for (n, server) in servers.iter().take(MAX_SERVERS).enumerate() {
        let mut urls = Vec::new();
        for url in server.urls.iter().take(MAX_SERVERS) {
            match usable_url(url, server) {
                Ok(()) => urls.push(url.clone()),
                Err(why) => log::warn!("ICE server {n} is left out: {why}"),
            }
        }
        if !urls.is_empty() {
            let username = server.username.clone().unwrap_or_default();
            let credential = server.credential.clone().unwrap_or_default();
            usable.push(RTCIceServer { urls, username, credential });
        }
    }
    usable
}

fn is_turn(url: &str) -> bool {
    url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("turn:"))
}

/// RFC 7064 and RFC 7065, less what the crate cannot do.
fn usable_url(url: &str, server: &IceServer) -> Result<(), &'static str> {
    let (scheme, rest) = url.split_once(':').ok_or("its URL has no scheme")?;
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split_once(']').map_or("", |(host, _)| host),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    if host.is_empty() || host.starts_with('/') || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("its URL has no host");
    }
    let port = authority.rsplit(']').next().unwrap_or_default().rsplit_once(':');
    if port.is_some_and(|(_, port)| port.parse::<u16>().is_err()) {
        return Err("its port is no number");
    }
    match scheme.to_ascii_lowercase().as_str() {
        "stun" if query.is_empty() => Ok(()),
        // The crate would take these and quietly never gather from them.
        "turns" => Err("TURN over TLS is not supported"),
        "turn" if query.eq_ignore_ascii_case("transport=tcp") => Err("TURN over TCP is not supported"),
        "turn" if !query.is_empty() && !query.eq_ignore_ascii_case("transport=udp") => Err("its transport is unknown"),
        "turn" if server.username.is_none() || server.credential.is_none() => Err("it needs a name and a password"),
        "turn" => Ok(()),
        "stuns" => Err("STUN over TLS is not supported"),
        _ => Err("its scheme is neither stun nor turn"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(urls: &[&str]) -> IceServer {
        let urls = urls.iter().map(ToString::to_string).collect();
        IceServer { urls, username: Some("u".into()), credential: Some("p".into()) }
    }

    fn kept(urls: &[&str]) -> Vec<String> {
        ice_servers(&[server(urls)]).into_iter().flat_map(|s| s.urls).collect()
    }

    #[test]
    fn only_the_urls_that_cannot_be_used_are_left_out() {
        let good = ["stun:a.example", "turn:a.example:3478", "turn:[::1]:3478?transport=udp", "stun:10.0.0.1:3478"];
        assert_eq!(kept(&good), good);
        let bad = [
            "turns:a.example",
            "turn:a.example?transport=tcp",
            "turn:a.example:99999",
            "turn:",
            "stun://a.example",
            "http://a.example",
            "a.example",
            "turn:[::1?transport=udp",
            "turn:a.example?transport=pigeon",
            "",
        ];
        assert_eq!(kept(&bad), [""; 0]);
        assert_eq!(kept(&["turns:a.example", "turn:a.example"]), ["turn:a.example"]);
    }

    #[test]
    fn a_relay_without_credentials_is_left_out() {
        let servers = [IceServer { urls: vec!["turn:a.example".into()], username: None, credential: None }];
        assert!(ice_servers(&servers).is_empty());
    }
}
