//! Signaling over the app's own server.

use crate::config::{IceServer, VideoCodec};
use crate::error::{ChamadaError, ErrorKind};
use chamada::client::CallOptions as CoreOptions;
use chamada::peer::BitrateBounds;
use chamada::signaling as core;
use std::sync::Arc;

/// Carries the messages of calls in place of a connection to a Chamada server: for an app that has a server of its own.
///
/// Methods are called on the library's threads and must return at once; what takes longer is done elsewhere and told to the receiver. A message is
/// text that is handed on as it is. It names addresses: it belongs neither in a log nor in anybody else's hands.
#[uniffi::export(foreign)]
pub trait SignalingTransport: Send + Sync {
    /// Begins. `receiver` is to be told when messages can be carried, and whatever arrives; it is good until `disconnect`.
    ///
    /// # Errors
    /// Ends the attempt to connect.
    // Not `open`: a word of Swift's, which UniFFI quotes in the C header too, and C does not know the quotes.
    fn connect(&self, receiver: Arc<SignalingReceiver>) -> Result<(), TransportError>;

    /// Carries this message to somebody, at most 64 KiB. Those for one person must arrive in the order in which they were sent, and should be kept for
    /// somebody whose connection was lost a moment ago.
    ///
    /// # Errors
    /// `NotOpen`: the library keeps the message until `SignalingReceiver.opened`. `NoSuchUser`: a call of that person ends as unreachable.
    fn send(&self, to: String, message: String) -> Result<(), TransportError>;

    /// The device has another network, or a call has lost its path and waits: a connection that may be dead is to be made anew.
    ///
    /// # Errors
    /// Is logged.
    fn reconnect(&self) -> Result<(), TransportError>;

    /// The client has logged out or is gone. Called once.
    ///
    /// # Errors
    /// Is logged.
    fn disconnect(&self) -> Result<(), TransportError>;
}

/// Why a transport did not take a message. Any other exception of the app's code is taken for `NotOpen`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TransportError {
    /// There is no connection now.
    #[error("{reason}")]
    NotOpen {
        /// One sentence for a developer.
        reason: String,
    },
    /// There is nobody of this name.
    #[error("there is nobody of this name")]
    NoSuchUser,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for TransportError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::NotOpen { reason: error.reason }
    }
}

impl From<TransportError> for core::TransportError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::NotOpen { reason } => Self::NotOpen(reason),
            TransportError::NoSuchUser => Self::NoSuchUser,
        }
    }
}

/// Where a `SignalingTransport` puts what arrives, and what becomes of it. Can be used from any thread; returns at once.
#[derive(Debug, uniffi::Object)]
pub struct SignalingReceiver(core::SignalingReceiver);

#[uniffi::export]
impl SignalingReceiver {
    /// Messages can be carried from now on. These STUN and TURN servers take the place of those that were told before: told again with others, while
    /// the transport is open, it renews credentials.
    #[uniffi::method(default(ice_servers = []))]
    pub fn opened(&self, ice_servers: Vec<IceServer>) {
        self.0.opened(ice_servers.into_iter().map(Into::into).collect());
    }

    /// Messages cannot be carried any more, until `opened` is called again. A call goes on meanwhile.
    pub fn lost(&self, reason: String) {
        self.0.lost(reason);
    }

    /// A message came from this person, as the app's server vouches: never a name that stands in the message.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for more than 64 KiB, `TOO_FAST` while too many wait, `CLOSED` once the client is gone. What cannot be read is counted and no
    /// error here.
    pub fn receive(&self, from: String, message: String) -> Result<(), ChamadaError> {
        Ok(self.0.receive(&from, &message)?)
    }

    /// A message to this person could not be delivered, since there is nobody of that name.
    ///
    /// # Errors
    /// `TOO_FAST` or `CLOSED`, as there.
    pub fn no_such_user(&self, name: String) -> Result<(), ChamadaError> {
        Ok(self.0.no_such_user(&name)?)
    }
}

impl From<core::ReceiveError> for ChamadaError {
    fn from(error: core::ReceiveError) -> Self {
        let kind = match error {
            core::ReceiveError::TooLarge => ErrorKind::InvalidArgument,
            core::ReceiveError::QueueFull => ErrorKind::TooFast,
            core::ReceiveError::Closed => ErrorKind::Closed,
        };
        Self::new(kind, error)
    }
}

/// The app's transport as the core knows one.
pub(crate) struct TransportAdapter(pub(crate) Arc<dyn SignalingTransport>);

impl core::SignalingTransport for TransportAdapter {
    fn connect(&self, receiver: core::SignalingReceiver) {
        if let Err(error) = self.0.connect(Arc::new(SignalingReceiver(receiver.clone()))) {
            receiver.lost(error.to_string());
        }
    }

    fn send(&self, to: &str, message: &str) -> Result<(), core::TransportError> {
        Ok(self.0.send(to.to_owned(), message.to_owned())?)
    }

    fn reconnect(&self) {
        logged(self.0.reconnect());
    }

    fn disconnect(&self) {
        logged(self.0.disconnect());
    }
}

fn logged(done: Result<(), TransportError>) {
    if let Err(error) = done {
        log::warn!("the app's signaling failed: {error}");
    }
}

/// What one call has differently from the client's `Config`; what is missing is as there.
#[derive(Debug, Clone, Default, uniffi::Record)]
pub struct CallOptions {
    /// Video codecs to offer, the preferred one first.
    #[uniffi(default = None)]
    pub codecs: Option<Vec<VideoCodec>>,
    /// Most that is sent, in bits per second, sound and video together.
    #[uniffi(default = None)]
    pub max_bitrate: Option<u32>,
    /// Use relayed paths only, so that the other side does not learn this device's address.
    #[uniffi(default = None)]
    pub relay_only: Option<bool>,
    /// STUN and TURN servers in place of all others: those of `Config` and those that the signaling server names.
    #[uniffi(default = None)]
    pub ice_servers: Option<Vec<IceServer>>,
}

impl From<CallOptions> for CoreOptions {
    fn from(options: CallOptions) -> Self {
        Self {
            codecs: options.codecs.map(|codecs| codecs.into_iter().map(Into::into).collect()),
            bitrate: options.max_bitrate.map(BitrateBounds::up_to),
            relay_only: options.relay_only,
            ice_servers: options.ice_servers.map(|servers| servers.into_iter().map(Into::into).collect()),
        }
    }
}
