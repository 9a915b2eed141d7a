//! Events to the app.

use crate::client::Inner;
use crate::error::{AppError, ChamadaError, ErrorKind};
use crate::event::Event;
use chamada::client::ClientEvent;
use std::sync::{Arc, Weak};
use tokio::sync::mpsc;

/// Hears everything that happens, in the order in which it happened.
#[uniffi::export(foreign)]
pub trait Observer: Send + Sync {
    /// Called on the client's one thread for events, `chamada-events`; the next event waits until this returns. It may call
    /// anything of the library and may let go of the client.
    ///
    /// # Errors
    /// What it throws is logged, and the next event comes all the same.
    fn on_event(&self, event: Event) -> Result<(), AppError>;
}

/// Starts the thread that hands events on. It ends by itself when the client is gone and has told its last.
pub(crate) fn start(
    mut events: mpsc::Receiver<ClientEvent>,
    client: Weak<Inner>,
    observer: Arc<dyn Observer>,
) -> Result<(), ChamadaError> {
    let hand_on = move || {
        while let Some(event) = events.blocking_recv() {
            if let Some(event) = Event::from_core(event, &client)
                && let Err(error) = observer.on_event(event)
            {
                log::error!("the app's observer failed: {error}");
            }
        }
    };
    std::thread::Builder::new()
        .name("chamada-events".into())
        .spawn(hand_on)
        .map(drop)
        .map_err(|error| ChamadaError::new(ErrorKind::Internal, format!("no thread for events: {error}")))
}
