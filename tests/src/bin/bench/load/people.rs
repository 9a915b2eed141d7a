//! Very many people on one server, and lines to all of a room.

use super::client::{Socket, log_in};
use super::{Served, percentile, serve};
use crate::usage::{cpu_seconds, resident_mib};
use crate::{Figure, show};
use anyhow::{Context, Result};
use futures_util::stream::{self, SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

type Sink = SplitSink<Socket, Message>;

/// Logins that are under way at a time.
const AT_A_TIME: usize = 200;
/// Pairs of people of whom one writes to the other, how often a second, and for how long.
const PAIRS: usize = 100;
const PER_SECOND: u32 = 5;
const WRITING: Duration = Duration::from_secs(10);
/// A message that is not there after this, with none before it either, is lost.
const LATE: Duration = Duration::from_secs(10);
/// People who hear the lines, and how many of them speak.
const AUDIENCE: usize = 200;
const SPEAKERS: usize = 10;

pub(super) async fn measure(people: usize, rooms: usize) -> Result<Vec<Figure>> {
    let server = serve(&[])?;
    let process = server.process.id().to_string();
    let empty = resident_mib(&process)?;
    let (started, cpu) = (Instant::now(), cpu_seconds(&process)?);
    let (delays, measured) = mpsc::unbounded_channel();
    let logins = (0..people).map(|number| {
        let url = format!("{}/room/{}", server.url, number % rooms.max(1));
        let delays = delays.clone();
        async move {
            let person = log_in(&url, &format!("person {number}"), None).await?;
            let (sink, stream) = person.socket.split();
            // From now on everybody reads, and so answers the server's pings.
            tokio::spawn(note_delays(stream, started, delays));
            anyhow::Ok(sink)
        }
    });
    let logged_in: Vec<Result<Sink>> = stream::iter(logins).buffered(AT_A_TIME).collect().await;
    let everybody = logged_in.into_iter().collect::<Result<Vec<_>>>()?;
    let (took, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds(&process)? - cpu);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let memory = (resident_mib(&process)? - empty) * 1024.0 / people as f64;
    let mut figures = show(vec![
        Figure::new(format!("{people} logins in {rooms} rooms, until all have their list"), took, "s").aim(10.0),
        Figure::new(format!("{people} logins, CPU of the server"), cpu, "s"),
        Figure::new("memory of the server for each of them", memory, "KiB").aim(16.0),
    ]);
    let delays = relay_delays(everybody, rooms.max(1), started, measured).await?;
    figures.extend(show(vec![
        Figure::new("a message to one of them, median", percentile(&delays, 0.5), "ms"),
        Figure::new("a message to one of them, p99", percentile(&delays, 0.99), "ms").aim(5.0),
    ]));
    Ok(figures)
}

/// Of some pairs one writes to the other. How long each message took, in milliseconds, sorted.
async fn relay_delays(
    mut sinks: Vec<Sink>,
    rooms: usize,
    start: Instant,
    mut measured: mpsc::UnboundedReceiver<f64>,
) -> Result<Vec<f64>> {
    let mut writers = Vec::new();
    // Neighbours of one room, all over the rooms.
    let pairs = PAIRS.min(sinks.len().saturating_sub(rooms));
    for (pair, sink) in sinks.iter_mut().take(pairs).enumerate() {
        writers.push(write(sink, format!("person {}", pair + rooms), start));
    }
    let sent = futures_util::future::join_all(writers).await.into_iter().sum::<Result<usize>>()?;
    let mut all = Vec::new();
    while all.len() < sent {
        let Ok(delay) = tokio::time::timeout(LATE, measured.recv()).await else { break };
        all.push(delay.context("everybody is gone")?);
    }
    anyhow::ensure!(all.len() == sent, "only {} of {sent} messages came", all.len());
    all.sort_by(f64::total_cmp);
    Ok(all)
}

async fn note_delays(mut stream: SplitStream<Socket>, start: Instant, delays: mpsc::UnboundedSender<f64>) {
    while let Some(Ok(frame)) = stream.next().await {
        let now = start.elapsed().as_secs_f64();
        let sent = frame
            .to_text()
            .ok()
            .and_then(|text| text.split_once("\"sent\":"))
            .and_then(|(_, rest)| rest.split([',', '}']).next().and_then(|number| number.parse::<f64>().ok()));
        if let Some(sent) = sent {
            let _ = delays.send((now - sent) * 1e3);
        }
    }
}

/// How many it has sent.
async fn write(sink: &mut Sink, target: String, start: Instant) -> Result<usize> {
    // Not all at once.
    tokio::time::sleep(Duration::from_millis(target.bytes().map(u64::from).sum::<u64>() % 200)).await;
    let mut every = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let (end, mut sent) = (Instant::now() + WRITING, 0);
    while Instant::now() < end {
        every.tick().await;
        sent += 1;
        let message = json!({ "type": "wave", "target": target, "sent": start.elapsed().as_secs_f64() });
        sink.send(Message::text(message.to_string())).await?;
    }
    Ok(sent)
}

/// How many lines to a room of 200 people one second of the server's CPU is enough for.
pub(super) async fn lines_per_cpu_second(server: &Served, time: Duration) -> Result<f64> {
    let process = server.process.id().to_string();
    let heard = Arc::new(AtomicUsize::new(0));
    let mut speakers = Vec::new();
    for number in 0..AUDIENCE {
        let person = log_in(&server.url, &format!("p{number}"), None).await?;
        let id = person.id;
        let (sink, mut stream) = person.socket.split();
        let heard = heard.clone();
        tokio::spawn(async move {
            while let Some(Ok(frame)) = stream.next().await {
                if frame.to_text().is_ok_and(|text| text.contains("\"type\":\"message\"")) {
                    heard.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        speakers.push((sink, id));
    }
    // The lists of the logins are told by then.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let cpu = cpu_seconds(&process)?;
    let (started, mut sent) = (Instant::now(), 0_usize);
    while started.elapsed() < time {
        for (sink, id) in speakers.iter_mut().take(SPEAKERS) {
            let line =
                json!({ "type": "message", "text": "a line of some length, as people write", "id": id, "date": 1 });
            sink.send(Message::text(line.to_string())).await?;
            sent += 1;
        }
        // As fast as they are heard, so that none is dropped for want of room.
        let until = Instant::now() + Duration::from_secs(20);
        while heard.load(Ordering::Relaxed) < sent * AUDIENCE {
            anyhow::ensure!(
                Instant::now() < until,
                "only {} of {} were heard",
                heard.load(Ordering::Relaxed),
                sent * AUDIENCE
            );
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }
    let cpu = cpu_seconds(&process)? - cpu;
    Some(sent as f64 / cpu).filter(|_| cpu > 0.0).context("too little to be measured")
}
