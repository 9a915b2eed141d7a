//! A demonstration that needs neither network nor camera: a server inside this process, and a synthetic peer that answers.

use crate::error::{ChamadaError, ErrorKind};
use crate::runtime;
use chamada::client as core;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Somebody to call, with a server of their own that only this device reaches. Letting go of it ends both.
#[derive(uniffi::Object)]
pub struct Demo {
    server: String,
    peer: String,
    client: core::Client,
    /// Dropped, it stops the server.
    stop: Option<oneshot::Sender<()>>,
}

/// Whether this build brings the demonstration along (feature `demo`, with the whole server in it).
#[uniffi::export]
pub fn demo_available() -> bool {
    cfg!(feature = "demo")
}

#[uniffi::export]
impl Demo {
    /// Starts it. The peer answers every call at once, with moving pictures that say which camera they are of, and a tone.
    ///
    /// # Errors
    /// `INTERNAL` if this build has no demonstration or the system allows no server, `INVALID_ARGUMENT` for a name that
    /// cannot be one.
    #[uniffi::constructor]
    pub async fn start(peer: String) -> Result<Arc<Self>, ChamadaError> {
        runtime::run(running::start(peer)).await.map(Arc::new)
    }

    /// Where to log in; `Config.loopback` has to be set.
    pub fn server(&self) -> String {
        self.server.clone()
    }

    /// Whom to call.
    pub fn peer(&self) -> String {
        self.peer.clone()
    }

    /// Lets the peer call somebody who has logged in, which rings there.
    ///
    /// # Errors
    /// `CALL` if the peer is in a call.
    pub async fn call(&self, who: String) -> Result<(), ChamadaError> {
        let client = self.client.clone();
        runtime::run(async move { client.call(&who).await.map(drop) }).await
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let (client, stop) = (self.client.clone(), self.stop.take());
        if let Ok(runtime) = runtime::runtime() {
            runtime.spawn(async move {
                client.logout().await;
                drop(stop);
            });
        }
    }
}

#[cfg(not(feature = "demo"))]
mod running {
    use super::{ChamadaError, Demo, ErrorKind};

    pub(super) async fn start(_: String) -> Result<Demo, ChamadaError> {
        Err(ChamadaError::new(ErrorKind::Internal, "this build has no demonstration in it"))
    }
}

#[cfg(feature = "demo")]
mod running {
    use super::{Arc, ChamadaError, Demo, ErrorKind, core, oneshot};
    use chamada::call::CallEvent;
    use chamada::client::ClientConfig;
    use chamada::media::synthetic::{SyntheticAudio, SyntheticCameras};
    use chamada::peer::webrtc::WebrtcPeers;
    use chamada_server::{Server, ServerConfig};
    use std::net::{Ipv4Addr, SocketAddr};

    pub(super) async fn start(peer: String) -> Result<Demo, ChamadaError> {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(ServerConfig { listen, ..ServerConfig::default() })
            .await
            .map_err(|error| ChamadaError::new(ErrorKind::Internal, error))?;
        let url = format!("ws://{}", server.local_addr());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let until = async {
                // Sent, or dropped with the demonstration: either way the server stops.
                let _ = stopped.await;
            };
            if let Err(error) = server.run(until).await {
                log::error!("the demonstration's server failed: {error}");
            }
        });
        let devices = core::Devices {
            cameras: Some(Arc::new(SyntheticCameras::default())),
            audio: Some(Arc::new(SyntheticAudio::new(440.0))),
            ..core::Devices::default()
        };
        let config = ClientConfig { loopback: true, ..ClientConfig::new(url.clone(), peer.clone()) };
        let (client, mut events) = core::Client::connect(config, devices, Arc::new(WebrtcPeers)).await?;
        let answering = client.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let core::ClientEvent::Call(CallEvent::Incoming { .. }) = event
                    && let Err(error) = answering.accept().await
                {
                    log::debug!("the demonstration's peer could not answer: {error}");
                }
            }
        });
        Ok(Demo { server: url, peer, client, stop: Some(stop) })
    }
}
