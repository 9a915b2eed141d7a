//! The data channels (RFC 8831): one for short messages beside the call, one for the check of the other end.

use super::events::Events;
use crate::peer::{DataError, PeerEvent};
use bytes::{Bytes, BytesMut};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// The channel's name; the side that offers opens it in-band (RFC 8832), as browsers do.
pub(super) const LABEL: &str = "chamada";
/// The name of the channel for the check of the other end.
pub(super) const VERIFICATION_LABEL: &str = "chamada-verification";
/// Longest message either way, in bytes: what every browser takes in one piece (RFC 8831 section 6.6).
pub(super) const MAX_MESSAGE: usize = 16 * 1024;
/// Messages that may wait.
const QUEUE: usize = 64;
/// Most channels that are served at a time; the other side may open as many as it likes, and a call has one.
const MAX_CHANNELS: usize = 8;

/// Takes messages for the channel that is open, if one is.
#[derive(Clone)]
pub(super) struct Outbox {
    messages: mpsc::Sender<Bytes>,
    queue: Arc<Mutex<mpsc::Receiver<Bytes>>>,
    open: Arc<AtomicBool>,
    opened: Arc<Notify>,
    event: fn(Bytes) -> PeerEvent,
    places: Arc<Semaphore>,
}

impl Outbox {
    /// `event` is what its channels' messages become.
    pub(super) fn new(event: fn(Bytes) -> PeerEvent) -> Self {
        let (messages, queue) = mpsc::channel(QUEUE);
        Self {
            messages,
            queue: Arc::new(Mutex::new(queue)),
            open: Arc::new(AtomicBool::new(false)),
            opened: Arc::new(Notify::new()),
            event,
            places: Arc::new(Semaphore::new(MAX_CHANNELS)),
        }
    }

    pub(super) fn send(&self, message: Bytes) -> Result<(), DataError> {
        if message.len() > MAX_MESSAGE {
            return Err(DataError::TooLong(message.len()));
        }
        if !self.open.load(Ordering::Acquire) {
            return Err(DataError::NotOpen);
        }
        self.queue(message)
    }

    /// Sends it once a channel is open, if one is not.
    pub(super) fn queue(&self, message: Bytes) -> Result<(), DataError> {
        self.messages.try_send(message).map_err(|_| DataError::QueueFull)
    }

    /// Completes once a channel that sends is open. For one to wait at a time.
    pub(super) async fn opened(&self) {
        while !self.open.load(Ordering::Acquire) {
            self.opened.notified().await;
        }
    }

    /// A place for one more channel, given back when dropped.
    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Makes this channel the one that sends, unless another one is that already.
    fn serve(&self, channel: &Arc<dyn DataChannel>) -> Option<Sending> {
        let mut queue = Arc::clone(&self.queue).try_lock_owned().ok()?;
        self.open.store(true, Ordering::Release);
        self.opened.notify_one();
        let channel = Arc::clone(channel);
        Some(Box::pin(async move {
            while let Some(message) = queue.recv().await {
                if channel.send(BytesMut::from(&message[..])).await.is_err() {
                    log::debug!("a message could not be sent on the data channel");
                }
            }
        }))
    }
}

/// Sends what the outbox gets; holds its queue until it is dropped.
type Sending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Serves one channel until it closes: its messages become events, those of the outbox are sent. Both go on side by side: a
/// message may have to wait until the other side has read, which it may do only once it has been read itself.
pub(super) async fn run(channel: Arc<dyn DataChannel>, events: Events, outbox: Outbox) {
    let Some(_place) = outbox.place() else {
        log::debug!("one data channel too many is closed");
        if channel.close().await.is_err() {
            log::debug!("it was closed before");
        }
        return;
    };
    // Another channel that the other side opens is listened to; the first one that opened sends.
    let mut sending = None;
    if channel.ready_state().await.is_ok_and(|s| s == webrtc::data_channel::RTCDataChannelState::Open) {
        sending = outbox.serve(&channel);
    }
    loop {
        let sends = async {
            match sending.as_mut() {
                Some(sending) => sending.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = channel.poll() => match event {
                Some(DataChannelEvent::OnOpen) => {
                    if sending.is_none() {
                        sending = outbox.serve(&channel);
                    }
                }
                Some(DataChannelEvent::OnMessage(message)) if message.data.len() <= MAX_MESSAGE => {
                    events.emit((outbox.event)(message.data.freeze()));
                }
                Some(DataChannelEvent::OnMessage(_)) => log::debug!("a message on the data channel is too long"),
                Some(DataChannelEvent::OnClose) | None => break,
                Some(_) => {}
            },
            // It ends only with the connection, whose end the channel tells.
            () = sends => sending = None,
        }
    }
    if sending.is_some() {
        outbox.open.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_cannot_have_any_number_of_channels_served() {
        let outbox = Outbox::new(PeerEvent::Data);
        let mut places: Vec<_> = (0..MAX_CHANNELS).map(|_| outbox.place().unwrap()).collect();
        assert!(outbox.place().is_none());
        places.pop();
        assert!(outbox.place().is_some(), "one was closed");
    }
}
