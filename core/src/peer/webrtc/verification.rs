//! What the check of the other end needs of a connection: its channel and its certificates.

use super::data;
use super::handler::State;
use crate::sdp::Description;
use crate::security::{Ends, Fingerprint, Role, sha256};
use std::sync::{Arc, Weak};
use webrtc::peer_connection::PeerConnection as Crate;

/// Opens the channel, if this side is the one whose offer was answered: two that call each other both make an offer.
///
/// It comes after the channel for messages, because an old peer sends its own on the first one that opens.
pub(super) async fn open_channel(connection: Arc<dyn Crate>, state: Weak<State>) {
    let Some((events, data, verification)) =
        state.upgrade().map(|state| (state.events.clone(), state.data.clone(), state.verification.clone()))
    else {
        return;
    };
    data.opened().await;
    if state.upgrade().is_none_or(|state| state.role.get() != Some(&Role::Offerer)) {
        return;
    }
    match connection.create_data_channel(data::VERIFICATION_LABEL, None).await {
        Ok(channel) => data::run(channel, events, verification).await,
        Err(error) => log::warn!("there is no channel to check the other end: {error}"),
    }
}

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
