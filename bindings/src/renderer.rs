//! The app's renderer, as the core wants it.

use crate::devices::VideoRenderer;
use crate::frame::{Frame, HeldCount};
use chamada::media::capture;
use chamada::media::frame::VideoFrame;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Frames that an app may hold at a time; one that forgets to release them loses pictures and not the phone's memory.
pub(crate) const MAX_HELD: usize = 16;

pub(crate) struct RendererAdapter {
    app: Arc<dyn VideoRenderer>,
    held: HeldCount,
    skipped: AtomicU64,
}

impl RendererAdapter {
    pub(crate) fn new(app: Arc<dyn VideoRenderer>) -> Self {
        Self { app, held: HeldCount::default(), skipped: AtomicU64::new(0) }
    }
}

impl capture::VideoRenderer for RendererAdapter {
    fn render(&self, frame: VideoFrame) {
        let Some(guard) = self.held.take(MAX_HELD) else {
            if self.skipped.fetch_add(1, Ordering::Relaxed) == 0 {
                log::warn!("the app holds {MAX_HELD} frames and gets no more before it releases some");
            }
            return;
        };
        if let Err(error) = self.app.render(Arc::new(Frame::held(frame, guard))) {
            log::warn!("the app's renderer failed: {error}");
        }
    }
}
