//! A screen that is shared: open from the start of the share to its end, whichever connections the call has meanwhile.

use crate::media::capture::{CaptureHandle, FrameReceiver, FrameSink};
use crate::media::frame::{FrameError, FramePool, RawFrame, VideoFrame};
use crate::media::screen::{ContentHint, ScreenEnd, ScreenError, check_screen_size};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Told once when the source has no more pictures; why, where it is the core that takes none.
pub(super) type Ended = oneshot::Receiver<Option<ScreenError>>;

/// A source that is open.
pub(super) struct ScreenShare {
    pub(super) feed: ScreenFeed,
    handle: Box<dyn CaptureHandle>,
}

impl ScreenShare {
    pub(super) fn new(feed: ScreenFeed, handle: Box<dyn CaptureHandle>) -> Self {
        Self { feed, handle }
    }

    /// Takes no more pictures. What is returned closes the source when it is dropped, which may block.
    pub(super) fn stop(self) -> Box<dyn CaptureHandle> {
        self.feed.close();
        self.handle
    }
}

/// Brings the source's pictures to the connection that the call has now.
#[derive(Clone)]
pub(super) struct ScreenFeed {
    pub(super) hint: ContentHint,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    pool: FramePool,
}

struct State {
    target: Option<FrameSink>,
    /// For a connection that begins while nothing changes on the screen.
    last: Option<VideoFrame>,
    /// `None` once the end was told, or wanted here.
    ended: Option<oneshot::Sender<Option<ScreenError>>>,
}

impl ScreenFeed {
    pub(super) fn new(hint: ContentHint) -> (Self, Ended) {
        let (sender, ended) = oneshot::channel();
        let state = Mutex::new(State { target: None, last: None, ended: Some(sender) });
        (Self { hint, shared: Arc::new(Shared { state, pool: FramePool::default() }) }, ended)
    }

    /// Where the source puts its pictures.
    pub(super) fn sink(&self) -> FrameSink {
        FrameSink::new(Arc::clone(&self.shared) as Arc<dyn FrameReceiver>)
    }

    /// By which the source says that it has ended.
    pub(super) fn end(&self) -> ScreenEnd {
        let shared = Arc::clone(&self.shared);
        ScreenEnd::new(Arc::new(move || shared.end(None)))
    }

    /// Pictures go there from now on, the last one at once.
    pub(super) fn attach(&self, target: FrameSink) {
        let mut state = self.shared.lock();
        if state.ended.is_none() {
            return;
        }
        state.target = Some(target.clone());
        let last = state.last.clone();
        drop(state);
        if let Some(frame) = last {
            target.push(frame);
        }
    }

    fn close(&self) {
        let mut state = self.shared.lock();
        (state.target, state.last, state.ended) = (None, None, None);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, why: Option<ScreenError>) {
        let mut state = self.lock();
        (state.target, state.last) = (None, None);
        if let Some(ended) = state.ended.take() {
            // Nobody listens where the share is being closed.
            let _ = ended.send(why);
        }
    }

    /// Ends the share at a picture that is too large, before anything is allocated for it.
    fn takes(&self, width: u32, height: u32) -> Result<(), FrameError> {
        check_screen_size(width, height).map_err(|why| {
            self.end(Some(why));
            FrameError::Size { width, height }
        })
    }

    fn hand_on(&self, frame: VideoFrame) {
        let mut state = self.lock();
        if state.ended.is_none() {
            return;
        }
        state.last = Some(frame.clone());
        let target = state.target.clone();
        drop(state);
        if let Some(target) = target {
            target.push(frame);
        }
    }
}

impl FrameReceiver for Shared {
    fn push_raw(&self, frame: &RawFrame<'_>) -> Result<(), FrameError> {
        self.takes(frame.width, frame.height)?;
        self.hand_on(self.pool.copy_from(frame)?);
        Ok(())
    }

    fn push(&self, frame: VideoFrame) {
        // Whoever pushes pictures of the core's own hears of the end as everybody does.
        if self.takes(frame.width(), frame.height()).is_ok() {
            self.hand_on(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::{PixelFormat, Plane, Rotation};
    use std::time::Instant;

    fn picture(width: u32, height: u32) -> VideoFrame {
        FramePool::default().take(width, height).unwrap().freeze(Rotation::None, Instant::now())
    }

    #[derive(Default)]
    struct Sizes(Mutex<Vec<u32>>);

    impl FrameReceiver for Sizes {
        fn push_raw(&self, _: &RawFrame<'_>) -> Result<(), FrameError> {
            Ok(())
        }

        fn push(&self, frame: VideoFrame) {
            self.0.lock().unwrap().push(frame.width());
        }
    }

    fn target() -> (Arc<Sizes>, FrameSink) {
        let sizes = Arc::new(Sizes::default());
        (Arc::clone(&sizes), FrameSink::new(sizes))
    }

    #[test]
    fn a_connection_that_begins_later_gets_the_picture_that_stands() {
        let (feed, mut ended) = ScreenFeed::new(ContentHint::Detail);
        let ((first, first_sink), (second, second_sink)) = (target(), target());
        feed.attach(first_sink);
        feed.sink().push(picture(16, 16));
        feed.attach(second_sink);
        feed.sink().push(picture(32, 16));
        assert_eq!(*first.0.lock().unwrap(), [16]);
        assert_eq!(*second.0.lock().unwrap(), [16, 32]);
        assert!(ended.try_recv().is_err());
    }

    #[test]
    fn a_screen_of_8k_ends_the_share_with_its_reason_and_without_memory_for_it() {
        let (feed, mut ended) = ScreenFeed::new(ContentHint::Detail);
        let (seen, sink) = target();
        feed.attach(sink);
        let plane = Plane { data: &[], stride: 7680 * 4 };
        let huge = RawFrame {
            format: PixelFormat::Bgra,
            planes: [plane; 3],
            width: 7680,
            height: 4320,
            rotation: Rotation::None,
            captured_at: Instant::now(),
        };
        let refused = feed.sink().push_raw(&huge);
        assert_eq!(refused, Err(FrameError::Size { width: 7680, height: 4320 }));
        assert_eq!(ended.try_recv(), Ok(Some(ScreenError::TooLarge { width: 7680, height: 4320 })));
        feed.sink().push(picture(16, 16));
        assert!(seen.0.lock().unwrap().is_empty(), "what comes after is not shown");
    }

    #[test]
    fn the_end_is_told_once_and_not_to_whoever_stopped_it() {
        let (feed, mut ended) = ScreenFeed::new(ContentHint::Motion);
        feed.end().end();
        feed.end().end();
        assert_eq!(ended.try_recv(), Ok(None));
        let (feed, mut ended) = ScreenFeed::new(ContentHint::Motion);
        feed.close();
        feed.end().end();
        assert_eq!(ended.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
