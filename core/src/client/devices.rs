//! The camera of a call: chosen by the constraints, opened, flipped, closed.

use super::ClientError;
use crate::media::capture::{CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle, FrameSink};
use crate::media::constraints::{self, ConstraintError, VideoConstraints};
use std::sync::Arc;

/// A camera that is open, and what it was opened with. Methods block while the app opens or closes the device.
pub(super) struct Camera {
    provider: Arc<dyn CameraProvider>,
    sink: FrameSink,
    open: Option<(CameraSettings, Box<dyn CaptureHandle>)>,
}

impl Camera {
    pub(super) fn new(provider: Arc<dyn CameraProvider>, sink: FrameSink) -> Self {
        Self { provider, sink, open: None }
    }

    /// The same, not open.
    pub(super) fn closed(&self) -> Self {
        Self::new(Arc::clone(&self.provider), self.sink.clone())
    }

    pub(super) fn settings(&self) -> Option<&CameraSettings> {
        self.open.as_ref().map(|(settings, _)| settings)
    }

    /// Opens the camera that fits best, closing the one that is open.
    pub(super) fn open(&mut self, constraints: &VideoConstraints) -> Result<CameraSettings, ClientError> {
        let settings = constraints::select_settings(constraints, &self.provider.cameras())?;
        self.switch_to(settings)
    }

    /// Changes to the camera on the other side. While none is open, because the person has switched it off, it only says
    /// which one that would be.
    pub(super) fn flip(&mut self, constraints: &VideoConstraints) -> Result<CameraSettings, ClientError> {
        let cameras = self.provider.cameras();
        match self.settings() {
            Some(current) => self.switch_to(constraints::flip(current, &cameras)?),
            None => other_side(constraints, &cameras).map_err(Into::into),
        }
    }

    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Most phones open one camera at a time, so the old one goes first; if the new one fails, the old one comes back.
    fn switch_to(&mut self, settings: CameraSettings) -> Result<CameraSettings, ClientError> {
        let before = self.open.take().map(|(settings, handle)| {
            drop(handle);
            settings
        });
        match self.provider.open(&settings, self.sink.clone()) {
            Ok(handle) => {
                self.open = Some((settings.clone(), handle));
                Ok(settings)
            }
            Err(error) => {
                if let Some(before) = before {
                    self.reopen(before, &error);
                }
                Err(error.into())
            }
        }
    }

    fn reopen(&mut self, before: CameraSettings, why: &CaptureError) {
        match self.provider.open(&before, self.sink.clone()) {
            Ok(handle) => self.open = Some((before, handle)),
            Err(again) => log::warn!("camera {why}, and the one before did not come back either: {again}"),
        }
    }
}

/// The camera on the other side of the one that these constraints would open.
pub(super) fn other_side(
    constraints: &VideoConstraints,
    cameras: &[CameraInfo],
) -> Result<CameraSettings, ConstraintError> {
    constraints::flip(&constraints::select_settings(constraints, cameras)?, cameras)
}
