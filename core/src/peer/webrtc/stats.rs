//! Statistics in W3C's terms: streams from our own counters, the path from the crate.

use super::relay;
use super::route::Route;
use super::sending::{Overhead, Shared};
use crate::peer::{CandidatePair, PeerStats};
use rtc::peer_connection::transport::RTCIceCandidateType;
use rtc::statistics::report::{RTCStatsReport, RTCStatsReportEntry};
use rtc::statistics::stats::ice_candidate::RTCIceCandidateStats;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use webrtc::peer_connection::{PeerConnection, StatsSelector};

/// Reads them all.
pub(super) async fn read(connection: &dyn PeerConnection, shared: &Shared) -> PeerStats {
    let now = Instant::now();
    let report = connection.get_stats(now, StatsSelector::None).await;
    let totals = shared.counters.totals();
    let (pair, rtt) = pair(&report);
    let congestion = {
        let mut controller = shared.sending.controller();
        if let Some(rtt) = rtt {
            controller.on_rtt(now, rtt);
        }
        controller.stats()
    };
    PeerStats {
        at: Some(now),
        audio_sent: totals.audio_sent,
        video_sent: totals.video_sent,
        audio_received: totals.audio_received,
        video_received: totals.video_received,
        rtt: rtt.or_else(|| shared.counters.rtt()),
        estimate_bps: Some(congestion.target_bps),
        congestion,
        pair,
    }
}

/// The path of the moment, once there is one.
pub(super) fn route(report: &RTCStatsReport) -> Option<Route> {
    let transport = report.transport()?;
    let RTCStatsReportEntry::IceCandidatePair(pair) = report.get(&transport.selected_candidate_pair_id)? else {
        return None;
    };
    let local = candidate(report, "Local", &pair.local_candidate_id);
    let remote = candidate(report, "Remote", &pair.remote_candidate_id);
    let address = |c: Option<&RTCIceCandidateStats>| c.and_then(|c| c.address.as_ref()?.parse::<IpAddr>().ok());
    let (local_address, remote_address) = (address(local), address(remote));
    let overhead = Overhead {
        ipv6: local_address.iter().chain(&remote_address).any(IpAddr::is_ipv6),
        relayed: local.is_some_and(|c| c.candidate_type == RTCIceCandidateType::Relay),
        tag: if transport.srtp_cipher.contains("SHA1_80") { 10 } else { 16 },
    };
    let rtt = Duration::try_from_secs_f64(pair.current_round_trip_time).ok().filter(|d| !d.is_zero());
    let pair = transport.selected_candidate_pair_id.clone();
    Some(Route { pair, local: local_address, remote: remote_address, overhead, rtt })
}

fn candidate<'a>(report: &'a RTCStatsReport, side: &str, id: &str) -> Option<&'a RTCIceCandidateStats> {
    // The pair names its candidates without the prefix under which the report keeps them.
    match report.get(&format!("RTC{side}IceCandidate_{id}"))? {
        RTCStatsReportEntry::LocalCandidate(c) | RTCStatsReportEntry::RemoteCandidate(c) => Some(c),
        _ => None,
    }
}

fn pair(report: &RTCStatsReport) -> (Option<CandidatePair>, Option<Duration>) {
    // After an ICE restart the pairs of before are still nominated: the transport knows which one is in use.
    let selected = report.transport().and_then(|transport| report.get(&transport.selected_candidate_pair_id));
    let Some(RTCStatsReportEntry::IceCandidatePair(pair)) = selected else {
        return (None, None);
    };
    let local = candidate(report, "Local", &pair.local_candidate_id);
    let remote = candidate(report, "Remote", &pair.remote_candidate_id);
    let kind = |c: Option<&RTCIceCandidateStats>| {
        // A remote candidate that nobody told of is one that its own checks brought to light.
        c.map_or_else(|| "prflx".to_owned(), |c| c.candidate_type.to_string())
    };
    let protocol = local.map(|c| c.protocol.to_ascii_lowercase()).filter(|p| !p.is_empty());
    let rtt = Duration::try_from_secs_f64(pair.current_round_trip_time).ok().filter(|d| !d.is_zero());
    let pair = CandidatePair {
        local: kind(local),
        remote: kind(remote),
        protocol: protocol.unwrap_or_else(|| "udp".to_owned()),
        relay_protocol: local
            .filter(|c| c.candidate_type == RTCIceCandidateType::Relay)
            .map(|c| relay::protocol(&c.url).to_owned()),
    };
    (Some(pair), rtt)
}
