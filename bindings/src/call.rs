//! One call.

use crate::client::Inner;
use crate::devices::FacingMode;
use crate::error::ChamadaError;
use crate::frame::{Frame, PhotoKind};
use crate::runtime;
use crate::signaling::CallOptions;
use chamada::client::{CallHandle, PhotoOf as CorePhotoOf};
use chamada::media::dtmf::DtmfTones;
use chamada::media::photo::encode_photo;
use chamada::signaling::message::CallId;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// One call: placed by `Client.call` or told by `Event.IncomingCall`. Once it is over, whatever is asked of it is refused with
/// `CALL`; a hang-up that comes late never hits the next call. It does not keep its client logged in.
#[derive(uniffi::Object)]
pub struct Call {
    client: Weak<Inner>,
    id: CallId,
    with: String,
}

/// Which picture to take a photo of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PhotoOf {
    /// What the own camera sees.
    Local,
    /// What the other side sends.
    Remote,
}

#[uniffi::export]
impl Call {
    /// Its identifier, as events name it.
    pub fn id(&self) -> String {
        self.id.to_string()
    }

    /// The person at the other end.
    pub fn with(&self) -> String {
        self.with.clone()
    }

    /// What this call, which rings or waits here, has differently from `Config`: before it is accepted.
    ///
    /// # Errors
    /// `CALL` if it was accepted already, was placed here, or is over.
    pub async fn configure(&self, options: CallOptions) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.configure(options.into()).await }).await
    }

    /// Takes the call that rings here.
    ///
    /// # Errors
    /// `CALL` if it does not ring here (any more).
    pub async fn accept(&self) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.accept().await }).await
    }

    /// Takes it, which waits (`Event.CallWaiting`), and puts the other one on hold.
    ///
    /// # Errors
    /// `CALL` if it does not wait or ring (any more).
    pub async fn hold_and_accept(&self) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.hold_and_accept().await }).await
    }

    /// Takes it, which waits (`Event.CallWaiting`), and ends the other one.
    ///
    /// # Errors
    /// `CALL` if it does not wait or ring (any more).
    pub async fn end_and_accept(&self) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.end_and_accept().await }).await
    }

    /// Refuses the call that rings here, or waits.
    ///
    /// # Errors
    /// `CALL` if it does not ring here (any more).
    pub async fn decline(&self) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.decline().await }).await
    }

    /// Ends it, whatever its state. `Event.CallEnded` tells when its devices are released.
    ///
    /// # Errors
    /// `CALL` if it is over.
    pub async fn hang_up(&self) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.hang_up().await }).await
    }

    /// Puts it on hold, or takes it up again. On hold nothing is sent and nothing played, camera, microphone and speaker are closed, and the
    /// connection stays. The other side is told: `CallSnapshot.remote.held` there. A call that is taken up puts the other one on hold.
    ///
    /// # Errors
    /// `CALL` if it is not accepted yet, or over.
    pub async fn set_held(&self, on: bool) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.set_held(on).await }).await
    }

    /// Changes to the camera on the other side, without a pause in the call; kept for the next call. Returns which way the
    /// new one looks, where that is known.
    ///
    /// # Errors
    /// `OVERCONSTRAINED` with `facingMode` if there is no other camera; `DEVICE_…` if it cannot be opened, in which case the
    /// old one is opened again; `CALL` if the call is over.
    pub async fn flip_camera(&self) -> Result<Option<FacingMode>, ChamadaError> {
        let call = self.handle()?;
        let facing = runtime::run(async move { call.flip_camera().await }).await?;
        Ok(facing.map(Into::into))
    }

    /// The newest picture.
    ///
    /// # Errors
    /// `NO_PICTURE` before the first; `CALL` if the call is over.
    pub async fn picture(&self, of: PhotoOf) -> Result<Arc<Frame>, ChamadaError> {
        let call = self.handle()?;
        let picture = runtime::run(async move { call.picture(of.into()).await }).await?;
        Ok(Arc::new(Frame::of(picture)))
    }

    /// The newest picture, upright, as the bytes of a JPEG or PNG file.
    ///
    /// # Errors
    /// As `picture`.
    pub async fn photo(&self, of: PhotoOf, kind: PhotoKind) -> Result<Vec<u8>, ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move {
            let picture = call.picture(of.into()).await?;
            // Compressing takes long enough to be in the way of the call.
            runtime::blocking(move || encode_photo(&picture, kind.into()).map_err(ChamadaError::from)).await
        })
        .await
    }

    /// Presses keys of a phone (DTMF, RFC 4733) in place of sound, after those that wait: `0` to `9`, `*`, `#`, `A` to `D`, and `,` for a pause of
    /// two seconds. Each sounds for 40 ms to 6 s and is followed by a gap of 30 ms to 6 s, as in W3C's `RTCDTMFSender`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for other characters, `TOO_FAST` while 256 wait, `CALL` if the call is not connected or the other side takes no
    /// tones.
    #[uniffi::method(default(duration_ms = 100, gap_ms = 70))]
    pub async fn send_dtmf(&self, tones: String, duration_ms: u32, gap_ms: u32) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        let time = |ms: u32| Duration::from_millis(ms.into());
        let tones = DtmfTones::new(&tones, time(duration_ms), time(gap_ms))?;
        runtime::run(async move { call.send_dtmf(tones).await }).await
    }

    /// Says whether the other person sees the same words (`Event.VerificationChanged`): compared by voice, and never by guess.
    ///
    /// # Errors
    /// `CALL` if there are none, or the call is over.
    pub async fn confirm_verification(&self, same: bool) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.confirm_verification(same).await }).await
    }

    /// Sends a message on the call's data channel, up to 16 KiB, which every browser takes.
    ///
    /// # Errors
    /// `CALL` while the channel is not open or the call is over, `INVALID_ARGUMENT` if the message is too long, `TOO_FAST` while
    /// 64 wait to be sent.
    pub async fn send_data(&self, data: Vec<u8>) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.send_data(data.into()).await }).await
    }
}

impl Call {
    pub(crate) fn new(client: Weak<Inner>, id: CallId, with: String) -> Self {
        Self { client, id, with }
    }

    pub(crate) fn handle(&self) -> Result<CallHandle, ChamadaError> {
        let client = self.client.upgrade().ok_or_else(|| ChamadaError::closed("client"))?;
        Ok(client.core.handle(self.id))
    }
}

same_cases!(PhotoOf => CorePhotoOf { Local, Remote });
