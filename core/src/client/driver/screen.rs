//! Screens that are shared: opened, handed to the connection that the call has, and closed when the share or the call ends.

use super::{CallRecord, Driver, Reply};
use crate::call::{CallError, Command};
use crate::client::call_task::{FromTask, TaskRequest};
use crate::client::screen::{ScreenFeed, ScreenShare};
use crate::client::{ClientError, ClientEvent};
use crate::media::screen::{ContentHint, ScreenError, ScreenSource, check_screen_size};
use crate::signaling::message::CallId;
use std::sync::Arc;
use std::time::Instant;

/// What a call has of it.
#[derive(Default)]
pub(super) enum CallScreen {
    #[default]
    Off,
    /// Of this number, and not open yet.
    Opening(u64),
    On(u64, ScreenShare),
}

/// What a source that is being opened or closed tells.
pub(in crate::client) enum FromScreen {
    Opened { call: CallId, number: u64, result: Result<ScreenShare, ClientError>, reply: Reply<()> },
    Ended { call: CallId, number: u64, why: Option<ScreenError> },
    Closed,
}

impl CallRecord {
    /// The pictures of the screen that is shared.
    pub(super) fn screen_feed(&self) -> Option<ScreenFeed> {
        match &self.screen {
            CallScreen::On(_, share) => Some(share.feed.clone()),
            _ => None,
        }
    }
}

impl Driver {
    /// Of the call that is spoken of, once it is accepted.
    pub(super) fn start_screen_share(&mut self, source: Arc<dyn ScreenSource>, hint: ContentHint, reply: Reply<()>) {
        match self.begin_screen_share(&source) {
            Ok((call, number)) => self.open_screen(call, number, source, hint, reply),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn begin_screen_share(&mut self, source: &Arc<dyn ScreenSource>) -> Result<(CallId, u64), ClientError> {
        let call = self.addressed.or(self.engine.snapshot().call).ok_or(CallError::NoCall)?;
        self.engine.check_accepted(call)?;
        if let Some((width, height)) = source.size() {
            check_screen_size(width, height)?;
        }
        let screen = &mut self.calls.entry(call).or_default().screen;
        if !matches!(screen, CallScreen::Off) {
            return Err(ScreenError::AlreadyShared.into());
        }
        self.screens += 1;
        *screen = CallScreen::Opening(self.screens);
        Ok((call, self.screens))
    }

    fn open_screen(
        &self,
        call: CallId,
        number: u64,
        source: Arc<dyn ScreenSource>,
        hint: ContentHint,
        reply: Reply<()>,
    ) {
        let (thread, to_driver) = (self.device_threads.screen.clone(), self.to_driver.clone());
        tokio::spawn(async move {
            let (feed, ended) = ScreenFeed::new(hint);
            let (sink, end) = (feed.sink(), feed.end());
            let opened = thread.run(move || source.capture(sink, end)).await;
            let result = match opened {
                Ok(Ok(handle)) => Ok(ScreenShare::new(feed, handle)),
                Ok(Err(error)) => Err(error.into()),
                Err(error) => Err(error),
            };
            // The driver is gone only when the whole client is.
            let _ = to_driver.send(FromTask::Screen(FromScreen::Opened { call, number, result, reply })).await;
            // Never told of one that did not open, or was stopped here.
            if let Ok(why) = ended.await {
                let _ = to_driver.send(FromTask::Screen(FromScreen::Ended { call, number, why })).await;
            }
        });
    }

    /// Of the call that is spoken of. Nothing to do where none is shared.
    pub(super) fn stop_screen_share(&mut self) -> Result<(), ClientError> {
        let call = self.addressed.or(self.engine.snapshot().call).ok_or(CallError::NoCall)?;
        self.end_screen_share(call);
        Ok(())
    }

    fn end_screen_share(&mut self, call: CallId) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        let screen = std::mem::take(&mut record.screen);
        // The camera comes back; a call that has ended meanwhile has nothing to send.
        if matches!(screen, CallScreen::On(..))
            && let Err(error) = self.engine.command_in(Instant::now(), call, Command::SetScreen(false))
        {
            log::debug!("the screen of a call that is over: {error}");
        }
        self.close_screen(screen);
    }

    /// Closes the source; the end of a call waits for that.
    pub(super) fn close_screen(&mut self, screen: CallScreen) {
        let CallScreen::On(_, share) = screen else { return };
        let (thread, to_driver) = (self.device_threads.screen.clone(), self.to_driver.clone());
        let handle = share.stop();
        self.closing += 1;
        tokio::spawn(async move {
            if let Err(error) = thread.run(move || drop(handle)).await {
                log::warn!("the capture of a screen did not close: {error}");
            }
            let _ = to_driver.send(FromTask::Screen(FromScreen::Closed)).await;
        });
    }

    pub(super) fn on_screen(&mut self, message: FromScreen) {
        match message {
            FromScreen::Opened { call, number, result, reply } => {
                let _ = reply.send(self.on_screen_opened(call, number, result));
            }
            FromScreen::Ended { call, number, why } => {
                let screen = self.calls.get(&call).map(|record| &record.screen);
                if matches!(screen, Some(CallScreen::On(on, _)) if *on == number) {
                    self.end_screen_share(call);
                    self.tell_of(Some(call), ClientEvent::ScreenShareEnded { why });
                }
            }
            FromScreen::Closed => self.released(),
        }
    }

    fn on_screen_opened(
        &mut self,
        call: CallId,
        number: u64,
        result: Result<ScreenShare, ClientError>,
    ) -> Result<(), ClientError> {
        let record = self.calls.get_mut(&call);
        let wanted = record.filter(|record| matches!(record.screen, CallScreen::Opening(opening) if opening == number));
        let (record, share) = match (wanted, result) {
            (Some(record), Ok(share)) => (record, share),
            (Some(record), Err(error)) => {
                record.screen = CallScreen::Off;
                return Err(error);
            }
            (None, result) => {
                // Stopped meanwhile, or the call is over.
                result.map(|share| self.close_screen(CallScreen::On(number, share)))?;
                return Err(ScreenError::Stopped.into());
            }
        };
        let feed = share.feed.clone();
        record.screen = CallScreen::On(number, share);
        // Before the engine's word that it is shown.
        if let Some(task) = self.engine.peer_of(call).and_then(|peer| self.tasks.get(&peer)) {
            task.ask(TaskRequest::SetScreen(feed));
        }
        let shared = self.engine.command_in(Instant::now(), call, Command::SetScreen(true));
        if shared.is_err() {
            self.end_screen_share(call);
        }
        shared.map_err(Into::into)
    }
}
