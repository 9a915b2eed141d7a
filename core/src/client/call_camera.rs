//! The camera of a call, as a task of its own: it is opened beside the negotiation, and one that hangs holds up neither that nor the
//! end of the call.

use super::call_task::FromTask;
use super::device_thread::DeviceThread;
use super::devices::Camera;
use super::{ClientError, DeviceKind};
use crate::facing::FacingMode;
use crate::media::capture::{CameraProvider, CameraSettings, CaptureError, FrameSink};
use crate::media::constraints::VideoConstraints;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{OwnedMutexGuard, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// What the camera is to do. Orders are carried out one after the other.
pub(super) enum CameraOrder {
    /// On, or off. One that is on already and could not be opened is tried again.
    Switch(bool),
    /// To the other side.
    Flip { reply: oneshot::Sender<Result<Option<FacingMode>, ClientError>> },
    /// Other constraints.
    Constrain { constraints: Box<VideoConstraints>, reply: oneshot::Sender<Result<(), ClientError>> },
    /// To answer when all before is done, with what came of it.
    Settled { reply: oneshot::Sender<Result<(), ClientError>> },
}

impl CameraOrder {
    /// Answers that there is no camera.
    pub(super) fn refuse(self) {
        let none = || CaptureError::NotFound("there is no camera".into()).into();
        match self {
            Self::Switch(_) => {}
            // A reply that nobody waits for any more needs none.
            Self::Flip { reply } => drop(reply.send(Err(none()))),
            Self::Constrain { reply, .. } | Self::Settled { reply } => drop(reply.send(Ok(()))),
        }
    }
}

/// The call's end of it.
pub(super) struct CallCamera {
    /// Filled by what a person does, one at a time.
    orders: mpsc::UnboundedSender<CameraOrder>,
    /// What the camera that is open delivers.
    settings: watch::Receiver<Option<CameraSettings>>,
    task: JoinHandle<()>,
}

impl CallCamera {
    pub(super) fn start(
        provider: Arc<dyn CameraProvider>,
        sink: FrameSink,
        wish: VideoConstraints,
        thread: DeviceThread,
        to_driver: mpsc::Sender<FromTask>,
    ) -> Self {
        let (orders, inbox) = mpsc::unbounded_channel();
        let (told, settings) = watch::channel(None);
        let camera = Camera::new(provider, sink);
        let task = CameraTask { camera, thread, wish, settings: told, failure: None, to_driver };
        Self { orders, settings, task: tokio::spawn(task.run(inbox)) }
    }

    pub(super) fn order(&self, order: CameraOrder) {
        // The task ends when this is dropped; what it is asked is answered by dropping the question, should it have panicked.
        let _ = self.orders.send(order);
    }

    /// Changes whenever the camera is opened, changed or closed.
    pub(super) fn settings(&self) -> watch::Receiver<Option<CameraSettings>> {
        self.settings.clone()
    }

    /// Closes it; the result ends when it is closed or given up.
    pub(super) fn close(self) -> JoinHandle<()> {
        self.task
    }
}

/// What became of the wait for a camera that another call had.
enum Waited {
    /// It is this call's turn, or was waited for long enough.
    Over(Option<OwnedMutexGuard<()>>),
    /// It is not wanted any more.
    SwitchedOff,
}

struct CameraTask {
    camera: Camera,
    thread: DeviceThread,
    wish: VideoConstraints,
    settings: watch::Sender<Option<CameraSettings>>,
    /// Why the camera that was to be on last is off.
    failure: Option<ClientError>,
    to_driver: mpsc::Sender<FromTask>,
}

impl CameraTask {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<CameraOrder>) {
        let (mut turn, mut later) = (None, VecDeque::new());
        loop {
            let Some(order) = (match later.pop_front() {
                Some(order) => Some(order),
                None => inbox.recv().await,
            }) else {
                break;
            };
            // A reply that nobody waits for any more is no failure: what was asked for was done all the same.
            match order {
                CameraOrder::Switch(true) => {
                    self.failure = None;
                    if turn.is_none() {
                        match wait_for_turn(&self.thread, &mut inbox, &mut later).await {
                            Waited::Over(taken) => turn = taken,
                            Waited::SwitchedOff => continue,
                        }
                    }
                    if let Err(error) = self.open().await {
                        self.lost(error).await;
                    }
                }
                CameraOrder::Switch(false) => {
                    self.close().await;
                    // Another call may have it meanwhile.
                    turn = None;
                }
                CameraOrder::Flip { reply } => {
                    let was_open = self.camera.settings().is_some();
                    let flipped = self.flip().await;
                    self.tell_if_lost(was_open, flipped.as_ref().err()).await;
                    let _ = reply.send(flipped);
                }
                CameraOrder::Constrain { constraints, reply } => {
                    self.wish = *constraints;
                    let was_open = self.camera.settings().is_some();
                    let reopened = if was_open { self.open().await } else { Ok(()) };
                    self.tell_if_lost(was_open, reopened.as_ref().err()).await;
                    let _ = reply.send(reopened);
                }
                CameraOrder::Settled { reply } => {
                    let result = self.failure.take().map_or(Ok(()), Err);
                    // By way of the driver, so that it has heard of a lost camera before.
                    self.tell(FromTask::CameraSettled { reply, result }).await;
                }
            }
        }
        self.close().await;
        drop(turn);
    }

    async fn open(&mut self) -> Result<(), ClientError> {
        let wish = self.wish.clone();
        let settings = self.with(move |camera| camera.open(&wish)).await?;
        self.tell(FromTask::Camera { settings, flipped: false, open: true }).await;
        Ok(())
    }

    /// Changes to the camera on the other side; one that is closed stays closed and is only chosen.
    async fn flip(&mut self) -> Result<Option<FacingMode>, ClientError> {
        let wish = self.wish.clone();
        let settings = self.with(move |camera| camera.flip(&wish)).await?;
        let facing = settings.facing;
        self.wish = self.wish.preferring(&settings.device_id, facing);
        self.tell(FromTask::Camera { settings, flipped: true, open: self.camera.settings().is_some() }).await;
        Ok(facing)
    }

    async fn close(&mut self) {
        let closed = self.with(|camera| {
            camera.close();
            Ok(())
        });
        if let Err(error) = closed.await {
            log::warn!("the camera did not close: {error}");
        }
    }

    /// On the way to another camera the one that was open may have been lost: the call is then one without.
    async fn tell_if_lost(&mut self, was_open: bool, why: Option<&ClientError>) {
        if was_open
            && self.camera.settings().is_none()
            && let Some(why) = why
        {
            self.lost(why.clone()).await;
        }
    }

    async fn lost(&mut self, why: ClientError) {
        log::warn!("the camera cannot be used: {why}");
        self.failure = Some(why.clone());
        self.tell(FromTask::DeviceFailed { device: DeviceKind::Camera, why }).await;
    }

    /// Does something with the camera on its thread.
    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Camera) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, ClientError> {
        // Of a camera that hangs, or on which the app panics, nothing comes back.
        let closed = self.camera.closed();
        let mut camera = std::mem::replace(&mut self.camera, closed);
        let done = self.thread.run(move || {
            let result = work(&mut camera);
            (camera, result)
        });
        let result = match done.await {
            Ok((camera, result)) => {
                self.camera = camera;
                result
            }
            Err(error) => Err(error),
        };
        self.settings.send_replace(self.camera.settings().cloned());
        result
    }

    async fn tell(&mut self, message: FromTask) {
        // The driver is gone only when the whole client is.
        let _ = self.to_driver.send(message).await;
    }
}

/// The camera of the call before may still be closing. Orders that come meanwhile are for later.
async fn wait_for_turn(
    thread: &DeviceThread,
    inbox: &mut mpsc::UnboundedReceiver<CameraOrder>,
    later: &mut VecDeque<CameraOrder>,
) -> Waited {
    let turn = thread.turn();
    tokio::pin!(turn);
    loop {
        tokio::select! {
            taken = &mut turn => return Waited::Over(taken.ok()),
            order = inbox.recv() => match order {
                Some(CameraOrder::Switch(false)) | None => return Waited::SwitchedOff,
                Some(order) => later.push_back(order),
            },
        }
    }
}
