//! One task per peer connection: does what the engine asks for in its order, and holds the call's devices and codecs.

use super::call_camera::CameraOrder;
use super::call_media::{CallMedia, MediaStats};
use super::device_thread::DeviceThreads;
use super::driver::FromScreen;
use super::files::{CallFiles, FileInput};
use super::report::{CallStats, RateMeter};
use super::screen::ScreenFeed;
use super::verification::{CallCheck, Change};
use super::{ClientConfig, ClientError, DeviceKind, Devices, PhotoOf, SendParameters, Verification};
use crate::call::{ConnectionState, PeerAction, PeerId, PeerReport};
use crate::facing::FacingMode;
use crate::files::FileEvent;
use crate::media::capture::CameraSettings;
use crate::media::constraints::VideoConstraints;
use crate::media::dtmf::{DtmfTone, DtmfTones};
use crate::media::frame::VideoFrame;
use crate::media::video::codec::VideoCodec;
use crate::peer::{AgreedMedia, PEER_EVENTS, PeerConfig, PeerConnection, PeerError, PeerEvent, PeerFactory};
use crate::security::{RememberedPerson, Secret};
use crate::signaling::message::{CallId, IceServer, MediaState, SessionDescription};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
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
    /// Who should be at the other end, and what is remembered of them.
    pub(super) person: RememberedPerson,
    pub(super) media: MediaState,
    /// See [`PeerConfig::keeps_ice_of`].
    pub(super) keeps_ice_of: Option<SessionDescription>,
    pub(super) config: ClientConfig,
    pub(super) server_ice: Vec<IceServer>,
    pub(super) devices: Devices,
    pub(super) peers: Arc<dyn PeerFactory>,
    pub(super) to_driver: mpsc::Sender<FromTask>,
    pub(super) device_threads: DeviceThreads,
    /// The files of the call; none where the app has none.
    pub(super) files: Option<CallFiles>,
    /// The screen that is shared in the call.
    pub(super) screen: Option<ScreenFeed>,
}

/// What a call's task tells the driver.
pub(super) enum FromTask {
    Report(PeerId, PeerReport),
    Stats(Box<CallStats>),
    /// What the other side of this call sends, as far as the descriptions say.
    Agreed {
        call: Option<CallId>,
        agreed: AgreedMedia,
    },
    /// A camera was opened, or chosen while it is off.
    Camera {
        settings: CameraSettings,
        flipped: bool,
        open: bool,
    },
    /// A device that was to be on cannot be used: it is off.
    DeviceFailed {
        device: DeviceKind,
        why: ClientError,
    },
    /// What came of switching the camera; told by way of the driver, so that it has heard of a lost camera before.
    CameraSettled {
        reply: oneshot::Sender<Result<(), ClientError>>,
        result: Result<(), ClientError>,
    },
    Dtmf(Option<CallId>, DtmfTone),
    Data(Option<CallId>, Bytes),
    /// A frame of private text.
    Text(PeerId, Bytes),
    /// Of the files of this call.
    File(Option<CallId>, FileEvent),
    /// What is known of the other end of this call, and what to remember of this person.
    Verification {
        call: Option<CallId>,
        with: String,
        verification: Verification,
        secret: Option<Secret>,
    },
    Screen(FromScreen),
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
    /// The screen that is going to be sent.
    SetScreen(ScreenFeed),
    /// What the other side says that it sends.
    SetRemote(MediaState),
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
    SendDtmf {
        tones: DtmfTones,
        reply: oneshot::Sender<Result<(), ClientError>>,
    },
    SendText(String),
    ConfirmVerification {
        same: bool,
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
    /// What the task was told of the other side last.
    remote: MediaState,
}

impl TaskHandle {
    pub(super) fn act(&self, action: PeerAction) {
        self.order(Order::Action(action));
    }

    pub(super) fn ask(&self, request: TaskRequest) {
        self.order(Order::Request(request));
    }

    /// What the other side says that it sends; the task hears of it when that changes.
    pub(super) fn set_remote(&mut self, remote: MediaState) {
        if std::mem::replace(&mut self.remote, remote) != remote {
            self.ask(TaskRequest::SetRemote(remote));
        }
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
    rates: RateMeter,
    check: CallCheck,
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
        TaskHandle { orders: Some(orders), remote: MediaState::default() }
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
            connect: context.config.signaling.connect.clone(),
            relay_only: context.config.relay_only,
            bind: context.config.bind.clone(),
            loopback: context.config.signaling.is_local(),
            video_codecs: codecs,
            bitrate: context.config.bitrate,
            outage: context.config.outage.clone(),
            keeps_ice_of: context.keeps_ice_of.take(),
        };
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
            rates: RateMeter::default(),
            check: CallCheck::default(),
        };
        match task.start_media(codec) {
            Ok(()) => Ok((task, events)),
            Err(error) => {
                task.connection.close().await;
                task.media.release().await;
                Err(PeerReport::MediaFailed(error.to_string()))
            }
        }
    }

    /// Microphone, camera and their encoders. The devices open beside what follows; nothing is sent before the call is connected.
    fn start_media(&mut self, codec: Option<VideoCodec>) -> Result<(), ClientError> {
        self.media.start(&self.context, codec, &self.connection)
    }

    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Order>, mut events: mpsc::Receiver<PeerEvent>) {
        let mut ticks = tokio::time::interval(STATS_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut syncs = tokio::time::interval(SYNC_INTERVAL);
        syncs.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut plans = self.connection.plan();
        let mut camera = self.media.watch_camera();
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
                () = CallCheck::timeout(self.check.deadline()) => {
                    let change = self.check.give_up(self.connection.as_ref());
                    self.tell_verification(change).await;
                }
                () = changed(&mut camera) => self.media.mirror_preview(),
                _ = syncs.tick(), if self.state == ConnectionState::Connected => {
                    self.media.synchronize(self.connection.as_ref(), self.rtt);
                }
                _ = ticks.tick(), if self.state == ConnectionState::Connected => self.tell_stats().await,
            }
        }
        self.tell_stats().await;
        self.tell_files(FileInput::Closed(self.context.peer)).await;
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
            PeerAction::SetMedia(media) => return self.set_media(media),
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
            TaskRequest::Flip { reply } => self.media.order_camera(CameraOrder::Flip { reply }),
            TaskRequest::SetConstraints { constraints, reply } => {
                self.media.order_camera(CameraOrder::Constrain { constraints, reply });
            }
            TaskRequest::SetSendParameters(parameters) => {
                self.context.config.sending = parameters;
                self.media.set_send_parameters(parameters);
                self.tell_demand();
            }
            TaskRequest::SetScreen(feed) => self.media.set_screen(feed),
            TaskRequest::SetRemote(remote) => {
                self.media.set_remote(remote);
                self.tell_demand();
            }
            TaskRequest::CameraSettled { reply } => {
                if self.media.has_camera() {
                    self.media.order_camera(CameraOrder::Settled { reply });
                } else {
                    self.tell(FromTask::CameraSettled { reply, result: Ok(()) }).await;
                }
            }
            TaskRequest::Picture { of, reply } => {
                let _ = reply.send(self.media.picture(of).ok_or(ClientError::NoPicture));
            }
            TaskRequest::SendData { data, reply } => {
                let _ = reply.send(self.connection.send_data(data).map_err(Into::into));
            }
            TaskRequest::SendDtmf { tones, reply } => {
                let _ = reply.send(self.connection.send_dtmf(&tones).map_err(Into::into));
            }
            TaskRequest::SendText(frame) => {
                if let Err(error) = self.connection.send_text(frame) {
                    log::debug!("a frame of private text was not sent: {error}");
                }
            }
            TaskRequest::ConfirmVerification { same, reply } => {
                let change = self.check.confirm(self.connection.as_ref(), same);
                let (change, answer) = match change {
                    Ok(change) => (change, Ok(())),
                    Err(error) => (None, Err(error)),
                };
                let _ = reply.send(answer);
                self.tell_verification(change).await;
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
                if state == ConnectionState::Connected {
                    self.tell_files(FileInput::Connected(self.context.peer, Arc::clone(&self.connection))).await;
                    let change = self.check.start(self.connection.as_ref(), &self.context.person.secrets).await;
                    self.tell_verification(change).await;
                }
            }
            PeerEvent::NoPath(search) => self.report(PeerReport::NoPath(search)).await,
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
            PeerEvent::Agreed(agreed) => self.tell(FromTask::Agreed { call: self.context.call, agreed }).await,
            PeerEvent::KeyframeWanted => self.media.request_keyframe(),
            PeerEvent::VideoCodec(codec) => self.media.set_codec(codec),
            PeerEvent::Dtmf(tone) => self.tell(FromTask::Dtmf(self.context.call, tone)).await,
            PeerEvent::Data(data) => self.tell(FromTask::Data(self.context.call, data)).await,
            PeerEvent::File(message) => self.tell_files(FileInput::Message(self.context.peer, message)).await,
            PeerEvent::Text(frame) => self.tell(FromTask::Text(self.context.peer, frame)).await,
            PeerEvent::Verification(frame) => {
                let change = self.check.receive(self.connection.as_ref(), frame);
                self.tell_verification(change).await;
            }
        }
    }

    async fn tell_files(&self, input: FileInput) {
        if let Some(files) = &self.context.files {
            files.tell(input).await;
        }
    }

    async fn tell_verification(&mut self, change: Option<Change>) {
        if let Some(Change { verification, secret }) = change {
            let (call, with) = (self.context.call, self.context.person.name.clone());
            self.tell(FromTask::Verification { call, with, verification, secret }).await;
        }
    }

    fn set_media(&mut self, media: MediaState) {
        self.context.media = media;
        self.media.set_local(media, &self.context.devices);
        self.tell_demand();
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

/// Completes when the camera is opened, changed or closed; never without one.
async fn changed(camera: &mut Option<watch::Receiver<Option<CameraSettings>>>) {
    if let Some(settings) = camera
        && settings.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
