//! The data channel (RFC 8831) for short messages beside the call.

use super::events::Events;
use crate::peer::PeerEvent;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, mpsc};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// The channel's name; the side that offers opens it in-band (RFC 8832), as browsers do.
pub(super) const LABEL: &str = "chamada";
/// Longest message either way, in bytes: what every browser takes in one piece (RFC 8831 section 6.6).
pub(super) const MAX_MESSAGE: usize = 16 * 1024;
/// Messages that may wait.
const QUEUE: usize = 64;

/// Takes messages for the channel that is open, if one is.
#[derive(Clone)]
pub(super) struct Outbox {
    messages: mpsc::Sender<Bytes>,
    queue: Arc<Mutex<mpsc::Receiver<Bytes>>>,
    open: Arc<AtomicBool>,
}

impl Outbox {
    pub(super) fn new() -> Self {
        let (messages, queue) = mpsc::channel(QUEUE);
        Self { messages, queue: Arc::new(Mutex::new(queue)), open: Arc::new(AtomicBool::new(false)) }
    }

    /// `false` while no channel is open, if the message is too long, or if too many wait.
    pub(super) fn send(&self, message: Bytes) -> bool {
        message.len() <= MAX_MESSAGE && self.open.load(Ordering::Acquire) && self.messages.try_send(message).is_ok()
    }
}

/// Serves one channel until it closes: its messages become events, those of the outbox are sent.
pub(super) async fn run(channel: Arc<dyn DataChannel>, events: Events, outbox: Outbox) {
    // Another channel that the other side opens is listened to; the first one that opened sends.
    let mut queue = None;
    if channel.ready_state().await.is_ok_and(|s| s == webrtc::data_channel::RTCDataChannelState::Open) {
        queue = outbox.queue.try_lock().ok();
        outbox.open.store(true, Ordering::Release);
    }
    loop {
        let next = async {
            match queue.as_mut() {
                Some(queue) => queue.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = channel.poll() => match event {
                Some(DataChannelEvent::OnOpen) => {
                    if queue.is_none() {
                        queue = outbox.queue.try_lock().ok();
                    }
                    outbox.open.store(true, Ordering::Release);
                }
                Some(DataChannelEvent::OnMessage(message)) if message.data.len() <= MAX_MESSAGE => {
                    events.emit(PeerEvent::Data(message.data.freeze()));
                }
                Some(DataChannelEvent::OnMessage(_)) => log::debug!("a message on the data channel is too long"),
                Some(DataChannelEvent::OnClose) | None => break,
                Some(_) => {}
            },
            Some(message) = next => {
                if channel.send(BytesMut::from(&message[..])).await.is_err() {
                    log::debug!("a message could not be sent on the data channel");
                }
            }
        }
    }
    if queue.is_some() {
        outbox.open.store(false, Ordering::Release);
    }
}
