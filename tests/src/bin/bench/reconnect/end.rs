//! One end of the call, in a process of its own so that it can live in a namespace. It says what happens line by line, and hears
//! what its app would be told on its standard input.

use super::links::RELAY_LOGIN;
use anyhow::{Context, Result};
use chamada::call::CallEvent;
use chamada::client::{Client, ClientConfig, ClientEvent, Devices};
use chamada::media::capture::VideoRenderer;
use chamada::media::frame::VideoFrame;
use chamada::media::synthetic::{SyntheticAudio, marker};
use chamada::peer::webrtc::WebrtcPeers;
use chamada::signaling::SignalingEvent;
use chamada::signaling::message::IceServer;
use chamada_tests::phone::synthetic;
use std::io::BufRead;
use std::sync::Arc;
use tokio::sync::mpsc;

/// One end of a call that is measured
#[derive(clap::Args)]
pub(crate) struct EndArgs {
    /// The name to log in with
    #[arg(long)]
    name: String,
    /// The signaling server
    #[arg(long)]
    server: String,
    /// Whom to call; answers without it
    #[arg(long)]
    call: Option<String>,
    /// A relay, which is then the only way
    #[arg(long)]
    relay: Option<String>,
}

/// Says when each picture was taken that it shows.
struct Pictures;

impl VideoRenderer for Pictures {
    fn render(&self, frame: VideoFrame) {
        if let Some(marker) = marker::read(&frame) {
            println!("picture {}", marker.captured_us);
        }
    }
}

/// Runs until the standard input ends.
pub(crate) async fn run(args: EndArgs) -> Result<()> {
    let mut config = ClientConfig::new(args.server, args.name);
    config.signaling.allow_insecure = true;
    if let Some(relay) = args.relay {
        let [user, password] = RELAY_LOGIN.map(ToOwned::to_owned);
        config.ice_servers = vec![IceServer { urls: vec![relay], username: Some(user), credential: Some(password) }];
        config.relay_only = true;
    }
    let devices = Devices {
        cameras: Some(synthetic(640, 360)),
        audio: Some(Arc::new(SyntheticAudio::new(440.0))),
        remote: Some(Arc::new(Pictures)),
        preview: None,
    };
    let (client, mut events) = Client::connect(config, devices, Arc::new(WebrtcPeers)).await?;
    let (lines, mut told) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    if let Some(whom) = &args.call {
        client.call(whom).await.context("the call")?;
    }
    loop {
        tokio::select! {
            line = told.recv() => match line.as_deref() {
                Some("network-changed") => client.network_changed().await?,
                Some(other) => anyhow::bail!("unknown: {other}"),
                None => break,
            },
            event = events.recv() => match event {
                Some(event) => hear(&client, event).await?,
                None => break,
            },
        }
    }
    client.logout().await;
    Ok(())
}

async fn hear(client: &Client, event: ClientEvent) -> Result<()> {
    match event {
        ClientEvent::Signaling(SignalingEvent::LoggedIn { .. }) => println!("logged-in"),
        ClientEvent::Signaling(SignalingEvent::Reconnecting { why, .. }) => println!("server lost: {why}"),
        ClientEvent::Call(CallEvent::Incoming { .. }) => client.accept().await?,
        ClientEvent::Stats(stats) => {
            let congestion = stats.peer.congestion;
            let sent = stats.video_sent.as_ref().map(|sent| sent.sent);
            println!("stats: target {} bit/s, loss {:.2}, sent {sent:?}", congestion.target_bps, congestion.loss);
        }
        ClientEvent::Call(CallEvent::Changed(now)) => println!("state {}", now.state.as_str()),
        ClientEvent::Call(CallEvent::Ended { reason, .. }) => println!("ended {}", reason.as_str()),
        _ => {}
    }
    Ok(())
}
