//! MediaCodec's C interface (`media/NdkMediaCodec.h`, `media/NdkMediaFormat.h`), as far as it is used, with ownership and lengths
//! seen to. Unlike wrappers that exist, nothing here panics where the system gives null: it does when it takes a codec away
//! from an app in the background.

use ndk_sys as sys;
use std::ffi::{CStr, c_void};
use std::fmt;
use std::ptr::NonNull;
use std::time::Duration;

/// A `media_status_t` that is not `AMEDIA_OK`, or that something was null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Status(i32),
    Null(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(1100) => f.write_str("the system has no codec to spare (status 1100)"),
            Self::Status(1101) => f.write_str("the system took the codec away (status 1101)"),
            Self::Status(status) => write!(f, "MediaCodec status {status}"),
            Self::Null(what) => write!(f, "MediaCodec gives no {what}"),
        }
    }
}

fn done(status: sys::media_status_t) -> Result<(), Failure> {
    if status == sys::media_status_t::AMEDIA_OK { Ok(()) } else { Err(Failure::Status(status.0)) }
}

fn microseconds(timeout: Duration) -> i64 {
    i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX)
}

/// An `AMediaFormat` of our own.
pub(super) struct Format(NonNull<sys::AMediaFormat>);

impl Format {
    pub(super) fn new() -> Result<Self, Failure> {
        // SAFETY: takes nothing; gives a new format, or null.
        NonNull::new(unsafe { sys::AMediaFormat_new() }).map(Self).ok_or(Failure::Null("format"))
    }

    pub(super) fn with(self, key: &CStr, value: i32) -> Self {
        // SAFETY: a live format and a string that ends in zero, of which a copy is made.
        unsafe { sys::AMediaFormat_setInt32(self.0.as_ptr(), key.as_ptr(), value) };
        self
    }

    pub(super) fn with_text(self, key: &CStr, value: &CStr) -> Self {
        // SAFETY: a live format and strings that end in zero, of which copies are made.
        unsafe { sys::AMediaFormat_setString(self.0.as_ptr(), key.as_ptr(), value.as_ptr()) };
        self
    }

    pub(super) fn get(&self, key: &CStr) -> Option<i32> {
        let mut value = 0;
        // SAFETY: a live format, a string that ends in zero, and room for the value.
        unsafe { sys::AMediaFormat_getInt32(self.0.as_ptr(), key.as_ptr(), &mut value) }.then_some(value)
    }

    /// A number that counts something: above zero.
    pub(super) fn count(&self, key: &CStr) -> Option<usize> {
        self.get(key).and_then(|value| usize::try_from(value).ok()).filter(|value| *value > 0)
    }

    pub(super) fn bytes(&self, key: &CStr) -> Option<Vec<u8>> {
        let (mut data, mut size): (*mut c_void, usize) = (std::ptr::null_mut(), 0);
        // SAFETY: a live format, a string that ends in zero, and room for address and length.
        let there = unsafe { sys::AMediaFormat_getBuffer(self.0.as_ptr(), key.as_ptr(), &mut data, &mut size) };
        if !there || data.is_null() {
            return None;
        }
        // SAFETY: the format owns so many bytes there as long as it lives unchanged; they are copied before that ends.
        Some(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size) }.to_vec())
    }
}

impl Drop for Format {
    fn drop(&mut self) {
        // SAFETY: made by this module, and deleted once. There is nothing to do about a failure.
        let _ = unsafe { sys::AMediaFormat_delete(self.0.as_ptr()) };
    }
}

/// What an output buffer holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Info {
    pub(super) time_us: i64,
    flags: u32,
    offset: i32,
    size: i32,
}

impl Info {
    /// Parameter sets rather than a picture (`AMEDIACODEC_BUFFER_FLAG_CODEC_CONFIG`).
    pub(super) fn is_config(self) -> bool {
        self.flags & sys::AMEDIACODEC_BUFFER_FLAG_CODEC_CONFIG != 0
    }

    /// The rest of the picture comes in the next buffer (`AMEDIACODEC_BUFFER_FLAG_PARTIAL_FRAME`).
    pub(super) fn is_partial(self) -> bool {
        self.flags & sys::AMEDIACODEC_BUFFER_FLAG_PARTIAL_FRAME != 0
    }
}

/// What a codec has to say.
pub(super) enum Output {
    /// A buffer with this index, to be given back by [`Codec::release`].
    Buffer(usize, Info),
    FormatChanged,
    Nothing,
}

/// An `AMediaCodec` in synchronous mode.
pub(super) struct Codec(NonNull<sys::AMediaCodec>);

// SAFETY: the system binds no codec to a thread; it has only to be used by one at a time, which `&mut` sees to.
unsafe impl Send for Codec {}

impl Codec {
    /// The system's first choice of an encoder for a MIME type.
    pub(super) fn encoder(mime: &CStr) -> Result<Self, Failure> {
        // SAFETY: a string that ends in zero; gives a new codec, or null.
        NonNull::new(unsafe { sys::AMediaCodec_createEncoderByType(mime.as_ptr()) })
            .map(Self)
            .ok_or(Failure::Null("encoder of this type"))
    }

    /// The system's first choice of a decoder for a MIME type.
    pub(super) fn decoder(mime: &CStr) -> Result<Self, Failure> {
        // SAFETY: a string that ends in zero; gives a new codec, or null.
        NonNull::new(unsafe { sys::AMediaCodec_createDecoderByType(mime.as_ptr()) })
            .map(Self)
            .ok_or(Failure::Null("decoder of this type"))
    }

    /// Sets it up and starts it. After a failure it is of no use.
    pub(super) fn start(&mut self, format: &Format, encoder: bool) -> Result<(), Failure> {
        let flags = if encoder { sys::AMEDIACODEC_CONFIGURE_FLAG_ENCODE as u32 } else { 0 };
        let (surface, crypto) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: a codec that was not set up yet, and a live format, which is copied; neither surface nor crypto is needed.
        done(unsafe { sys::AMediaCodec_configure(self.0.as_ptr(), format.0.as_ptr(), surface, crypto, flags) })?;
        // SAFETY: set up.
        done(unsafe { sys::AMediaCodec_start(self.0.as_ptr()) })
    }

    /// Changes a running codec (API level 26).
    pub(super) fn set(&mut self, parameters: &Format) -> Result<(), Failure> {
        // SAFETY: a running codec and a live format, which is copied.
        done(unsafe { sys::AMediaCodec_setParameters(self.0.as_ptr(), parameters.0.as_ptr()) })
    }

    /// Waits for an input buffer.
    pub(super) fn input(&mut self, timeout: Duration) -> Result<Option<usize>, Failure> {
        // SAFETY: a running codec in synchronous mode.
        let index = unsafe { sys::AMediaCodec_dequeueInputBuffer(self.0.as_ptr(), microseconds(timeout)) };
        if index == sys::AMEDIACODEC_INFO_TRY_AGAIN_LATER as isize {
            return Ok(None);
        }
        usize::try_from(index).map(Some).map_err(|_| Failure::Status(i32::try_from(index).unwrap_or(i32::MIN)))
    }

    /// The memory of an input buffer that was got and not queued yet.
    pub(super) fn input_bytes(&mut self, index: usize) -> Result<&mut [u8], Failure> {
        let mut size = 0;
        // SAFETY: a running codec, an index that it gave, and room for the length.
        let data = unsafe { sys::AMediaCodec_getInputBuffer(self.0.as_ptr(), index, &mut size) };
        if data.is_null() {
            return Err(Failure::Null("input buffer"));
        }
        // SAFETY: the buffer is mapped memory of this size and ours until it is queued, which `&mut self` keeps from happening.
        Ok(unsafe { std::slice::from_raw_parts_mut(data, size) })
    }

    /// Hands over the first `size` bytes of an input buffer.
    pub(super) fn queue(&mut self, index: usize, size: usize, time_us: i64) -> Result<(), Failure> {
        let time = u64::try_from(time_us).unwrap_or(0);
        // SAFETY: a running codec and an index that it gave; the system checks size and index.
        done(unsafe { sys::AMediaCodec_queueInputBuffer(self.0.as_ptr(), index, 0, size, time, 0) })
    }

    /// Waits for output.
    pub(super) fn output(&mut self, timeout: Duration) -> Result<Output, Failure> {
        let mut info = sys::AMediaCodecBufferInfo { offset: 0, size: 0, presentationTimeUs: 0, flags: 0 };
        // SAFETY: a running codec in synchronous mode, and room for the description.
        let index = unsafe { sys::AMediaCodec_dequeueOutputBuffer(self.0.as_ptr(), &mut info, microseconds(timeout)) };
        if let Ok(index) = usize::try_from(index) {
            let sys::AMediaCodecBufferInfo { offset, size, presentationTimeUs: time_us, flags } = info;
            return Ok(Output::Buffer(index, Info { time_us, flags, offset, size }));
        }
        match i32::try_from(index).unwrap_or(i32::MIN) {
            sys::AMEDIACODEC_INFO_TRY_AGAIN_LATER => Ok(Output::Nothing),
            // The latter is of old systems, where one had to ask for all buffers again; here each is asked for when it comes.
            sys::AMEDIACODEC_INFO_OUTPUT_FORMAT_CHANGED | sys::AMEDIACODEC_INFO_OUTPUT_BUFFERS_CHANGED => {
                Ok(Output::FormatChanged)
            }
            status => Err(Failure::Status(status)),
        }
    }

    /// What is in an output buffer that was got and not released yet.
    pub(super) fn output_bytes(&mut self, index: usize, info: Info) -> Result<&[u8], Failure> {
        let mut size = 0;
        // SAFETY: a running codec, an index that it gave, and room for the length.
        let data = unsafe { sys::AMediaCodec_getOutputBuffer(self.0.as_ptr(), index, &mut size) };
        if data.is_null() {
            return Err(Failure::Null("output buffer"));
        }
        // SAFETY: the buffer is mapped memory of this size and ours until it is released, which `&mut self` keeps from happening.
        let whole = unsafe { std::slice::from_raw_parts(data.cast_const(), size) };
        let part = |offset: i32, size: i32| {
            let (offset, size) = (usize::try_from(offset).ok()?, usize::try_from(size).ok()?);
            whole.get(offset..)?.get(..size)
        };
        part(info.offset, info.size).ok_or(Failure::Null("output buffer of the size that it says"))
    }

    /// Gives an output buffer back.
    pub(super) fn release(&mut self, index: usize) -> Result<(), Failure> {
        // SAFETY: a running codec and an index that it gave; there is no surface to render to.
        done(unsafe { sys::AMediaCodec_releaseOutputBuffer(self.0.as_ptr(), index, false) })
    }

    /// The format of what comes out.
    pub(super) fn output_format(&mut self) -> Result<Format, Failure> {
        // SAFETY: a running codec; gives a new format, which is ours to delete, or null.
        NonNull::new(unsafe { sys::AMediaCodec_getOutputFormat(self.0.as_ptr()) })
            .map(Format)
            .ok_or(Failure::Null("output format"))
    }

    /// The format of what goes in, from API level 28 on.
    pub(super) fn input_format(&mut self) -> Option<Format> {
        type GetFormat = unsafe extern "C" fn(*mut sys::AMediaCodec) -> *mut sys::AMediaFormat;
        // Looked up at run time, since linking against it would keep the library from loading on API levels 26 and 27.
        // SAFETY: a string that ends in zero.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"AMediaCodec_getInputFormat".as_ptr()) };
        if found.is_null() {
            return None;
        }
        // SAFETY: the function of this name in libmediandk has this type.
        let get_format = unsafe { std::mem::transmute::<*mut c_void, GetFormat>(found) };
        // SAFETY: a running codec; gives a new format, which is ours to delete, or null.
        NonNull::new(unsafe { get_format(self.0.as_ptr()) }).map(Format)
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        // SAFETY: made by this module, and deleted once; it stops by that. There is nothing to do about a failure.
        let _ = unsafe { sys::AMediaCodec_delete(self.0.as_ptr()) };
    }
}
