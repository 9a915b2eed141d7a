//! Reads and writes files on a thread of its own, and computes their checksums there.

use super::{FileEnd, FileId};
use bytes::Bytes;
use ring::digest::{Context, SHA256};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc;

/// A file that is sent.
pub trait FileSource: Send {
    /// Fills the buffer from this offset on, in bytes. Returns how much is there: less only at the end of the file.
    ///
    /// # Errors
    /// Whatever keeps it from being read.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// A file that is received. Dropped before [`FileSink::finish`], it leaves nothing behind.
pub trait FileSink: Send {
    /// Writes what comes next.
    ///
    /// # Errors
    /// Whatever keeps it from being written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// It is whole, and its checksum is right: gives it its name. Returns where it is, if it has a place.
    ///
    /// # Errors
    /// Whatever keeps it from its name.
    fn finish(self: Box<Self>) -> io::Result<Option<PathBuf>>;
}

/// What is to be done, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Job {
    /// Read so many bytes of a source.
    Read {
        /// Which file.
        id: FileId,
        /// From where.
        offset: u64,
        /// How many.
        length: u64,
    },
    /// Write what comes next into a sink.
    Write {
        /// Which file.
        id: FileId,
        /// What.
        bytes: Bytes,
    },
    /// Compare the checksum, and give the file its name.
    Finish {
        /// Which file.
        id: FileId,
        /// What it has to be.
        sha256: [u8; 32],
    },
    /// It is not needed any more.
    Close {
        /// Which file.
        id: FileId,
    },
}

/// What was done. An error of the system's is in the log; what becomes of the file follows from that there was one.
#[derive(Debug, PartialEq, Eq)]
pub enum Done {
    /// A block was read.
    Read {
        /// Which file.
        id: FileId,
        /// From where.
        offset: u64,
        /// The bytes, and with the last of them the checksum of the whole file.
        read: Result<(Bytes, Option<[u8; 32]>), ()>,
    },
    /// Something was written.
    Written {
        /// Which file.
        id: FileId,
        /// How much is there in all.
        bytes: Result<u64, ()>,
    },
    /// The file has its name, or why it has none.
    Finished {
        /// Which file.
        id: FileId,
        /// Where it is.
        file: Result<Option<PathBuf>, FileEnd>,
    },
}

/// Sources and sinks by their files, with what was computed of their checksums.
#[derive(Default)]
pub struct Files {
    sources: HashMap<FileId, Source>,
    sinks: HashMap<FileId, Sink>,
}

struct Source {
    source: Box<dyn FileSource>,
    size: u64,
    hash: Context,
    hashed: u64,
    sha256: Option<[u8; 32]>,
}

struct Sink {
    sink: Box<dyn FileSink>,
    hash: Context,
    bytes: u64,
}

impl Files {
    /// This file is sent from here.
    pub fn add_source(&mut self, id: FileId, size: u64, source: Box<dyn FileSource>) {
        let hash = Context::new(&SHA256);
        self.sources.insert(id, Source { source, size, hash, hashed: 0, sha256: None });
    }

    /// This file is received here.
    pub fn add_sink(&mut self, id: FileId, sink: Box<dyn FileSink>) {
        self.sinks.insert(id, Sink { sink, hash: Context::new(&SHA256), bytes: 0 });
    }

    /// Does it. None where there is nothing to say, or no such file any more.
    pub fn run(&mut self, job: Job) -> Option<Done> {
        match job {
            Job::Read { id, offset, length } => {
                let read = self.sources.get_mut(&id)?.read(offset, length);
                let read = read.map_err(|error| log::warn!("a file that is sent cannot be read: {error}"));
                Some(Done::Read { id, offset, read })
            }
            Job::Write { id, bytes } => {
                let written = self.sinks.get_mut(&id)?.write(&bytes);
                let bytes = written.map_err(|error| log::warn!("a file that comes cannot be written: {error}"));
                Some(Done::Written { id, bytes })
            }
            Job::Finish { id, sha256 } => {
                let Sink { sink, hash, .. } = self.sinks.remove(&id)?;
                let file = if hash.finish().as_ref() == sha256 {
                    sink.finish().map_err(|error| {
                        log::warn!("a file that came cannot be given its name: {error}");
                        FileEnd::Storage
                    })
                } else {
                    Err(FileEnd::Checksum)
                };
                Some(Done::Finished { id, file })
            }
            Job::Close { id } => {
                self.sources.remove(&id);
                self.sinks.remove(&id);
                None
            }
        }
    }
}

impl Source {
    fn read(&mut self, offset: u64, length: u64) -> io::Result<(Bytes, Option<[u8; 32]>)> {
        let mut buffer = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        let count = self.source.read_at(offset, &mut buffer)?;
        if count < buffer.len() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has become shorter"));
        }
        // After a reconnect a part is read again; what is read for the first time follows what was.
        if let Ok(known) = usize::try_from(self.hashed.saturating_sub(offset))
            && let Some(new) = buffer.get(known..)
            && offset <= self.hashed
        {
            self.hash.update(new);
            self.hashed += new.len() as u64;
        }
        if self.hashed == self.size && self.sha256.is_none() {
            self.sha256 = self.hash.clone().finish().as_ref().try_into().ok();
        }
        Ok((buffer.into(), self.sha256))
    }
}

impl Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<u64> {
        self.sink.write(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(self.bytes)
    }
}

/// What the thread is told.
pub(crate) enum Order {
    Source(FileId, u64, Box<dyn FileSource>),
    Sink(FileId, Box<dyn FileSink>),
    Job(Job),
}

/// Starts the thread. It ends, and what is not finished is gone, when the result is dropped.
///
/// # Errors
/// Whatever keeps the system from making a thread.
pub(crate) fn start(done: tokio::sync::mpsc::UnboundedSender<Done>) -> io::Result<mpsc::Sender<Order>> {
    let (orders, inbox) = mpsc::channel();
    std::thread::Builder::new().name("chamada-files".into()).spawn(move || {
        let mut files = Files::default();
        for order in inbox {
            match order {
                Order::Source(id, size, source) => files.add_source(id, size, source),
                Order::Sink(id, sink) => files.add_sink(id, sink),
                Order::Job(job) => {
                    // As many as there are jobs, of which there are few.
                    if files.run(job).is_some_and(|what| done.send(what).is_err()) {
                        return;
                    }
                }
            }
        }
    })?;
    Ok(orders)
}
