//! The data channels (RFC 8831): one for short messages of the app, one for the check of the other end, one for private text,
//! one for files.

use super::events::Events;
use super::handler::State;
use crate::peer::{DataError, PeerEvent};
use crate::security::Role;
use bytes::{Bytes, BytesMut};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::PeerConnection as Crate;

/// The channel's name; the side that offers opens it in-band (RFC 8832), as browsers do.
pub(super) const LABEL: &str = "chamada";
/// The name of the channel for the check of the other end.
const VERIFICATION_LABEL: &str = "chamada-verification";
/// The name of the channel for private text.
const TEXT_LABEL: &str = "chamada-text";
/// The name of the channel for files.
const FILES_LABEL: &str = "chamada-files";
/// Longest message either way, in bytes: what every browser takes in one piece (RFC 8831 section 6.6).
pub(super) const MAX_MESSAGE: usize = 16 * 1024;
/// Messages of the app and of the check that may wait.
const QUEUE: usize = 64;
/// Frames of private text that may wait: as many as a conversation makes at once.
const TEXT_QUEUE: usize = 256;
/// Messages of files that may wait here; whoever sends them waits for room.
const FILES_QUEUE: usize = 4;
/// Most channels that are served at a time; the other side may open as many as it likes, and a call has one.
const MAX_CHANNELS: usize = 8;

/// The channels of a connection, each with what waits for it.
#[derive(Clone)]
pub(super) struct Channels {
    /// Messages of the app.
    pub(super) app: Outbox,
    /// Frames of the check of the other end.
    pub(super) verification: Outbox,
    /// Frames of private text.
    pub(super) text: Outbox,
    /// Messages of files.
    pub(super) files: Outbox,
}

impl Channels {
    pub(super) fn new() -> Self {
        Self {
            app: Outbox::new(PeerEvent::Data, QUEUE, Format::Binary),
            verification: Outbox::new(PeerEvent::Verification, QUEUE, Format::Binary),
            text: Outbox::new(PeerEvent::Text, TEXT_QUEUE, Format::String),
            files: Outbox::new(PeerEvent::File, FILES_QUEUE, Format::Json),
        }
    }

    /// That of a channel with this name. Old peers name theirs otherwise.
    pub(super) fn named(&self, label: &str) -> &Outbox {
        match label {
            VERIFICATION_LABEL => &self.verification,
            TEXT_LABEL => &self.text,
            FILES_LABEL => &self.files,
            _ => &self.app,
        }
    }
}

/// Opens the channels besides the app's, if this side is the one whose offer was answered: two that call each other both make an offer.
///
/// They come after the app's, because an old peer sends its own messages on the first one that opens.
pub(super) async fn open_others(connection: Arc<dyn Crate>, state: Weak<State>) {
    let Some((events, channels)) = state.upgrade().map(|state| (state.events.clone(), state.channels.clone())) else {
        return;
    };
    channels.app.opened().await;
    if state.upgrade().is_none_or(|state| state.role.get() != Some(&Role::Offerer)) {
        return;
    }
    let open = async |label: &str| match connection.create_data_channel(label, None).await {
        Ok(channel) => run(channel, events.clone(), channels.named(label).clone()).await,
        Err(error) => log::warn!("there is no channel {label}: {error}"),
    };
    tokio::join!(open(VERIFICATION_LABEL), open(TEXT_LABEL), open(FILES_LABEL));
}

/// What kind of messages a channel carries (the PPID of RFC 8831 section 8). Both kinds are taken.
#[derive(Clone, Copy)]
enum Format {
    Binary,
    /// UTF-8.
    String,
    /// UTF-8 for JSON objects, binary for all else.
    Json,
}

impl Format {
    fn text(self, message: &[u8]) -> Option<&str> {
        let is_text = match self {
            Self::Binary => false,
            Self::String => true,
            Self::Json => message.first() == Some(&b'{'),
        };
        str::from_utf8(message).ok().filter(|_| is_text)
    }
}

/// Takes messages for the channel that is open, if one is.
#[derive(Clone)]
pub(super) struct Outbox {
    messages: mpsc::Sender<Bytes>,
    queue: Arc<Mutex<mpsc::Receiver<Bytes>>>,
    open: Arc<AtomicBool>,
    opened: Arc<Notify>,
    event: fn(Bytes) -> PeerEvent,
    format: Format,
    places: Arc<Semaphore>,
}

impl Outbox {
    /// `event` is what its channels' messages become.
    fn new(event: fn(Bytes) -> PeerEvent, queue: usize, format: Format) -> Self {
        let (messages, queue) = mpsc::channel(queue);
        Self {
            messages,
            queue: Arc::new(Mutex::new(queue)),
            open: Arc::new(AtomicBool::new(false)),
            opened: Arc::new(Notify::new()),
            event,
            format,
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

    /// The way in for those who wait for room.
    pub(super) fn sender(&self) -> mpsc::Sender<Bytes> {
        self.messages.clone()
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
        let (channel, format) = (Arc::clone(channel), self.format);
        Some(Box::pin(async move {
            while let Some(message) = queue.recv().await {
                let sent = match format.text(&message) {
                    Some(text) => channel.send_text(text).await,
                    None => channel.send(BytesMut::from(&message[..])).await,
                };
                if sent.is_err() {
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
        let outbox = Channels::new().app;
        let mut places: Vec<_> = (0..MAX_CHANNELS).map(|_| outbox.place().unwrap()).collect();
        assert!(outbox.place().is_none());
        places.pop();
        assert!(outbox.place().is_some(), "one was closed");
    }
}
