//! Pictures in: the app's cameras behind the core's trait, and where they put their pictures.

use crate::devices::Cameras;
use crate::error::{ChamadaError, ErrorKind};
use crate::yuv420::{Chroma, copy_yuv420};
use chamada::media::capture::{CameraInfo, CameraProvider, CameraSettings, CaptureError, CaptureHandle, FrameSink};
use chamada::media::frame::{FramePool, PixelFormat, Plane, RawFrame, Rotation};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An older picture is nobody's: more likely its age was counted on another clock.
const OLDEST: Duration = Duration::from_secs(10);

/// Where a camera puts its pictures. May be called from any thread; each call copies the planes once and returns at once. A
/// picture that was not sent yet is replaced by the next.
///
/// Common to all: `width` and `height` in pixels before rotation, up to 8192; strides in bytes from one row to the next;
/// `rotation_degrees` how far to turn the picture clockwise to stand upright (0, 90, 180, 270); `age_ns` how long ago it was
/// captured, in nanoseconds, 0 for now. Planes need not have the padding of their last row. Errors are `INVALID_ARGUMENT`
/// for what cannot be right and `CLOSED` once the camera was closed; the picture is dropped and nothing else happens.
#[derive(uniffi::Object)]
pub struct CameraSink {
    to: Mutex<Option<FrameSink>>,
    pool: FramePool,
}

#[uniffi::export]
#[allow(clippy::too_many_arguments, reason = "a picture is what it is; records would cost an allocation each time")]
impl CameraSink {
    /// A picture of three planes: Y, then U and V at half width and half height (rounded up).
    ///
    /// # Errors
    /// As the type says.
    pub fn push_i420(
        &self,
        width: u32,
        height: u32,
        rotation_degrees: u32,
        age_ns: u64,
        y: &[u8],
        y_stride: u32,
        u: &[u8],
        u_stride: u32,
        v: &[u8],
        v_stride: u32,
    ) -> Result<(), ChamadaError> {
        let planes = [plane(y, y_stride), plane(u, u_stride), plane(v, v_stride)];
        self.push(PixelFormat::I420, planes, width, height, rotation_degrees, age_ns)
    }

    /// A picture of two planes: Y, then U and V interleaved at half width and half height, U first. Apple's
    /// `420YpCbCr8BiPlanarVideoRange`.
    ///
    /// # Errors
    /// As the type says.
    pub fn push_nv12(
        &self,
        width: u32,
        height: u32,
        rotation_degrees: u32,
        age_ns: u64,
        y: &[u8],
        y_stride: u32,
        uv: &[u8],
        uv_stride: u32,
    ) -> Result<(), ChamadaError> {
        let planes = [plane(y, y_stride), plane(uv, uv_stride), plane(&[], 0)];
        self.push(PixelFormat::Nv12, planes, width, height, rotation_degrees, age_ns)
    }

    /// As `push_nv12`, with V before U.
    ///
    /// # Errors
    /// As the type says.
    pub fn push_nv21(
        &self,
        width: u32,
        height: u32,
        rotation_degrees: u32,
        age_ns: u64,
        y: &[u8],
        y_stride: u32,
        vu: &[u8],
        vu_stride: u32,
    ) -> Result<(), ChamadaError> {
        let planes = [plane(y, y_stride), plane(vu, vu_stride), plane(&[], 0)];
        self.push(PixelFormat::Nv21, planes, width, height, rotation_degrees, age_ns)
    }

    /// A picture of one plane: blue, green, red, alpha, one byte each.
    ///
    /// # Errors
    /// As the type says.
    pub fn push_bgra(
        &self,
        width: u32,
        height: u32,
        rotation_degrees: u32,
        age_ns: u64,
        pixels: &[u8],
        stride: u32,
    ) -> Result<(), ChamadaError> {
        let planes = [plane(pixels, stride), plane(&[], 0), plane(&[], 0)];
        self.push(PixelFormat::Bgra, planes, width, height, rotation_degrees, age_ns)
    }

    /// Android's `YUV_420_888` as its three planes are: U and V with the same row stride and pixel stride, the latter 1 for
    /// planes of their own and 2 for views into interleaved ones, in either order. Buffers that end with their last sample,
    /// as Android's do, are whole.
    ///
    /// # Errors
    /// As the type says.
    pub fn push_yuv_420_888(
        &self,
        width: u32,
        height: u32,
        rotation_degrees: u32,
        age_ns: u64,
        y: &[u8],
        y_row_stride: u32,
        u: &[u8],
        v: &[u8],
        uv_row_stride: u32,
        uv_pixel_stride: u32,
    ) -> Result<(), ChamadaError> {
        let sink = self.sink()?;
        let (rotation, captured_at) = (rotation(rotation_degrees)?, captured_at(age_ns)?);
        let chroma = Chroma { u, v, row_stride: uv_row_stride as usize, pixel_stride: uv_pixel_stride as usize };
        let picture = copy_yuv420(&self.pool, width, height, plane(y, y_row_stride), chroma)?;
        sink.push(picture.freeze(rotation, captured_at));
        Ok(())
    }
}

impl CameraSink {
    pub(crate) fn new(to: FrameSink) -> Self {
        Self { to: Mutex::new(Some(to)), pool: FramePool::default() }
    }

    pub(crate) fn end(&self) {
        *self.to.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Copied out of the lock: a push that is going on must not hold up whoever closes the camera.
    fn sink(&self) -> Result<FrameSink, ChamadaError> {
        let to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        to.clone().ok_or_else(|| ChamadaError::closed("camera"))
    }

    fn push(
        &self,
        format: PixelFormat,
        planes: [Plane<'_>; 3],
        width: u32,
        height: u32,
        rotation_degrees: u32,
        age_ns: u64,
    ) -> Result<(), ChamadaError> {
        let sink = self.sink()?;
        let (rotation, captured_at) = (rotation(rotation_degrees)?, captured_at(age_ns)?);
        sink.push_raw(&RawFrame { format, planes, width, height, rotation, captured_at })?;
        Ok(())
    }
}

fn plane(data: &[u8], stride: u32) -> Plane<'_> {
    Plane { data, stride: stride as usize }
}

fn rotation(degrees: u32) -> Result<Rotation, ChamadaError> {
    [Rotation::None, Rotation::Cw90, Rotation::Cw180, Rotation::Cw270]
        .into_iter()
        .find(|rotation| rotation.degrees() == degrees)
        .ok_or_else(|| ChamadaError::invalid(format!("a rotation of {degrees}° is none of 0, 90, 180, 270")))
}

fn captured_at(age_ns: u64) -> Result<Instant, ChamadaError> {
    let age = Duration::from_nanos(age_ns);
    let then = if age <= OLDEST { Instant::now().checked_sub(age) } else { None };
    then.ok_or_else(|| ChamadaError::new(ErrorKind::InvalidArgument, format!("a picture that is {age:?} old")))
}

/// The app's cameras, as the core wants them.
pub(crate) struct CameraAdapter(pub(crate) Arc<dyn Cameras>);

struct OpenCamera {
    app: Arc<dyn Cameras>,
    device_id: String,
    sink: Arc<CameraSink>,
}

impl CaptureHandle for OpenCamera {}

impl Drop for OpenCamera {
    fn drop(&mut self) {
        self.sink.end();
        if let Err(error) = self.app.close_camera(std::mem::take(&mut self.device_id)) {
            log::warn!("the app's camera did not close: {error}");
        }
    }
}

impl CameraProvider for CameraAdapter {
    fn cameras(&self) -> Vec<CameraInfo> {
        match self.0.list_cameras() {
            Ok(cameras) => cameras.into_iter().map(Into::into).collect(),
            Err(error) => {
                log::warn!("the app has no cameras to list: {error}");
                Vec::new()
            }
        }
    }

    fn open(&self, settings: &CameraSettings, sink: FrameSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        let sink = Arc::new(CameraSink::new(sink));
        if let Err(error) = self.0.open_camera(settings.clone().into(), Arc::clone(&sink)) {
            sink.end();
            return Err(error.into());
        }
        Ok(Box::new(OpenCamera { app: Arc::clone(&self.0), device_id: settings.device_id.clone(), sink }))
    }
}
