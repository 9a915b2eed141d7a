//! A call that needs nobody else: a server inside the app, and a peer with synthetic cameras and a tone that answers.

use crate::error::{ChamadaError, ErrorKind};
use crate::runtime;
use chamada::call::CallEvent;
use chamada::client::{Client, ClientConfig, ClientEvent, Devices};
use chamada::media::synthetic::{SyntheticAudio, SyntheticCameras};
use chamada::peer::webrtc::WebrtcPeers;
use chamada::signaling::SignalingEvent;
use chamada_server::{Server, ServerConfig};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// The peer's tone, in hertz.
const TONE_HZ: f64 = 440.0;

/// A signaling server on this device, reachable from nowhere else, and a synthetic peer who answers every call. Log in to
/// `server` with `Config.loopback` set and call `peer`. It is gone when it is let go of.
#[derive(uniffi::Object)]
pub struct Demo {
    address: SocketAddr,
    name: String,
    peer: Client,
    /// How often the peer has logged in.
    logins: watch::Receiver<u32>,
    serving: Mutex<Option<Serving>>,
}

/// A server that runs; it stops when the sender goes.
struct Serving {
    _until: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

/// Whether this build brings the demo along (feature `demo`, with the whole server in it).
#[uniffi::export]
pub fn demo_available() -> bool {
    true
}

#[uniffi::export]
impl Demo {
    /// Starts both; the peer is called `peer`.
    ///
    /// # Errors
    /// `SERVER` if there is no port to listen on or the name cannot be one.
    #[uniffi::constructor]
    pub async fn start(peer: String) -> Result<Arc<Self>, ChamadaError> {
        runtime::run(async move {
            let name = peer;
            let (address, serving) = serve(0).await?;
            let devices = Devices {
                cameras: Some(Arc::new(SyntheticCameras::default())),
                audio: Some(Arc::new(SyntheticAudio::new(TONE_HZ))),
                ..Devices::default()
            };
            let config = ClientConfig { loopback: true, ..ClientConfig::new(url(address), name.clone()) };
            let (peer, events) = Client::connect(config, devices, Arc::new(WebrtcPeers)).await?;
            let (logged_in, logins) = watch::channel(0);
            tokio::spawn(answer(peer.clone(), events, logged_in));
            Ok::<_, ChamadaError>(Arc::new(Self { address, name, peer, logins, serving: Mutex::new(Some(serving)) }))
        })
        .await
    }

    /// The server's address.
    pub fn server(&self) -> String {
        url(self.address)
    }

    /// The peer's name.
    pub fn peer(&self) -> String {
        self.name.clone()
    }

    /// Lets the peer call somebody who is logged in.
    ///
    /// # Errors
    /// `CALL` if it is in a call, `SERVER` while the server is stopped.
    pub async fn call(&self, to: String) -> Result<(), ChamadaError> {
        let peer = self.peer.clone();
        runtime::run(async move { peer.call(&to).await.map(drop) }).await
    }

    /// Stops the server and leaves the peer, to see what an app does without one. A second time does nothing.
    pub async fn stop_server(&self) -> Result<(), ChamadaError> {
        let serving = self.serving().take();
        runtime::run(async move {
            if let Some(Serving { _until: until, ended }) = serving {
                drop(until);
                ended.await.map_err(|error| ChamadaError::new(ErrorKind::Internal, error))?;
            }
            Ok::<_, ChamadaError>(())
        })
        .await
    }

    /// Starts it again at the same address, and waits for the peer to be back.
    ///
    /// # Errors
    /// `SERVER` if the address is taken meanwhile, or the server runs.
    pub async fn start_server(&self) -> Result<(), ChamadaError> {
        let port = self.address.port();
        let mut logins = self.logins.clone();
        let serving = runtime::run(async move {
            logins.mark_unchanged();
            let (_, serving) = serve(port).await?;
            let back = logins.changed().await;
            back.map_err(|_| ChamadaError::closed("demo's peer")).map(|()| serving)
        });
        let serving = serving.await?;
        *self.serving() = Some(serving);
        Ok(())
    }
}

impl Demo {
    fn serving(&self) -> MutexGuard<'_, Option<Serving>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let peer = self.peer.clone();
        let serving = self.serving().take();
        // The peer first, so that it says goodbye to a server that still hears it.
        if let Ok(runtime) = runtime::runtime() {
            drop(runtime.spawn(async move {
                peer.logout().await;
                drop(serving);
            }));
        }
    }
}

fn url(address: SocketAddr) -> String {
    format!("ws://{address}")
}

async fn serve(port: u16) -> Result<(SocketAddr, Serving), ChamadaError> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = Server::bind(ServerConfig { listen, ..ServerConfig::default() }).await;
    let server = server.map_err(|error| ChamadaError::new(ErrorKind::Server, error))?;
    let address = server.local_addr();
    let (until, stopped) = oneshot::channel();
    let ended = tokio::spawn(async move {
        // Sent or dropped: either way it stops.
        let run = server.run(async { drop(stopped.await) });
        if let Err(error) = run.await {
            log::error!("the demo's server failed: {error}");
        }
    });
    Ok((address, Serving { _until: until, ended }))
}

async fn answer(peer: Client, mut events: mpsc::Receiver<ClientEvent>, logged_in: watch::Sender<u32>) {
    while let Some(event) = events.recv().await {
        match event {
            ClientEvent::Signaling(SignalingEvent::LoggedIn { .. }) => logged_in.send_modify(|times| *times += 1),
            ClientEvent::Call(CallEvent::Incoming { .. }) => {
                if let Err(error) = peer.accept().await {
                    log::warn!("the demo's peer could not answer: {error}");
                }
            }
            _ => {}
        }
    }
}
