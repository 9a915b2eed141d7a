//! A call that needs nobody else: a server inside the app, and a peer with synthetic cameras and a tone that answers.

use crate::error::{ChamadaError, ErrorKind};
use crate::runtime;
use chamada::call::CallEvent;
use chamada::client::{Client, ClientConfig, ClientEvent, Devices};
use chamada::media::capture::{AudioProvider, AudioSink, AudioSource, CaptureError, CaptureHandle};
use chamada::media::synthetic::{SyntheticAudio, SyntheticCameras};
use chamada::peer::webrtc::WebrtcPeers;
use chamada_server::{Server, ServerConfig};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// The peer's tone, in hertz.
const TONE_HZ: f64 = 440.0;

/// A signaling server on this device, reachable from nowhere else, and a synthetic peer who answers every call. Log in to
/// `server` and call `peer`. It is gone when it is let go of.
#[derive(uniffi::Object)]
pub struct Demo {
    address: SocketAddr,
    name: String,
    peer: Client,
    /// Whether it is in a call, or its devices still are.
    in_call: watch::Receiver<bool>,
    /// The server stops when this goes.
    serving: Option<oneshot::Sender<()>>,
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
    /// `INVALID_ARGUMENT` if the peer's name cannot be one, `SERVER` if there is no port to listen on, `INTERNAL` where
    /// [`demo_available`] says no.
    #[uniffi::constructor]
    pub async fn start(peer: String) -> Result<Arc<Self>, ChamadaError> {
        runtime::run(async move {
            let name = peer;
            let (address, serving) = serve().await?;
            let devices = Devices {
                cameras: Some(Arc::new(SyntheticCameras::default())),
                audio: Some(Arc::new(SyntheticAudio::new(TONE_HZ))),
                ..Devices::default()
            };
            let config = ClientConfig::new(url(address), name.clone());
            let (peer, events) = Client::connect(config, devices, Arc::new(WebrtcPeers)).await?;
            let (tell, in_call) = watch::channel(false);
            tokio::spawn(answer(peer.clone(), events, tell));
            Ok::<_, ChamadaError>(Arc::new(Self { address, name, peer, in_call, serving: Some(serving) }))
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

    /// Lets the peer call somebody who is logged in, once it is out of the call that it may be in.
    ///
    /// # Errors
    /// `CALL` if it cannot, `CLOSED` if its client is.
    pub async fn call(&self, to: String) -> Result<(), ChamadaError> {
        let peer = self.peer.clone();
        let mut in_call = self.in_call.clone();
        runtime::run(async move {
            in_call.wait_for(|now| !now).await.map_err(|_| gone())?;
            peer.call(&to).await.map(drop).map_err(ChamadaError::from)
        })
        .await
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let peer = self.peer.clone();
        let serving = self.serving.take();
        // The peer first, so that it says goodbye to a server that still hears it.
        if let Ok(runtime) = runtime::runtime() {
            drop(runtime.spawn(async move {
                peer.logout().await;
                drop(serving);
            }));
        }
    }
}

/// Cameras that are drawings, and what is said is heard; nobody is listened to, so that nothing needs a permission.
pub(crate) fn devices(real: &Devices) -> Devices {
    let audio = real.audio.clone().map(|audio| Arc::new(WithoutMicrophone(audio)) as Arc<dyn AudioProvider>);
    Devices { cameras: Some(Arc::new(SyntheticCameras::default())), audio, ..real.clone() }
}

struct WithoutMicrophone(Arc<dyn AudioProvider>);

/// A microphone that hears nothing.
struct Deaf;

impl CaptureHandle for Deaf {}

impl AudioProvider for WithoutMicrophone {
    fn open_microphone(&self, _sink: AudioSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        Ok(Box::new(Deaf))
    }

    fn open_speaker(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        self.0.open_speaker(source)
    }
}

fn url(address: SocketAddr) -> String {
    format!("ws://{address}")
}

async fn serve() -> Result<(SocketAddr, oneshot::Sender<()>), ChamadaError> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let server = Server::bind(ServerConfig { listen, ..ServerConfig::default() }).await;
    let server = server.map_err(|error| ChamadaError::new(ErrorKind::Server, error))?;
    let address = server.local_addr();
    let (until, stopped) = oneshot::channel();
    tokio::spawn(async move {
        // Sent or dropped: either way it stops.
        let run = server.run(async { drop(stopped.await) });
        if let Err(error) = run.await {
            log::error!("the demo's server failed: {error}");
        }
    });
    Ok((address, until))
}

fn gone() -> ChamadaError {
    ChamadaError::closed("demo's peer")
}

async fn answer(peer: Client, mut events: mpsc::Receiver<ClientEvent>, tell: watch::Sender<bool>) {
    while let Some(event) = events.recv().await {
        match event {
            ClientEvent::Call(CallEvent::Incoming { .. }) => {
                if let Err(error) = peer.accept().await {
                    log::warn!("the demo's peer could not answer: {error}");
                }
            }
            ClientEvent::Call(CallEvent::Changed(now)) if now.call.is_some() => {
                tell.send_replace(true);
            }
            ClientEvent::Call(CallEvent::Ended { .. }) => {
                tell.send_replace(false);
            }
            _ => {}
        }
    }
}
