//! One file that this side sends.

use super::frame::{Control, hex};
use super::speed::Speed;
use super::{FileEnd, FileOffer, READ_AHEAD};
use bytes::Bytes;
use std::time::Instant;

/// What is read at once, in bytes.
const BLOCK: u64 = READ_AHEAD / 2;

/// See the module.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) offer: FileOffer,
    /// The other side wants it, and has said so on this connection.
    is_open: bool,
    was_accepted: bool,
    pub(super) paused_here: bool,
    pub(super) paused_there: bool,
    /// What the other side has written, what was sent, and what may be.
    written: u64,
    sent: u64,
    limit: u64,
    /// The furthest that was ever sent.
    furthest: u64,
    /// Read and not yet sent, from `sent` on.
    ready: Bytes,
    next: Bytes,
    read: u64,
    /// From where a block is being read.
    reading: Option<u64>,
    sha256: Option<[u8; 32]>,
    is_end_sent: bool,
    speed: Speed,
}

impl Outgoing {
    pub(super) fn new(offer: FileOffer) -> Self {
        Self {
            offer,
            is_open: false,
            was_accepted: false,
            paused_here: false,
            paused_there: false,
            written: 0,
            sent: 0,
            limit: 0,
            furthest: 0,
            ready: Bytes::new(),
            next: Bytes::new(),
            read: 0,
            reading: None,
            sha256: None,
            is_end_sent: false,
            speed: Speed::default(),
        }
    }

    pub(super) fn offer_frame(&self) -> Control {
        let FileOffer { id, name, size, media_type } = self.offer.clone();
        Control::Offer { id, name, size, media_type }
    }

    /// Another connection: the other side says again from where it wants it.
    pub(super) fn disconnected(&mut self) {
        self.is_open = false;
        self.speed.restart();
    }

    /// Whether it is accepted for the first time.
    pub(super) fn accept(&mut self, offset: u64, limit: u64) -> Result<bool, FileEnd> {
        if self.is_open || offset > self.furthest || limit < offset {
            return Err(FileEnd::Protocol);
        }
        self.is_open = true;
        (self.written, self.sent, self.read, self.limit) = (offset, offset, offset, limit);
        // A block that is being read for another place is passed over when it comes.
        (self.ready, self.next, self.reading, self.is_end_sent) = (Bytes::new(), Bytes::new(), None, false);
        Ok(!std::mem::replace(&mut self.was_accepted, true))
    }

    /// Whether that is to be told.
    pub(super) fn progress(&mut self, now: Instant, offset: u64, limit: u64) -> Result<bool, FileEnd> {
        if !self.is_open || offset < self.written || offset > self.sent || limit < self.limit {
            return Err(FileEnd::Protocol);
        }
        (self.written, self.limit) = (offset, limit);
        Ok(self.speed.at(now, offset))
    }

    pub(super) fn pause(&mut self) {
        self.speed.restart();
    }

    pub(super) fn is_whole(&self) -> bool {
        self.is_end_sent && self.sent == self.offer.size
    }

    pub(super) fn bytes_per_second(&self, now: Instant) -> u64 {
        self.speed.bytes_per_second(now, self.written)
    }

    /// From where how much is to be read now.
    pub(super) fn wants(&mut self) -> Option<(u64, u64)> {
        let size = self.offer.size;
        // Of a file that waits for its turn nothing is kept in memory.
        let is_wanted = if self.read < size { self.sent < self.limit } else { self.sha256.is_none() };
        if !self.is_open || self.reading.is_some() || !self.next.is_empty() || !is_wanted {
            return None;
        }
        self.reading = Some(self.read);
        Some((self.read, BLOCK.min(size - self.read)))
    }

    /// A block was read. `sha256` is that of the whole file, once its end was read.
    pub(super) fn take(&mut self, offset: u64, bytes: Bytes, sha256: Option<[u8; 32]>) -> Result<(), FileEnd> {
        if self.reading != Some(offset) {
            return Ok(());
        }
        self.reading = None;
        if bytes.is_empty() && self.read < self.offer.size {
            return Err(FileEnd::Source);
        }
        self.read += bytes.len() as u64;
        self.sha256 = sha256.or(self.sha256);
        if self.read == self.offer.size && self.sha256.is_none() {
            return Err(FileEnd::Source);
        }
        if self.ready.is_empty() {
            self.ready = bytes
        } else {
            self.next = bytes
        }
        Ok(())
    }

    /// Whether there is something to send now, with so many bytes on the way at most.
    pub(super) fn is_due(&self, on_the_way: u64) -> bool {
        let is_going = self.is_open && !self.paused_here && !self.paused_there;
        let may = self.sent < self.limit && self.sent - self.written < on_the_way;
        is_going && ((may && !self.ready.is_empty()) || self.is_end_due())
    }

    fn is_end_due(&self) -> bool {
        self.sent == self.offer.size && self.sha256.is_some() && !self.is_end_sent
    }

    /// The frame that says that this was all.
    pub(super) fn end(&mut self) -> Option<Control> {
        let sha256 = hex(&self.sha256.filter(|_| self.is_end_due())?);
        self.is_end_sent = true;
        Some(Control::End { id: self.offer.id, sha256 })
    }

    /// How large the next chunk is if it may have `most` bytes.
    pub(super) fn next_length(&self, most: usize) -> usize {
        let granted = usize::try_from(self.limit - self.sent).unwrap_or(usize::MAX);
        self.ready.len().min(most).min(granted)
    }

    /// The next chunk, of this length.
    pub(super) fn chunk(&mut self, length: usize) -> (u64, Bytes) {
        let (offset, bytes) = (self.sent, self.ready.split_to(length.min(self.ready.len())));
        self.sent += bytes.len() as u64;
        self.furthest = self.furthest.max(self.sent);
        if self.ready.is_empty() {
            self.ready = std::mem::take(&mut self.next);
        }
        (offset, bytes)
    }
}
