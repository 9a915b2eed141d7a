//! From a configuration to a connection of the crate.

use super::codecs;
use super::driver_task::DriverTask;
use super::events::Events;
use super::interceptors::counters;
use super::interceptors::fec::{self, Recover};
use super::interceptors::keyframe::{self, KeyframeRequests};
use super::interceptors::nack::Nack;
use super::interceptors::rtx::{self, Unwrap};
use super::interceptors::transmit::Transmit;
use super::interceptors::unsignaled::{self, Unsignaled};
use super::relay::Relays;
use super::sending::Shared;
use super::sockets::Sockets;
use crate::peer::{PeerConfig, PeerError};
use crate::sdp;
use crate::signaling::ice_url::{BadIceUrl, IceUrl};
use crate::signaling::message::IceServer;
use rtc::ice::mdns::MulticastDnsMode;
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
/// Checks of one pair before it is given up: 10 seconds, for a network may be away just when a call is accepted.
const CHECKS: u16 = 200;
/// A path on which nothing has arrived for so long, neither media nor an answer to a check, is `disconnected`.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(2);
/// How much later it is `failed`. It may come back by itself until then.
const FAILED_AFTER: Duration = Duration::from_secs(25);
/// Time between checks of a path in use (RFC 7675 section 5.1 has 5 seconds): three are lost before it is given up.
const CONSENT_INTERVAL: Duration = Duration::from_millis(500);
/// How long a pair with a reflexive candidate waits for a better one: a direct path answers within its round trip.
const REFLEXIVE_WAIT: Duration = Duration::from_millis(100);
/// How long one with a relayed candidate does: the direct path may lose its first checks.
const RELAY_WAIT: Duration = Duration::from_millis(500);
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
    let (servers, relays) = ice_servers(config);
    let relays = Arc::new(relays);
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
        let driver = DriverTask::new(events.clone());
        let sockets = Sockets::new(config.outage.clone(), driver.clone(), Arc::clone(&relays), shared);
        let handler = Arc::clone(&handler);
        let built = attempt(config, servers.clone(), addresses, sockets, events, shared, handler, video_ssrc).await;
        match built {
            Ok(connection) => {
                driver.is_running();
                return Ok(connection);
            }
            Err(error) => reason = error.to_string(),
        }
    }
    Err(PeerError::Setup(reason))
}

#[expect(clippy::too_many_arguments, reason = "they come together here and nowhere else")]
async fn attempt(
    config: &PeerConfig,
    servers: Vec<RTCIceServer>,
    addresses: Vec<String>,
    sockets: Sockets,
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
        .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), Some(CONSENT_INTERVAL))
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS))
        .with_relay_acceptance_min_wait(Some(if config.relay_only { Duration::ZERO } else { RELAY_WAIT }))
        .with_srflx_acceptance_min_wait(Some(REFLEXIVE_WAIT))
        .with_prflx_acceptance_min_wait(Some(REFLEXIVE_WAIT))
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_discard_local_candidates_during_ice_restart(true);
    let kept = config.keeps_ice_of.as_ref().and_then(|description| sdp::ice_credentials(&description.sdp));
    let settings = match kept {
        Some((ufrag, pwd)) => settings.with_ice_credentials(ufrag, pwd),
        None => settings,
    };
    let policy = if config.relay_only { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All };
    let configuration =
        RTCConfigurationBuilder::new().with_ice_servers(servers).with_ice_transport_policy(policy).build();
    let connection = PeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_media_engine(media)
        .with_setting_engine(settings.build())
        .with_interceptor_registry(registry)
        .with_handler(handler)
        .with_runtime(Arc::new(sockets))
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
        .with(Slot::from(fec::POSITION), Recover::new(Arc::clone(&shared.fec)))
        .with(Slot::from(counters::REPAIRED), shared.counters.repaired())
        .with(Slot::NackGenerator, Nack::new(Arc::clone(&shared.sending), video_ssrc))
        .with(Slot::TwccReceiver, receiver.build())
        .with(Slot::from(keyframe::POSITION), KeyframeRequests::new(events.clone(), video_ssrc)))
}

/// Those servers, and of each those URLs, that can be used. The rest is said in the log: a server that cannot be used
/// must not stop a call that may do without it.
fn ice_servers(config: &PeerConfig) -> (Vec<RTCIceServer>, Relays) {
    let (mut usable, mut relays) = (Vec::new(), Relays::default());
    for (n, server) in config.ice_servers.iter().take(MAX_SERVERS).enumerate() {
        let mut urls = Vec::new();
        for url in server.urls.iter().take(MAX_SERVERS) {
            match usable_url(url, server) {
                Ok(url) => urls.push(relays.add(&url, &config.connect)),
                Err(why) => log::warn!("ICE server {n} is left out: {why}"),
            }
        }
        if !urls.is_empty() {
            let username = server.username.clone().unwrap_or_default();
            let credential = server.credential.clone().unwrap_or_default();
            usable.push(RTCIceServer { urls, username, credential });
        }
    }
    (usable, relays)
}

fn is_turn(url: &str) -> bool {
    url.starts_with("turn:")
}

fn usable_url(url: &str, server: &IceServer) -> Result<IceUrl, String> {
    let url: IceUrl = url.parse().map_err(|why: BadIceUrl| why.to_string())?;
    if url.kind.is_turn() && (server.username.is_none() || server.credential.is_none()) {
        return Err("it needs a name and a password".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::super::tests::support;
    use super::*;

    fn kept(urls: &[&str], username: Option<&str>) -> Vec<String> {
        let urls = urls.iter().map(ToString::to_string).collect();
        let server = IceServer { urls, username: username.map(Into::into), credential: Some("p".into()) };
        let config = PeerConfig { ice_servers: vec![server], ..support::config(true) };
        ice_servers(&config).0.into_iter().flat_map(|s| s.urls).collect()
    }

    #[test]
    fn only_the_urls_that_cannot_be_used_are_left_out() {
        let mixed = ["turns:a.example?transport=udp", "stun://a.example", "turn:a.example", "", "stun:a.example:3479"];
        assert_eq!(kept(&mixed, Some("u")), ["turn:a.example:3478?transport=udp", "stun:a.example:3479"]);
    }

    #[test]
    fn a_relay_without_credentials_is_left_out() {
        assert_eq!(kept(&["turn:a.example", "turns:a.example"], None), [""; 0]);
    }
}
