//! The task that owns the call engine and the signaling client and feeds one with the other.

mod screen;

pub(super) use screen::FromScreen;

use super::address_watch::{self, AddressWatch, Network};
use super::call_task::{CallTask, FromTask, TOLD, TaskContext, TaskHandle, TaskRequest};
use super::config::SendParameter;
use super::device_thread::DeviceThreads;
use super::files::{CallFiles, FileInput};
use super::media_watch::{Change, Look, MediaWatch};
use super::private_text::PrivateText;
use super::quality::{QualityMonitor, Sample};
use super::{
    CallOptions, CallStats, ClientConfig, ClientError, ClientEvent, DeviceKind, Devices, PhotoOf, Verification, devices,
};
use crate::call::{
    CallEngine, CallError, CallEvent, CallSnapshot, CallState, Command, ConnectionState, Output, PeerAction, PeerId,
    PeerReport,
};
use crate::facing::FacingMode;
use crate::files::TransferError;
use crate::media::constraints::{self, VideoConstraints};
use crate::media::dtmf::{DtmfError, DtmfTones};
use crate::media::frame::VideoFrame;
use crate::media::screen::{ContentHint, ScreenSource};
use crate::peer::{DataError, PeerFactory};
use crate::security::{RememberedPerson, Secret};
use crate::signaling::message::{CallId, IceServer, MediaState, Message, PushRegister};
use crate::signaling::{SignalingClient, SignalingEvent};
use crate::text::{TextError, TextId};
use bytes::Bytes;
use screen::CallScreen;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

/// Events that wait for an app that does not read; beyond it nothing more is read from the network until it does.
const MAX_WAITING_EVENTS: usize = 4096;

/// How long after a change of addresses an app may tell of the same change.
const SAME_CHANGE: Duration = Duration::from_secs(1);

pub(super) type Reply<T> = oneshot::Sender<Result<T, ClientError>>;

/// What the façade asks of the driver.
pub(super) enum Request {
    /// Only if this call is going on.
    InCall {
        call: CallId,
        request: Box<Request>,
    },
    Call {
        to: String,
        options: Box<CallOptions>,
        reply: Reply<CallId>,
    },
    Configure {
        options: Box<CallOptions>,
        reply: Reply<()>,
    },
    Accept {
        reply: Reply<()>,
    },
    Decline {
        reply: Reply<()>,
    },
    HangUp {
        reply: Reply<()>,
    },
    HoldAndAccept {
        reply: Reply<()>,
    },
    EndAndAccept {
        reply: Reply<()>,
    },
    Swap {
        reply: Reply<()>,
    },
    SetMicrophone {
        on: bool,
        reply: Reply<()>,
    },
    SetCamera {
        on: bool,
        reply: Reply<()>,
    },
    SetHeld {
        on: bool,
        reply: Reply<()>,
    },
    StartScreenShare {
        source: Arc<dyn ScreenSource>,
        hint: ContentHint,
        reply: Reply<()>,
    },
    StopScreenShare {
        reply: Reply<()>,
    },
    Flip {
        reply: Reply<Option<FacingMode>>,
    },
    SetConstraints {
        constraints: Box<VideoConstraints>,
        reply: Reply<()>,
    },
    SetSendParameter {
        parameter: SendParameter,
        reply: Reply<()>,
    },
    Picture {
        of: PhotoOf,
        reply: Reply<VideoFrame>,
    },
    Say {
        text: String,
        reply: Reply<()>,
    },
    Rename {
        name: String,
        reply: Reply<()>,
    },
    SetBlocked {
        name: String,
        block: bool,
        reply: Reply<()>,
    },
    SetToken {
        token: String,
        reply: Reply<()>,
    },
    SetPush {
        register: Option<Box<PushRegister>>,
        reply: Reply<()>,
    },
    SendData {
        data: Bytes,
        reply: Reply<()>,
    },
    SendText {
        text: String,
        reply: Reply<TextId>,
    },
    SetTyping {
        on: bool,
        reply: Reply<()>,
    },
    File(FileInput),
    ConfirmVerification {
        same: bool,
        reply: Reply<()>,
    },
    SendDtmf {
        tones: DtmfTones,
        reply: Reply<()>,
    },
    Snapshot {
        reply: oneshot::Sender<CallSnapshot>,
    },
    NetworkChanged {
        reply: oneshot::Sender<()>,
    },
    Foreground {
        reply: oneshot::Sender<()>,
    },
    Logout {
        reply: oneshot::Sender<()>,
    },
}

impl Request {
    /// Answers that its call is not there any more. What has no such answer is answered by dropping it.
    fn refuse(self) {
        let gone = || CallError::NoCall.into();
        // A reply that nobody waits for any more needs none.
        match self {
            Self::Accept { reply }
            | Self::Decline { reply }
            | Self::HangUp { reply }
            | Self::HoldAndAccept { reply }
            | Self::EndAndAccept { reply }
            | Self::Configure { reply, .. }
            | Self::SetHeld { reply, .. }
            | Self::StartScreenShare { reply, .. }
            | Self::StopScreenShare { reply }
            | Self::ConfirmVerification { reply, .. }
            | Self::SendDtmf { reply, .. }
            | Self::SetTyping { reply, .. }
            | Self::SendData { reply, .. } => {
                let _ = reply.send(Err(gone()));
            }
            Self::Flip { reply } => drop(reply.send(Err(gone()))),
            Self::Picture { reply, .. } => drop(reply.send(Err(gone()))),
            Self::File(input) => input.refuse(TransferError::NoCall),
            Self::SendText { reply, .. } => drop(reply.send(Err(gone()))),
            other => drop(other),
        }
    }
}

/// What one call has.
#[derive(Default)]
struct CallRecord {
    options: CallOptions,
    /// Watches what comes.
    media_watch: MediaWatch,
    text: PrivateText,
    files: Option<CallFiles>,
    screen: CallScreen,
}

pub(super) struct Driver {
    config: ClientConfig,
    devices: Devices,
    peers: Arc<dyn PeerFactory>,
    engine: CallEngine,
    signaling: SignalingClient,
    signaling_events: mpsc::Receiver<SignalingEvent>,
    server_ice: Vec<IceServer>,
    /// What the person wants to send; the engine copies it into each call.
    media: MediaState,
    device_threads: DeviceThreads,
    tasks: HashMap<PeerId, TaskHandle>,
    /// Tasks and screens that are being closed.
    closing: usize,
    /// How many screens were shared.
    screens: u64,
    to_driver: mpsc::Sender<FromTask>,
    from_tasks: mpsc::Receiver<FromTask>,
    /// None once the app has dropped its end.
    events: Option<mpsc::Sender<ClientEvent>>,
    waiting: VecDeque<ClientEvent>,
    /// Events of the call from its end on, held back until its devices and sockets are released.
    held: Vec<CallEvent>,
    /// Judges the call of this identifier.
    quality: Option<(Option<CallId>, QualityMonitor)>,
    /// The call that is spoken of, where that need not be the one in front.
    addressed: Option<CallId>,
    /// What each call has besides the engine's part of it.
    calls: HashMap<CallId, CallRecord>,
    addresses: AddressWatch,
    /// When they last called for another path, so that an app that tells of the same change does not begin again.
    addresses_changed: Option<Instant>,
    /// Whether the server is away, or is looked for anew.
    server_lost: bool,
    /// Whether the call has lost its path and waits for the server.
    hurry: bool,
}

impl Driver {
    pub(super) async fn connect(
        config: ClientConfig,
        devices: Devices,
        peers: Arc<dyn PeerFactory>,
        events: mpsc::Sender<ClientEvent>,
    ) -> Result<Self, ClientError> {
        let (sender, signaling_events) = mpsc::channel(256);
        let signaling = SignalingClient::connect(config.signaling.clone(), sender).await?;
        let (to_driver, from_tasks) = mpsc::channel(TOLD);
        let ring_timeout = config.ring_timeout;
        let media = MediaState {
            audio: devices.audio.is_some(),
            video: devices.cameras.is_some(),
            facing: config.video.wanted_facing(),
            ..MediaState::default()
        };
        let mut engine = CallEngine::with(ring_timeout, CallId::random);
        engine.set_call_waiting(config.call_waiting);
        Ok(Self {
            config,
            devices,
            peers,
            engine,
            signaling,
            signaling_events,
            server_ice: Vec::new(),
            media,
            device_threads: DeviceThreads::new(),
            tasks: HashMap::new(),
            closing: 0,
            screens: 0,
            to_driver,
            from_tasks,
            events: Some(events),
            waiting: VecDeque::new(),
            held: Vec::new(),
            quality: None,
            addressed: None,
            calls: HashMap::new(),
            addresses: AddressWatch::default(),
            addresses_changed: None,
            server_lost: false,
            hurry: false,
        })
    }

    /// Runs until the last [`super::Client`] is gone or one of them logs out.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Request>) {
        let mut logout = None;
        let mut server_gone = false;
        let mut looks = tokio::time::interval(address_watch::INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The login is among the events already: a call that is asked for at once must find it done.
        while let Ok(event) = self.signaling_events.try_recv() {
            self.on_signaling(event);
        }
        self.pump();
        loop {
            let (timer, text_timer) = (self.engine.poll_timeout(), self.text_timeout());
            let room = self.waiting.len() < MAX_WAITING_EVENTS;
            let events = self.events.clone();
            let reserved = async {
                match &events {
                    Some(events) => events.reserve().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                request = inbox.recv() => match request {
                    Some(Request::Logout { reply }) => { logout = Some(reply); break }
                    Some(request) => self.on_request(request),
                    None => break,
                },
                permit = reserved, if !self.waiting.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(event) = self.waiting.pop_front() {
                            permit.send(event);
                        }
                    }
                    Err(_) => self.go_on_unheard(),
                },
                event = self.signaling_events.recv(), if room && !server_gone => match event {
                    Some(event) => self.on_signaling(event),
                    None => server_gone = true,
                },
                Some(message) = self.from_tasks.recv(), if room => self.on_task(message),
                () = sleep_until(timer) => self.engine.handle_timeout(Instant::now()),
                () = sleep_until(text_timer) => self.handle_text_timeout(),
                _ = looks.tick(), if self.watches_addresses() => self.look_at_addresses(),
            }
            self.pump();
        }
        self.shut_down().await;
        if let Some(reply) = logout {
            // Whoever asked may have given up waiting.
            let _ = reply.send(());
        }
    }

    async fn shut_down(mut self) {
        // Refused where there is no call, or no second one, which is what is wanted.
        for _ in 0..2 {
            let _ = self.engine.command(Instant::now(), Command::HangUp);
        }
        self.pump();
        while self.closing > 0 {
            let Some(message) = self.from_tasks.recv().await else { break };
            self.on_task(message);
        }
        self.release_held();
        self.signaling.logout().await;
        // Its last words, of which the very last is that it is closed.
        while let Ok(event) = self.signaling_events.try_recv() {
            if !matches!(event, SignalingEvent::Call(_)) {
                self.waiting.push_back(ClientEvent::Signaling(event));
            }
        }
        for event in self.waiting.drain(..) {
            // An app that no longer reads needs no events.
            if self.events.as_ref().is_none_or(|events| events.try_send(event).is_err()) {
                break;
            }
        }
    }

    /// The app has dropped the channel of events: it wants none.
    fn go_on_unheard(&mut self) {
        self.events = None;
        self.waiting.clear();
    }

    fn on_request(&mut self, request: Request) {
        // A reply that nobody waits for any more is no failure: the command was carried out all the same.
        match request {
            Request::InCall { call, request } => {
                if self.engine.has_call(call) {
                    self.addressed = Some(call);
                    self.on_request(*request);
                    self.addressed = None;
                } else {
                    request.refuse();
                }
            }
            Request::Call { to, options, reply } => {
                let called = self.command(Command::Call { to, media: self.media });
                // A call that could be placed is there, at least until what it has to tell is told.
                let call = called.and_then(|()| self.engine.snapshot().call.ok_or(CallError::NoCall.into()));
                if let Ok(call) = call {
                    self.calls.entry(call).or_default().options = *options;
                }
                let _ = reply.send(call);
            }
            Request::Configure { options, reply } => drop(reply.send(self.configure(*options))),
            Request::Accept { reply } => {
                let _ = reply.send(self.command(Command::Accept { media: self.media }));
            }
            Request::Decline { reply } => {
                let _ = reply.send(self.command(Command::Decline));
            }
            Request::HangUp { reply } => {
                let _ = reply.send(self.command(Command::HangUp));
            }
            Request::HoldAndAccept { reply } => {
                let _ = reply.send(self.command(Command::HoldAndAccept { media: self.media }));
            }
            Request::EndAndAccept { reply } => {
                let _ = reply.send(self.command(Command::EndAndAccept { media: self.media }));
            }
            Request::Swap { reply } => drop(reply.send(self.command(Command::Swap))),
            Request::SetMicrophone { on, reply } => {
                self.media.audio = on;
                self.command_in_call(Command::SetMicrophone(on));
                let _ = reply.send(Ok(()));
            }
            Request::SetCamera { on, reply } => {
                self.media.video = on;
                self.command_in_call(Command::SetCamera(on));
                // What that asks of the call's task comes before the question what came of it.
                self.pump();
                match self.active_task() {
                    Some(task) => task.ask(TaskRequest::CameraSettled { reply }),
                    None => drop(reply.send(Ok(()))),
                }
            }
            Request::SetHeld { on, reply } => drop(reply.send(self.command(Command::SetHeld(on)))),
            Request::StartScreenShare { source, hint, reply } => self.start_screen_share(source, hint, reply),
            Request::StopScreenShare { reply } => drop(reply.send(self.stop_screen_share())),
            Request::Flip { reply } => self.flip(reply),
            Request::SetConstraints { constraints, reply } => self.set_constraints(*constraints, reply),
            Request::SetSendParameter { parameter, reply } => {
                self.config.sending.set(parameter);
                if let Some(task) = self.active_task() {
                    task.ask(TaskRequest::SetSendParameters(self.config.sending));
                }
                let _ = reply.send(Ok(()));
            }
            Request::Picture { of, reply } => match self.active_task() {
                Some(task) => task.ask(TaskRequest::Picture { of, reply }),
                None => drop(reply.send(Err(ClientError::NoPicture))),
            },
            Request::SendData { data, reply } => match self.active_task() {
                Some(task) => task.ask(TaskRequest::SendData { data, reply }),
                None => drop(reply.send(Err(DataError::NotOpen.into()))),
            },
            Request::SendText { text, reply } => {
                let sent = self.record().ok_or(TextError::NoCall.into()).and_then(|call| call.text.send(&text));
                let _ = reply.send(sent);
            }
            Request::File(input) => match self.record().and_then(|call| call.files.as_ref()) {
                Some(files) => files.ask(input),
                None => input.refuse(TransferError::NoCall),
            },
            Request::SetTyping { on, reply } => {
                let told = self.record().ok_or(TextError::NoCall.into()).and_then(|call| call.text.set_typing(on));
                let _ = reply.send(told);
            }
            Request::ConfirmVerification { same, reply } => match self.active_task() {
                Some(task) => task.ask(TaskRequest::ConfirmVerification { same, reply }),
                None => drop(reply.send(Err(ClientError::NoWords))),
            },
            Request::SendDtmf { tones, reply } => match self.active_task() {
                Some(task) => task.ask(TaskRequest::SendDtmf { tones, reply }),
                None => drop(reply.send(Err(DtmfError::NotAgreed.into()))),
            },
            Request::Say { text, reply } => {
                let _ = reply.send(self.signaling.chat(&text).map_err(Into::into));
            }
            Request::Rename { name, reply } => {
                let _ = reply.send(self.signaling.rename(&name).map_err(Into::into));
            }
            Request::SetBlocked { name, block, reply } => {
                let done = if block { self.signaling.block(&name) } else { self.signaling.unblock(&name) };
                let _ = reply.send(done.map_err(Into::into));
            }
            Request::SetToken { token, reply } => {
                let _ = reply.send(self.signaling.set_token(token).map_err(Into::into));
            }
            Request::SetPush { register, reply } => {
                let _ = reply.send(self.signaling.set_push(register.map(|register| *register)).map_err(Into::into));
            }
            Request::Snapshot { reply } => {
                let _ = reply.send(self.engine.snapshot());
            }
            Request::NetworkChanged { reply } => {
                // What is there now is what the app speaks of, and no later event.
                let changed = self.addresses.look(Network::now(), true);
                let handled = self.addresses_changed.is_some_and(|at| at.elapsed() < SAME_CHANGE);
                if changed || !handled {
                    self.network_changed();
                }
                let _ = reply.send(());
            }
            Request::Foreground { reply } => {
                self.signaling.probe();
                let _ = reply.send(());
            }
            Request::Logout { reply } => drop(reply),
        }
    }

    fn network_changed(&mut self) {
        self.signaling.reconnect_now();
        // What is tried from here on may begin before the new network is there, and hang: that is looked at again when it comes.
        self.server_lost = true;
        // The old connection to the server may be dead without knowing: the restart waits for the new login.
        self.engine.signaling_lost(Instant::now());
        self.engine.network_changed(Instant::now());
    }

    fn watches_addresses(&self) -> bool {
        self.server_lost || self.engine.snapshot().state != CallState::Idle
    }

    fn look_at_addresses(&mut self) {
        let waiting = self.server_lost || self.hurry;
        if self.addresses.look(Network::now(), waiting) {
            log::info!("the addresses of this device changed");
            self.addresses_changed = Some(Instant::now());
            self.network_changed();
        }
    }

    /// A call that lost its path needs the server for the next one, and may have lost both at once.
    fn follow_call(&mut self) {
        let hurry = self.engine.snapshot().state == CallState::Reconnecting;
        if std::mem::replace(&mut self.hurry, hurry) != hurry {
            self.signaling.set_hurry(hurry);
            if hurry && !self.server_lost {
                self.signaling.probe();
            }
        }
        if !self.watches_addresses() {
            self.addresses.forget();
        }
    }

    /// Tells the calls' tasks what the other side says that it sends.
    fn tell_remote(&mut self) {
        for (peer, task) in self.tasks.iter_mut().filter(|(_, task)| !task.is_closing()) {
            if let Some((_, _, remote)) = self.engine.call_of(*peer) {
                task.set_remote(remote);
            }
        }
    }

    /// In the call that is spoken of.
    fn command(&mut self, command: Command) -> Result<(), ClientError> {
        let now = Instant::now();
        let done = match self.addressed {
            Some(call) => self.engine.command_in(now, call, command),
            None => self.engine.command(now, command),
        };
        done.map_err(Into::into)
    }

    /// Of a call that rings here: its peer connection is not made yet.
    fn configure(&mut self, options: CallOptions) -> Result<(), ClientError> {
        let CallSnapshot { call, state, .. } = self.engine.snapshot();
        let call = self.addressed.or(call).ok_or(CallError::NoCall)?;
        if self.engine.peer_of(call).is_some() {
            return Err(CallError::WrongState(state).into());
        }
        self.calls.entry(call).or_default().options = options;
        Ok(())
    }

    /// What the call has that is spoken of.
    fn record(&mut self) -> Option<&mut CallRecord> {
        let call = self.addressed.or(self.engine.snapshot().call)?;
        self.calls.get_mut(&call)
    }

    /// A setting that is remembered anyway: outside a call there is nothing more to do with it.
    fn command_in_call(&mut self, command: Command) {
        if let Err(error) = self.engine.command(Instant::now(), command) {
            log::debug!("kept for the next call: {error}");
        }
    }

    /// Outside a call a flip only changes which camera the next one opens.
    fn flip(&mut self, reply: Reply<Option<FacingMode>>) {
        if let Some(task) = self.active_task() {
            task.ask(TaskRequest::Flip { reply });
            return;
        }
        let cameras = self.devices.cameras.as_ref().map(|c| c.cameras()).unwrap_or_default();
        let answer = devices::other_side(&self.config.video, &cameras).map(|settings| {
            self.keep_camera(&settings.device_id, settings.facing);
            settings.facing
        });
        let _ = reply.send(answer.map_err(Into::into));
    }

    fn set_constraints(&mut self, constraints: VideoConstraints, reply: Reply<()>) {
        if let Some(cameras) = &self.devices.cameras
            && let Err(error) = constraints::select_settings(&constraints, &cameras.cameras())
        {
            let _ = reply.send(Err(error.into()));
            return;
        }
        self.config.video = constraints.clone();
        match self.active_task() {
            Some(task) => task.ask(TaskRequest::SetConstraints { constraints: Box::new(constraints), reply }),
            None => drop(reply.send(Ok(()))),
        }
    }

    fn keep_camera(&mut self, device_id: &str, facing: Option<FacingMode>) {
        self.config.video = self.config.video.preferring(device_id, facing);
        self.media.facing = facing;
    }

    /// The task of the call that is spoken of, or of the one in front.
    fn active_task(&self) -> Option<&TaskHandle> {
        let peer = match self.addressed {
            Some(call) => self.engine.peer_of(call),
            None => self.engine.peer(),
        };
        peer.and_then(|peer| self.tasks.get(&peer)).filter(|task| !task.is_closing())
    }

    /// The conversation of the call goes over this connection from here on, unless a newer one has taken its place.
    fn connect_text(&mut self, peer: PeerId) {
        if let Some((call, ..)) = self.engine.call_of(peer).filter(|_| self.config.texts) {
            self.calls.entry(call).or_default().text.connected(Some(call), peer);
        }
    }

    /// Sends and tells what the conversations have to.
    fn pump_text(&mut self) {
        let mut events = Vec::new();
        for (call, CallRecord { text, .. }) in &mut self.calls {
            while let Some((peer, frame)) = text.poll_frame() {
                if let Some(task) = self.tasks.get(&peer) {
                    task.ask(TaskRequest::SendText(frame));
                }
            }
            events.extend(std::iter::from_fn(|| text.poll_event()).map(|event| (*call, event)));
        }
        for (call, event) in events {
            self.tell_of(Some(call), ClientEvent::Text(event));
        }
    }

    fn text_timeout(&self) -> Option<Instant> {
        self.calls.values().filter_map(|call| call.text.poll_timeout()).min()
    }

    fn handle_text_timeout(&mut self) {
        self.calls.values_mut().for_each(|call| call.text.handle_timeout());
    }

    /// Tells of something in this call; of one that is over there is nothing to tell.
    fn tell_of(&mut self, call: Option<CallId>, event: ClientEvent) {
        let front = self.engine.snapshot().call;
        match call {
            _ if call == front => self.tell(event),
            Some(call) if self.engine.has_call(call) => {
                self.tell(ClientEvent::Behind { call, event: Box::new(event) });
            }
            _ => {}
        }
    }

    fn on_signaling(&mut self, event: SignalingEvent) {
        let now = Instant::now();
        match &event {
            SignalingEvent::LoggedIn { .. } => self.server_lost = false,
            SignalingEvent::Reconnecting { .. } => self.server_lost = true,
            _ => {}
        }
        match &event {
            SignalingEvent::LoggedIn { name, ice_servers, .. } => {
                self.server_ice.clone_from(ice_servers);
                self.engine.logged_in(now, name);
            }
            SignalingEvent::IceServers(ice_servers) => self.server_ice.clone_from(ice_servers),
            SignalingEvent::Renamed { name, .. } => self.engine.renamed(name),
            SignalingEvent::Away(names) => self.engine.away(names),
            SignalingEvent::Users(users) => self.engine.users(now, users),
            SignalingEvent::Refused(error) => self.engine.message(now, Message::Error(error.clone())),
            SignalingEvent::Reconnecting { .. } | SignalingEvent::Closed { .. } => self.engine.signaling_lost(now),
            SignalingEvent::Call(_)
            | SignalingEvent::Chat { .. }
            | SignalingEvent::PushRegistered(_)
            | SignalingEvent::Malformed { .. }
            | SignalingEvent::Dropped { .. } => {}
        }
        match event {
            SignalingEvent::Call(message) => self.engine.message(now, message),
            event => self.tell(ClientEvent::Signaling(event)),
        }
    }

    fn on_task(&mut self, message: FromTask) {
        match message {
            FromTask::Report(peer, report) => {
                if matches!(report, PeerReport::Connection(ConnectionState::Connected)) {
                    self.connect_text(peer);
                }
                self.engine.report(Instant::now(), peer, report);
            }
            FromTask::Stats(stats) => self.on_stats(stats),
            FromTask::Agreed { call, agreed } => {
                let record =
                    call.filter(|call| self.engine.has_call(*call)).map(|call| self.calls.entry(call).or_default());
                let changes = record.map(|record| record.media_watch.agree(agreed)).unwrap_or_default();
                self.tell_missing(call, changes);
            }
            FromTask::Dtmf(call, tone) => self.tell_of(call, ClientEvent::Dtmf(tone)),
            FromTask::Data(call, data) => self.tell_of(call, ClientEvent::Data(data)),
            FromTask::File(call, event) => self.tell_of(call, ClientEvent::File(event)),
            FromTask::Text(peer, frame) => {
                self.connect_text(peer);
                if let Some((call, ..)) = self.engine.call_of(peer)
                    && let Some(record) = self.calls.get_mut(&call)
                {
                    record.text.receive(peer, &frame);
                }
            }
            FromTask::Verification { call, with, verification, secret } => {
                self.on_verification(call, with, verification, secret);
            }
            FromTask::Camera { settings, flipped, open } => {
                if flipped {
                    self.keep_camera(&settings.device_id, settings.facing);
                }
                if let Some(facing) = settings.facing {
                    self.media.facing = Some(facing);
                    self.command_in_call(Command::SetFacing(facing));
                }
                if open {
                    self.tell(ClientEvent::Camera(settings));
                }
            }
            FromTask::DeviceFailed { device, why } => {
                self.tell(ClientEvent::DeviceFailed { device, why });
                // The other side is told what it does not get, and the person can switch it on again.
                match device {
                    DeviceKind::Camera => {
                        self.media.video = false;
                        self.command_in_call(Command::SetCamera(false));
                    }
                    DeviceKind::Microphone => {
                        self.media.audio = false;
                        self.command_in_call(Command::SetMicrophone(false));
                    }
                    DeviceKind::Speaker => {}
                }
            }
            FromTask::CameraSettled { reply, result } => {
                let _ = reply.send(result);
            }
            FromTask::Closed(peer) => {
                if self.tasks.remove(&peer).is_some_and(|task| task.is_closing()) {
                    self.released();
                }
            }
            FromTask::Screen(message) => self.on_screen(message),
        }
    }

    /// One of those that are being closed is.
    fn released(&mut self) {
        self.closing = self.closing.saturating_sub(1);
        if self.closing == 0 {
            self.release_held();
        }
    }

    fn on_verification(
        &mut self,
        call: Option<CallId>,
        with: String,
        verification: Verification,
        secret: Option<Secret>,
    ) {
        self.tell_of(call, ClientEvent::Verification(verification));
        // Both people said so, though the call may have ended right then.
        if let Some(secret) = secret {
            let mut person = self.person(with);
            person.add(secret);
            self.config.remembered.retain(|known| known.name != person.name);
            self.config.remembered.push(person.clone());
            self.tell(ClientEvent::Remember(person));
        }
    }

    /// What is remembered of the person of this name.
    fn person(&self, name: String) -> RememberedPerson {
        let known = self.config.remembered.iter().find(|known| known.name == name).cloned();
        known.unwrap_or(RememberedPerson { name, secrets: Vec::new() })
    }

    fn tell_missing(&mut self, call: Option<CallId>, changes: Vec<Change>) {
        for (kind, why) in changes {
            self.tell_of(call, ClientEvent::Missing { kind, why });
        }
    }

    fn on_stats(&mut self, stats: Box<CallStats>) {
        let CallSnapshot { state, call, local, remote, .. } = self.engine.snapshot();
        // On hold nothing is waited for.
        let (local, remote) = (local.sent(), MediaState { held: remote.held || local.held, ..remote }.sent());
        // In a call behind another one nothing is waited for.
        let state_of_it = if call == stats.call { state } else { CallState::Idle };
        let look = Look::new(&stats, state_of_it, remote);
        let record = stats.call.and_then(|call| self.calls.get_mut(&call));
        let changes = record.map(|record| record.media_watch.look(Instant::now(), look)).unwrap_or_default();
        self.tell_missing(stats.call, changes);
        let quality = if call.is_some() && call == stats.call && state == CallState::Connected {
            let (of, monitor) = self.quality.get_or_insert_with(|| (call, QualityMonitor::default()));
            if *of != call {
                (*of, *monitor) = (call, QualityMonitor::default());
            }
            monitor.update(Instant::now(), Sample::new(&stats, local, remote))
        } else {
            None
        };
        self.tell(ClientEvent::Stats(stats));
        if let Some(quality) = quality {
            self.tell(ClientEvent::Quality(quality));
        }
    }

    /// Carries out what the engine decided. Events come last, so that [`CallEvent::Ended`] knows whether its call's task is
    /// closing.
    fn pump(&mut self) {
        self.follow_call();
        let mut events = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Send(message) => {
                    if let Err(error) = self.signaling.send(message.clone()) {
                        log::warn!("a message of the call was not sent: {error}");
                        self.engine.not_sent(Instant::now(), &message);
                    }
                }
                Output::Peer { peer, action } => self.on_action(peer, action),
                Output::Event(event) => events.push(event),
            }
        }
        self.tell_remote();
        self.pump_text();
        for event in events {
            if let CallEvent::Ended { call, .. } = &event {
                let record = self.calls.remove(call);
                self.close_screen(record.map(|record| record.screen).unwrap_or_default());
            }
            if !self.held.is_empty() || (self.closing > 0 && matches!(event, CallEvent::Ended { .. })) {
                self.held.push(event);
            } else {
                self.tell(ClientEvent::Call(event));
            }
        }
    }

    fn on_action(&mut self, peer: PeerId, action: PeerAction) {
        match action {
            PeerAction::Create { offerer, media, keeps_ice_of } => {
                // Of one that has ended meanwhile it is closed next.
                let (call, with) = match self.engine.call_of(peer) {
                    Some((call, with, _)) => (Some(call), with.to_owned()),
                    None => (None, String::new()),
                };
                let (mut config, mut server_ice) = (self.config.clone(), self.server_ice.clone());
                if let Some(record) = call.and_then(|call| self.calls.get(&call)) {
                    record.options.apply(&mut config, &mut server_ice);
                }
                let context = TaskContext {
                    call,
                    files: call.and_then(|call| self.call_files(call)),
                    screen: call.and_then(|call| self.calls.get(&call)?.screen_feed()),
                    peer,
                    offerer,
                    person: self.person(with),
                    media,
                    keeps_ice_of,
                    config,
                    server_ice,
                    devices: self.devices.clone(),
                    peers: Arc::clone(&self.peers),
                    to_driver: self.to_driver.clone(),
                    device_threads: self.device_threads.clone(),
                };
                self.tasks.insert(peer, CallTask::spawn(context));
            }
            PeerAction::Close => {
                if let Some(task) = self.tasks.get_mut(&peer)
                    && task.close()
                {
                    self.closing += 1;
                }
            }
            action => {
                if let Some(task) = self.tasks.get(&peer) {
                    task.act(action);
                }
            }
        }
    }

    /// Those of this call, whichever connections it has had.
    fn call_files(&mut self, call: CallId) -> Option<CallFiles> {
        if !self.config.files {
            return None;
        }
        let files = &mut self.calls.entry(call).or_default().files;
        Some(files.get_or_insert_with(|| CallFiles::spawn(Some(call), self.to_driver.clone())).clone())
    }

    fn release_held(&mut self) {
        for event in std::mem::take(&mut self.held) {
            self.tell(ClientEvent::Call(event));
        }
    }

    fn tell(&mut self, event: ClientEvent) {
        if self.events.is_some() {
            self.waiting.push_back(event);
        }
    }
}

pub(super) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
