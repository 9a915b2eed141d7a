//! One client's socket: reads into the hub, writes what the outbox holds, and sees to it that it ends.

use crate::{
    addresses::AddressKey,
    departure::Departure,
    hub::{Hub, error},
    outbox::{Closing, Outbox, Outgoing, code},
    rate::{Budget, Rate, Verdict},
};
use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket};
use chamada::signaling::message::ErrorCode;
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use std::{
    future::{Future, pending},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time};

/// How long a client has to take what still waits for it, and to acknowledge the end.
const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// What a frame costs beside its payload: its header, and the work.
const FRAME_OVERHEAD: usize = 64;

/// Tells the hub even when the task is dropped half-way.
struct Presence {
    hub: Arc<Hub>,
    number: u64,
    departure: Departure,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.hub.disconnect(self.number, self.departure);
    }
}

pub(crate) async fn serve(hub: Arc<Hub>, socket: WebSocket, room: Arc<str>, address: Option<AddressKey>) {
    let (number, outbox) = hub.connect(room, address);
    let mut presence = Presence { hub: hub.clone(), number, departure: Departure::Lost };
    let (sink, stream) = socket.split();
    // A task of its own: what wakes it for each line of a chat does not look whether there is something to read, or which time is up.
    let mut writer = JoinSet::new();
    writer.spawn(write(hub.clone(), number, outbox.clone(), sink));
    let heard = AtomicU64::new(0);
    presence.departure = tokio::select! {
        departure = read(&hub, number, &outbox, stream, &heard) => departure,
        _ = writer.join_next() => Departure::Lost,
        () = keep_alive(&hub, &outbox, &heard) => Departure::Lost,
        () = demand_login(&hub, number, &outbox) => Departure::Left,
        () = supervise(&outbox) => Departure::Left,
    };
    if let Some(closing) = outbox.closing() {
        // What the server ended is not to be resumed, however the socket went down in the end; but where it is this node that goes, on another.
        let goes_on_elsewhere = closing.code == code::GOING_AWAY && hub.router.node() > 0;
        presence.departure = if goes_on_elsewhere { Departure::Lost } else { Departure::Left };
    }
    tracing::info!(connection = number, how = ?presence.departure, reason = outbox.closing().map(|closing| closing.reason), "ended");
}

async fn read(
    hub: &Hub,
    number: u64,
    outbox: &Outbox,
    mut stream: SplitStream<WebSocket>,
    heard: &AtomicU64,
) -> Departure {
    let limits = &hub.config.limits;
    let mut rate = Rate::new(limits.messages_per_second, limits.burst, limits.strikes, Instant::now());
    let mut bytes = Budget::new(limits.bytes_per_second as f64, limits.bytes_burst as f64, Instant::now());
    while let Some(frame) = stream.next().await {
        heard.fetch_add(1, Ordering::Relaxed);
        let frame = match frame {
            Ok(frame) => frame,
            Err(e) => {
                // The library's error type is not public here; its text is.
                if e.to_string().contains("too long") {
                    outbox.close(Closing { code: code::TOO_BIG, reason: "the message is far too long" });
                    // The stream is of no use any more, but the writer has to say why.
                    pending::<()>().await;
                }
                return Departure::Lost;
            }
        };
        if outbox.is_closing() {
            if matches!(frame, Frame::Close(_)) {
                return Departure::Left;
            }
            continue;
        }
        match frame {
            Frame::Close(close) => {
                let code = close.map_or(code::NO_STATUS, |close| close.code);
                return match code {
                    code::NORMAL | code::GOING_AWAY | code::NO_STATUS => Departure::Left,
                    code::RELOADING => Departure::Reloading,
                    _ => Departure::Lost,
                };
            }
            // A ping costs an answer: it counts too, and one too many is passed over without a word.
            Frame::Text(_) | Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) => {}
        }
        // Who sends more than that is read more slowly; TCP passes it on.
        let length = match &frame {
            Frame::Text(text) => text.len(),
            Frame::Binary(bytes) | Frame::Ping(bytes) | Frame::Pong(bytes) => bytes.len(),
            Frame::Close(_) => 0,
        };
        let pause = bytes.charge((length + FRAME_OVERHEAD) as f64, Instant::now());
        if !pause.is_zero() {
            time::sleep(pause).await;
        }
        if matches!(frame, Frame::Pong(_)) {
            continue;
        }
        match rate.take(Instant::now()) {
            Verdict::Pass | Verdict::Refuse if matches!(frame, Frame::Ping(_)) => continue,
            Verdict::Pass => {}
            Verdict::Refuse => {
                hub.refuse(number, error(ErrorCode::RateLimited, "too many messages; this one was dropped"));
                continue;
            }
            Verdict::Disconnect => {
                outbox.close(Closing { code: code::POLICY, reason: "too many messages" });
                continue;
            }
        }
        match frame {
            // On the heap: what acting on a message needs is not kept by the many connections that are silent.
            Frame::Text(text) => Box::pin(hub.receive(number, text.as_str())).await,
            _ => hub.refuse(number, error(ErrorCode::BadMessage, "only text frames are understood")),
        }
    }
    Departure::Lost
}

/// Writes until the connection breaks, or takes nothing for too long; after a close frame it leaves the rest to the reader, which waits for
/// the reply.
async fn write(hub: Arc<Hub>, number: u64, outbox: Arc<Outbox>, mut sink: SplitSink<WebSocket, Frame>) {
    loop {
        let mut next = Some(outbox.next().await);
        while let Some(outgoing) = next {
            let (frame, last) = match outgoing {
                Outgoing::Frame(text) => (Frame::Text(text), false),
                Outgoing::Ping => (Frame::Ping(Default::default()), false),
                Outgoing::Close(Closing { code, reason }) => {
                    (Frame::Close(Some(CloseFrame { code, reason: reason.into() })), true)
                }
            };
            if !in_time(&hub, number, sink.feed(frame)).await {
                return;
            }
            if last {
                if in_time(&hub, number, sink.flush()).await {
                    pending::<()>().await;
                }
                return;
            }
            next = outbox.try_next();
        }
        if !in_time(&hub, number, sink.flush()).await {
            return;
        }
        outbox.gather().await;
    }
}

async fn in_time<E>(hub: &Hub, number: u64, write: impl Future<Output = Result<(), E>>) -> bool {
    match time::timeout(hub.config.write_timeout, write).await {
        Ok(result) => result.is_ok(),
        Err(_) => {
            tracing::info!(connection = number, "does not read what it is sent");
            false
        }
    }
}

/// Returns when a ping was not followed by any sign of life.
async fn keep_alive(hub: &Hub, outbox: &Outbox, heard: &AtomicU64) {
    loop {
        time::sleep(hub.config.ping_interval).await;
        let before = heard.load(Ordering::Relaxed);
        outbox.ping();
        time::sleep(hub.config.ping_timeout).await;
        if heard.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

/// Closes a connection that has no name in time; returns never.
async fn demand_login(hub: &Hub, number: u64, outbox: &Outbox) {
    time::sleep(hub.config.login_timeout).await;
    if !hub.is_logged_in(number) {
        outbox.close(Closing { code: code::POLICY, reason: "no login in time" });
    }
    pending().await
}

/// Returns some time after the server has closed.
async fn supervise(outbox: &Outbox) {
    outbox.ended().await;
    time::sleep(CLOSE_WAIT).await;
}
