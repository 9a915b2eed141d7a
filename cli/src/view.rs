//! Where received pictures and sound go: measured, and saved where asked.

use crate::exit::Failure;
use chamada::media::capture::VideoRenderer;
use chamada::media::frame::VideoFrame;
use chamada::media::synthetic::{DelayMeter, DelayReport, SpeakerSink};
use chamada::media::wav::WavWriter;
use chamada::media::y4m::Y4mWriter;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Takes the remote pictures: reads the marker of synthetic cameras, counts, saves.
pub(crate) struct RemoteView {
    inner: Mutex<Inner>,
    /// Under a lock of its own: whoever asks what was seen must not wait for a disk.
    writer: Mutex<Option<Y4mWriter>>,
}

#[derive(Default)]
struct Inner {
    delay: DelayMeter,
    first: Option<Instant>,
    last: Option<Instant>,
    frames: u64,
    width: u32,
    height: u32,
    newest: Option<VideoFrame>,
}

/// What was seen of the other side so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) first: Option<Instant>,
    pub(crate) frames: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Frames per second between the first and the last picture.
    pub(crate) fps: f64,
    /// Delay and loss; only from a synthetic camera.
    pub(crate) delay: Option<DelayReport>,
}

impl RemoteView {
    pub(crate) fn new(save: Option<&Path>) -> Result<Arc<Self>, Failure> {
        let writer =
            save.map(Y4mWriter::create).transpose().map_err(|error| Failure::BadArgument(error.to_string()))?;
        Ok(Arc::new(Self { inner: Mutex::default(), writer: Mutex::new(writer) }))
    }

    pub(crate) fn seen(&self) -> Seen {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let span = match (inner.first, inner.last) {
            (Some(first), Some(last)) => last.duration_since(first).as_secs_f64(),
            _ => 0.0,
        };
        let fps = if span > 0.0 { (inner.frames.saturating_sub(1)) as f64 / span } else { 0.0 };
        let delay = Some(inner.delay.report()).filter(|report| report.frames > 0);
        Seen { first: inner.first, frames: inner.frames, width: inner.width, height: inner.height, fps, delay }
    }

    pub(crate) fn newest(&self) -> Option<VideoFrame> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).newest.clone()
    }

    /// Forgets what was seen, for the next call.
    pub(crate) fn reset(&self) {
        *self.inner.lock().unwrap_or_else(PoisonError::into_inner) = Inner::default();
    }

    /// Writes what is still in memory to the file. A file that was asked for and has no picture is a failure.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let Some(writer) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        match writer.finish() {
            Ok(0) => Err(Failure::Failed("no picture came, so none is saved".into())),
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Failed(error.to_string())),
        }
    }
}

impl VideoRenderer for RemoteView {
    fn render(&self, frame: VideoFrame) {
        let now = Instant::now();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.first.get_or_insert(now);
        inner.last = Some(now);
        inner.frames += 1;
        (inner.width, inner.height) = (frame.width(), frame.height());
        inner.delay.frame(&frame);
        inner.newest = Some(frame.clone());
        drop(inner);
        if let Some(writer) = &*self.writer.lock().unwrap_or_else(PoisonError::into_inner) {
            writer.render(frame);
        }
    }
}

/// A speaker's listener that saves what it hears until the writer is finished.
pub(crate) fn saving_listener(writer: Arc<WavWriter>) -> SpeakerSink {
    Box::new(move |samples| writer.write(samples))
}
