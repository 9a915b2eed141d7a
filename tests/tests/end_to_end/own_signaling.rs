//! Calls over an app's own signaling: another wire, another server, the same calls.

use chamada::call::{CallError, CallEvent, CallState, EndReason};
use chamada::client::{CallOptions, CallStats, Client, ClientConfig, ClientError, ClientEvent, Devices};
use chamada::media::synthetic::{SyntheticAudio, SyntheticCameras};
use chamada::media::video::codec::VideoCodec;
use chamada::peer::BitrateBounds;
use chamada::peer::webrtc::WebrtcPeers;
use chamada::signaling::{
    SignalingConfig, SignalingError, SignalingEvent, SignalingReceiver, SignalingTransport, TransportError,
};
use chamada_tests::line_server::LineServer;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

// ANCHOR: transport
/// The app's own wire: lines of text over TCP. The first one says who we are, each other one is a name, a space and a message.
struct Lines {
    server: String,
    name: String,
    to_server: Mutex<Option<mpsc::UnboundedSender<String>>>,
}

impl Lines {
    /// Connects, and connects again when the connection is lost, until the client is gone.
    async fn run(
        server: String,
        name: String,
        mut lines: mpsc::UnboundedReceiver<String>,
        receiver: SignalingReceiver,
    ) {
        loop {
            let lost = match TcpStream::connect(&server).await {
                Ok(stream) => Self::carry(stream, &name, &mut lines, &receiver).await,
                Err(error) => Some(error.to_string()),
            };
            let Some(reason) = lost else { return };
            receiver.lost(reason);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Until the connection is lost, which it says, or the client is gone.
    async fn carry(
        stream: TcpStream,
        name: &str,
        lines: &mut mpsc::UnboundedReceiver<String>,
        receiver: &SignalingReceiver,
    ) -> Option<String> {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read).lines();
        if let Err(error) = write.write_all(format!("{name}\n").as_bytes()).await {
            return Some(error.to_string());
        }
        receiver.opened(Vec::new());
        loop {
            tokio::select! {
                line = lines.recv() => {
                    let line = line?;
                    if let Err(error) = write.write_all(format!("{line}\n").as_bytes()).await {
                        return Some(error.to_string());
                    }
                }
                line = read.next_line() => match line {
                    Ok(Some(line)) => match line.split_once(' ') {
                        Some(("!", nobody)) => drop(receiver.no_such_user(nobody)),
                        // What does not fit is sent again by the other side's call.
                        Some((from, message)) => drop(receiver.receive(from, message)),
                        None => {}
                    },
                    Ok(None) => return Some("the server went away".into()),
                    Err(error) => return Some(error.to_string()),
                },
            }
        }
    }
}

impl SignalingTransport for Lines {
    fn connect(&self, receiver: SignalingReceiver) {
        let (sender, lines) = mpsc::unbounded_channel();
        *self.to_server.lock().unwrap() = Some(sender);
        tokio::spawn(Self::run(self.server.clone(), self.name.clone(), lines, receiver));
    }

    fn send(&self, to: &str, message: &str) -> Result<(), TransportError> {
        let lines = self.to_server.lock().unwrap();
        let sent = lines.as_ref().is_some_and(|lines| lines.send(format!("{to} {message}")).is_ok());
        if sent { Ok(()) } else { Err(TransportError::NotOpen("closed".into())) }
    }

    fn disconnect(&self) {
        self.to_server.lock().unwrap().take();
    }
}
// ANCHOR_END: transport

// ANCHOR: client
/// A client that signals over it.
async fn connect(server: &str, name: &str) -> Result<(Client, mpsc::Receiver<ClientEvent>), ClientError> {
    let transport = Lines { server: server.into(), name: name.into(), to_server: Mutex::default() };
    let signaling = SignalingConfig {
        // Only says whether the server is on this machine.
        url: server.into(),
        name: name.into(),
        transport: Some(Arc::new(transport)),
        ..SignalingConfig::default()
    };
    let devices = Devices {
        cameras: Some(Arc::new(SyntheticCameras::default())),
        audio: Some(Arc::new(SyntheticAudio::new(440.0))),
        ..Devices::default()
    };
    Client::connect(ClientConfig { signaling, ..ClientConfig::default() }, devices, Arc::new(WebrtcPeers)).await
}
// ANCHOR_END: client

async fn until<T>(events: &mut mpsc::Receiver<ClientEvent>, mut wanted: impl FnMut(ClientEvent) -> Option<T>) -> T {
    let found = async {
        loop {
            let event = events.recv().await.expect("the client goes on");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found).await.expect("it comes within 30 seconds")
}

fn in_state(event: ClientEvent, state: CallState) -> Option<()> {
    matches!(event, ClientEvent::Call(CallEvent::Changed(now)) if now.state == state).then_some(())
}

fn incoming(event: ClientEvent) -> Option<(chamada::signaling::message::CallId, String)> {
    match event {
        ClientEvent::Call(CallEvent::Incoming { call, from, .. }) => Some((call, from)),
        _ => None,
    }
}

fn ended(event: ClientEvent) -> Option<EndReason> {
    if let ClientEvent::Call(CallEvent::Ended { reason, .. }) = event { Some(reason) } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_an_apps_own_wire_connects_survives_its_servers_loss_and_ends() {
    let server = LineServer::start().await.unwrap();
    let (ana, mut at_ana) = connect(server.address(), "ana").await.unwrap();
    let (rui, mut at_rui) = connect(server.address(), "rui").await.unwrap();
    ana.call("rui").await.unwrap();
    let (call, from) = until(&mut at_rui, incoming).await;
    assert_eq!(from, "ana");
    rui.handle(call).accept().await.unwrap();
    until(&mut at_ana, |event| in_state(event, CallState::Connected)).await;
    until(&mut at_rui, |event| in_state(event, CallState::Connected)).await;

    server.drop_connections();
    for events in [&mut at_ana, &mut at_rui] {
        until(events, |event| {
            matches!(event, ClientEvent::Signaling(SignalingEvent::Reconnecting { .. })).then_some(())
        })
        .await;
        until(events, |event| {
            matches!(event, ClientEvent::Signaling(SignalingEvent::LoggedIn { resumed: true, .. })).then_some(())
        })
        .await;
    }
    // The call has gone on, and its messages get through again.
    ana.set_held(true).await.unwrap();
    until(&mut at_rui, |event| {
        matches!(event, ClientEvent::Call(CallEvent::Changed(now)) if now.remote.held).then_some(())
    })
    .await;
    ana.hang_up().await.unwrap();
    assert_eq!(until(&mut at_rui, ended).await, EndReason::HungUpRemotely);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_whom_the_apps_server_does_not_know_is_unreachable() {
    let server = LineServer::start().await.unwrap();
    let (ana, mut at_ana) = connect(server.address(), "ana").await.unwrap();
    ana.call("nobody").await.unwrap();
    assert_eq!(until(&mut at_ana, ended).await, EndReason::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_a_matter_of_a_chamada_server_is_refused_by_name() {
    let server = LineServer::start().await.unwrap();
    let (ana, _events) = connect(server.address(), "ana").await.unwrap();
    let refused = |result: Result<(), ClientError>| match result {
        Err(ClientError::Signaling(SignalingError::NotCarried(what))) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(ana.say("hello").await), "message");
    assert_eq!(refused(ana.rename("eva").await), "username");
    assert_eq!(refused(ana.set_token("a.b.c".into()).await), "token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transport_that_cannot_open_is_why_there_is_no_client() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = connect(&unused.to_string(), "ana").await.unwrap_err();
    assert!(matches!(error, ClientError::Signaling(SignalingError::TransportLost(_))), "{error}");
}

/// Waits until the call's statistics say this.
async fn measured(events: &mut mpsc::Receiver<ClientEvent>, wanted: impl Fn(&CallStats) -> bool) {
    until(events, |event| matches!(event, ClientEvent::Stats(stats) if wanted(&stats)).then_some(())).await;
}

fn sends(codec: VideoCodec) -> impl Fn(&CallStats) -> bool {
    move |stats| stats.video_sent.as_ref().is_some_and(|video| video.codec == Some(codec))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_calls_options_hold_for_it_and_not_for_the_next() {
    let server = LineServer::start().await.unwrap();
    let (ana, mut at_ana) = connect(server.address(), "ana").await.unwrap();
    let (rui, mut at_rui) = connect(server.address(), "rui").await.unwrap();
    let h264 = CallOptions { codecs: Some(vec![VideoCodec::H264]), ..CallOptions::default() };
    let narrow = CallOptions { bitrate: Some(BitrateBounds::up_to(200_000)), ..CallOptions::default() };

    // One configures the call that it places, the other the one that rings.
    ana.call_with("rui", h264).await.unwrap();
    let (call, _) = until(&mut at_rui, incoming).await;
    let ringing = rui.handle(call);
    ringing.configure(narrow.clone()).await.unwrap();
    ringing.accept().await.unwrap();
    measured(&mut at_ana, sends(VideoCodec::H264)).await;
    measured(&mut at_rui, |stats| stats.max_video_bps == 200_000).await;
    let late = ringing.configure(narrow).await;
    assert!(matches!(late, Err(ClientError::Call(CallError::WrongState(_)))), "{late:?}");
    ana.hang_up().await.unwrap();
    until(&mut at_rui, ended).await;

    // Nothing of it is left for the next one.
    until(&mut at_ana, ended).await;
    ana.call("rui").await.unwrap();
    let (call, _) = until(&mut at_rui, incoming).await;
    rui.handle(call).accept().await.unwrap();
    measured(&mut at_ana, sends(VideoCodec::Vp8)).await;
    measured(&mut at_rui, |stats| stats.max_video_bps > 200_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_called_at_the_same_time_as_the_other_has_one_call_with_its_own_options() {
    let server = LineServer::start().await.unwrap();
    let (ana, mut at_ana) = connect(server.address(), "ana").await.unwrap();
    let (rui, mut at_rui) = connect(server.address(), "rui").await.unwrap();
    let h264 = CallOptions { codecs: Some(vec![VideoCodec::H264]), ..CallOptions::default() };
    // Both call; the one whose name is smaller gives up its own call, and with it the identifier.
    let (by_ana, by_rui) = tokio::join!(ana.call_with("rui", h264), rui.call("ana"));
    let (by_ana, by_rui) = (ana.handle(by_ana.unwrap()), rui.handle(by_rui.unwrap()));
    until(&mut at_ana, |event| in_state(event, CallState::Connected)).await;
    until(&mut at_rui, |event| in_state(event, CallState::Connected)).await;
    measured(&mut at_ana, sends(VideoCodec::H264)).await;
    by_rui.set_held(true).await.unwrap();
    by_rui.set_held(false).await.unwrap();
    by_ana.hang_up().await.unwrap();
    assert_eq!(until(&mut at_ana, ended).await, EndReason::HungUpLocally);
}
