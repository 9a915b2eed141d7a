//! How a session's events reach the app.

use super::error::SignalingError;
use super::session::SignalingEvent;
use std::sync::Arc;
use tokio::sync::{Notify, mpsc, oneshot};

/// The bounded channel to the app, and who waits for the login.
pub(super) struct Events {
    events: mpsc::Sender<SignalingEvent>,
    ready: Option<oneshot::Sender<Result<(), SignalingError>>>,
    /// The app logs out and may not be reading its events any more.
    leaving: Arc<Notify>,
    left: bool,
}

impl Events {
    /// `ready` hears of the login, or why there is none.
    pub(super) fn new(
        events: mpsc::Sender<SignalingEvent>,
        ready: oneshot::Sender<Result<(), SignalingError>>,
        leaving: Arc<Notify>,
    ) -> Self {
        Self { events, ready: Some(ready), leaving, left: false }
    }

    /// Passes an event on; false after the last one, or when nobody listens any more.
    pub(super) async fn tell(&mut self, event: SignalingEvent) -> bool {
        let last = matches!(event, SignalingEvent::Closed { .. });
        if let Some(ready) = self.ready.take() {
            match &event {
                SignalingEvent::LoggedIn { .. } => {
                    // The event first, as far as it fits, so that whoever waits for us finds it.
                    let full = match self.events.try_send(event) {
                        Ok(()) => None,
                        Err(mpsc::error::TrySendError::Full(event)) => Some(event),
                        Err(mpsc::error::TrySendError::Closed(_)) => return false,
                    };
                    let _ = ready.send(Ok(()));
                    return match full {
                        Some(event) => self.events.send(event).await.is_ok(),
                        None => true,
                    };
                }
                SignalingEvent::Closed { why } => {
                    let _ = ready.send(Err(why.clone().unwrap_or(SignalingError::NotConnected)));
                    return false;
                }
                _ => {
                    // The app may not read before it has its client: what does not fit is not worth a deadlock.
                    self.ready = Some(ready);
                    return self.events.try_send(event).is_ok() || !self.events.is_closed();
                }
            }
        }
        if self.left {
            // The app waits for the end and not for events.
            let _ = self.events.try_send(event);
            return !last;
        }
        tokio::select! {
            biased;
            sent = self.events.send(event) => sent.is_ok() && !last,
            () = self.leaving.notified() => {
                self.left = true;
                !last
            }
        }
    }
}
