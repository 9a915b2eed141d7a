//! What it costs a stranger to harm others at the server, and what the harm is.

use crate::Figure;
use crate::server::{Served, Socket, log_in_as, receive, serve};
use crate::usage::{cpu_seconds, resident_mib};
use anyhow::{Context, Result};
use chamada::signaling::message::Message;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async;

const ATTACK: Duration = Duration::from_secs(10);
const AUDIENCE: usize = 500;
const SILENT: usize = 500;
const WARMING_UP: usize = 100;

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let mut figures = flood().await?;
    figures.extend(fan_out("renames", |n| json!({"type": "username", "name": format!("attacker {n}")})).await?);
    figures.extend(fan_out("public lines", |_| json!({"type": "message", "text": "x".repeat(256)})).await?);
    figures.extend(silence().await?);
    Ok(figures)
}

/// Sends as fast as the server reads, until the time is over or the server closes; bytes sent.
async fn attack(mut socket: Socket, mut frame: impl FnMut(usize) -> Value) -> usize {
    let (start, mut sent) = (Instant::now(), 0);
    for n in 0.. {
        let Some(left) = ATTACK.checked_sub(start.elapsed()) else { break };
        let text = frame(n).to_string();
        let bytes = text.len();
        match timeout(left, socket.send(text.into())).await {
            Ok(Ok(())) => sent += bytes,
            _ => break,
        }
        while let Ok(Some(Ok(_))) = timeout(Duration::from_micros(100), socket.next()).await {}
    }
    sent
}

/// Three send all they can to one who is in a call and reads at once.
async fn flood() -> Result<Vec<Figure>> {
    let server = serve()?;
    let mut victim = log_in_as(&server.url, "victim").await?;
    let mut friend = log_in_as(&server.url, "friend").await?;
    let offer = |kind, to| {
        json!({"type": format!("video-{kind}"), "target": to, "sdp": {"type": kind, "sdp": "v=0"}}).to_string()
    };
    friend.send(offer("offer", "victim").into()).await?;
    while !matches!(receive(&mut victim).await?, Message::VideoOffer(_)) {}
    victim.send(offer("answer", "friend").into()).await?;
    let mut attackers = JoinSet::new();
    for n in 0..3 {
        let socket = log_in_as(&server.url, &format!("attacker {n}")).await?;
        let load = "x".repeat(60_000);
        attackers.spawn(attack(socket, move |_| json!({"type": "load", "target": "victim", "load": load})));
    }
    let mut worst = Duration::ZERO;
    let start = Instant::now();
    while start.elapsed() < ATTACK {
        let asked = Instant::now();
        friend.send(json!({"type": "media-state", "target": "victim", "audio": true}).to_string().into()).await?;
        let heard = async {
            while !matches!(receive(&mut victim).await?, Message::MediaState(_)) {}
            anyhow::Ok(())
        };
        timeout(ATTACK, heard).await.context("the victim hears nothing any more")??;
        worst = worst.max(asked.elapsed());
        sleep(Duration::from_millis(100)).await;
    }
    let sent: usize = attackers.join_all().await.into_iter().sum();
    Ok(vec![
        Figure::new("attack: 3 flood 1 in a call for 10 s, sent", sent as f64 / 1e6, "MB"),
        Figure::new("attack: … a message of the call takes at most", worst.as_secs_f64() * 1e3, "ms").aim(500.0),
    ])
}

/// One makes the server send to many who read no changes but whole lists, as old pages: the costly case.
async fn fan_out(what: &str, frame: fn(usize) -> Value) -> Result<Vec<Figure>> {
    let server = serve()?;
    let heard = Arc::new(AtomicUsize::new(0));
    let mut audience = JoinSet::new();
    for n in 0..AUDIENCE {
        let mut socket = log_in_as(&server.url, &format!("listener {n}")).await?;
        let heard = heard.clone();
        audience.spawn(async move {
            while let Some(Ok(frame)) = socket.next().await {
                heard.fetch_add(frame.len(), Ordering::Relaxed);
            }
        });
    }
    let attacker = log_in_as(&server.url, "attacker").await?;
    sleep(Duration::from_secs(5)).await;
    let process = server.process.id().to_string();
    let (before, cpu) = (heard.load(Ordering::Relaxed), cpu_seconds(&process)?);
    let sent = attack(attacker, frame).await;
    sleep(ATTACK / 10).await;
    let bytes = heard.load(Ordering::Relaxed) - before;
    let cpu = cpu_seconds(&process)? - cpu;
    Ok(vec![
        Figure::new(format!("attack: {what} for 10 s, sent"), sent as f64 / 1e3, "kB"),
        Figure::new(format!("attack: … {AUDIENCE} others are sent"), bytes as f64 / 1e6, "MB").aim(60.0),
        Figure::new("attack: … CPU of the server", cpu, "s").aim(1.0),
    ])
}

/// Connections that say little, and memory for each.
async fn silence() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (what, aim) in [("silent WebSocket", 16.0), ("unfinished header", 32.0), ("unfinished frame", 96.0)] {
        let server = serve()?;
        let process = server.process.id().to_string();
        // The first ones pay for what all share: code that is read from the disk, stacks, the allocator's arenas.
        let mut kept = Vec::new();
        for _ in 0..WARMING_UP {
            kept.push(begin(&server, what).await?);
        }
        sleep(Duration::from_secs(1)).await;
        let before = resident_mib(&process)?;
        for _ in 0..SILENT {
            kept.push(begin(&server, what).await?);
        }
        sleep(Duration::from_secs(1)).await;
        let each = (resident_mib(&process)? - before) * 1024.0 / SILENT as f64;
        figures.push(Figure::new(format!("attack: memory of one {what}"), each, "KiB").aim(aim));
    }
    Ok(figures)
}

enum Begun {
    Socket(#[expect(dead_code, reason = "kept open")] Box<Socket>),
    Stream(#[expect(dead_code, reason = "kept open")] TcpStream),
}

async fn begin(server: &Served, what: &str) -> Result<Begun> {
    let address = server.url.trim_start_matches("ws://").trim_end_matches('/');
    match what {
        "silent WebSocket" => Ok(Begun::Socket(Box::new(connect_async(&server.url).await?.0))),
        "unfinished header" => {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await?;
            // The server may have had enough of it before that is all written.
            let _ = stream.write_all(format!("X: {}", "x".repeat(1_000_000)).as_bytes()).await;
            Ok(Begun::Stream(stream))
        }
        _ => {
            let mut stream = TcpStream::connect(address).await?;
            let key = "dGhlIHNhbXBsZSBub25jZQ==";
            let request = format!(
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).await?;
            // A text frame of 64 KiB (RFC 6455 section 5.2) but for its last byte.
            stream.write_all(&[0x81, 0xFE, 0xFF, 0xFF, 0, 0, 0, 0]).await?;
            let _ = timeout(Duration::from_secs(1), stream.write_all(&[b'x'; 0xFFFE])).await;
            Ok(Begun::Stream(stream))
        }
    }
}
