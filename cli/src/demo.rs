//! `chamada demo`: everything on one machine, and a call that proves it.

use crate::args::DemoArgs;
use crate::call::{CONNECT_BOUND, at};
use crate::exit::{self, Failure};
use crate::output::Output;
use crate::serve::stop_signal;
use crate::summary::Summary;
use crate::table::{Row, Table};
use crate::view::{RemoteView, Seen};
use chamada::call::{CallEvent, CallState};
use chamada::client::{Client, ClientConfig, ClientEvent, Devices};
use chamada::media::loopback::Loopback;
use chamada::media::photo::save_photo;
use chamada::media::synthetic::{SyntheticAudio, SyntheticCameras};
use chamada::peer::webrtc::WebrtcPeers;
use chamada::signaling::message::DEFAULT_PORT;
use chamada_server::{Server, ServerConfig};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// How long the self-check call talks.
const TALK: Duration = Duration::from_secs(5);
/// How many ports are tried from the default one on.
const PORTS: u16 = 100;
const PHOTO: &str = "chamada-demo.png";

pub(crate) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let output = Output::new(args.json);
    let until = args.seconds.map(|seconds| Instant::now() + seconds);
    let server = bind().await?;
    let address = server.local_addr();
    let (stop_server, server_stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.run(async {
        // Sent, or dropped with this function: either way the server stops.
        let _ = server_stopped.await;
    }));
    let url = format!("ws://{address}");
    let page = format!("http://{address}/");
    output.event("server", json!({ "url": url, "page": page }), Some(format!("server: {url}")));

    let eco = loopback_peer(&url).await?;
    output.event("echo", json!({ "name": "eco" }), None);

    let mut stop = std::pin::pin!(stop_signal());
    let checked = tokio::select! {
        checked = self_check(&url, output) => Some(checked),
        () = &mut stop => None,
    };
    let nothing = || Summary::new().to_json(&Seen::default());
    let (mut summary, result, complete) = match checked {
        Some(Ok((numbers, result))) => (numbers, result, true),
        Some(Err(failure)) => (nothing(), Err(failure), false),
        None => (nothing(), Ok(()), false),
    };
    if let Err(failure) = &result {
        summary["error"] = failure.to_string().into();
    }
    if complete && result.is_ok() {
        let text = format!(
            "\nOpen {page} in a browser, log in and call 'eco': it answers with your own picture and sound.\nCtrl-C ends the demo."
        );
        output.event("ready", json!({ "page": page }), Some(text));
        tokio::select! {
            () = at(until) => {}
            () = &mut stop => {}
        }
    }
    eco.logout().await;
    drop(stop_server);
    if let Err(error) = serving.await {
        log::warn!("the server's task failed: {error}");
    }
    output.event("summary", summary, None);
    result
}

async fn bind() -> Result<Server, Failure> {
    let mut last = None;
    for port in DEFAULT_PORT..DEFAULT_PORT + PORTS {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match Server::bind(ServerConfig { listen, ..ServerConfig::default() }).await {
            Ok(server) => return Ok(server),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(String::new, |error| error.to_string());
    Err(Failure::Unreachable(format!("no free port from {DEFAULT_PORT} on: {why}")))
}

fn local(url: &str, name: &str) -> ClientConfig {
    ClientConfig::new(url, name)
}

/// A peer that answers every call and sends back what it gets.
async fn loopback_peer(url: &str) -> Result<Client, Failure> {
    let echo = Arc::new(Loopback::new());
    let devices = Devices { cameras: Some(echo.clone()), audio: Some(echo.clone()), remote: Some(echo), preview: None };
    let (client, mut events) = Client::connect(local(url, "eco"), devices, Arc::new(WebrtcPeers)).await?;
    let eco = client.clone();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let ClientEvent::Call(CallEvent::Incoming { .. }) = event
                && let Err(error) = eco.accept().await
            {
                log::debug!("eco could not answer: {error}");
            }
        }
    });
    Ok(client)
}

/// One of the two peers of the self-check.
struct Party {
    client: Client,
    events: mpsc::Receiver<ClientEvent>,
    view: Arc<RemoteView>,
    row: Row,
}

impl Party {
    async fn new(url: &str, name: &str) -> Result<Self, Failure> {
        let view = RemoteView::new(None)?;
        let devices = Devices {
            cameras: Some(Arc::new(SyntheticCameras::default())),
            audio: Some(Arc::new(SyntheticAudio::new(440.0))),
            remote: Some(view.clone()),
            preview: None,
        };
        let (client, events) = Client::connect(local(url, name), devices, Arc::new(WebrtcPeers)).await?;
        Ok(Self { client, events, view, row: Row::new(name) })
    }

    fn watch(&mut self, event: &ClientEvent) {
        match event {
            ClientEvent::Call(CallEvent::Changed(snapshot)) => self.row.state(snapshot.state),
            ClientEvent::Stats(stats) => self.row.stats(stats, &self.view.seen()),
            _ => {}
        }
    }
}

/// Calls from one synthetic peer to another through the server, and what came of it.
async fn self_check(url: &str, output: Output) -> Result<(serde_json::Value, Result<(), Failure>), Failure> {
    let mut answerer = Party::new(url, "demo-answer").await?;
    let mut caller = Party::new(url, "demo-call").await?;
    let mut summary = Summary::new();
    let mut table = Table::new(!output.json);
    let mut hang_up = Some(Instant::now() + CONNECT_BOUND);
    summary.asked();
    caller.client.call("demo-answer").await?;
    let reason = loop {
        tokio::select! {
            Some(event) = caller.events.recv() => {
                if output.json {
                    output.client(&event);
                }
                caller.watch(&event);
                match event {
                    ClientEvent::Call(CallEvent::Changed(now))
                        if now.state == CallState::Connected && !summary.is_connected() =>
                    {
                        summary.connected();
                        hang_up = Some(Instant::now() + TALK);
                    }
                    ClientEvent::Stats(stats) => {
                        summary.stats(&stats);
                        table.draw(&[&caller.row, &answerer.row]);
                    }
                    ClientEvent::Call(CallEvent::Ended { reason, .. }) => break reason,
                    _ => {}
                }
            }
            Some(event) = answerer.events.recv() => {
                answerer.watch(&event);
                if let ClientEvent::Call(CallEvent::Incoming { .. }) = event {
                    answerer.client.accept().await?;
                }
            }
            () = at(hang_up) => {
                hang_up = None;
                caller.client.hang_up().await?;
            }
            else => return Err(Failure::Failed("the self-check's clients stopped".into())),
        }
    };
    summary.ended(reason);
    let mut result = exit::of_call("demo-answer", reason, summary.is_connected());
    let seen = caller.view.seen();
    if result.is_ok() && seen.frames == 0 {
        result = Err(Failure::Failed("the self-check's call connected but no picture came".into()));
    }
    if let Some(frame) = caller.view.newest() {
        save_photo(&frame, Path::new(PHOTO)).map_err(|error| Failure::Failed(error.to_string()))?;
        output.event("photo", json!({ "file": PHOTO }), Some(format!("the last picture received: {PHOTO}")));
    }
    caller.client.logout().await;
    answerer.client.logout().await;
    Ok((summary.to_json(&seen), result))
}
