//! The client that an app holds.

use crate::audio::AudioAdapter;
use crate::call::Call;
use crate::camera::CameraAdapter;
use crate::config::{Config, Devices};
use crate::constraints::VideoConstraints;
use crate::devices::FacingMode;
use crate::error::ChamadaError;
use crate::event::CallSnapshot;
use crate::observer::{self, Observer};
use crate::push::PushRegistration;
use crate::quality::{DegradationPreference, ThermalState, VideoBounds};
use crate::renderer::RendererAdapter;
use crate::runtime;
use crate::signaling::CallOptions;
use chamada::client as core;
use chamada::media::capture;
use chamada::media::frame::FramePool;
use chamada::peer::webrtc::WebrtcPeers;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A client that is logged in. Letting go of it (in Kotlin `close`) logs out, ends a call that may be going on and returns at
/// once; `logout` waits until all is released. Either way events still come up to `Event.Closed`.
#[derive(uniffi::Object)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What calls refer to without keeping the client.
pub(crate) struct Inner {
    pub(crate) core: core::Client,
    camera: Mutex<CameraWish>,
    /// Held while the core is told the wish, so that the last one wins.
    camera_is_told: tokio::sync::Mutex<()>,
}

/// Whether the camera is to be on, from the two who have a say in it.
struct CameraWish {
    person: bool,
    foreground: bool,
}

#[uniffi::export]
impl Client {
    /// Connects to the server and logs in. Events go to `observer` from now on; some may come before this returns.
    ///
    /// # Errors
    /// `SERVER` if it cannot be reached or is none, `LOGIN_REFUSED`, or `INVALID_ARGUMENT` for an address, a name, a
    /// certificate or a proxy that cannot be one.
    #[uniffi::constructor]
    pub async fn connect(
        config: Config,
        devices: Devices,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<Self>, ChamadaError> {
        let (config, devices) = (config.try_into()?, core_devices(devices));
        runtime::run(async move {
            let (core, events) = core::Client::connect(config, devices, Arc::new(WebrtcPeers)).await?;
            let camera = Mutex::new(CameraWish { person: true, foreground: true });
            let inner = Arc::new(Inner { core, camera, camera_is_told: tokio::sync::Mutex::default() });
            observer::start(events, Arc::downgrade(&inner), observer)?;
            Ok::<_, ChamadaError>(Arc::new(Self { inner }))
        })
        .await
    }

    /// Calls somebody of the user list. The call is at its start: events tell how it goes on.
    ///
    /// # Errors
    /// `CALL` if it is oneself, a call is going on, or the server is out of reach.
    pub async fn call(&self, to: String) -> Result<Arc<Call>, ChamadaError> {
        self.call_with(to, CallOptions::default()).await
    }

    /// As `call`, with what this call has differently from `Config`.
    ///
    /// # Errors
    /// As there.
    pub async fn call_with(&self, to: String, options: CallOptions) -> Result<Arc<Call>, ChamadaError> {
        let inner = Arc::clone(&self.inner);
        let weak = Arc::downgrade(&self.inner);
        let id = runtime::run({
            let to = to.clone();
            async move { inner.core.call_with(&to, options.into()).await }
        })
        .await?;
        Ok(Arc::new(Call::new(weak, id, to)))
    }

    /// Puts the call in front on hold, and takes up the one behind it.
    ///
    /// # Errors
    /// `CALL` if there are not two that were accepted.
    pub async fn swap_calls(&self) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.swap_calls().await }).await
    }

    /// Microphone on or off; kept for the next call.
    ///
    /// # Errors
    /// `CLOSED`.
    pub async fn set_microphone(&self, on: bool) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.set_microphone(on).await }).await
    }

    /// Camera on or off; kept for the next call. Off closes the device and sends black. In the background it only says
    /// what is to be in the foreground.
    ///
    /// # Errors
    /// `DEVICE_…` or `OVERCONSTRAINED` if it cannot be opened again; it is off then.
    pub async fn set_camera(&self, on: bool) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        inner.camera().person = on;
        runtime::run(async move { inner.settle_camera().await }).await
    }

    /// Outside a call: the next call begins with the camera on the other side. In one it flips, as `Call.flip_camera`.
    ///
    /// # Errors
    /// `OVERCONSTRAINED` with `facingMode` if there is no other camera.
    pub async fn flip_camera(&self) -> Result<Option<FacingMode>, ChamadaError> {
        let inner = Arc::clone(&self.inner);
        let facing = runtime::run(async move { inner.core.flip_camera().await }).await?;
        Ok(facing.map(Into::into))
    }

    /// What the camera has to satisfy from now on; reopens it in a call.
    ///
    /// # Errors
    /// `OVERCONSTRAINED` with the constraint's name if no camera satisfies them; the old ones stay.
    pub async fn set_constraints(&self, constraints: VideoConstraints) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.set_constraints(constraints.into()).await }).await
    }

    /// What gives way where path or device do not carry the camera's pictures as they are: in the call that is going on and in later
    /// ones.
    ///
    /// # Errors
    /// `CLOSED`.
    pub async fn set_degradation_preference(&self, preference: DegradationPreference) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.set_degradation_preference(preference.into()).await }).await
    }

    /// Upper bounds of the pictures' size, frame rate and bitrate: in the call that is going on and in later ones.
    ///
    /// # Errors
    /// `CLOSED`.
    pub async fn set_video_bounds(&self, bounds: VideoBounds) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.set_video_bounds(bounds.into()).await }).await
    }

    /// How hot the device is now: a hot one sends smaller or fewer pictures. Returns at once.
    pub fn set_thermal_state(&self, state: ThermalState) {
        let inner = Arc::clone(&self.inner);
        spawn(async move { inner.core.set_thermal_state(state.into()).await.map_err(Into::into) });
    }

    /// Says something in the public chat, 1 to 256 characters.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for any other length, `TOO_FAST` if too much waits for the server already. While the server is out of
    /// reach it waits.
    pub async fn say(&self, text: String) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.say(&text).await }).await
    }

    /// Asks for another name; `Event.Renamed` tells which one it became.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for what cannot be a name, `TOO_FAST` if too much waits for the server already. While the server is out of
    /// reach it waits.
    pub async fn rename(&self, name: String) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.rename(&name).await }).await
    }

    /// Shows the server this token from now on: the next one where the last has expired, which `Event.Refused` with `LOGIN_REFUSED` tells, or a
    /// fresh one before that.
    ///
    /// # Errors
    /// `TOO_FAST` if too much waits for the server already.
    pub async fn set_token(&self, token: String) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.set_token(token).await }).await
    }

    /// Takes no calls and chat lines of this person any more: here and at the server, if that one can; also after a lost connection. 256 people
    /// at most; the app has to keep them beyond `close`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for what cannot be a name, `TOO_FAST` if too much waits for the server already.
    pub async fn block(&self, name: String) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.block(&name).await }).await
    }

    /// Takes `block` back.
    ///
    /// # Errors
    /// As there.
    pub async fn unblock(&self, name: String) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.unblock(&name).await }).await
    }

    /// Has the server ring this device by push while the app is closed, from now on and after each login: call it once, and again when the
    /// token has changed. Needs `Config.device`, and a token of the server's. `Event.PushRegistered` tells that the server has written it down,
    /// `Event.Refused` why not.
    ///
    /// # Errors
    /// `TOO_FAST` if too much waits for the server already.
    pub async fn register_push(&self, registration: PushRegistration) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.register_push(registration.into()).await }).await
    }

    /// Takes `register_push` back: before a logout for good, or the device goes on ringing.
    ///
    /// # Errors
    /// As there.
    pub async fn unregister_push(&self) -> Result<(), ChamadaError> {
        let inner = Arc::clone(&self.inner);
        runtime::run(async move { inner.core.unregister_push().await }).await
    }

    /// Where the call stands now.
    ///
    /// # Errors
    /// `CLOSED`.
    pub async fn snapshot(&self) -> Result<CallSnapshot, ChamadaError> {
        let inner = Arc::clone(&self.inner);
        Ok(runtime::run(async move { inner.core.snapshot().await }).await?.into())
    }

    /// The app went to the background, where phones allow no camera: it is closed, black is sent, and the other side is told
    /// that video is off. Sound and signaling go on for as long as the system lets them. Returns at once.
    pub fn background(&self) {
        self.inner.camera().foreground = false;
        self.settle_camera_soon();
    }

    /// The app is back: the server is looked at, since the device may have slept, and a connection that does not answer within two
    /// seconds is made anew. The camera is as it was before, unless the person switched it off meanwhile. Returns at once; a camera
    /// that cannot be opened any more is told by `Event.CallChanged` with video off.
    pub fn foreground(&self) {
        self.inner.camera().foreground = true;
        self.settle_camera_soon();
        let inner = Arc::clone(&self.inner);
        spawn(async move { inner.core.foreground().await.map_err(Into::into) });
    }

    /// The device has another network now: the server is looked for at once, not only after its silence. Returns at once.
    pub fn network_changed(&self) {
        let inner = Arc::clone(&self.inner);
        spawn(async move { inner.core.network_changed().await.map_err(Into::into) });
    }

    /// For trying out what an app does without its server: while `on`, there is no connection to it and none can be made.
    pub fn drop_signaling(&self, on: bool) {
        self.inner.core.drop_signaling(on);
    }

    /// For trying out what an app does when a call's network fails: while `on`, no packet of a call leaves or arrives. The call
    /// is `RECONNECTING` after a few seconds, comes back after the end of it, and ends if it lasts for half a minute.
    pub fn drop_media(&self, on: bool) {
        self.inner.core.drop_media(on);
    }

    /// The system is short of memory: idle picture buffers are given back. Calls go on and take new ones as they need them.
    /// Returns how many bytes that were; a few megabytes in a call, nothing outside one.
    pub fn low_memory(&self) -> u64 {
        FramePool::trim_all() as u64
    }

    /// Logs out, ends a call that may be going on, and waits until devices and sockets are released. A second time does
    /// nothing.
    pub async fn logout(&self) {
        let core = self.inner.core.clone();
        let done = runtime::run(async move {
            core.logout().await;
            Ok::<_, ChamadaError>(())
        });
        if let Err(error) = done.await {
            log::error!("logging out failed: {error}");
        }
    }
}

impl Client {
    fn settle_camera_soon(&self) {
        let inner = Arc::clone(&self.inner);
        spawn(async move { inner.settle_camera().await });
    }
}

impl Inner {
    fn camera(&self) -> MutexGuard<'_, CameraWish> {
        self.camera.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the core the newest wish; one that it was told before changes nothing.
    async fn settle_camera(&self) -> Result<(), ChamadaError> {
        let _order = self.camera_is_told.lock().await;
        let wanted = {
            let wish = self.camera();
            wish.person && wish.foreground
        };
        let told = self.core.set_camera(wanted).await;
        if wanted && told.is_err() {
            // It is off now; coming back to the foreground is not to try again what the person was told of.
            self.camera().person = false;
        }
        Ok(told?)
    }
}

/// For what returns at once: carried out on the library's threads, failures logged.
fn spawn(work: impl Future<Output = Result<(), ChamadaError>> + Send + 'static) {
    match runtime::runtime() {
        Ok(runtime) => drop(runtime.spawn(async move {
            if let Err(error) = work.await {
                log::warn!("what the app asked for in passing was not done");
                log::debug!("which is: {error}");
            }
        })),
        Err(error) => log::error!("{error}"),
    }
}

pub(crate) fn core_devices(devices: Devices) -> core::Devices {
    let renderer = |app| Arc::new(RendererAdapter::new(app)) as Arc<dyn capture::VideoRenderer>;
    core::Devices {
        cameras: devices.cameras.map(|app| Arc::new(CameraAdapter(app)) as Arc<dyn capture::CameraProvider>),
        audio: devices.audio.map(|app| Arc::new(AudioAdapter(app)) as Arc<dyn capture::AudioProvider>),
        remote: devices.remote.map(renderer),
        preview: devices.preview.map(renderer),
    }
}
