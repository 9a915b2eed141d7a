//! Carries out what the app wants of a client, and hands its news to the app.

use super::Shared;
use crate::demo::{self, Demo};
use crate::runtime;
use chamada::app::{Action, ClientCommand, ClientNews, CommandKind, Failure, OutagePart};
use chamada::client::{Client, ClientConfig, ClientError, ClientEvent, Devices, PhotoOf};
use chamada::media::dtmf::DtmfTones;
use chamada::media::frame::FramePool;
use chamada::media::photo::{PhotoFormat, encode_photo};
use chamada::media::video::VideoBounds;
use chamada::peer::webrtc::WebrtcPeers;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Who is there to be called in the demonstration.
const DEMO_PEER: &str = "eco";
/// What "less data" means: 360p.
const LOW_DATA: (u32, u32) = (640, 360);
/// Where nothing is to be waited for.
const LONG: Duration = Duration::from_secs(3600);

/// What a command came to.
enum Done {
    Nothing,
    News(u64, ClientNews),
    Connected(u64, Client, mpsc::Receiver<ClientEvent>),
    Demo(u64, Arc<Demo>),
}

pub(super) struct Runner {
    app: Weak<Shared>,
    devices: Devices,
    /// Names this installation to the server.
    device: Option<String>,
    /// The session of the moment, and its client once there is one.
    session: u64,
    client: Option<Client>,
    demo: Option<Arc<Demo>>,
}

impl Runner {
    pub(super) fn new(app: Weak<Shared>, devices: Devices, device: Option<String>) -> Self {
        Self { app, devices, device, session: 0, client: None, demo: None }
    }

    /// Until the app is gone. Commands are begun in their order, which is that in which new futures are polled first; none waits for
    /// another to end: a camera that takes long does not keep a call from being hung up.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<ClientCommand>) {
        let mut running = FuturesUnordered::new();
        loop {
            let Some(app) = self.app.upgrade() else { break };
            let (at, wake) = (app.next_wake().unwrap_or_else(|| Instant::now() + LONG), Arc::clone(&app.wake));
            // What waits here does not keep the app.
            drop(app);
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(command) => running.push(self.begin(command)),
                    None => break,
                },
                Some(done) = running.next() => running.extend(self.done(done)),
                () = wake.notified() => {}
                () = tokio::time::sleep_until(at.into()) => {
                    if let Some(app) = self.app.upgrade() {
                        app.handle(Action::Tick, true);
                    }
                }
            }
        }
        if let Some(client) = self.client {
            client.logout().await;
        }
    }

    fn begin(&mut self, command: ClientCommand) -> BoxFuture<'static, Done> {
        match command {
            ClientCommand::StartDemo { session } => {
                self.session = session;
                return Box::pin(async move {
                    match Demo::start(DEMO_PEER.to_owned()).await {
                        Ok(demo) => Done::Demo(session, demo),
                        Err(error) => {
                            log::warn!("the demonstration does not start: {error}");
                            Done::News(session, ClientNews::ConnectFailed(Failure::Internal))
                        }
                    }
                });
            }
            ClientCommand::Connect { session, server, name, token, remembered, allow_insecure, demo } => {
                // One that ended by itself is let go of.
                (self.session, self.client) = (session, None);
                self.demo = self.demo.take().filter(|_| demo);
                let devices = if demo { demo::devices(&self.devices) } else { self.devices.clone() };
                let mut config = ClientConfig::new(server, name);
                config.remembered = remembered;
                config.signaling.allow_insecure = allow_insecure;
                config.signaling.token = token.map(|token| token.0);
                config.signaling.device = self.device.clone();
                return Box::pin(async move {
                    match Client::connect(config, devices, Arc::new(WebrtcPeers)).await {
                        Ok((client, events)) => Done::Connected(session, client, events),
                        Err(why) => Done::News(session, ClientNews::ConnectFailed((&why).into())),
                    }
                });
            }
            ClientCommand::Logout { session } if session == self.session => {
                // News of a session that is over comes from nobody any more.
                self.session = 0;
                let (client, demo) = (self.client.take(), self.demo.take());
                return Box::pin(async move {
                    if let Some(client) = client {
                        client.logout().await;
                    }
                    drop(demo);
                    Done::Nothing
                });
            }
            ClientCommand::DemoCall { to } => {
                let (demo, session) = (self.demo.clone(), self.session);
                return Box::pin(async move {
                    let Some(demo) = demo else { return Done::Nothing };
                    match demo.call(to).await {
                        Ok(()) => Done::Nothing,
                        Err(_) => failed(session, CommandKind::Other, Failure::WrongState),
                    }
                });
            }
            _ => {}
        }
        let (session, client) = (self.session, self.client.clone());
        match client {
            Some(client) => Box::pin(carry_out(session, client, command)),
            None => Box::pin(std::future::ready(Done::Nothing)),
        }
    }

    fn done(&mut self, done: Done) -> Option<BoxFuture<'static, Done>> {
        match done {
            Done::Nothing => {}
            Done::News(session, news) => Shared::news(&self.app, session, news),
            Done::Connected(session, client, events) if session == self.session => {
                self.client = Some(client);
                drop(tokio::spawn(hand_on(Weak::clone(&self.app), session, events)));
            }
            // Left while it was being made.
            Done::Connected(_, client, _) => {
                return Some(Box::pin(async move {
                    client.logout().await;
                    Done::Nothing
                }));
            }
            Done::Demo(session, demo) if session == self.session => {
                let server = demo.server();
                self.demo = Some(demo);
                Shared::news(&self.app, session, ClientNews::DemoStarted { server });
            }
            Done::Demo(..) => {}
        }
        None
    }
}

async fn hand_on(app: Weak<Shared>, session: u64, mut events: mpsc::Receiver<ClientEvent>) {
    while let Some(event) = events.recv().await {
        if let Some(news) = ClientNews::from_event(&event) {
            Shared::news(&app, session, news);
        }
    }
}

fn failed(session: u64, command: CommandKind, why: impl Into<Failure>) -> Done {
    Done::News(session, ClientNews::CommandFailed { command, why: why.into() })
}

async fn carry_out(session: u64, client: Client, command: ClientCommand) -> Done {
    use ClientCommand as C;
    let (kind, result) = match command {
        C::Call { to } => match client.call(&to).await {
            Ok(call) => return Done::News(session, ClientNews::CallPlaced(call)),
            Err(why) => (CommandKind::Call, Err(why)),
        },
        C::Accept(call) => (CommandKind::Accept, client.handle(call).accept().await),
        C::Decline(call) => (CommandKind::End, client.handle(call).decline().await),
        C::HangUp(Some(call)) => (CommandKind::End, client.handle(call).hang_up().await),
        C::HangUp(None) => (CommandKind::End, client.hang_up().await),
        C::SetMicrophone(on) => (CommandKind::Other, client.set_microphone(on).await),
        C::SetCamera(on) => (CommandKind::SetCamera, client.set_camera(on).await),
        C::SetHeld { call, on } => (CommandKind::SetHeld, client.handle(call).set_held(on).await),
        C::FlipCamera(call) => match client.handle(call).flip_camera().await {
            Ok(facing) => return Done::News(session, ClientNews::CameraOpened(facing)),
            Err(why) => (CommandKind::FlipCamera, Err(why)),
        },
        C::TakePhoto(call) => match photo(client.handle(call).picture(PhotoOf::Remote)).await {
            Ok(jpeg) => return Done::News(session, ClientNews::PhotoTaken(jpeg)),
            Err(why) => return failed(session, CommandKind::TakePhoto, why),
        },
        C::SetBlocked { name, block: true } => (CommandKind::Other, client.block(&name).await),
        C::SetBlocked { name, block: false } => (CommandKind::Other, client.unblock(&name).await),
        C::SendDtmf { call, tone } => {
            let tones = DtmfTones::from(tone);
            (CommandKind::Other, client.handle(call).send_dtmf(tones).await)
        }
        C::SendText { call, line, text } => {
            let text = client.handle(call).send_text(&text).await.ok();
            return Done::News(session, ClientNews::TextTaken { line, text });
        }
        C::SetTyping { call, on } => (CommandKind::Other, client.handle(call).set_typing(on).await),
        C::ConfirmVerification { call, same } => {
            (CommandKind::Other, client.handle(call).confirm_verification(same).await)
        }
        C::Say(text) => (CommandKind::Other, client.say(&text).await),
        C::SetLowData(low) => {
            let (max_width, max_height) = LOW_DATA;
            let bounds = if low {
                VideoBounds { max_width, max_height, ..VideoBounds::default() }
            } else {
                VideoBounds::default()
            };
            (CommandKind::Other, client.set_video_bounds(bounds).await)
        }
        C::SetThermalState(state) => (CommandKind::Other, client.set_thermal_state(state).await),
        C::NetworkChanged => (CommandKind::Other, client.network_changed().await),
        C::CheckServer => (CommandKind::Other, client.foreground().await),
        C::RegisterPush(Some(register)) => (CommandKind::Other, client.register_push(*register).await),
        C::RegisterPush(None) => (CommandKind::Other, client.unregister_push().await),
        C::TrimMemory => {
            FramePool::trim_all();
            return Done::Nothing;
        }
        C::SetOutage { part, on } => {
            match part {
                OutagePart::Server => client.drop_signaling(on),
                OutagePart::Calls => client.drop_media(on),
            }
            return Done::Nothing;
        }
        C::Connect { .. } | C::StartDemo { .. } | C::Logout { .. } | C::DemoCall { .. } => return Done::Nothing,
    };
    match result {
        Ok(()) => Done::Nothing,
        Err(why) => failed(session, kind, &why),
    }
}

/// The newest picture, upright, as the bytes of a JPEG file.
async fn photo(
    picture: impl Future<Output = Result<chamada::media::frame::VideoFrame, ClientError>>,
) -> Result<Vec<u8>, Failure> {
    let picture = picture.await.map_err(|why| Failure::from(&why))?;
    // Compressing takes long enough to be in the way of the call.
    let encode = move || encode_photo(&picture, PhotoFormat::Jpeg).map_err(crate::ChamadaError::from);
    runtime::blocking(encode).await.map_err(|_| Failure::Internal)
}
