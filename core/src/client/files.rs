//! The files of one call: a task that carries what [`Transfers`] decides between channel, disk and app.

use super::call_task::FromTask;
use super::driver::{Reply, sleep_until};
use crate::call::PeerId;
use crate::files::storage::{self, FileSink, FileSource, Order};
use crate::files::{FileEnd, FileId, FileOffer, TransferError, Transfers};
use crate::peer::PeerConnection;
use crate::signaling::message::CallId;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

/// Messages that wait to be handled. A sender that keeps to its window fills a half.
const INPUTS: usize = 256;
/// How often the path is looked at while something is sent.
const LOOK: Duration = Duration::from_millis(50);

/// What the task is told.
pub(super) enum FileInput {
    /// This connection of the call is up, for the first time or again.
    Connected(PeerId, Arc<dyn PeerConnection>),
    /// It is closed.
    Closed(PeerId),
    /// What came over it.
    Message(PeerId, Bytes),
    /// Offer a file.
    Send { offer: FileOffer, source: Box<dyn FileSource>, reply: Reply<()> },
    /// Take one that was offered.
    Accept { id: FileId, sink: Box<dyn FileSink>, reply: Reply<()> },
    /// Have one wait, or go on.
    Pause { id: FileId, on: bool, reply: Reply<()> },
    /// End one.
    End { id: FileId, why: FileEnd, reply: Reply<()> },
}

/// The way into the task. The task ends when all of them are gone.
#[derive(Clone)]
pub(super) struct CallFiles(mpsc::Sender<FileInput>);

impl CallFiles {
    pub(super) fn spawn(call: Option<CallId>, to_driver: mpsc::Sender<FromTask>) -> Self {
        let (inputs, inbox) = mpsc::channel(INPUTS);
        tokio::spawn(run(call, inbox, to_driver));
        Self(inputs)
    }

    /// Waits for room, so that a sender that keeps to its window loses nothing.
    pub(super) async fn tell(&self, input: FileInput) {
        // A task that is gone belonged to a call that is over.
        let _ = self.0.send(input).await;
    }

    /// Asks for something without waiting; a task that has too much to do refuses.
    pub(super) fn ask(&self, input: FileInput) {
        if let Err(mpsc::error::TrySendError::Full(input) | mpsc::error::TrySendError::Closed(input)) =
            self.0.try_send(input)
        {
            input.refuse(TransferError::TooMany);
        }
    }
}

impl FileInput {
    pub(super) fn refuse(self, why: TransferError) {
        if let Self::Send { reply, .. }
        | Self::Accept { reply, .. }
        | Self::Pause { reply, .. }
        | Self::End { reply, .. } = self
        {
            // Whoever asked may have given up waiting.
            let _ = reply.send(Err(why.into()));
        }
    }
}

struct Channel {
    peer: PeerId,
    connection: Arc<dyn PeerConnection>,
    messages: mpsc::Sender<Bytes>,
}

struct Task {
    call: Option<CallId>,
    transfers: Transfers,
    channel: Option<Channel>,
    orders: std::sync::mpsc::Sender<Order>,
    to_driver: mpsc::Sender<FromTask>,
}

async fn run(call: Option<CallId>, mut inbox: mpsc::Receiver<FileInput>, to_driver: mpsc::Sender<FromTask>) {
    let (sender, mut done) = mpsc::unbounded_channel();
    let orders = match storage::start(sender) {
        Ok(orders) => orders,
        Err(error) => {
            log::error!("there is no thread for files: {error}");
            return;
        }
    };
    let mut task = Task { call, transfers: Transfers::default(), channel: None, orders, to_driver };
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        task.pump().await;
        let now = Instant::now();
        let messages = task.channel.as_ref().map(|channel| channel.messages.clone());
        let (has_frame, timer) = (task.transfers.has_frame(now), task.transfers.poll_timeout(now));
        let room = async {
            match &messages {
                Some(messages) => messages.reserve().await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            input = inbox.recv() => match input {
                Some(input) => task.on_input(input),
                None => return,
            },
            Some(done) = done.recv() => task.transfers.done(Instant::now(), done),
            Some(permit) = room, if has_frame => {
                if let Some(message) = task.transfers.poll_frame(Instant::now()) {
                    permit.send(message);
                }
            }
            () = sleep_until(timer), if !has_frame => task.transfers.handle_timeout(Instant::now()),
            _ = looks.tick(), if task.transfers.is_sending() => task.look(),
        }
    }
}

impl Task {
    fn on_input(&mut self, input: FileInput) {
        match input {
            FileInput::Connected(peer, connection) => {
                if self.channel.as_ref().is_none_or(|channel| channel.peer != peer) {
                    let messages = connection.file_messages();
                    self.channel = Some(Channel { peer, connection, messages });
                    self.transfers.connected();
                }
            }
            FileInput::Closed(peer) => self.channel = self.channel.take().filter(|channel| channel.peer != peer),
            FileInput::Message(peer, message) => {
                if self.channel.as_ref().is_some_and(|channel| channel.peer == peer) {
                    self.transfers.receive(Instant::now(), message);
                }
            }
            FileInput::Send { offer, source, reply } => {
                let (id, size) = (offer.id, offer.size);
                let sent = self.transfers.send(offer);
                if sent.is_ok() {
                    self.order(Order::Source(id, size, source));
                }
                let _ = reply.send(sent.map_err(Into::into));
            }
            FileInput::Accept { id, sink, reply } => {
                if self.transfers.is_asked(id) {
                    self.order(Order::Sink(id, sink));
                }
                let _ = reply.send(self.transfers.accept(id).map_err(Into::into));
            }
            FileInput::Pause { id, on, reply } => drop(reply.send(self.transfers.pause(id, on).map_err(Into::into))),
            FileInput::End { id, why, reply } => drop(reply.send(self.transfers.end(id, why).map_err(Into::into))),
        }
    }

    fn look(&mut self) {
        if let Some(channel) = &self.channel {
            self.transfers.observe(Instant::now(), &channel.connection.path_load());
        }
    }

    fn order(&self, order: Order) {
        // The thread ends only with this task.
        let _ = self.orders.send(order);
    }

    async fn pump(&mut self) {
        while let Some(job) = self.transfers.poll_job() {
            self.order(Order::Job(job));
        }
        while let Some(event) = self.transfers.poll_event() {
            let _ = self.to_driver.send(FromTask::File(self.call, event)).await;
        }
    }
}
