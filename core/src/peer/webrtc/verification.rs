//! What the check of the other end needs of a connection: the certificates.

use crate::sdp::Description;
use crate::security::{Ends, Fingerprint, Role, sha256};
use webrtc::peer_connection::PeerConnection as Crate;

/// The certificate of the own description and the one that DTLS has seen.
pub(super) async fn ends(connection: &dyn Crate, role: Role) -> Option<Ends> {
    let seen = connection.sctp().await?.transport().get_remote_certificates().await.ok()?;
    let own = connection.local_description().await?;
    let own = Description::read(&own.sdp).ok()?.sha256().and_then(bytes)?;
    Some(Ends { role, own, peer: sha256(seen.first()?) })
}

/// The bytes of a fingerprint as descriptions write it (RFC 8122 section 5).
fn bytes(text: &str) -> Option<Fingerprint> {
    let bytes: Result<Vec<u8>, _> = text.split(':').map(|byte| u8::from_str_radix(byte, 16)).collect();
    bytes.ok()?.try_into().ok()
}
