//! Raw video files (YUV4MPEG2, `.y4m`): a camera that plays one, a renderer that writes one.
//!
//! Only 8-bit 4:2:0 is read and written. The header is parsed here and not by a library, because a file is as hostile as
//! the network: the line is bounded, sizes are checked before anything is multiplied or allocated.

use super::capture::{
    CameraFormat, CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle, FrameSink, VideoRenderer,
};
use super::file::{FileError, PlaybackFailure, check_output, open_input};
use super::frame::{FramePool, MAX_DIMENSION, Rotation, VideoFrame};
use super::pace::{Pace, PacedThread};
use super::screen::{ScreenEnd, ScreenSource};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest header line, in bytes.
const MAX_LINE: u64 = 1024;
/// Fastest rate that is played, in frames per second.
const MAX_FPS: f64 = 240.0;
/// How often the rate in the header of a file that is being written is made right.
const HEADER_INTERVAL: Duration = Duration::from_secs(1);
/// The characters of the longest rate, `240000:1000`.
const RATE_CHARS: usize = 11;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Header {
    width: u32,
    height: u32,
    fps: f64,
}

impl Header {
    /// From the first line, without its end.
    fn parse(path: &Path, line: &[u8]) -> Result<Self, FileError> {
        let bad = |problem: String| FileError::format(path, problem);
        let line = std::str::from_utf8(line).map_err(|_| bad("no YUV4MPEG2 file".to_owned()))?;
        let mut fields = line.split(' ');
        if fields.next() != Some("YUV4MPEG2") {
            return Err(bad("no YUV4MPEG2 file".to_owned()));
        }
        let (mut width, mut height, mut fps) = (None, None, None);
        for field in fields {
            let mut letters = field.chars();
            let (name, value) = (letters.next(), letters.as_str());
            match name {
                Some('W') => width = value.parse().ok(),
                Some('H') => height = value.parse().ok(),
                Some('F') => fps = ratio(value),
                Some('C') if !["420", "420jpeg", "420mpeg2", "420paldv"].contains(&value) => {
                    let what = format!("chroma format {}", value.escape_debug());
                    return Err(FileError::Unsupported { path: path.to_owned(), what });
                }
                _ => {}
            }
        }
        let fits = |size: &u32| (1..=MAX_DIMENSION).contains(size);
        let width = width.filter(fits).ok_or_else(|| bad(format!("no width from 1 to {MAX_DIMENSION}")))?;
        let height = height.filter(fits).ok_or_else(|| bad(format!("no height from 1 to {MAX_DIMENSION}")))?;
        let fps = fps.ok_or_else(|| bad(format!("no frame rate up to {MAX_FPS}")))?;
        Ok(Self { width, height, fps })
    }

    fn frame_bytes(self) -> u64 {
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        width * height + 2 * width.div_ceil(2) * height.div_ceil(2)
    }
}

/// Frames per second from `30000:1001`.
fn ratio(text: &str) -> Option<f64> {
    let (count, seconds) = text.split_once(':')?;
    let fps = f64::from(count.parse::<u32>().ok()?) / f64::from(seconds.parse::<u32>().ok()?);
    (fps > 0.0 && fps <= MAX_FPS).then_some(fps)
}

/// A line without its end; `None` at the end of the file or where it is too long.
fn line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader.take(MAX_LINE).read_until(b'\n', &mut line)?;
    Ok((line.pop() == Some(b'\n')).then_some(line))
}

/// A file that is open at one of its frames.
struct Y4mReader<R> {
    path: PathBuf,
    reader: BufReader<R>,
    /// Bytes of the file.
    length: u64,
    header: Header,
    first_frame: u64,
    frame: u64,
}

impl Y4mReader<File> {
    fn open(path: &Path) -> Result<Self, FileError> {
        let (file, length) = open_input(path)?;
        Self::new(path, file, length)
    }
}

impl<R: Read + Seek> Y4mReader<R> {
    fn new(path: &Path, file: R, length: u64) -> Result<Self, FileError> {
        let io = |error| FileError::io(path, error);
        let mut reader = BufReader::new(file);
        let first = line(&mut reader).map_err(io)?.ok_or_else(|| FileError::format(path, "no YUV4MPEG2 file"))?;
        let header = Header::parse(path, &first)?;
        let first_frame = reader.stream_position().map_err(io)?;
        Ok(Self { path: path.to_owned(), reader, length, header, first_frame, frame: 0 })
    }

    fn io(&self, error: io::Error) -> FileError {
        FileError::io(&self.path, error)
    }

    fn damaged(&self, problem: &str) -> FileError {
        FileError::Frame { path: self.path.clone(), frame: self.frame, problem: problem.to_owned() }
    }

    /// Reads up to a frame's pixels; false at the end of the file.
    fn start_frame(&mut self) -> Result<bool, FileError> {
        if self.reader.fill_buf().map_err(|error| FileError::io(&self.path, error))?.is_empty() {
            return Ok(false);
        }
        let line = line(&mut self.reader).map_err(|error| self.io(error))?;
        match line {
            Some(line) if line == b"FRAME" || line.starts_with(b"FRAME ") => Ok(true),
            _ => Err(self.damaged("it does not begin with FRAME")),
        }
    }

    /// Walks over the whole file without reading its pixels, then goes back to the first frame.
    fn check(&mut self) -> Result<(), FileError> {
        let bytes = self.header.frame_bytes();
        while self.start_frame()? {
            let at = self.reader.stream_position().map_err(|error| self.io(error))?;
            let there = self.length.saturating_sub(at);
            if there < bytes {
                return Err(self.damaged(&format!("{there} of {bytes} bytes are there")));
            }
            // Cannot wrap: a frame has at most 100 MB.
            self.reader.seek_relative(bytes as i64).map_err(|error| self.io(error))?;
            self.frame += 1;
        }
        if self.frame == 0 {
            return Err(FileError::format(&self.path, "it has no frame"));
        }
        self.rewind()
    }

    fn rewind(&mut self) -> Result<(), FileError> {
        self.frame = 0;
        self.reader.seek(SeekFrom::Start(self.first_frame)).map(drop).map_err(|error| self.io(error))
    }

    /// The next frame; the first again after the last.
    fn next_frame(&mut self, pool: &FramePool) -> Result<VideoFrame, FileError> {
        if !self.start_frame()? {
            self.rewind()?;
            if !self.start_frame()? {
                return Err(FileError::format(&self.path, "it has no frame"));
            }
        }
        let mut buffer =
            pool.take(self.header.width, self.header.height).map_err(|error| FileError::format(&self.path, error))?;
        let (y, u, v) = buffer.planes_mut();
        for plane in [y, u, v] {
            self.reader.read_exact(plane).map_err(|_| self.damaged("it ends too early"))?;
        }
        self.frame += 1;
        Ok(buffer.freeze(Rotation::None, Instant::now()))
    }
}

/// One camera that plays a file over and over at its own rate.
#[derive(Debug, Clone)]
pub struct Y4mCamera {
    path: PathBuf,
    header: Header,
    failure: PlaybackFailure,
}

impl Y4mCamera {
    /// Checks the whole file, without reading its pixels.
    ///
    /// # Errors
    /// [`FileError`]: it cannot be read, is no YUV4MPEG2 file or has no frame, is not 8-bit 4:2:0, or one of its frames is damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let mut reader = Y4mReader::open(path.as_ref())?;
        reader.check()?;
        Ok(Self { path: reader.path, header: reader.header, failure: PlaybackFailure::default() })
    }

    /// The size of its pictures, in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.header.width, self.header.height)
    }

    /// Why the pictures stopped before their handle was dropped, if they did: the file was changed or taken away while it played.
    pub fn failure(&self) -> PlaybackFailure {
        self.failure.clone()
    }
}

impl CameraProvider for Y4mCamera {
    fn cameras(&self) -> Vec<CameraInfo> {
        let Header { width, height, fps } = self.header;
        let label = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned();
        let formats = vec![CameraFormat { width, height, min_fps: fps, max_fps: fps }];
        vec![CameraInfo { device_id: "y4m".to_owned(), label, facing: None, formats }]
    }

    fn open(&self, settings: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        if settings.device_id != "y4m" {
            return Err(CaptureError::NotFound(format!("no camera '{}'", settings.device_id)));
        }
        self.play(sink, || {})
    }
}

/// A film in the place of a screen. It ends where the file cannot be played any more.
impl ScreenSource for Y4mCamera {
    fn capture(&self, sink: FrameSink, end: ScreenEnd) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        self.play(sink, move || end.end())
    }

    fn size(&self) -> Option<(u32, u32)> {
        Some(Self::size(self))
    }
}

impl Y4mCamera {
    /// Plays the file over and over until the handle is dropped; `stopped` is called where that is not possible any more.
    fn play(
        &self,
        sink: FrameSink,
        stopped: impl Fn() + Send + 'static,
    ) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let mut reader = Y4mReader::open(&self.path).map_err(|error| CaptureError::NotReadable(error.to_string()))?;
        let (pool, failure) = (FramePool::default(), self.failure.clone());
        let thread =
            PacedThread::spawn("y4m", Pace::pictures(reader.header.fps), move || match reader.next_frame(&pool) {
                Ok(frame) => {
                    sink.push(frame);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    log::error!("the film stopped: {error}");
                    failure.set(error);
                    stopped();
                    ControlFlow::Break(())
                }
            })?;
        Ok(Box::new(thread))
    }
}

/// Writes what it renders to a file.
///
/// The first picture, turned upright, gives the size; later ones are scaled into it between black bars. The header's frame rate is
/// that of the pictures, by the times at which they were captured or decoded: it is made right once a second and at the end. Each
/// picture is handed to the system at once, so that a program that dies leaves all of them readable. The file is made, or what it
/// held before replaced, with the first picture.
#[derive(Debug)]
pub struct Y4mWriter {
    path: PathBuf,
    pool: FramePool,
    state: Mutex<WriterState>,
}

#[derive(Debug, Default)]
struct WriterState {
    written: Option<Written>,
    error: Option<FileError>,
}

/// A file with at least one picture.
#[derive(Debug)]
struct Written {
    file: BufWriter<File>,
    size: (u32, u32),
    frames: u64,
    first: Instant,
    last: Instant,
    header_written: Instant,
}

impl Y4mWriter {
    /// A writer to this file.
    ///
    /// # Errors
    /// [`FileError`] if the file cannot be written: see [`check_output`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        check_output(path)?;
        Ok(Self { path: path.to_owned(), pool: FramePool::default(), state: Mutex::default() })
    }

    /// How many pictures are written; the first error if one was met, after which nothing was written any more.
    ///
    /// # Errors
    /// [`FileError`] of the first picture that could not be written.
    pub fn finish(self) -> Result<u64, FileError> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match (state.error, state.written) {
            (Some(error), _) => Err(error),
            (None, None) => Ok(0),
            (None, Some(mut written)) => {
                written.write_header().map_err(|error| FileError::io(&self.path, error))?;
                Ok(written.frames)
            }
        }
    }

    fn write(&self, state: &mut WriterState, frame: &VideoFrame) -> Result<(), FileError> {
        let io = |error| FileError::io(&self.path, error);
        let bad = |error| FileError::format(&self.path, error);
        let upright = frame.rotated(&self.pool).map_err(bad)?;
        let written = match &mut state.written {
            Some(written) => written,
            none => {
                let size = (upright.width(), upright.height());
                none.insert(Written::start(&self.path, size, frame.captured_at()).map_err(io)?)
            }
        };
        let (width, height) = written.size;
        let fitted = upright.letterboxed(&self.pool, width, height).map_err(bad)?;
        written.append(&fitted).map_err(io)
    }
}

impl Written {
    fn start(path: &Path, size: (u32, u32), now: Instant) -> io::Result<Self> {
        let file = BufWriter::new(File::options().write(true).create(true).truncate(true).open(path)?);
        let mut written = Self { file, size, frames: 0, first: now, last: now, header_written: now };
        written.write_header()?;
        Ok(written)
    }

    fn append(&mut self, picture: &VideoFrame) -> io::Result<()> {
        self.file.write_all(b"FRAME\n")?;
        for plane in [picture.y(), picture.u(), picture.v()] {
            self.file.write_all(plane)?;
        }
        self.file.flush()?;
        self.frames += 1;
        self.last = self.last.max(picture.captured_at());
        // The second picture says a rate for the first time.
        if self.frames == 2 || self.last.saturating_duration_since(self.header_written) >= HEADER_INTERVAL {
            self.write_header()?;
        }
        Ok(())
    }

    /// Always of the same length: what a shorter rate leaves free is filled with a comment.
    fn write_header(&mut self) -> io::Result<()> {
        self.header_written = self.last;
        let (width, height) = self.size;
        let rate = self.rate();
        let fill = "_".repeat(RATE_CHARS.saturating_sub(rate.len()));
        self.file.seek(SeekFrom::Start(0))?;
        writeln!(self.file, "YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C420jpeg X{fill}")?;
        self.file.seek(SeekFrom::End(0))?;
        Ok(())
    }

    /// Pictures per second as `count:seconds`; 30 where no time lies between them, as with one alone.
    fn rate(&self) -> String {
        let seconds = self.last.saturating_duration_since(self.first).as_secs_f64();
        let fps = self.frames.saturating_sub(1) as f64 / seconds;
        if !fps.is_finite() || fps == 0.0 {
            return "30:1".to_owned();
        }
        let thousandths = (fps * 1000.0).round().clamp(1.0, MAX_FPS * 1000.0) as u64;
        if thousandths.is_multiple_of(1000) {
            format!("{}:1", thousandths / 1000)
        } else {
            format!("{thousandths}:1000")
        }
    }
}

impl VideoRenderer for Y4mWriter {
    fn render(&self, frame: VideoFrame) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.error.is_none()
            && let Err(error) = self.write(&mut state, &frame)
        {
            log::error!("pictures are no longer saved: {error}");
            state.error = Some(error);
        }
    }
}

/// A file of these bytes, looked through as before a call, and its first pictures.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(input: &[u8]) {
    let file = io::Cursor::new(input);
    let Ok(mut reader) = Y4mReader::new(Path::new("fuzz.y4m"), file, input.len() as u64) else { return };
    if reader.check().is_ok() {
        // What was found good before the call is played in it. Sizes that files of a fuzzer do not have are not.
        for _ in 0..3 {
            assert!(reader.next_frame(&FramePool::new(1)).is_ok());
        }
    }
}

#[cfg(test)]
mod tests;
