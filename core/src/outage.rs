//! Losing a network on purpose, to see what an app does then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// A switch for a path that fails while it is on. All clones are one switch, off at first.
#[derive(Debug, Clone, Default)]
pub struct Outage {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    on: AtomicBool,
    begins: Notify,
}

impl Outage {
    /// Begins or ends it.
    pub fn set(&self, on: bool) {
        // Nothing else hangs on what was written before: each packet only asks for the switch.
        self.shared.on.store(on, Ordering::Relaxed);
        if on {
            self.shared.begins.notify_waiters();
        }
    }

    /// Whether the path fails now.
    pub fn is_on(&self) -> bool {
        self.shared.on.load(Ordering::Relaxed)
    }

    /// Returns once it is on.
    pub(crate) async fn begun(&self) {
        let begins = self.shared.begins.notified();
        tokio::pin!(begins);
        // Listening before looking: what begins in between is not missed.
        begins.as_mut().enable();
        while !self.is_on() {
            begins.as_mut().await;
            begins.set(self.shared.begins.notified());
            begins.as_mut().enable();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn who_waits_for_it_wakes_when_a_clone_begins_it() {
        let outage = Outage::default();
        let waiting = outage.begun();
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        let other = outage.clone();
        other.set(true);
        assert!(outage.is_on());
        assert!(waiting.now_or_never().is_some());
        assert!(outage.begun().now_or_never().is_some(), "one that began earlier is not waited for");
        other.set(false);
        assert!(outage.begun().now_or_never().is_none());
    }
}
