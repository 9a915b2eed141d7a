//! Files on a disk.

use super::name::parts;
use super::safe_name;
use super::storage::{FileSink, FileSource};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Names that are tried: `a.txt`, `a (2).txt`, and so on.
const MAX_NUMBER: u32 = 10_000;

/// A file that is sent.
#[derive(Debug)]
pub struct DiskSource {
    file: File,
    name: String,
    size: u64,
}

impl DiskSource {
    /// # Errors
    /// If it cannot be opened or is no file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "this is no file"));
        }
        let name = safe_name(&path.file_name().unwrap_or_default().to_string_lossy());
        Ok(Self { file, name, size: metadata.len() })
    }

    /// Its name, without the path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// In bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl FileSource for DiskSource {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// A file that is received: it is `NAME.part` until it is whole, and never takes the place of another.
#[derive(Debug)]
pub struct DiskSink {
    folder: PathBuf,
    name: String,
    part: PathBuf,
    file: File,
    is_finished: bool,
}

impl DiskSink {
    /// In this folder, which has to be there. The name is made safe ([`safe_name`]).
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(folder: &Path, name: &str) -> io::Result<Self> {
        let name = safe_name(name);
        let (part, file) = claim(folder, &name, ".part")?;
        Ok(Self { folder: folder.to_owned(), name, part, file, is_finished: false })
    }
}

impl FileSink for DiskSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn finish(mut self: Box<Self>) -> io::Result<Option<PathBuf>> {
        self.file.sync_all()?;
        // An empty file of ours keeps the name free until the whole one takes its place.
        let (path, _) = claim(&self.folder, &self.name, "")?;
        if let Err(error) = std::fs::rename(&self.part, &path) {
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        self.is_finished = true;
        Ok(Some(path))
    }
}

impl Drop for DiskSink {
    fn drop(&mut self) {
        if !self.is_finished && std::fs::remove_file(&self.part).is_err() {
            log::debug!("what came of a file is not there any more");
        }
    }
}

/// A file that was not there before, with this name or one like it.
fn claim(folder: &Path, name: &str, ending: &str) -> io::Result<(PathBuf, File)> {
    let (stem, extension) = parts(name);
    for number in 1..=MAX_NUMBER {
        let numbered = if number == 1 { name.to_owned() } else { format!("{stem} ({number}){extension}") };
        let path = folder.join(format!("{numbered}{ending}"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("chamada-disk-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole_and_takes_nobody_elses() {
        let folder = folder("whole");
        std::fs::write(folder.join("a.txt"), "kept").unwrap();
        let mut sink = DiskSink::create(&folder, "../a.txt").unwrap();
        let other = DiskSink::create(&folder, "a.txt").unwrap();
        sink.write(b"new").unwrap();
        assert_eq!(names(&folder), ["a (2).txt.part", "a.txt", "a.txt.part"]);
        let path = Box::new(sink).finish().unwrap().unwrap();
        assert_eq!(path, folder.join("a (2).txt"));
        drop(other);
        assert_eq!(names(&folder), ["a (2).txt", "a.txt"]);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "new");
        assert_eq!(std::fs::read_to_string(folder.join("a.txt")).unwrap(), "kept");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_sent_is_read_from_anywhere_and_a_folder_is_no_file() {
        let folder = folder("read");
        assert!(DiskSource::open(&folder).is_err());
        std::fs::write(folder.join("b.bin"), b"0123456789").unwrap();
        let mut source = DiskSource::open(&folder.join("b.bin")).unwrap();
        assert_eq!((source.name(), source.size()), ("b.bin", 10));
        let mut buffer = [0; 8];
        assert_eq!(source.read_at(6, &mut buffer).unwrap(), 4);
        assert_eq!(&buffer[..4], b"6789");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
