//! Signaling: the wire messages, the session that logs in and stays logged in, and the WebSocket that carries it, or a transport of the
//! app's own.

pub mod ice_url;
pub mod message;

#[cfg(feature = "client")]
mod backoff;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod clock;
#[cfg(feature = "client")]
mod custom;
#[cfg(feature = "client")]
mod error;
#[cfg(feature = "client")]
mod events;
#[cfg(all(any(test, fuzzing), feature = "client"))]
pub(crate) mod fuzz;
#[cfg(feature = "client")]
pub mod session;
#[cfg(feature = "client")]
mod transport;
#[cfg(feature = "client")]
mod user_list;

#[cfg(feature = "client")]
pub use client::{SignalingClient, SignalingConfig};
#[cfg(feature = "client")]
pub use custom::{ReceiveError, SignalingReceiver, SignalingTransport, TransportError};
#[cfg(feature = "client")]
pub use error::SignalingError;
#[cfg(feature = "client")]
pub use session::SignalingEvent;
#[cfg(feature = "app")]
pub(crate) use session::check_name;
#[cfg(feature = "client")]
pub use transport::is_local_network;
