//! One task per peer connection: does what the engine asks for in its order, and holds the call's devices and codecs.

use super::call_media::{CallMedia, MediaStats};
use super::report::{CallStats, RateMeter};
use super::{ClientConfig, ClientError, Devices, PhotoOf, SendParameters};
use crate::call::{ConnectionState, PeerAction, PeerId, PeerReport};
use crate::facing::FacingMode;
use crate::media::capture::CameraSettings;
use crate::media::constraints::VideoConstraints;
use crate::media::frame::VideoFrame;
use crate::media::video::codec::VideoCodec;
use crate::peer::{PEER_EVENTS, PeerConfig, PeerConnection, PeerError, PeerEvent, PeerFactory};
use crate::signaling::message::{CallId, IceServer, MediaState};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};
use tokio::time::MissedTickBehavior;

/// How often a call reports its statistics.
const STATS_INTERVAL: Duration = Duration::from_secs(1);
/// How often sound and pictures of the other side are brought together.
const SYNC_INTERVAL: Duration = Duration::from_millis(250);
/// What tasks have to tell and the driver has not read yet. A task that finds it full waits, as the driver does for its app.
pub(super) const TOLD: usize = 64;

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
    pub(super) to_driver: mpsc::Sender<FromTask>,
    /// Held by the task that has the devices: where both sides called at once, the call that is given up lets go of them first.
    pub(super) devices_free: Arc<Mutex<()>>,
}

/// What a call's task tells the driver.
pub(super) enum FromTask {
    Report(PeerId, PeerReport),
    Stats(Box<CallStats>),
    /// A camera was opened, or chosen while it is off.
    Camera {
        settings: CameraSettings,
        flipped: bool,
        open: bool,
    },
    /// A camera that was to be switched on cannot be opened: it is off.
    CameraLost,
    /// What came of switching the camera; told by way of the driver, so that it has heard of a lost camera before.
    CameraSettled {
        reply: oneshot::Sender<Result<(), ClientError>>,
        result: Result<(), ClientError>,
    },
    Data(Bytes),
    Closed(PeerId),
}

/// What the driver asks of a call's task, besides the engine's actions.
pub(super) enum TaskRequest {
    Flip {
        reply: oneshot::Sender<Result<Option<FacingMode>, ClientError>>,
    },
    SetConstraints {
        constraints: Box<VideoConstraints>,
        reply: oneshot::Sender<Result<(), ClientError>>,
    },
    SetSendParameters(SendParameters),
    /// Answered once what was asked before is done, with what came of the camera.
    CameraSettled {
        reply: oneshot::Sender<Result<(), ClientError>>,
    },
    Picture {
        of: PhotoOf,
        reply: oneshot::Sender<Result<VideoFrame, ClientError>>,
    },
    SendData {
        data: Bytes,
        reply: oneshot::Sender<Result<(), ClientError>>,
    },
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
    /// Whether the other side takes redundant sound (RFC 2198).
    redundancy: bool,
    /// Round-trip time, as measured last.
    rtt: Option<Duration>,
    /// Why the camera that was to be switched on last is off.
    camera_failure: Option<ClientError>,
    rates: RateMeter,
    _devices: OwnedMutexGuard<()>,
}

impl CallTask {
    pub(super) fn spawn(context: TaskContext) -> TaskHandle {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (peer, to_driver) = (context.peer, context.to_driver.clone());
        let living = tokio::spawn(Self::live(context, inbox));
        tokio::spawn(async move {
            // The driver is gone only when the whole client is: then nobody needs to be told.
            if living.await.is_err() {
                // It panicked, in the crate below or in a device of the app's. That ends the call, not the client.
                let failed = PeerReport::MediaFailed("the call's task ended by a panic".into());
                let _ = to_driver.send(FromTask::Report(peer, failed)).await;
            }
            let _ = to_driver.send(FromTask::Closed(peer)).await;
        });
        TaskHandle { orders: Some(orders) }
    }

    async fn live(context: TaskContext, mut inbox: mpsc::UnboundedReceiver<Order>) {
        let (peer, to_driver) = (context.peer, context.to_driver.clone());
        match Self::set_up(context).await {
            Ok((task, events)) => task.run(inbox, events).await,
            Err(report) => {
                let _ = to_driver.send(FromTask::Report(peer, report)).await;
                // The engine answers by closing; until then its orders have nobody to carry them out.
                while inbox.recv().await.is_some() {}
            }
        }
    }

    async fn set_up(mut context: TaskContext) -> Result<(Self, mpsc::Receiver<PeerEvent>), PeerReport> {
        let codecs = match context.config.codecs.as_slice() {
            [] => VideoCodec::available(),
            chosen => chosen.to_vec(),
        };
        let codec = codecs.first().copied();
        let mut ice_servers = context.config.ice_servers.clone();
        ice_servers.append(&mut context.server_ice);
        let config = PeerConfig {
            offerer: context.offerer,
            ice_servers,
            relay_only: context.config.relay_only,
            bind: context.config.bind.clone(),
            loopback: context.config.signaling.is_local(),
            video_codecs: codecs,
            bitrate: context.config.bitrate,
            outage: context.config.outage.clone(),
        };
        let devices = Arc::clone(&context.devices_free).lock_owned().await;
        let (sender, events) = mpsc::channel(PEER_EVENTS);
        let connection = context
            .peers
            .create(config, sender)
            .await
            .map_err(|error| PeerReport::NegotiationFailed(error.to_string()))?;
        let mut task = Self {
            context,
            connection,
            media: CallMedia::default(),
            state: ConnectionState::Connecting,
            redundancy: false,
            rtt: None,
            camera_failure: None,
            rates: RateMeter::default(),
            _devices: devices,
        };
        match task.open_media(codec).await {
            Ok(()) => Ok((task, events)),
            Err(error) => {
                task.connection.close().await;
                task.media.release().await;
                Err(PeerReport::MediaFailed(error.to_string()))
            }
        }
    }

    /// Microphone, camera and their encoders. The preview runs from here on; nothing is sent before the call is connected.
    async fn open_media(&mut self, codec: Option<VideoCodec>) -> Result<(), ClientError> {
        let context = &self.context;
        self.media.start(&context.config, codec, &context.devices, context.media, &self.connection)?;
        if self.media.has_camera() && self.context.media.video {
            self.open_camera().await?;
        }
        self.media.open_microphone(&self.context.devices).await
    }

    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>, mut events: mpsc::Receiver<PeerEvent>) {
        let mut ticks = tokio::time::interval(STATS_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut syncs = tokio::time::interval(SYNC_INTERVAL);
        syncs.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut plans = self.connection.plan();
        self.tell_demand();
        loop {
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(Order::Action(action)) => self.on_action(action).await,
                    Some(Order::Request(request)) => self.on_request(request).await,
                    None => break,
                },
                Some(event) = events.recv() => self.on_event(event).await,
                Ok(()) = plans.changed() => {
                    let plan = *plans.borrow_and_update();
                    self.media.follow_plan(&plan);
                }
                _ = syncs.tick(), if self.state == ConnectionState::Connected => {
                    self.media.synchronize(self.connection.as_ref(), self.rtt);
                }
                _ = ticks.tick(), if self.state == ConnectionState::Connected => self.tell_stats().await,
            }
        }
        self.tell_stats().await;
        self.media.pause_video();
        self.connection.close().await;
        self.media.release().await;
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
        let failed = |error| match error {
            PeerError::NoCommonCodec => PeerReport::NoCommonCodec,
            error => PeerReport::NegotiationFailed(error.to_string()),
        };
        self.report(report.unwrap_or_else(failed)).await;
    }

    async fn on_request(&mut self, request: TaskRequest) {
        // A reply that nobody waits for any more is no failure: what was asked for was done all the same.
        match request {
            TaskRequest::Flip { reply } => {
                let was_open = self.media.camera_is_open();
                let flipped = self.flip().await;
                self.tell_if_lost(was_open).await;
                let _ = reply.send(flipped);
            }
            TaskRequest::SetConstraints { constraints, reply } => {
                self.context.config.video = *constraints;
                let was_open = self.media.camera_is_open();
                let reopened = if was_open { self.open_camera().await } else { Ok(()) };
                self.tell_if_lost(was_open).await;
                let _ = reply.send(reopened);
            }
            TaskRequest::SetSendParameters(parameters) => {
                self.context.config.sending = parameters;
                self.media.set_send_parameters(parameters);
                self.tell_demand();
            }
            TaskRequest::CameraSettled { reply } => {
                let result = self.camera_failure.take().map_or(Ok(()), Err);
                self.tell(FromTask::CameraSettled { reply, result }).await;
            }
            TaskRequest::Picture { of, reply } => {
                let _ = reply.send(self.media.picture(of).ok_or(ClientError::NoPicture));
            }
            TaskRequest::SendData { data, reply } => {
                let _ = reply.send(self.connection.send_data(data).map_err(Into::into));
            }
        }
    }

    async fn on_event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Candidate(candidate) => self.report(PeerReport::Candidate(candidate)).await,
            PeerEvent::Connection(state) => {
                self.state = state;
                self.media.follow_connection(state);
                self.report(PeerReport::Connection(state)).await;
            }
            PeerEvent::HandshakeFailed => self.report(PeerReport::HandshakeFailed).await,
            PeerEvent::AudioTrack { packets, red } => {
                self.media.receive_audio(packets, red, &self.context.devices).await;
            }
            PeerEvent::AudioRedundancy(agreed) => {
                self.redundancy = agreed;
                self.tell_demand();
            }
            PeerEvent::VideoTrack { packets, payload_types } => {
                let connection = Arc::clone(&self.connection);
                self.media.receive_video(packets, payload_types, &self.context.devices, connection).await;
            }
            PeerEvent::KeyframeWanted => self.media.request_keyframe(),
            PeerEvent::VideoCodec(codec) => self.media.set_codec(codec),
            PeerEvent::Data(data) => self.tell(FromTask::Data(data)).await,
        }
    }

    async fn set_media(&mut self, media: MediaState) {
        let before = std::mem::replace(&mut self.context.media, media);
        self.media.set_muted(!media.audio);
        if before.video == media.video || !self.media.has_camera() {
            return;
        }
        self.media.set_video(media.video);
        self.tell_demand();
        if !media.video {
            if let Err(error) = self.media.close_camera().await {
                log::warn!("the camera did not close: {error}");
            }
        } else if let Err(error) = self.open_camera().await {
            log::warn!("the camera cannot be opened again: {error}");
            self.camera_failure = Some(error);
            self.tell(FromTask::CameraLost).await;
        }
    }

    async fn open_camera(&mut self) -> Result<(), ClientError> {
        let settings = self.media.open_camera(self.context.config.video.clone()).await?;
        self.tell(FromTask::Camera { settings, flipped: false, open: true }).await;
        Ok(())
    }

    /// On the way to another camera the one that was open may have been lost: the call is then one without.
    async fn tell_if_lost(&mut self, was_open: bool) {
        if was_open && !self.media.camera_is_open() {
            self.tell(FromTask::CameraLost).await;
        }
    }

    async fn flip(&mut self) -> Result<Option<FacingMode>, ClientError> {
        let settings = self.media.flip_camera(self.context.config.video.clone()).await?;
        let facing = settings.facing;
        self.context.config.video = self.context.config.video.preferring(&settings.device_id, facing);
        self.tell(FromTask::Camera { settings, flipped: true, open: self.media.camera_is_open() }).await;
        Ok(facing)
    }

    async fn tell_stats(&mut self) {
        let peer = self.connection.stats().await;
        self.rtt = peer.rtt;
        let media = self.media.stats();
        let MediaStats { video_sent, video_received, audio_sent, audio_received, .. } = media;
        let stats = CallStats {
            call: self.context.call,
            rates: self.rates.update(&peer),
            peer,
            video_sent,
            video_received,
            audio_sent,
            audio_received,
            camera: self.media.camera_settings(),
            max_video_bps: self.context.config.sending.bounds.max_bitrate_bps.min(self.context.config.bitrate.max),
            av_offset_ms: media.av_offset_ms,
            av_offset_ms_p95: media.av_offset_ms_p95,
        };
        self.tell(FromTask::Stats(Box::new(stats))).await;
    }

    fn tell_demand(&self) {
        self.connection.set_demand(self.media.demand(self.context.config.bitrate.max, self.redundancy));
    }

    async fn report(&mut self, report: PeerReport) {
        self.tell(FromTask::Report(self.context.peer, report)).await;
    }

    async fn tell(&mut self, message: FromTask) {
        // The driver is gone only when the whole client is.
        let _ = self.context.to_driver.send(message).await;
    }
}
