//! Remote candidates (RFC 8839 section 5.1): looked at before the crate sees them.

use crate::peer::PeerError;
use crate::signaling::message::IceCandidate;
use rtc::peer_connection::transport::RTCIceCandidateInit;

/// Longest candidate that is looked at, in bytes.
const MAX_BYTES: usize = 1024;

/// Whether it can be parsed. TCP, IPv6 and mDNS (`.local`) candidates can.
///
/// # Errors
/// [`PeerError::Candidate`].
pub(super) fn check(candidate: &IceCandidate) -> Result<(), PeerError> {
    if candidate.candidate.len() > MAX_BYTES {
        return Err(PeerError::Candidate("it is too long".into()));
    }
    let text = candidate.candidate.strip_prefix("candidate:").unwrap_or(&candidate.candidate);
    rtc::ice::candidate::unmarshal_candidate(text).map_err(|e| PeerError::Candidate(e.to_string()))?;
    Ok(())
}

/// Whether a host candidate has the wildcard address, `0.0.0.0` or `::`.
pub(super) fn is_wildcard(candidate: &str) -> bool {
    let mut words = candidate.split_ascii_whitespace().skip(4);
    let address = words.next().and_then(|address| address.parse::<std::net::IpAddr>().ok());
    address.is_some_and(|address| address.is_unspecified()) && words.nth(2) == Some("host")
}

/// In the crate's words. It has one transport, whatever the m-line.
pub(super) fn to_crate(candidate: IceCandidate) -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate: candidate.candidate,
        sdp_mid: None,
        sdp_mline_index: Some(0),
        username_fragment: candidate.username_fragment,
        url: None,
    }
}

/// From the crate's words, with the m-line that the peer knows.
pub(super) fn from_crate(candidate: RTCIceCandidateInit, (mid, index): (Option<String>, u16)) -> IceCandidate {
    IceCandidate {
        candidate: candidate.candidate,
        sdp_mid: mid,
        sdp_m_line_index: Some(index),
        username_fragment: candidate.username_fragment,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_address_is_told_from_one_that_is_hidden() {
        for wildcard in ["0.0.0.0", "::"] {
            assert!(is_wildcard(&format!("candidate:1 1 udp 2130706431 {wildcard} 4000 typ host")));
        }
        for other in [
            "candidate:1 1 udp 2130706431 10.0.0.1 4000 typ host",
            "candidate:1 1 udp 1 10.0.0.1 4000 typ srflx raddr 0.0.0.0 rport 0",
            "candidate:",
        ] {
            assert!(!is_wildcard(other), "{other}");
        }
    }
}
