//! Three nodes over NATS, of which one after the other is killed while people write to each other. What each sent and heard is noted, and
//! checked at the end: nothing to somebody whose own node lived may be lost or come twice.

use super::client::{Person, log_in};
use super::{Served, percentile, serve};
use crate::Figure;
use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

const NODES: usize = 3;
const PEOPLE: usize = 60;
/// Between two messages of one person.
const PAUSE: Duration = Duration::from_millis(100);
/// Before the first kill; the delays are of that time.
const CALM: Duration = Duration::from_secs(10);
const BETWEEN_KILLS: Duration = Duration::from_millis(1_500);
/// Seconds that a sender's connection has to go on so that its message must have been taken, and a recipient's so that it must have come.
const SETTLED: f64 = 2.0;

struct Nats(Child, std::path::PathBuf);

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = std::fs::remove_dir_all(&self.1);
    }
}

/// What one person did and heard, in seconds from the start.
#[derive(Default)]
struct History {
    /// When each connection was logged in and when it broke.
    connections: Vec<(f64, f64)>,
    /// Number of the message, when, and on which connection.
    sent: Vec<(u64, f64, usize)>,
    /// Sender, number of the message, when, when it was sent.
    heard: Vec<(usize, u64, f64, f64)>,
    /// Numbers of messages that the server refused.
    refused: Vec<u64>,
    /// How long it took to be logged in again, in seconds.
    returns: Vec<f64>,
    lost_names: usize,
}

struct World {
    start: Instant,
    urls: Mutex<Vec<Option<String>>>,
}

impl World {
    fn now(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn urls(&self) -> std::sync::MutexGuard<'_, Vec<Option<String>>> {
        self.urls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node that lives, the wanted one if possible.
    fn url(&self, wanted: usize) -> Option<String> {
        let urls = self.urls();
        (0..urls.len()).find_map(|more| urls.get((wanted + more) % urls.len())?.clone())
    }
}

fn name(person: usize) -> String {
    format!("person {person}")
}

/// `None` where there is no `nats-server`.
async fn nats() -> Result<Option<(Nats, String)>> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let folder = std::env::temp_dir().join(format!("chamada-bench-nats-{}", std::process::id()));
    let mut command = Command::new("nats-server");
    command.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(&folder);
    let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else { return Ok(None) };
    let nats = Nats(process, folder);
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(Some((nats, format!("nats://127.0.0.1:{port}"))));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("nats-server does not listen")
}

pub(super) async fn measure(kills: usize) -> Result<Option<Vec<Figure>>> {
    let Some((_nats, cluster)) = nats().await? else { return Ok(None) };
    let mut nodes: Vec<Served> = Vec::new();
    for _ in 0..NODES {
        nodes.push(serve(&["--cluster", &cluster])?);
    }
    let urls = nodes.iter().map(|node| Some(node.url.clone())).collect();
    let world = Arc::new(World { start: Instant::now(), urls: Mutex::new(urls) });
    let (stop, stopped) = watch::channel(false);
    let mut people = Vec::new();
    for person in 0..PEOPLE {
        let first = log_in(&world.url(person % NODES).context("no node")?, &name(person), None).await?;
        people.push(tokio::spawn(live(person, first, world.clone(), stopped.clone())));
    }
    tokio::time::sleep(CALM).await;
    let calm_until = world.now();
    for kill in 0..kills {
        let victim = kill % NODES;
        if let Some(url) = world.urls().get_mut(victim) {
            *url = None;
        }
        if let Some(node) = nodes.get_mut(victim) {
            node.process.kill()?;
            node.process.wait()?;
            tokio::time::sleep(Duration::from_millis(200)).await;
            *node = serve(&["--cluster", &cluster])?;
            if let Some(url) = world.urls().get_mut(victim) {
                *url = Some(node.url.clone());
            }
        }
        tokio::time::sleep(BETWEEN_KILLS).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let _ = stop.send(true);
    let mut histories = Vec::new();
    for person in people {
        histories.push(person.await?);
    }
    Ok(Some(judge(&histories, kills, calm_until)))
}

/// One person: writes to a neighbour, who is on another node at first, and comes back wherever there is a node.
async fn live(person: usize, first: Person, world: Arc<World>, mut stopped: watch::Receiver<bool>) -> History {
    let mut history = History::default();
    let (mut connected, mut token, mut node, mut seq) = (Some(first), String::new(), person, 0_u64);
    let target = name((person + 1) % PEOPLE);
    loop {
        let lost_at = Instant::now();
        let me = loop {
            if let Some(me) = connected.take() {
                break me;
            }
            node += 1;
            if let Some(url) = world.url(node % NODES)
                && let Ok(me) = log_in(&url, &name(person), Some(&token)).await
            {
                history.returns.push(lost_at.elapsed().as_secs_f64());
                history.lost_names += usize::from(me.name != name(person));
                break me;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        token.clone_from(&me.token);
        let connection = history.connections.len();
        history.connections.push((world.now(), f64::INFINITY));
        for text in &me.early {
            note(&mut history, text, world.now());
        }
        let (mut sink, mut stream) = me.socket.split();
        let mut every = tokio::time::interval(PAUSE);
        loop {
            tokio::select! {
                frame = stream.next() => match frame {
                    Some(Ok(frame)) if frame.is_text() => note(&mut history, frame.to_text().unwrap_or_default(), world.now()),
                    Some(Ok(frame)) if !frame.is_close() => {}
                    _ => break,
                },
                _ = every.tick() => {
                    seq += 1;
                    let sent = world.now();
                    let call = format!("{person:08x}-0000-4000-8000-{seq:012x}");
                    let wave = json!({ "type": "wave", "target": target, "call": call, "person": person, "seq": seq, "sent": sent });
                    if sink.send(Message::text(wave.to_string())).await.is_err() {
                        break;
                    }
                    history.sent.push((seq, sent, connection));
                }
                _ = stopped.changed() => return history,
            }
        }
        if let Some(last) = history.connections.last_mut() {
            last.1 = world.now();
        }
    }
}

fn note(history: &mut History, text: &str, now: f64) {
    let Ok(message) = serde_json::from_str::<Value>(text) else { return };
    match message["type"].as_str() {
        Some("wave") => {
            let (Some(from), Some(seq), Some(sent)) =
                (message["person"].as_u64(), message["seq"].as_u64(), message["sent"].as_f64())
            else {
                return;
            };
            history.heard.push((from as usize, seq, now, sent));
        }
        Some("error") => {
            let number = message["call"].as_str().and_then(|call| u64::from_str_radix(call.get(24..)?, 16).ok());
            history.refused.extend(number);
        }
        _ => {}
    }
}

fn judge(histories: &[History], kills: usize, calm_until: f64) -> Vec<Figure> {
    let (mut lost, mut doubled, mut must, mut disordered) = (0_usize, 0_usize, 0_usize, 0_usize);
    let (mut returned, mut of_returned, mut again) = (0_usize, 0_usize, 0_usize);
    let end = histories.iter().flat_map(|history| &history.sent).map(|(_, at, _)| *at).fold(0.0, f64::max) - SETTLED;
    for (person, history) in histories.iter().enumerate() {
        let Some(other) = histories.get((person + 1) % histories.len()) else { continue };
        let mut heard: HashMap<u64, Vec<f64>> = HashMap::new();
        for (_, seq, at, _) in other.heard.iter().filter(|(from, ..)| *from == person) {
            heard.entry(*seq).or_default().push(*at);
        }
        for (seq, at, connection) in &history.sent {
            let is_refused = history.refused.contains(seq);
            let sender_lived = history.connections.get(*connection).is_some_and(|(_, until)| *until > at + SETTLED);
            if !sender_lived || is_refused || *at > end {
                continue;
            }
            let times = heard.get(seq).map_or(0, Vec::len);
            if other.connections.iter().any(|(from, until)| *from < *at && *until > at + SETTLED) {
                must += 1;
                lost += usize::from(times == 0);
                doubled += usize::from(times > 1);
            } else {
                of_returned += 1;
                returned += usize::from(times > 0);
                again += usize::from(times > 1);
            }
        }
        // Of one sender in order, as long as neither's connection changed.
        for (from, until) in &other.connections {
            let in_it = other.heard.iter().filter(|(who, _, at, _)| who == &person && at > from && at < until);
            let numbers: Vec<u64> = in_it.map(|(_, seq, ..)| *seq).collect();
            disordered += numbers.windows(2).filter(|pair| pair.first() > pair.last()).count();
        }
    }
    let mut delays: Vec<f64> = histories
        .iter()
        .flat_map(|history| &history.heard)
        .filter(|(_, _, _, sent)| *sent > 2.0 && *sent < calm_until)
        .map(|(_, _, at, sent)| (at - sent) * 1e3)
        .collect();
    delays.sort_by(f64::total_cmp);
    let mut returns: Vec<f64> = histories.iter().flat_map(|history| &history.returns).copied().collect();
    returns.sort_by(f64::total_cmp);
    let lost_names: usize = histories.iter().map(|history| history.lost_names).sum();
    let refused: usize = histories.iter().map(|history| history.refused.len()).sum();
    vec![
        Figure::new("a message from node to node over NATS, median", percentile(&delays, 0.5), "ms"),
        Figure::new("a message from node to node over NATS, p99", percentile(&delays, 0.99), "ms").aim(10.0),
        Figure::new(format!("{kills} kills: messages to people of living nodes"), must as f64, ""),
        Figure::new("… of these lost", lost as f64, "").aim(0.0),
        Figure::new("… of these doubled", doubled as f64, "").aim(0.0),
        Figure::new("… out of order", disordered as f64, "").aim(0.0),
        Figure::new("messages to people whose node was killed", of_returned as f64, ""),
        Figure::new("… of these there when they came back", 100.0 * returned as f64 / of_returned.max(1) as f64, "%"),
        Figure::new("… of these twice, as the node died before it could say that they were taken", again as f64, ""),
        Figure::new("messages that were refused to their senders", refused as f64, ""),
        Figure::new("returns to another node", returns.len() as f64, ""),
        Figure::new("… that cost the name", lost_names as f64, "").aim(0.0),
        Figure::new("… time until logged in, median", percentile(&returns, 0.5), "s"),
        Figure::new("… time until logged in, p99", percentile(&returns, 0.99), "s").aim(3.0),
    ]
}
