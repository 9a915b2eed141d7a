//! Photos: one picture of a call as PNG or JPEG.

use super::file::{FileError, beside, check_folder};
use super::frame::{FrameError, FramePool, VideoFrame};
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Of 100; good enough to print and a tenth of a PNG.
const JPEG_QUALITY: u8 = 90;

/// How a photo is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhotoFormat {
    /// Without loss.
    Png,
    /// Smaller, with a little loss.
    Jpeg,
}

impl PhotoFormat {
    /// By the end of the file's name: `.png`, `.jpg` or `.jpeg`, in upper or lower case.
    ///
    /// # Errors
    /// [`PhotoError::Extension`] for any other.
    pub fn from_path(path: &Path) -> Result<Self, PhotoError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("png") => Ok(Self::Png),
            Some("jpg" | "jpeg") => Ok(Self::Jpeg),
            _ => Err(PhotoError::Extension(path.to_owned())),
        }
    }
}

/// Why there is no photo.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The name says no format that is known.
    #[error("{}: a photo's name must end in .png, .jpg or .jpeg", .0.display())]
    Extension(PathBuf),
    /// There can be no file of this name.
    #[error(transparent)]
    Place(#[from] FileError),
    /// The picture cannot be converted.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The format does not take the picture.
    #[error("the picture cannot be encoded: {0}")]
    Encode(String),
    /// The system refused; a photo that was there before is as it was.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: io::Error,
    },
}

/// The picture as the bytes of a file, upright. The mirror mark is for previews and not looked at: whoever wants a mirrored photo
/// asks for it by [`VideoFrame::mirrored_pixels`].
///
/// # Errors
/// [`PhotoError::Encode`] if the format does not take it.
pub fn encode_photo(frame: &VideoFrame, format: PhotoFormat) -> Result<Vec<u8>, PhotoError> {
    let pool = FramePool::new(1);
    let upright = frame.rotated(&pool)?;
    let (rgb, width, height) = (upright.to_rgb8()?, upright.width(), upright.height());
    let mut bytes = Vec::new();
    match format {
        PhotoFormat::Png => PngEncoder::new(&mut bytes).write_image(&rgb, width, height, ExtendedColorType::Rgb8),
        PhotoFormat::Jpeg => JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(
            &rgb,
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
    }
    .map_err(|error| PhotoError::Encode(error.to_string()))?;
    Ok(bytes)
}

/// Whether a photo of this name can be saved, as far as that can be seen before. Changes nothing.
///
/// # Errors
/// [`PhotoError::Extension`] or [`PhotoError::Place`].
pub fn check_photo(path: &Path) -> Result<(), PhotoError> {
    PhotoFormat::from_path(path)?;
    if path.is_dir() {
        return Err(FileError::format(path, "it is a folder").into());
    }
    check_folder(path).map_err(Into::into)
}

/// Saves the picture, in the format that the name says. The file appears whole or not at all; one that was there before is
/// replaced only by a whole one.
///
/// # Errors
/// [`PhotoError`]; a file that was there before is as it was.
pub fn save_photo(frame: &VideoFrame, path: impl AsRef<Path>) -> Result<(), PhotoError> {
    let path = path.as_ref();
    let bytes = encode_photo(frame, PhotoFormat::from_path(path)?)?;
    // Beside the photo, since a rename works only within one file system.
    let part = beside(path);
    let saved = write_new(&part, &bytes).and_then(|()| fs::rename(&part, path));
    saved.map_err(|source| {
        // It may not exist; the first error is the one that matters.
        let _ = fs::remove_file(&part);
        PhotoError::Io { path: path.to_owned(), source }
    })
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::frame::Rotation;
    use crate::media::test_dir::TestDir;
    use std::time::Instant;

    /// White on the left, black on the right.
    fn frame(rotation: Rotation) -> VideoFrame {
        let mut buffer = FramePool::default().take(32, 16).unwrap();
        let (y, u, v) = buffer.planes_mut();
        y.chunks_exact_mut(16).enumerate().for_each(|(index, half)| half.fill(if index % 2 == 0 { 235 } else { 16 }));
        u.fill(128);
        v.fill(128);
        buffer.freeze(rotation, Instant::now())
    }

    /// The red of the pixel at each end of the photo's first row and first column.
    fn corners(bytes: &[u8]) -> ((u32, u32), u8, u8, u8) {
        let photo = image::load_from_memory(bytes).unwrap().to_rgb8();
        let (width, height) = photo.dimensions();
        let red = |x, y| photo.get_pixel(x, y)[0];
        ((width, height), red(0, 0), red(width - 1, 0), red(0, height - 1))
    }

    #[test]
    fn photos_stand_upright_and_are_mirrored_only_if_that_is_asked_for() {
        for format in [PhotoFormat::Png, PhotoFormat::Jpeg] {
            let of = |frame: VideoFrame| corners(&encode_photo(&frame, format).unwrap());
            assert_eq!(of(frame(Rotation::None)), ((32, 16), 255, 0, 255));
            assert_eq!(of(frame(Rotation::Cw90)), ((16, 32), 255, 255, 0));
            assert_eq!(of(frame(Rotation::Cw180)), ((32, 16), 0, 255, 0));
            assert_eq!(of(frame(Rotation::None).mirrored(true)), ((32, 16), 255, 0, 255));
            let asked = frame(Rotation::None).mirrored_pixels(&FramePool::default()).unwrap();
            assert_eq!(of(asked), ((32, 16), 0, 255, 0));
        }
    }

    #[test]
    fn the_name_says_the_format() {
        let dir = TestDir::new();
        for (name, start) in [("a.png", &b"\x89PNG"[..]), ("b.JPG", b"\xff\xd8"), ("c.jpeg", b"\xff\xd8")] {
            save_photo(&frame(Rotation::None), dir.path(name)).unwrap();
            assert!(fs::read(dir.path(name)).unwrap().starts_with(start), "{name}");
        }
        for name in ["d.gif", "e", ".png"] {
            let error = save_photo(&frame(Rotation::None), dir.path(name)).unwrap_err();
            assert!(matches!(error, PhotoError::Extension(_)), "{error}");
        }
        assert_eq!(dir.names(), ["a.png", "b.JPG", "c.jpeg"], "nothing is left over");
    }

    #[test]
    fn a_photo_that_cannot_be_saved_leaves_nothing_behind() {
        let dir = TestDir::new();
        fs::create_dir(dir.path("there.png")).unwrap();
        fs::write(dir.path("there.png").join("kept"), "kept").unwrap();
        let error = save_photo(&frame(Rotation::None), dir.path("there.png")).unwrap_err();
        assert!(matches!(error, PhotoError::Io { .. }), "{error}");
        assert_eq!(dir.names(), ["there.png"]);
        assert!(save_photo(&frame(Rotation::None), dir.path("missing/a.png")).is_err());
    }

    #[test]
    fn whether_a_photo_can_be_saved_is_seen_before_and_leaves_nothing() {
        let dir = TestDir::new();
        fs::create_dir(dir.path("folder.png")).unwrap();
        fs::write(dir.path("old.png"), "old").unwrap();
        for (name, said) in [
            ("folder.png", "it is a folder"),
            ("missing/a.png", "missing is not there"),
            ("old.png/a.png", "old.png is no folder"),
            ("a.gif", "must end in"),
        ] {
            let error = check_photo(&dir.path(name)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        check_photo(&dir.path("old.png")).unwrap();
        check_photo(&dir.path("new.jpg")).unwrap();
        assert_eq!(dir.names(), ["folder.png", "old.png"]);
        assert_eq!(fs::read(dir.path("old.png")).unwrap(), b"old");
    }

    #[test]
    fn an_existing_photo_is_replaced() {
        let dir = TestDir::new();
        fs::write(dir.path("a.png"), "old").unwrap();
        save_photo(&frame(Rotation::None), dir.path("a.png")).unwrap();
        assert!(fs::read(dir.path("a.png")).unwrap().starts_with(b"\x89PNG"));
    }
}
