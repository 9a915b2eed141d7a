//! All files of one call, on one side.

use super::frame::{self, Control, FileEnd, Received, digest};
use super::incoming::Incoming;
use super::outgoing::Outgoing;
use super::pace::{Pace, PathLoad};
use super::storage::{Done, Job};
use super::{FileEvent, FileId, FileOffer, MAX_FILES, MAX_SIZE, MAX_WINDOWS, TransferError, safe_name};
use crate::budget::Budget;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Instant;

/// Files that are over and whose end the other side may not have heard of.
const MAX_ENDED: usize = 64;
/// Control frames that wait. The channel takes them at once, unless it is lost.
const MAX_CONTROLS: usize = 256;
/// Longest media type, in bytes.
const MAX_MEDIA_TYPE: usize = 127;

/// See [`super`].
#[derive(Debug)]
pub struct Transfers {
    outgoing: Vec<Outgoing>,
    incoming: Vec<Incoming>,
    /// Incoming ones that are over; none as the reason: they arrived.
    ended: VecDeque<(FileId, Option<FileEnd>)>,
    /// Outgoing ones that this side has ended.
    withdrawn: VecDeque<(FileId, FileEnd)>,
    is_available: bool,
    was_available: bool,
    offers: Budget,
    pauses: Budget,
    pace: Pace,
    controls: VecDeque<Control>,
    events: VecDeque<FileEvent>,
    jobs: VecDeque<Job>,
}

impl Default for Transfers {
    fn default() -> Self {
        Self {
            outgoing: Vec::new(),
            incoming: Vec::new(),
            ended: VecDeque::new(),
            withdrawn: VecDeque::new(),
            is_available: false,
            was_available: false,
            offers: Budget::new(2.0 * MAX_FILES as f64, 2.0),
            pauses: Budget::new(32.0, 2.0),
            pace: Pace::default(),
            controls: VecDeque::new(),
            events: VecDeque::new(),
            jobs: VecDeque::new(),
        }
    }
}

impl Transfers {
    /// There is a connection, the first one or one in the place of another. An ICE restart makes none.
    pub fn connected(&mut self) {
        self.is_available = false;
        self.pace.restart();
        self.controls.clear();
        let paused = self.outgoing.iter_mut().map(|file| (file.offer.id, file.paused_here, &mut file.paused_there));
        let paused = paused
            .chain(self.incoming.iter_mut().map(|file| (file.offer.id, file.paused_here, &mut file.paused_there)));
        for (id, here, there) in paused {
            // Said again, if it still holds.
            if std::mem::take(there) {
                self.events.push_back(FileEvent::Paused { id, here, there: false });
            }
        }
        self.outgoing.iter_mut().for_each(Outgoing::disconnected);
        self.incoming.iter_mut().for_each(Incoming::disconnected);
        self.push(Control::Hello);
    }

    /// Offers a file. Its name is made safe there, too.
    ///
    /// # Errors
    /// [`TransferError::TooMany`], [`TransferError::TooLarge`].
    pub fn send(&mut self, mut offer: FileOffer) -> Result<(), TransferError> {
        if offer.size > MAX_SIZE {
            return Err(TransferError::TooLarge);
        }
        if self.outgoing.len() >= MAX_FILES {
            return Err(TransferError::TooMany);
        }
        offer.name = safe_name(&offer.name);
        let file = Outgoing::new(offer);
        if self.is_available {
            self.push(file.offer_frame());
        }
        self.outgoing.push(file);
        Ok(())
    }

    /// Whether this file is offered and waits for a yes or no.
    pub fn is_asked(&self, id: FileId) -> bool {
        self.incoming.iter().any(|file| file.offer.id == id && !file.is_accepted)
    }

    /// Takes a file that was offered: where to is the storage's matter.
    ///
    /// # Errors
    /// [`TransferError::NoFile`].
    pub fn accept(&mut self, id: FileId) -> Result<(), TransferError> {
        let windows = self.incoming.iter().filter(|file| file.has_window).count();
        let file = self.incoming.iter_mut().find(|file| file.offer.id == id && !file.is_accepted);
        let file = file.ok_or(TransferError::NoFile)?;
        file.is_accepted = true;
        file.has_window = windows < MAX_WINDOWS;
        let frame = file.accept_frame();
        self.push(frame);
        Ok(())
    }

    /// Ends a file: says no to it, or does not want it any more.
    ///
    /// # Errors
    /// [`TransferError::NoFile`].
    pub fn end(&mut self, id: FileId, why: FileEnd) -> Result<(), TransferError> {
        if self.remove(id, Some(why), true) {
            self.push(Control::Cancel { id, why });
            self.give_windows();
            Ok(())
        } else {
            Err(TransferError::NoFile)
        }
    }

    /// Has a file wait, or go on.
    ///
    /// # Errors
    /// [`TransferError::NoFile`].
    pub fn pause(&mut self, id: FileId, on: bool) -> Result<(), TransferError> {
        if self.set_paused(id, on, true) {
            self.push(if on { Control::Pause { id } } else { Control::Resume { id } });
            Ok(())
        } else {
            Err(TransferError::NoFile)
        }
    }

    /// Takes what the other side sent: any bytes.
    pub fn receive(&mut self, now: Instant, message: Bytes) {
        match frame::read(message) {
            None => log::debug!("a message of the channel for files is passed over"),
            Some(Received::Control(control)) => self.on_control(now, control),
            Some(Received::Chunk { id, offset, bytes }) => {
                // One that was ended here may still be on its way.
                let Some(file) = self.incoming.iter_mut().find(|file| file.offer.id == id) else { return };
                match file.take(offset, bytes.len()) {
                    Ok(()) => self.jobs.push_back(Job::Write { id, bytes }),
                    Err(why) => self.fail(id, why),
                }
            }
        }
        self.read_ahead();
    }

    /// What the storage has done.
    pub fn done(&mut self, now: Instant, done: Done) {
        match done {
            Done::Read { id, offset, read: Ok((bytes, sha256)) } => {
                if let Some(file) = self.outgoing.iter_mut().find(|file| file.offer.id == id)
                    && let Err(why) = file.take(offset, bytes, sha256)
                {
                    self.fail(id, why);
                }
            }
            Done::Read { id, read: Err(()), .. } => self.fail(id, FileEnd::Source),
            Done::Written { id, bytes: Ok(bytes) } => self.on_written(now, id, bytes),
            Done::Written { id, bytes: Err(()) } => self.fail(id, FileEnd::Storage),
            Done::Finished { id, file: Ok(path) } => {
                if let Some(at) = self.incoming.iter().position(|file| file.offer.id == id) {
                    let file = self.incoming.remove(at);
                    self.tell_progress(now, &file);
                    self.remember(id, None);
                    self.push(Control::Done { id });
                    self.events.push_back(FileEvent::Done { id, path });
                    self.give_windows();
                }
            }
            Done::Finished { id, file: Err(why) } => self.fail(id, why),
        }
        self.read_ahead();
    }

    /// What the path says, several times a second while something is sent.
    pub fn observe(&mut self, now: Instant, load: &PathLoad) {
        self.pace.observe(now, load);
    }

    /// Whether chunks are to be sent, now or later: then the path is of interest.
    pub fn is_sending(&self) -> bool {
        self.is_available && self.outgoing.iter().any(|file| file.is_due(u64::MAX))
    }

    /// Whether there is a frame to send at this moment.
    pub fn has_frame(&self, now: Instant) -> bool {
        !self.controls.is_empty() || (self.chunk_due().is_some() && self.pace.next(now) <= now)
    }

    /// The next message to send.
    pub fn poll_frame(&mut self, now: Instant) -> Option<Bytes> {
        if let Some(control) = self.controls.pop_front() {
            return Some(control.write());
        }
        let at = self.chunk_due()?;
        let file = self.outgoing.get_mut(at)?;
        if let Some(end) = file.end() {
            return Some(end.write());
        }
        let length = file.next_length(self.pace.chunk());
        if !self.pace.take(now, length) {
            return None;
        }
        let (offset, bytes) = file.chunk(length);
        let message = frame::chunk(file.offer.id, offset, &bytes);
        self.read_ahead();
        Some(message)
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<FileEvent> {
        self.events.pop_front()
    }

    /// The next thing that the storage has to do.
    pub fn poll_job(&mut self) -> Option<Job> {
        self.jobs.pop_front()
    }

    /// When to call [`Self::handle_timeout`], or when there is a frame again.
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let chunk = self.chunk_due().map(|_| self.pace.next(now));
        self.incoming.iter().filter_map(Incoming::timeout).chain(chunk).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        let frames: Vec<Control> = self.incoming.iter_mut().filter_map(|file| file.progress_frame(now)).collect();
        frames.into_iter().for_each(|frame| self.push(frame));
    }

    fn chunk_due(&self) -> Option<usize> {
        let on_the_way = self.pace.on_the_way();
        self.outgoing.iter().position(|file| file.is_due(on_the_way)).filter(|_| self.is_available)
    }

    fn on_control(&mut self, now: Instant, control: Control) {
        match control {
            Control::Hello => self.on_hello(),
            Control::Offer { id, name, size, media_type } => self.on_offer(now, id, &name, size, media_type),
            Control::Accept { id, offset, limit } => {
                let Some(file) = self.outgoing.iter_mut().find(|file| file.offer.id == id) else { return };
                match file.accept(offset, limit) {
                    Ok(true) => self.events.push_back(FileEvent::Accepted { id }),
                    Ok(false) => {}
                    Err(why) => self.fail(id, why),
                }
            }
            Control::Progress { id, offset, limit } => {
                let Some(file) = self.outgoing.iter_mut().find(|file| file.offer.id == id) else { return };
                let size = file.offer.size;
                match file.progress(now, offset, limit) {
                    Ok(true) => {
                        let bytes_per_second = file.bytes_per_second(now);
                        self.events.push_back(FileEvent::Progress { id, bytes: offset, size, bytes_per_second });
                    }
                    Ok(false) => {}
                    Err(why) => self.fail(id, why),
                }
            }
            Control::Pause { .. } | Control::Resume { .. } if !self.pauses.take(now) => {}
            Control::Pause { id } => drop(self.set_paused(id, true, false)),
            Control::Resume { id } => drop(self.set_paused(id, false, false)),
            Control::End { id, sha256 } => self.on_end(id, &sha256),
            Control::Done { id } => self.on_done(now, id),
            Control::Cancel { id, why } => {
                self.remove(id, Some(why), false);
                self.give_windows();
            }
        }
    }

    fn on_hello(&mut self) {
        if std::mem::replace(&mut self.is_available, true) {
            return;
        }
        if !std::mem::replace(&mut self.was_available, true) {
            self.events.push_back(FileEvent::Available);
        }
        let mut frames: Vec<Control> =
            self.withdrawn.iter().map(|(id, why)| Control::Cancel { id: *id, why: *why }).collect();
        for file in &self.outgoing {
            frames.push(file.offer_frame());
            frames.extend(file.paused_here.then_some(Control::Pause { id: file.offer.id }));
        }
        frames.into_iter().for_each(|frame| self.push(frame));
    }

    fn on_offer(&mut self, now: Instant, id: FileId, name: &str, size: u64, media_type: Option<String>) {
        if let Some((_, end)) = self.ended.iter().find(|(ended, _)| *ended == id) {
            // It is over, and the other side has not heard of it.
            let frame = end.map_or(Control::Done { id }, |why| Control::Cancel { id, why });
            return self.push(frame);
        }
        if let Some(file) = self.incoming.iter_mut().find(|file| file.offer.id == id) {
            if file.offer.size != size {
                self.fail(id, FileEnd::BadOffer);
            } else if file.is_accepted && !file.is_open && !file.is_finishing {
                let frames = [Some(file.accept_frame()), file.paused_here.then_some(Control::Pause { id })];
                frames.into_iter().flatten().for_each(|frame| self.push(frame));
            }
            return;
        }
        let refused = match () {
            () if !self.offers.take(now) || self.incoming.len() >= MAX_FILES => Some(FileEnd::TooMany),
            () if size > MAX_SIZE || self.outgoing.iter().any(|file| file.offer.id == id) => Some(FileEnd::BadOffer),
            () => None,
        };
        if let Some(why) = refused {
            return self.push(Control::Cancel { id, why });
        }
        let offer =
            FileOffer { id, name: safe_name(name), size, media_type: media_type.filter(|it| is_media_type(it)) };
        self.incoming.push(Incoming::new(offer.clone()));
        self.events.push_back(FileEvent::Offered(offer));
    }

    fn on_end(&mut self, id: FileId, sha256: &str) {
        let Some(file) = self.incoming.iter_mut().find(|file| file.offer.id == id) else { return };
        match digest(sha256).ok_or(FileEnd::Protocol).and_then(|sha256| file.end(sha256)) {
            Ok(()) => self.finish(id),
            Err(why) => self.fail(id, why),
        }
    }

    fn on_done(&mut self, now: Instant, id: FileId) {
        let Some(at) = self.outgoing.iter().position(|file| file.offer.id == id) else { return };
        if !self.outgoing.get(at).is_some_and(Outgoing::is_whole) {
            return self.fail(id, FileEnd::Protocol);
        }
        let file = self.outgoing.remove(at);
        let size = file.offer.size;
        let bytes_per_second = file.bytes_per_second(now);
        self.events.push_back(FileEvent::Progress { id, bytes: size, size, bytes_per_second });
        self.events.push_back(FileEvent::Done { id, path: None });
        self.jobs.push_back(Job::Close { id });
    }

    fn on_written(&mut self, now: Instant, id: FileId, bytes: u64) {
        let Some(file) = self.incoming.iter_mut().find(|file| file.offer.id == id) else { return };
        let (is_told, frame) = (file.written(now, bytes), file.progress_frame(now));
        if is_told {
            let event = progress(now, file);
            self.events.push_back(event);
        }
        if let Some(frame) = frame {
            self.push(frame);
        }
        self.finish(id);
    }

    fn tell_progress(&mut self, now: Instant, file: &Incoming) {
        let event = progress(now, file);
        self.events.push_back(event);
    }

    fn finish(&mut self, id: FileId) {
        let file = self.incoming.iter_mut().find(|file| file.offer.id == id);
        if let Some(sha256) = file.and_then(Incoming::finish) {
            self.jobs.push_back(Job::Finish { id, sha256 });
        }
    }

    /// Something is wrong with it: both sides end it.
    fn fail(&mut self, id: FileId, why: FileEnd) {
        if self.remove(id, Some(why), true) {
            self.push(Control::Cancel { id, why });
            self.give_windows();
        }
    }

    /// Whether there was such a file.
    fn remove(&mut self, id: FileId, why: Option<FileEnd>, here: bool) -> bool {
        let before = self.outgoing.len() + self.incoming.len();
        self.outgoing.retain(|file| file.offer.id != id);
        if let Some(why) = why.filter(|_| here && self.outgoing.len() < before - self.incoming.len()) {
            if self.withdrawn.len() == MAX_FILES {
                self.withdrawn.pop_front();
            }
            self.withdrawn.push_back((id, why));
        }
        if self.incoming.iter().any(|file| file.offer.id == id) {
            self.incoming.retain(|file| file.offer.id != id);
            self.remember(id, why);
        }
        let is_removed = self.outgoing.len() + self.incoming.len() < before;
        if is_removed {
            self.jobs.push_back(Job::Close { id });
            self.events.push_back(FileEvent::Ended { id, why: why.unwrap_or(FileEnd::Other), here });
        }
        is_removed
    }

    fn remember(&mut self, id: FileId, end: Option<FileEnd>) {
        if self.ended.len() == MAX_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back((id, end));
    }

    fn set_paused(&mut self, id: FileId, on: bool, by_us: bool) -> bool {
        let outgoing = self.outgoing.iter_mut().find(|file| file.offer.id == id);
        let incoming = self.incoming.iter_mut().find(|file| file.offer.id == id);
        let (here, there) = match (outgoing, incoming) {
            (Some(file), _) => {
                file.pause();
                (&mut file.paused_here, &mut file.paused_there)
            }
            (None, Some(file)) => {
                file.pause();
                (&mut file.paused_here, &mut file.paused_there)
            }
            (None, None) => return false,
        };
        let before = (*here, *there);
        *if by_us { &mut *here } else { &mut *there } = on;
        let now = (*here, *there);
        if now != before {
            self.events.push_back(FileEvent::Paused { id, here: now.0, there: now.1 });
        }
        true
    }

    /// Files that waited their turn get it where others are over.
    fn give_windows(&mut self) {
        let free = MAX_WINDOWS.saturating_sub(self.incoming.iter().filter(|file| file.has_window).count());
        let waiting = self.incoming.iter_mut().filter(|file| file.is_accepted && !file.has_window);
        let frames: Vec<Control> = waiting.take(free).filter_map(Incoming::grant_frame).collect();
        frames.into_iter().for_each(|frame| self.push(frame));
    }

    fn read_ahead(&mut self) {
        for file in &mut self.outgoing {
            if let Some((offset, length)) = file.wants() {
                self.jobs.push_back(Job::Read { id: file.offer.id, offset, length });
            }
        }
    }

    fn push(&mut self, control: Control) {
        if self.controls.len() < MAX_CONTROLS {
            self.controls.push_back(control);
        }
    }
}

fn progress(now: Instant, file: &Incoming) -> FileEvent {
    FileEvent::Progress {
        id: file.offer.id,
        bytes: file.bytes(),
        size: file.offer.size,
        bytes_per_second: file.bytes_per_second(now),
    }
}

/// Whether this is a media type by RFC 6838 section 4.2, without parameters.
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        let mut chars = name.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
            && chars.all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    text.len() <= MAX_MEDIA_TYPE
        && text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}
