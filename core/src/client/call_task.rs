//! One task per peer connection: does what the engine asks for in its order, and holds the call's devices and codecs.

use super::devices::Camera;
use super::report::CallStats;
use super::{ClientConfig, ClientError, Devices, PhotoOf};
use crate::call::{CallError, ConnectionState, PeerAction, PeerId, PeerReport};
use crate::facing::FacingMode;
use crate::media::audio::{AudioReceiver, AudioSender};
use crate::media::capture::{CameraProvider, CameraSettings, CaptureError, CaptureHandle, VideoRenderer};
use crate::media::constraints::VideoConstraints;
use crate::media::frame::VideoFrame;
use crate::media::rtp::RtpPacket;
use crate::media::video::codec::{EncodedFrame, VideoCodec};
use crate::media::video::{VideoReceiver, VideoSender, VideoSenderConfig};
use crate::peer::{PeerConfig, PeerConnection, PeerEvent, PeerFactory};
use crate::signaling::message::{CallId, IceServer, MediaState};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

/// How often a call reports its statistics.
const STATS_INTERVAL: Duration = Duration::from_secs(1);
/// Kept free of the bandwidth estimate for sound and its overhead, in bits per second.
const AUDIO_SHARE_BPS: u32 = 48_000;

/// Everything a call's task is made of.
pub(super) struct TaskContext {
    pub(super) call: Option<CallId>,
    pub(super) peer: PeerId,
    pub(super) offerer: bool,
    pub(super) media: MediaState,
    pub(super) config: ClientConfig,
    pub(super) server_ice: Vec<IceServer>,
    pub(super) devices: Devices,
    pub(super) peers: Arc<dyn PeerFactory>,
    pub(super) to_driver: mpsc::UnboundedSender<FromTask>,
}

/// What a call's task tells the driver.
pub(super) enum FromTask {
    Report(PeerId, PeerReport),
    Stats(Box<CallStats>),
    Camera { settings: CameraSettings, flipped: bool },
    Data(Bytes),
    Closed(PeerId),
}

/// What the driver asks of a call's task, besides the engine's actions.
pub(super) enum TaskRequest {
    Flip { reply: oneshot::Sender<Result<Option<FacingMode>, ClientError>> },
    SetConstraints { constraints: Box<VideoConstraints>, reply: oneshot::Sender<Result<(), ClientError>> },
    Picture { of: PhotoOf, reply: oneshot::Sender<Result<VideoFrame, ClientError>> },
    SendData { data: Bytes, reply: oneshot::Sender<Result<(), ClientError>> },
}

enum Order {
    Action(PeerAction),
    Request(TaskRequest),
}

/// The driver's end of a call's task.
pub(super) struct TaskHandle {
    /// Filled only by the engine and by requests that wait for their answer, so it stays short.
    orders: Option<mpsc::UnboundedSender<Order>>,
}

impl TaskHandle {
    pub(super) fn act(&self, action: PeerAction) {
        self.order(Order::Action(action));
    }

    pub(super) fn ask(&self, request: TaskRequest) {
        self.order(Order::Request(request));
    }

    /// Lets the task do what it was asked for so far and then close; false if it was told before.
    pub(super) fn close(&mut self) -> bool {
        self.orders.take().is_some()
    }

    pub(super) fn is_closing(&self) -> bool {
        self.orders.is_none()
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // A task that is gone has told so by `Closed`.
            let _ = orders.send(order);
        }
    }
}

pub(super) struct CallTask {
    context: TaskContext,
    connection: Arc<dyn PeerConnection>,
    media: CallMedia,
    state: ConnectionState,
}

/// Devices and codecs of one call. Dropping it joins threads and closes devices, so it is dropped on a blocking thread.
#[derive(Default)]
struct CallMedia {
    camera: Option<Camera>,
    microphone: Option<Box<dyn CaptureHandle>>,
    speaker: Option<Box<dyn CaptureHandle>>,
    video_sender: Option<VideoSender>,
    audio_sender: Option<AudioSender>,
    video_receiver: Option<VideoReceiver>,
    audio_receiver: Option<AudioReceiver>,
}

impl CallTask {
    pub(super) fn spawn(context: TaskContext) -> TaskHandle {
        let (orders, inbox) = mpsc::unbounded_channel();
        tokio::spawn(Self::live(context, inbox));
        TaskHandle { orders: Some(orders) }
    }

    async fn live(context: TaskContext, mut inbox: mpsc::UnboundedReceiver<Order>) {
        let (peer, to_driver) = (context.peer, context.to_driver.clone());
        match Self::set_up(context).await {
            Ok((task, events)) => task.run(inbox, events).await,
            Err(report) => {
                // The driver is gone only when the whole client is.
                let _ = to_driver.send(FromTask::Report(peer, report));
                // The engine answers by closing; until then its orders have nobody to carry them out.
                while inbox.recv().await.is_some() {}
            }
        }
        let _ = to_driver.send(FromTask::Closed(peer));
    }

    async fn set_up(mut context: TaskContext) -> Result<(Self, mpsc::UnboundedReceiver<PeerEvent>), PeerReport> {
        let codecs = match context.config.codecs.as_slice() {
            [] => VideoCodec::available(),
            chosen => chosen.to_vec(),
        };
        let mut ice_servers = context.config.ice_servers.clone();
        ice_servers.append(&mut context.server_ice);
        let config = PeerConfig {
            offerer: context.offerer,
            ice_servers,
            relay_only: context.config.relay_only,
            bind: context.config.bind.clone(),
            loopback: context.config.loopback,
            video_codecs: codecs.clone(),
            bitrate: context.config.bitrate,
        };
        let (sender, events) = mpsc::unbounded_channel();
        let connection = context
            .peers
            .create(config, sender)
            .await
            .map_err(|error| PeerReport::NegotiationFailed(error.to_string()))?;
        let mut task =
            Self { context, connection, media: CallMedia::default(), state: ConnectionState::Connecting };
        match task.open_media(codecs.first().copied()).await {
            Ok(()) => Ok((task, events)),
            Err(error) => {
                task.connection.close().await;
                task.release_media().await;
                Err(PeerReport::MediaFailed(error.to_string()))
            }
        }
    }

    /// Microphone, camera and their encoders. The preview runs from here on; nothing is sent before the call is connected.
    async fn open_media(&mut self, codec: Option<VideoCodec>) -> Result<(), ClientError> {
        if let (Some(provider), Some(codec)) = (self.context.devices.cameras.clone(), codec) {
            self.start_video(provider, codec)?;
            if self.context.media.video {
                self.open_camera().await?;
            }
        }
        if let Some(provider) = self.context.devices.audio.clone() {
            let connection = Arc::clone(&self.connection);
            let sender = AudioSender::start(Arc::new(move |packet, timestamp| connection.send_audio(packet, timestamp)))
                .map_err(|error| CaptureError::NotReadable(format!("microphone: {error}")))?;
            sender.set_muted(!self.context.media.audio);
            let sink = sender.sink();
            self.media.microphone = Some(blocking(move || provider.open_microphone(sink)).await??);
            self.media.audio_sender = Some(sender);
        }
        Ok(())
    }

    fn start_video(
        &mut self,
        provider: Arc<dyn CameraProvider>,
        codec: VideoCodec,
    ) -> Result<(), ClientError> {
        let connection = Arc::clone(&self.connection);
        let output = Arc::new(move |frame: EncodedFrame| connection.send_video(frame));
        let config = VideoSenderConfig { codec, fps: 30.0, bitrate_bps: self.context.config.bitrate.start };
        let sender = VideoSender::start(config, output).map_err(|error| CaptureError::NotReadable(format!("camera: {error}")))?;
        sender.set_paused(true);
        sender.set_enabled(self.context.media.video);
        sender.set_preview(self.context.devices.preview.clone());
        self.media.camera = Some(Camera::new(provider, sender.sink()));
        self.media.video_sender = Some(sender);
        Ok(())
    }

    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>, mut events: mpsc::UnboundedReceiver<PeerEvent>) {
        let mut ticks = tokio::time::interval(STATS_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(Order::Action(action)) => self.on_action(action).await,
                    Some(Order::Request(request)) => self.on_request(request).await,
                    None => break,
                },
                Some(event) = events.recv() => self.on_event(event).await,
                _ = ticks.tick(), if self.state == ConnectionState::Connected => self.tell_stats().await,
            }
        }
        self.tell_stats().await;
        if let Some(sender) = &self.media.video_sender {
            sender.set_paused(true);
        }
        self.connection.close().await;
        self.release_media().await;
    }

    async fn on_action(&mut self, action: PeerAction) {
        let report = match action {
            PeerAction::Offer { ice_restart } => {
                self.connection.offer(ice_restart).await.map(PeerReport::LocalDescription)
            }
            PeerAction::Answer { offer, rollback } => {
                self.connection.answer(offer, rollback).await.map(PeerReport::LocalDescription)
            }
            PeerAction::ApplyAnswer(answer) => {
                self.connection.apply_answer(answer).await.map(|()| PeerReport::AnswerApplied)
            }
            PeerAction::AddCandidate(candidate) => {
                if let Err(error) = self.connection.add_candidate(candidate).await {
                    log::debug!("a candidate of the other side was left out: {error}");
                }
                return;
            }
            PeerAction::SetMedia(media) => return self.set_media(media).await,
            // The driver makes and closes tasks itself.
            PeerAction::Create { .. } | PeerAction::Close => return,
        };
        self.report(report.unwrap_or_else(|error| PeerReport::NegotiationFailed(error.to_string())));
    }

    async fn on_request(&mut self, request: TaskRequest) {
        // A reply that nobody waits for any more is no failure: what was asked for was done all the same.
        match request {
            TaskRequest::Flip { reply } => {
                let constraints = self.context.config.video.clone();
                let settings = self.with_camera(move |camera| camera.flip(&constraints)).await;
                let _ = reply.send(settings.map(|settings| {
                    self.context.config.video =
                        self.context.config.video.preferring(&settings.device_id, settings.facing);
                    self.camera_opened(settings.clone(), true);
                    settings.facing
                }));
            }
            TaskRequest::SetConstraints { constraints, reply } => {
                self.context.config.video = *constraints;
                let reopened = match self.media.camera.as_ref().and_then(Camera::settings) {
                    Some(_) => self.open_camera().await,
                    None => Ok(()),
                };
                let _ = reply.send(reopened);
            }
            TaskRequest::Picture { of, reply } => {
                let picture = match of {
                    PhotoOf::Local => self.media.video_sender.as_ref().and_then(VideoSender::latest_frame),
                    PhotoOf::Remote => self.media.video_receiver.as_ref().and_then(VideoReceiver::latest_frame),
                };
                let _ = reply.send(picture.ok_or(ClientError::NoPicture));
            }
            TaskRequest::SendData { data, reply } => {
                let sent = self.connection.send_data(data);
                let _ = reply.send(if sent { Ok(()) } else { Err(CallError::NoCall.into()) });
            }
        }
    }

    async fn on_event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Candidate(candidate) => self.report(PeerReport::Candidate(candidate)),
            PeerEvent::Connection(state) => {
                self.state = state;
                if let Some(sender) = &self.media.video_sender {
                    sender.set_paused(state != ConnectionState::Connected);
                    if state == ConnectionState::Connected {
                        sender.request_keyframe();
                    }
                }
                self.report(PeerReport::Connection(state));
            }
            PeerEvent::AudioTrack(packets) => self.receive_audio(packets).await,
            PeerEvent::VideoTrack { packets, payload_types } => self.receive_video(packets, payload_types),
            PeerEvent::KeyframeWanted => {
                if let Some(sender) = &self.media.video_sender {
                    sender.request_keyframe();
                }
            }
            PeerEvent::Estimate(bps) => {
                if let Some(sender) = &self.media.video_sender {
                    let floor = self.context.config.bitrate.min.saturating_sub(AUDIO_SHARE_BPS).max(30_000);
                    sender.set_bitrate(bps.saturating_sub(AUDIO_SHARE_BPS).max(floor));
                }
            }
            PeerEvent::VideoCodec(codec) => {
                if let Some(sender) = &self.media.video_sender {
                    sender.set_codec(codec);
                }
            }
            PeerEvent::Data(data) => self.tell(FromTask::Data(data)),
        }
    }

    async fn receive_audio(&mut self, packets: mpsc::Receiver<RtpPacket>) {
        let receiver = match AudioReceiver::start(packets) {
            Ok(receiver) => receiver,
            Err(error) => return log::warn!("sound cannot be played: {error}"),
        };
        if let Some(provider) = self.context.devices.audio.clone() {
            let source = receiver.source();
            match blocking(move || provider.open_speaker(source)).await {
                Ok(Ok(speaker)) => self.media.speaker = Some(speaker),
                Ok(Err(error)) => log::warn!("speaker: {error}"),
                Err(error) => log::warn!("speaker: {error}"),
            }
        }
        self.media.audio_receiver = Some(receiver);
    }

    fn receive_video(&mut self, packets: mpsc::Receiver<RtpPacket>, payload_types: Vec<(u8, VideoCodec)>) {
        let connection = Arc::clone(&self.connection);
        let renderer = self.context.devices.remote.clone().unwrap_or_else(|| Arc::new(NoRenderer));
        let want_keyframe = Arc::new(move || connection.request_keyframe());
        self.media.video_receiver = Some(VideoReceiver::start(payload_types, packets, want_keyframe, renderer));
    }

    async fn set_media(&mut self, media: MediaState) {
        let before = std::mem::replace(&mut self.context.media, media);
        if let Some(sender) = &self.media.audio_sender {
            sender.set_muted(!media.audio);
        }
        if before.video == media.video {
            return;
        }
        if let Some(sender) = &self.media.video_sender {
            sender.set_enabled(media.video);
        }
        if media.video {
            if let Err(error) = self.open_camera().await {
                log::warn!("the camera cannot be opened again: {error}");
            }
        } else if let Err(error) = self.with_camera(|camera| { camera.close(); Ok(()) }).await {
            log::debug!("there was no camera to close: {error}");
        }
    }

    async fn open_camera(&mut self) -> Result<(), ClientError> {
        let constraints = self.context.config.video.clone();
        let settings = self.with_camera(move |camera| camera.open(&constraints)).await?;
        self.camera_opened(settings, false);
        Ok(())
    }

    fn camera_opened(&self, settings: CameraSettings, flipped: bool) {
        if let Some(sender) = &self.media.video_sender {
            sender.set_mirror_preview(settings.facing.is_some_and(FacingMode::mirrors_preview));
        }
        self.tell(FromTask::Camera { settings, flipped });
    }

    /// Does something with the camera on a thread that may block.
    async fn with_camera<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Camera) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, ClientError> {
        let Some(mut camera) = self.media.camera.take() else {
            return Err(CaptureError::NotFound("there is no camera".into()).into());
        };
        let (camera, result) = blocking(move || {
            let result = work(&mut camera);
            (camera, result)
        })
        .await?;
        self.media.camera = Some(camera);
        result
    }

    async fn tell_stats(&self) {
        let stats = CallStats {
            call: self.context.call,
            peer: self.connection.stats().await,
            video_sent: self.media.video_sender.as_ref().map(VideoSender::stats),
            video_received: self.media.video_receiver.as_ref().map(VideoReceiver::stats),
            audio_sent: self.media.audio_sender.as_ref().map(AudioSender::stats),
            audio_received: self.media.audio_receiver.as_ref().map(AudioReceiver::stats),
        };
        self.tell(FromTask::Stats(Box::new(stats)));
    }

    async fn release_media(&mut self) {
        let media = std::mem::take(&mut self.media);
        if let Err(error) = blocking(move || drop(media)).await {
            log::warn!("a device did not close: {error}");
        }
    }

    fn report(&self, report: PeerReport) {
        self.tell(FromTask::Report(self.context.peer, report));
    }

    fn tell(&self, message: FromTask) {
        // The driver is gone only when the whole client is.
        let _ = self.context.to_driver.send(message);
    }
}

/// Runs what may wait for a device on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| CaptureError::NotReadable(format!("the device's driver failed: {error}")).into())
}

struct NoRenderer;

impl VideoRenderer for NoRenderer {
    fn render(&self, _: VideoFrame) {}
}
