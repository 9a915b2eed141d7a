//! Devices and codecs of one call: opened at its start, changed while it goes on, released at its end.

use super::call_audio::CallAudioDevice;
use super::call_camera::{CallCamera, CameraOrder};
use super::call_task::TaskContext;
use super::device_thread::DeviceThread;
use super::screen::ScreenFeed;
use super::{ClientError, DeviceKind, Devices, PhotoOf, SendParameters};
use crate::call::ConnectionState;
use crate::congestion::{Demand, Plan};
use crate::media::audio::{AudioReceiver, AudioReceiverStats, AudioSender, AudioSenderStats};
use crate::media::capture::{CameraSettings, CaptureError, VideoRenderer};
use crate::media::frame::VideoFrame;
use crate::media::rtp::RtpPacket;
use crate::media::sync::{Adjust, LipSync, LipSyncInputs, Playing};
use crate::media::video::codec::{EncodedFrame, VideoCodec};
use crate::media::video::{
    VideoBounds, VideoReceiver, VideoReceiverStats, VideoSender, VideoSenderConfig, VideoSenderStats, VideoSource,
};
use crate::peer::PeerConnection;
use crate::signaling::message::MediaState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// What the black pictures need that are sent while the camera is off, in bits per second.
const BLACK_BPS: u32 = 50_000;

/// How long the end of a call waits for devices and codecs. A device that takes longer is closed when it returns.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// Dropping it joins threads: see [`CallMedia::release`].
#[derive(Default)]
pub(super) struct CallMedia {
    camera: Option<CallCamera>,
    microphone: Option<CallAudioDevice>,
    speaker: Option<CallAudioDevice>,
    video_sender: Option<VideoSender>,
    audio_sender: Option<AudioSender>,
    video_receiver: Option<VideoReceiver>,
    audio_receiver: Option<AudioReceiver>,
    lip_sync: LipSync,
    /// The screen that is shared, or about to be.
    screen: Option<ScreenFeed>,
    /// Whether the pictures of camera or screen are sent, and not black ones.
    video_enabled: bool,
    /// What is to be sent, and whether the call is on hold here.
    local: MediaState,
    /// Whether the other side sends pictures, and whether it has put the call on hold.
    remote: MediaState,
    /// Whether what comes is shown.
    gate: Arc<RendererGate>,
    sending: SendParameters,
    connected: bool,
}

/// What the pipelines measured.
pub(super) struct MediaStats {
    pub(super) video_sent: Option<VideoSenderStats>,
    pub(super) video_received: Option<VideoReceiverStats>,
    pub(super) audio_sent: Option<AudioSenderStats>,
    pub(super) audio_received: Option<AudioReceiverStats>,
    /// See [`LipSync::offset_ms`] and [`LipSync::offset_p95_ms`].
    pub(super) av_offset_ms: Option<f64>,
    pub(super) av_offset_ms_p95: Option<f64>,
}

impl CallMedia {
    /// Starts the encoders, with nothing to encode yet and, for video, paused, and has the devices opened.
    pub(super) fn start(
        &mut self,
        context: &TaskContext,
        codec: Option<VideoCodec>,
        connection: &Arc<dyn PeerConnection>,
    ) -> Result<(), ClientError> {
        let TaskContext { config, devices, media, device_threads, to_driver, .. } = context;
        self.sending = config.sending;
        self.local = *media;
        self.gate.shut.store(media.held, Ordering::Release);
        self.screen = context.screen.clone();
        if let Some(codec) = codec {
            self.start_video(context, codec, Arc::clone(connection))?;
        }
        if let Some(provider) = devices.audio.clone() {
            let connection = Arc::clone(connection);
            let sender = AudioSender::start(Arc::new(move |packet| connection.send_audio(packet)))
                .map_err(|error| CaptureError::NotReadable(format!("microphone: {error}")))?;
            sender.set_muted(!media.sent().audio);
            let device = |kind, thread: &DeviceThread| CallAudioDevice::start(kind, thread.clone(), to_driver.clone());
            let microphone = device(DeviceKind::Microphone, &device_threads.microphone);
            if !media.held {
                microphone.open_microphone(provider, sender.sink());
            }
            self.microphone = Some(microphone);
            self.speaker = Some(device(DeviceKind::Speaker, &device_threads.speaker));
            self.audio_sender = Some(sender);
        }
        Ok(())
    }

    fn start_video(
        &mut self,
        context: &TaskContext,
        codec: VideoCodec,
        connection: Arc<dyn PeerConnection>,
    ) -> Result<(), ClientError> {
        let TaskContext { config, devices, media, device_threads, to_driver, .. } = context;
        let pacer = Arc::clone(&connection);
        let gate = Arc::new(move || pacer.video_backlog());
        let output = Arc::new(move |frame: EncodedFrame| connection.send_video(frame));
        let sending = VideoSenderConfig { codec, fps: 30.0, bitrate_bps: config.bitrate.start };
        let sender = VideoSender::start(sending, gate, output)
            .map_err(|error| CaptureError::NotReadable(format!("camera: {error}")))?;
        sender.set_paused(true);
        let on = media.sent().video;
        sender.set_enabled(on);
        sender.set_preview(devices.preview.clone());
        self.video_enabled = on;
        if let Some(provider) = devices.cameras.clone() {
            let (wish, thread) = (config.video.clone(), device_threads.camera.clone());
            let camera = CallCamera::start(provider, sender.sink(), wish, thread, to_driver.clone());
            if films(*media) {
                camera.order(CameraOrder::Switch(true));
            }
            self.camera = Some(camera);
        }
        self.video_sender = Some(sender);
        self.follow_source();
        Ok(())
    }

    /// Whether a camera could be opened at all.
    pub(super) fn has_camera(&self) -> bool {
        self.camera.is_some()
    }

    /// What the open camera delivers.
    pub(super) fn camera_settings(&self) -> Option<CameraSettings> {
        self.camera.as_ref()?.settings().borrow().clone()
    }

    /// Tells when [`CallMedia::camera_settings`] change.
    pub(super) fn watch_camera(&self) -> Option<watch::Receiver<Option<CameraSettings>>> {
        self.camera.as_ref().map(CallCamera::settings)
    }

    /// Has the camera do something. Without one, questions are answered so.
    pub(super) fn order_camera(&self, order: CameraOrder) {
        match &self.camera {
            Some(camera) => camera.order(order),
            None => order.refuse(),
        }
    }

    /// Shows the own picture as the open camera wants it.
    pub(super) fn mirror_preview(&self) {
        if let (Some(sender), Some(settings)) = (&self.video_sender, self.camera_settings()) {
            sender.set_mirror_preview(settings.mirrors_preview());
        }
    }

    /// What is sent from now on, and whether the call is on hold: then it has no device, so that another call can.
    pub(super) fn set_local(&mut self, media: MediaState, devices: &Devices) {
        let before = std::mem::replace(&mut self.local, media);
        if before.screen != media.screen {
            if !media.screen {
                self.screen = None;
            }
            self.follow_source();
        }
        self.gate.shut.store(media.held, Ordering::Release);
        self.send_as_agreed();
        if before.held != media.held {
            self.expect_as_agreed();
        }
        if let Some(speaker) = &self.speaker
            && before.held != media.held
        {
            match (&devices.audio, &self.audio_receiver) {
                (Some(provider), Some(receiver)) if !media.held => {
                    speaker.open_speaker(Arc::clone(provider), receiver.source());
                }
                _ => speaker.release(),
            }
        }
        if let (Some(microphone), Some(sender), Some(provider)) = (&self.microphone, &self.audio_sender, &devices.audio)
        {
            // One that could not be opened is tried again when it is switched on.
            let opens = before.held || (media.audio && microphone.has_failed());
            match media.held {
                true if !before.held => microphone.release(),
                false if opens => microphone.open_microphone(Arc::clone(provider), sender.sink()),
                _ => {}
            }
        }
        if films(before) != films(media) {
            self.order_camera(CameraOrder::Switch(films(media)));
        }
    }

    /// The screen to send once that is told by [`CallMedia::set_local`].
    pub(super) fn set_screen(&mut self, feed: ScreenFeed) {
        self.screen = Some(feed);
    }

    /// The screen that is sent in place of the camera.
    fn shared_screen(&self) -> Option<&ScreenFeed> {
        self.screen.as_ref().filter(|_| self.local.screen)
    }

    /// Sends what is to be sent, camera or screen, in the way that suits it.
    fn follow_source(&mut self) {
        if let Some(sender) = &self.video_sender {
            match self.shared_screen() {
                Some(feed) => {
                    sender.set_source(VideoSource::Screen);
                    feed.attach(sender.screen_sink());
                }
                None => sender.set_source(VideoSource::Camera),
            }
        }
        self.set_send_parameters(self.sending);
        self.follow_state();
    }

    /// Whether there is anything to send: with neither camera nor screen there are no black pictures either.
    fn has_video(&self) -> bool {
        self.camera.is_some() || self.local.screen
    }

    /// What the other side says of its sound and pictures. While it has the call on hold it takes none of this side's, and gets silence and black.
    pub(super) fn set_remote(&mut self, remote: MediaState) {
        self.remote = remote;
        self.send_as_agreed();
        self.expect_as_agreed();
    }

    /// Sends sound and the camera's pictures, or silence and black ones.
    fn send_as_agreed(&mut self) {
        let sent = MediaState { held: self.local.held || self.remote.held, ..self.local }.sent();
        self.video_enabled = sent.video;
        if let Some(sender) = &self.video_sender {
            sender.set_enabled(sent.video);
        }
        if let Some(sender) = &self.audio_sender {
            sender.set_muted(!sent.audio);
        }
    }

    /// While the other side says that it sends no pictures, or nobody looks, none is missing.
    fn expect_as_agreed(&self) {
        if let Some(receiver) = &self.video_receiver {
            receiver.set_expected(self.remote.video && !self.local.held);
        }
    }

    /// Pictures are encoded only while somebody can receive them; what comes after a gap begins with a keyframe.
    pub(super) fn follow_connection(&mut self, state: ConnectionState) {
        self.connected = state == ConnectionState::Connected;
        self.follow_state();
        if self.connected {
            self.request_keyframe();
        }
    }

    fn follow_state(&self) {
        if let Some(sender) = &self.video_sender {
            sender.set_paused(!self.connected || !self.has_video());
        }
    }

    pub(super) fn pause_video(&self) {
        if let Some(sender) = &self.video_sender {
            sender.set_paused(true);
        }
    }

    pub(super) fn request_keyframe(&self) {
        if let Some(sender) = &self.video_sender {
            sender.request_keyframe();
        }
    }

    /// Sends as the path allows.
    pub(super) fn follow_plan(&self, plan: &Plan) {
        if let Some(sender) = &self.video_sender {
            sender.follow(plan.video);
        }
        if let Some(sender) = &self.audio_sender {
            sender.follow(plan.audio);
        }
    }

    /// How pictures are sent from now on.
    pub(super) fn set_send_parameters(&mut self, parameters: SendParameters) {
        self.sending = parameters;
        if let Some(sender) = &self.video_sender {
            let (degradation, bounds) = match self.shared_screen() {
                // Smaller text is none. Bitrate and frame rate are the path's and the device's, whatever is sent.
                Some(feed) => (
                    feed.hint.degradation(),
                    VideoBounds { max_width: u32::MAX, max_height: u32::MAX, ..parameters.bounds },
                ),
                None => (parameters.degradation, parameters.bounds),
            };
            sender.set_degradation(degradation);
            sender.set_bounds(bounds);
            sender.set_thermal(parameters.thermal);
        }
    }

    /// What would be sent if the path carried it.
    pub(super) fn demand(&self, most_video_bps: u32, redundancy: bool) -> Demand {
        let video_bps = match &self.video_sender {
            None => 0,
            Some(_) if !self.has_video() => 0,
            Some(_) if !self.video_enabled => BLACK_BPS,
            Some(_) => most_video_bps.min(self.sending.bounds.max_bitrate_bps),
        };
        let audio_bps = if self.audio_sender.is_some() { AudioSender::FIRST_PLAN.bitrate_bps } else { 0 };
        Demand { video_bps, audio_bps, redundancy }
    }

    /// Brings sound and pictures of the other side together, and tells the receiver how long a repair takes.
    pub(super) fn synchronize(&mut self, connection: &dyn PeerConnection, rtt: Option<Duration>) {
        if let (Some(receiver), Some(rtt)) = (&self.video_receiver, rtt) {
            receiver.set_rtt(rtt);
        }
        let audio = self.audio_receiver.as_ref().and_then(AudioReceiver::playing);
        let video = self.video_receiver.as_ref().and_then(VideoReceiver::playing);
        let report = |playing: Option<Playing>| playing.and_then(|playing| connection.sender_report(playing.ssrc));
        let inputs = LipSyncInputs { audio_report: report(audio), video_report: report(video), audio, video };
        let Some(Adjust { audio, video }) = self.lip_sync.update(Instant::now(), &inputs) else { return };
        if let Some(receiver) = &self.audio_receiver {
            receiver.set_extra_delay(audio);
        }
        if let Some(receiver) = &self.video_receiver {
            receiver.set_extra_delay(video);
        }
    }

    pub(super) fn set_codec(&self, codec: VideoCodec) {
        if let Some(sender) = &self.video_sender {
            sender.set_codec(codec);
        }
    }

    pub(super) async fn receive_audio(
        &mut self,
        packets: mpsc::Receiver<RtpPacket>,
        red: Option<u8>,
        devices: &Devices,
    ) {
        // An earlier track of this call: its thread is waited for.
        let before = self.audio_receiver.take();
        if before.is_some()
            && let Err(error) = blocking(move || drop(before)).await
        {
            log::warn!("the receiver of an earlier track did not stop: {error}");
        }
        let receiver = match AudioReceiver::start(packets, red) {
            Ok(receiver) => receiver,
            Err(error) => return log::warn!("sound cannot be played: {error}"),
        };
        if let (Some(provider), Some(speaker), false) = (devices.audio.clone(), &self.speaker, self.local.held) {
            speaker.open_speaker(provider, receiver.source());
        }
        self.audio_receiver = Some(receiver);
    }

    pub(super) async fn receive_video(
        &mut self,
        packets: mpsc::Receiver<RtpPacket>,
        payload_types: Vec<(u8, VideoCodec)>,
        devices: &Devices,
        connection: Arc<dyn PeerConnection>,
    ) {
        let before = self.video_receiver.take();
        if before.is_some()
            && let Err(error) = blocking(move || drop(before)).await
        {
            log::warn!("the receiver of an earlier track did not stop: {error}");
        }
        let renderer = devices.remote.clone().unwrap_or_else(|| Arc::new(NoRenderer));
        let renderer = Arc::new(GatedRenderer { gate: Arc::clone(&self.gate), renderer });
        let want_keyframe = Arc::new(move || connection.request_keyframe());
        let receiver = VideoReceiver::start(payload_types, packets, want_keyframe, renderer);
        self.video_receiver = Some(receiver);
        self.expect_as_agreed();
    }

    pub(super) fn picture(&self, of: PhotoOf) -> Option<VideoFrame> {
        match of {
            PhotoOf::Local => self.video_sender.as_ref().and_then(VideoSender::latest_frame),
            PhotoOf::Remote => self.video_receiver.as_ref().and_then(VideoReceiver::latest_frame),
        }
    }

    pub(super) fn stats(&self) -> MediaStats {
        MediaStats {
            video_sent: self.video_sender.as_ref().filter(|_| self.has_video()).map(VideoSender::stats),
            video_received: self.video_receiver.as_ref().map(VideoReceiver::stats),
            audio_sent: self.audio_sender.as_ref().map(AudioSender::stats),
            audio_received: self.audio_receiver.as_ref().map(AudioReceiver::stats),
            av_offset_ms: self.lip_sync.offset_ms(),
            av_offset_ms_p95: self.lip_sync.offset_p95_ms(),
        }
    }

    /// Closes devices and stops codecs, and waits for them, but not for ever.
    pub(super) async fn release(mut self) {
        let camera = self.camera.take().map(CallCamera::close);
        let audio = [self.microphone.take(), self.speaker.take()].map(|device| device.map(CallAudioDevice::close));
        let devices = async {
            for task in [camera].into_iter().chain(audio).flatten() {
                // One that panicked has dropped what it had.
                let _ = task.await;
            }
        };
        let codecs = blocking(move || drop(self));
        let released = async { tokio::join!(devices, codecs).1 };
        match tokio::time::timeout(RELEASE_TIMEOUT, released).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("a codec did not stop: {error}"),
            Err(_) => log::warn!("a device does not close"),
        }
    }
}

/// Whether the camera is open.
fn films(media: MediaState) -> bool {
    media.sent().video && !media.screen
}

/// Runs what may wait for a device on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CaptureError::NotReadable(format!("the device's driver failed: {error}")).into())
}

/// Whether pictures of the other side are kept back, since the call is on hold here.
#[derive(Default)]
struct RendererGate {
    shut: AtomicBool,
}

/// Shows what the other side sends unless the call is on hold: a peer that does not know of holds goes on sending.
struct GatedRenderer {
    gate: Arc<RendererGate>,
    renderer: Arc<dyn VideoRenderer>,
}

impl VideoRenderer for GatedRenderer {
    fn render(&self, frame: VideoFrame) {
        if !self.gate.shut.load(Ordering::Acquire) {
            self.renderer.render(frame);
        }
    }
}

struct NoRenderer;

impl VideoRenderer for NoRenderer {
    fn render(&self, _: VideoFrame) {}
}
