//! The face of the demo in a build without it, so that apps compile against either.

use crate::error::{ChamadaError, ErrorKind};
use chamada::client::Devices;
use std::convert::Infallible;
use std::sync::Arc;

/// A signaling server on this device and a synthetic peer: not in this build, so there never is one.
#[derive(uniffi::Object)]
pub struct Demo {
    never: Infallible,
}

/// Whether this build brings the demo along (feature `demo`, with the whole server in it).
#[uniffi::export]
pub fn demo_available() -> bool {
    false
}

/// There is no demonstration to use others in.
pub(crate) fn devices(real: &Devices) -> Devices {
    real.clone()
}

#[uniffi::export]
impl Demo {
    /// Starts both; the peer is called `peer`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if the peer's name cannot be one, `SERVER` if there is no port to listen on, `INTERNAL` where
    /// [`demo_available`] says no.
    #[uniffi::constructor]
    pub async fn start(peer: String) -> Result<Arc<Self>, ChamadaError> {
        Err(ChamadaError::new(ErrorKind::Internal, format!("this build has no demo, and so nobody called {peer}")))
    }

    /// The server's address.
    pub fn server(&self) -> String {
        match self.never {}
    }

    /// The peer's name.
    pub fn peer(&self) -> String {
        match self.never {}
    }

    /// Lets the peer call somebody who is logged in, once it is out of the call that it may be in.
    ///
    /// # Errors
    /// `CALL` if it cannot, `CLOSED` if its client is.
    pub async fn call(&self, to: String) -> Result<(), ChamadaError> {
        drop(to);
        match self.never {}
    }
}
