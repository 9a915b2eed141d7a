//! What one call has differently from the others.

use super::ClientConfig;
use crate::media::video::codec::VideoCodec;
use crate::peer::BitrateBounds;
use crate::signaling::message::IceServer;

/// What one call has differently from the client's configuration; what is `None` is as there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallOptions {
    /// Video codecs to offer, the preferred one first ([`ClientConfig::codecs`]).
    pub codecs: Option<Vec<VideoCodec>>,
    /// Bounds of the bandwidth estimate ([`ClientConfig::bitrate`]).
    pub bitrate: Option<BitrateBounds>,
    /// Use relayed candidates only ([`ClientConfig::relay_only`]; W3C `iceTransportPolicy`).
    pub relay_only: Option<bool>,
    /// STUN and TURN servers in place of all others: those of the configuration and those that the signaling server names.
    pub ice_servers: Option<Vec<IceServer>>,
}

impl CallOptions {
    /// Writes them into what this call is made of.
    pub(super) fn apply(&self, config: &mut ClientConfig, server_ice: &mut Vec<IceServer>) {
        if let Some(codecs) = &self.codecs {
            config.codecs.clone_from(codecs);
        }
        if let Some(bitrate) = self.bitrate {
            config.bitrate = bitrate;
        }
        if let Some(relay_only) = self.relay_only {
            config.relay_only = relay_only;
        }
        if let Some(ice_servers) = &self.ice_servers {
            config.ice_servers.clone_from(ice_servers);
            server_ice.clear();
        }
    }
}
