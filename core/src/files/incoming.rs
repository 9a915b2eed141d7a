//! One file that the other side sends.

use super::frame::Control;
use super::speed::Speed;
use super::{FileEnd, FileOffer, WINDOW};
use std::time::{Duration, Instant};

/// How much is written before the sender is told, and how long it waits at most for less.
const TELL_BYTES: u64 = WINDOW / 8;
const TELL_AFTER: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) offer: FileOffer,
    /// Somebody has said yes.
    pub(super) is_accepted: bool,
    /// The other side was told so on this connection.
    pub(super) is_open: bool,
    pub(super) paused_here: bool,
    pub(super) paused_there: bool,
    /// It may be sent: one of few at a time.
    pub(super) has_window: bool,
    /// What came, what of it is written, what may come, and what the sender was told last.
    received: u64,
    written: u64,
    limit: u64,
    told: u64,
    told_at: Option<Instant>,
    sha256: Option<[u8; 32]>,
    pub(super) is_finishing: bool,
    speed: Speed,
}

impl Incoming {
    pub(super) fn new(offer: FileOffer) -> Self {
        Self {
            offer,
            is_accepted: false,
            is_open: false,
            paused_here: false,
            paused_there: false,
            has_window: false,
            received: 0,
            written: 0,
            limit: 0,
            told: 0,
            told_at: None,
            sha256: None,
            is_finishing: false,
            speed: Speed::default(),
        }
    }

    /// Another connection: what was on its way is lost, and what came is written sooner or later.
    pub(super) fn disconnected(&mut self) {
        self.is_open = false;
        self.limit = self.received;
        self.speed.restart();
    }

    /// Says from where it is wanted.
    pub(super) fn accept_frame(&mut self) -> Control {
        self.is_open = true;
        // The end is said again, too.
        self.sha256 = None;
        (self.told, self.limit) = (self.received, self.granted());
        Control::Accept { id: self.offer.id, offset: self.received, limit: self.limit }
    }

    fn granted(&self) -> u64 {
        if self.has_window {
            (self.written + WINDOW).min(self.offer.size).max(self.limit)
        } else {
            self.limit.max(self.received)
        }
    }

    /// Whether these bytes belong there.
    pub(super) fn take(&mut self, offset: u64, length: usize) -> Result<(), FileEnd> {
        let end = offset.checked_add(length as u64).ok_or(FileEnd::Protocol)?;
        if end > self.offer.size {
            return Err(FileEnd::Size);
        }
        if !self.is_open || offset != self.received || end > self.limit || self.sha256.is_some() {
            return Err(FileEnd::Protocol);
        }
        self.received = end;
        Ok(())
    }

    pub(super) fn end(&mut self, sha256: [u8; 32]) -> Result<(), FileEnd> {
        if !self.is_open || self.sha256.is_some() {
            return Err(FileEnd::Protocol);
        }
        if self.received != self.offer.size {
            return Err(FileEnd::Size);
        }
        self.sha256 = Some(sha256);
        Ok(())
    }

    /// So many bytes are written in all. Whether that is to be told to the app.
    pub(super) fn written(&mut self, now: Instant, bytes: u64) -> bool {
        self.written = bytes;
        self.speed.at(now, bytes)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.written
    }

    pub(super) fn bytes_per_second(&self, now: Instant) -> u64 {
        self.speed.bytes_per_second(now, self.written)
    }

    pub(super) fn pause(&mut self) {
        self.speed.restart();
    }

    /// Whether it can be given its name now, once.
    pub(super) fn finish(&mut self) -> Option<[u8; 32]> {
        let sha256 = self.sha256.filter(|_| self.written == self.offer.size && !self.is_finishing)?;
        self.is_finishing = true;
        Some(sha256)
    }

    /// What the sender is to be told of what was written.
    pub(super) fn progress_frame(&mut self, now: Instant) -> Option<Control> {
        let (limit, more) = (self.granted(), self.written.saturating_sub(self.told));
        let waited = self.told_at.is_none_or(|at| now.saturating_duration_since(at) >= TELL_AFTER);
        let is_due = more >= TELL_BYTES || (more > 0 && waited) || (limit > self.limit && self.limit <= self.received);
        if !is_due || !self.is_open || self.is_finishing {
            return None;
        }
        (self.told, self.limit, self.told_at) = (self.written.max(self.told), limit, Some(now));
        Some(Control::Progress { id: self.offer.id, offset: self.told, limit })
    }

    /// Grants a window to one that waited its turn.
    pub(super) fn grant_frame(&mut self) -> Option<Control> {
        self.has_window = true;
        self.limit = self.granted();
        self.is_open.then_some(Control::Progress { id: self.offer.id, offset: self.told, limit: self.limit })
    }

    /// When to look at [`Self::progress_frame`] again.
    pub(super) fn timeout(&self) -> Option<Instant> {
        let waits = self.written > self.told && self.is_open && !self.is_finishing;
        self.told_at.filter(|_| waits).map(|at| at + TELL_AFTER)
    }
}
