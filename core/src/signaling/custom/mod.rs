//! Signaling over the app's own server: the app carries the messages of calls, and everything else of a call stays as it is.
//!
//! ```text
//!  app's server ◄── SignalingTransport::send ─── CustomSession ◄── call engine
//!               ──► SignalingReceiver::receive ─►
//! ```
//!
//! Messages are texts that the transport hands on as they are, in whatever its wire has for them. Who sent one is what the transport says and
//! never what stands in the message: a transport must know it from its own session with the app's server.

mod session;
pub(super) mod task;

pub(super) use session::CustomSession;

use super::message::{IceServer, MAX_FRAME_BYTES};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Messages that wait to be read; beyond it [`SignalingReceiver::receive`] refuses.
const WAITING: usize = 256;

/// Carries the messages of calls in place of a connection to a Chamada server. Every method is called on a thread of the async runtime and
/// must return at once: what takes longer is done elsewhere, and told to the [`SignalingReceiver`].
///
/// A message must arrive once and in the order in which it was sent to that person. One that is lost costs a call time, and what it said of camera,
/// microphone and hold may not be known until the next one: a server should keep messages for somebody whose connection was lost a moment ago. Nothing in a message is secret from the app's own server, but it names addresses: it
/// belongs neither in a log nor in anybody else's hands.
pub trait SignalingTransport: Send + Sync + 'static {
    /// Begins: the client is made. `receiver` is told when messages can be carried, and whatever arrives; it is good until
    /// [`SignalingTransport::disconnect`].
    fn connect(&self, receiver: SignalingReceiver);

    /// Carries this message to somebody: at most [`MAX_FRAME_BYTES`] bytes of JSON.
    ///
    /// # Errors
    /// [`TransportError::NotOpen`]: kept until the receiver is told that the transport is open again. [`TransportError::NoSuchUser`]: a call of that
    /// person ends as unreachable.
    fn send(&self, to: &str, message: &str) -> Result<(), TransportError>;

    /// The device has another network, or a call has lost its path and waits: a connection that may be dead is to be made anew.
    fn reconnect(&self) {}

    /// The client has logged out or is gone. Called once.
    fn disconnect(&self);
}

/// Why a transport did not take a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There is no connection now.
    #[error("the app's signaling is not open: {0}")]
    NotOpen(String),
    /// There is nobody of this name.
    #[error("there is nobody of this name")]
    NoSuchUser,
}

/// Why a message that arrived was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// Longer than [`MAX_FRAME_BYTES`].
    #[error("a message has at most {MAX_FRAME_BYTES} bytes")]
    TooLarge,
    /// Too many messages wait: to be tried again in a moment, or dropped.
    #[error("too many messages wait")]
    QueueFull,
    /// The client is gone.
    #[error("the client is closed")]
    Closed,
}

/// What a transport is said to be.
#[derive(Debug, Clone, PartialEq)]
enum State {
    Opening,
    Open { ice_servers: Vec<IceServer> },
    Lost { reason: String },
}

/// What arrives.
#[derive(Debug)]
enum Arrival {
    Message { from: String, text: String },
    NoSuchUser(String),
}

/// Where a [`SignalingTransport`] puts what arrives, and what becomes of it. Cheap to clone; can be used from any thread.
#[derive(Debug, Clone)]
pub struct SignalingReceiver {
    state: Arc<watch::Sender<State>>,
    arrivals: mpsc::Sender<Arrival>,
}

impl SignalingReceiver {
    /// Messages can be carried from now on. These STUN and TURN servers take the place of those that were told before: told again with others,
    /// while it is open, it renews credentials.
    pub fn opened(&self, ice_servers: Vec<IceServer>) {
        self.state.send_replace(State::Open { ice_servers });
    }

    /// Messages cannot be carried any more, until [`SignalingReceiver::opened`] is called again. A call goes on meanwhile.
    pub fn lost(&self, reason: impl Into<String>) {
        self.state.send_replace(State::Lost { reason: reason.into() });
    }

    /// A message came from this person, as the app's server vouches.
    ///
    /// # Errors
    /// [`ReceiveError`]; what cannot be read is counted ([`super::SignalingEvent::Malformed`]) and no error here.
    pub fn receive(&self, from: &str, message: &str) -> Result<(), ReceiveError> {
        if message.len() > MAX_FRAME_BYTES {
            return Err(ReceiveError::TooLarge);
        }
        self.arrived(Arrival::Message { from: from.to_owned(), text: message.to_owned() })
    }

    /// A message to this person could not be delivered, since there is nobody of that name.
    ///
    /// # Errors
    /// [`ReceiveError::QueueFull`] or [`ReceiveError::Closed`].
    pub fn no_such_user(&self, name: &str) -> Result<(), ReceiveError> {
        self.arrived(Arrival::NoSuchUser(name.to_owned()))
    }

    fn arrived(&self, arrival: Arrival) -> Result<(), ReceiveError> {
        self.arrivals.try_send(arrival).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ReceiveError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => ReceiveError::Closed,
        })
    }
}
