//! A phone without a phone: a client with synthetic devices, whose events and pictures a test can await.

use chamada::call::{CallEvent, CallSnapshot, CallState, EndReason};
use chamada::client::{CallStats, Client, ClientConfig, ClientError, ClientEvent, DeviceKind, Devices};
use chamada::media::capture::{AudioProvider, CameraProvider, VideoRenderer};
use chamada::media::frame::VideoFrame;
use chamada::media::synthetic::{DelayMeter, SyntheticAudio, SyntheticCameras, SyntheticConfig};
use chamada::peer::PeerFactory;
use chamada::peer::webrtc::WebrtcPeers;
use chamada::signaling::SignalingEvent;
use chamada::{FacingMode, signaling::SignalingError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// How long anything may take before a test fails. A bound of failure, not a pace.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A client, its events, and what it sees.
pub struct Phone {
    /// The client itself.
    pub client: Client,
    /// What arrives from the other side.
    pub view: Arc<View>,
    events: mpsc::Receiver<ClientEvent>,
    seen: Vec<String>,
}

/// What a phone is made of, to be changed before it logs in.
pub struct PhoneSetup {
    /// The client's configuration.
    pub config: ClientConfig,
    /// Cameras; front and rear by default.
    pub cameras: Option<Arc<dyn CameraProvider>>,
    /// Microphone and speaker; a tone by default.
    pub audio: Option<Arc<dyn AudioProvider>>,
    /// Shows what the own camera sees; nothing by default.
    pub preview: Option<Arc<dyn VideoRenderer>>,
    /// Makes the peer connections.
    pub peers: Arc<dyn PeerFactory>,
}

impl PhoneSetup {
    /// A phone with two cameras of 320×240 at 30 fps, a tone, private text and files.
    pub fn new(url: &str, name: &str) -> Self {
        Self {
            config: ClientConfig { texts: true, files: true, ..ClientConfig::new(url, name) },
            cameras: Some(synthetic(320, 240)),
            audio: Some(Arc::new(SyntheticAudio::new(440.0))),
            preview: None,
            peers: Arc::new(WebrtcPeers),
        }
    }

    /// Logs in.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn try_login(self) -> Result<Phone, ClientError> {
        let view = Arc::new(View::default());
        let devices =
            Devices { cameras: self.cameras, audio: self.audio, remote: Some(view.clone()), preview: self.preview };
        let (client, events) = Client::connect(self.config, devices, self.peers).await?;
        Ok(Phone { client, view, events, seen: Vec::new() })
    }

    /// Logs in, or fails the test.
    pub async fn login(self) -> Phone {
        let name = self.config.signaling.name.clone();
        match self.try_login().await {
            Ok(phone) => phone,
            Err(error) => panic!("{name} cannot log in: {error}"),
        }
    }
}

impl Phone {
    /// An ordinary phone that is logged in.
    pub async fn login(url: &str, name: &str) -> Self {
        PhoneSetup::new(url, name).login().await
    }

    /// Waits for the first event that `pick` takes, or fails the test with everything that came instead.
    pub async fn until<T>(&mut self, what: &str, mut pick: impl FnMut(&ClientEvent) -> Option<T>) -> T {
        let found = timeout(PATIENCE, async {
            loop {
                let event = self.events.recv().await?;
                let picked = pick(&event);
                self.seen.push(brief(&event));
                if picked.is_some() {
                    return picked;
                }
            }
        })
        .await;
        match found {
            Ok(Some(picked)) => picked,
            Ok(None) => panic!("the client stopped before {what}; it had told: {:#?}", self.seen),
            Err(_) => panic!("no {what} within {PATIENCE:?}; the client had told: {:#?}", self.seen),
        }
    }

    /// Until the user list has everybody named.
    pub async fn sees(&mut self, names: &[&str]) {
        self.until(&format!("user list with {names:?}"), |event| match event {
            ClientEvent::Signaling(SignalingEvent::Users(users)) => {
                names.iter().all(|name| users.iter().any(|user| user == name)).then_some(())
            }
            _ => None,
        })
        .await;
    }

    /// Until somebody calls; who it is.
    pub async fn rings(&mut self) -> String {
        self.until("incoming call", |event| match event {
            ClientEvent::Call(CallEvent::Incoming { from, .. }) => Some(from.clone()),
            _ => None,
        })
        .await
    }

    /// Until the call is in this state.
    pub async fn reaches(&mut self, state: CallState) -> CallSnapshot {
        self.until(&format!("state {state:?}"), |event| match event {
            ClientEvent::Call(CallEvent::Changed(now)) if now.state == state => Some(now.clone()),
            _ => None,
        })
        .await
    }

    /// Until the call is over; why.
    pub async fn ends(&mut self) -> EndReason {
        self.until("end of the call", |event| match event {
            ClientEvent::Call(CallEvent::Ended { reason, .. }) => Some(*reason),
            _ => None,
        })
        .await
    }

    /// Until statistics satisfy `enough`.
    pub async fn measures(&mut self, what: &str, mut enough: impl FnMut(&CallStats) -> bool) -> CallStats {
        self.until(what, |event| match event {
            ClientEvent::Stats(stats) if enough(stats) => Some((**stats).clone()),
            _ => None,
        })
        .await
    }

    /// Until the other side's sound is heard: a second of a tone is well above this energy.
    pub async fn hears(&mut self) {
        self.measures("sound", |stats| stats.audio_received.as_ref().is_some_and(|audio| audio.energy > 0.001)).await;
    }

    /// Until the connection to the server is lost for now or for good.
    pub async fn loses_server(&mut self) -> Option<SignalingError> {
        self.until("loss of the server", |event| match event {
            ClientEvent::Signaling(SignalingEvent::Reconnecting { why, .. }) => Some(Some(why.clone())),
            ClientEvent::Signaling(SignalingEvent::Closed { why }) => Some(why.clone()),
            _ => None,
        })
        .await
    }

    /// Until a device of this kind is told to have failed; why.
    pub async fn loses(&mut self, kind: DeviceKind) -> ClientError {
        self.until(&format!("failure of the {kind:?}"), |event| match event {
            ClientEvent::DeviceFailed { device, why } if *device == kind => Some(why.clone()),
            _ => None,
        })
        .await
    }

    /// Waits to see `to`, calls, and is answered; both are connected afterwards.
    pub async fn talks_with(&mut self, to: &mut Self, name: &str) {
        self.sees(&[name]).await;
        self.talks_with_known(to, name).await;
    }

    /// The same for somebody who has been seen before.
    pub async fn talks_with_known(&mut self, to: &mut Self, name: &str) {
        must(self.client.call(name).await);
        to.rings().await;
        must(to.client.accept().await);
        tokio::join!(self.reaches(CallState::Connected), to.reaches(CallState::Connected));
    }
}

/// A front and a rear camera of this size, at 30 fps.
pub fn synthetic(width: u32, height: u32) -> Arc<dyn CameraProvider> {
    match SyntheticCameras::new(SyntheticConfig { width, height, fps: 30.0 }) {
        Ok(cameras) => Arc::new(cameras),
        Err(error) => panic!("{error}"),
    }
}

/// The value, or a failed test.
pub fn must<T>(result: Result<T, ClientError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("refused: {error}"),
    }
}

/// What a phone sees of the other side.
pub struct View {
    state: Mutex<Seen>,
    changed: watch::Sender<u64>,
}

/// The pictures seen so far.
#[derive(Default)]
pub struct Seen {
    /// How many.
    pub frames: u64,
    /// The newest.
    pub newest: Option<VideoFrame>,
    /// Delay and loss, read from the marker in the pictures.
    pub delay: DelayMeter,
    /// Which camera took the newest, as its marker says.
    pub facing: Option<FacingMode>,
}

impl Default for View {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl View {
    /// Looks at what was seen so far.
    pub fn look<T>(&self, at: impl FnOnce(&Seen) -> T) -> T {
        at(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Measures delay and loss of the pictures from now on only.
    pub fn measure_anew(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).delay = DelayMeter::new();
    }

    /// Waits until what was seen satisfies `enough`, or fails the test.
    pub async fn until(&self, what: &str, mut enough: impl FnMut(&Seen) -> bool) {
        let mut changes = self.changed.subscribe();
        let waiting = async {
            while !self.look(&mut enough) {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("no {what} within {PATIENCE:?}; {} pictures were seen", self.look(|seen| seen.frames));
        }
    }

    /// Waits for so many pictures more than there are now.
    pub async fn frames(&self, more: u64) {
        let before = self.look(|seen| seen.frames);
        self.until(&format!("{more} more pictures"), |seen| seen.frames >= before + more).await;
    }
}

impl VideoRenderer for View {
    fn render(&self, frame: VideoFrame) {
        let mut seen = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        seen.frames += 1;
        if let Some(marker) = seen.delay.frame(&frame) {
            seen.facing = Some(marker.facing);
        }
        seen.newest = Some(frame);
        let frames = seen.frames;
        drop(seen);
        self.changed.send_replace(frames);
    }
}

/// Enough to understand a failed test, without numbers that fill the screen.
fn brief(event: &ClientEvent) -> String {
    match event {
        ClientEvent::Stats(stats) => format!(
            "Stats(sent {:?}, received {:?}, energy {:?})",
            stats.video_sent.as_ref().map(|sent| sent.sent),
            stats.video_received.as_ref().map(|received| received.frames_decoded),
            stats.audio_received.as_ref().map(|audio| audio.energy)
        ),
        ClientEvent::Call(CallEvent::Changed(now)) => format!("{:?}", now.state),
        event => format!("{event:?}"),
    }
}
