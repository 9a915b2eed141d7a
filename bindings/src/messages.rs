//! Private text and files of a call.

use crate::call::Call;
use crate::error::ChamadaError;
use crate::runtime;
use chamada::files::disk::DiskSink;
use chamada::files::{self, FileId, FileToSend};
use chamada::text::{self, TextId};
use std::path::Path;

/// What changed in the private text of a call. What has no delivery mark when the call ends was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum TextEvent {
    /// The other side takes private text. One that does not never says so, and nothing is delivered to it.
    Available,
    /// A text of the other side's.
    Received {
        /// Its identifier.
        id: String,
        /// What it says; not to be shown as markup.
        text: String,
    },
    /// A text of this side's has arrived there.
    Delivered {
        /// Its identifier.
        id: String,
    },
    /// The other side did not take a text of this side's.
    Refused {
        /// Its identifier.
        id: String,
    },
    /// Whether somebody types there.
    Typing {
        /// Somebody does.
        on: bool,
    },
}

/// What happened to a file of a call. Of what is not done when the call ends nothing is kept.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum FileEvent {
    /// The other side knows files. One that does not never says so.
    Available,
    /// The other side wants to send a file: ask the person, then `Call.accept_file` or `Call.end_file`.
    Offered {
        /// Its identifier.
        id: String,
        /// Its name, which has no path and can be used on every system.
        name: String,
        /// Its size, in bytes.
        size: u64,
        /// Its media type (RFC 6838), as the other side says.
        media_type: Option<String>,
    },
    /// The other side wants the file.
    Accepted {
        /// Its identifier.
        id: String,
    },
    /// How much of it has arrived; at most four times a second.
    Progress {
        /// Its identifier.
        id: String,
        /// So many bytes.
        bytes: u64,
        /// Of so many.
        size: u64,
        /// The speed of the last two seconds.
        bytes_per_second: u64,
    },
    /// It waits for one of the two people, or for none of them any more.
    Paused {
        /// Its identifier.
        id: String,
        /// It was paused here.
        here: bool,
        /// It was paused there.
        there: bool,
    },
    /// It has arrived whole, and its checksum is right.
    Done {
        /// Its identifier.
        id: String,
        /// Where it is, if it was received.
        path: Option<String>,
    },
    /// It does not arrive.
    Ended {
        /// Its identifier.
        id: String,
        /// Why.
        why: FileEnd,
        /// Whether this side ended it.
        here: bool,
    },
}

/// Why a file does not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum FileEnd {
    /// The receiver said no.
    Declined,
    /// Nobody takes files there.
    NotTaken,
    /// Too many files are under way.
    TooMany,
    /// The offer makes no sense.
    BadOffer,
    /// Somebody cancelled it.
    Cancelled,
    /// It has another size than the offer said.
    Size,
    /// What arrived is not what was sent.
    Checksum,
    /// A frame came that does not belong there.
    Protocol,
    /// The sender cannot read it.
    Source,
    /// The receiver cannot write it: its disk may be full.
    Storage,
    /// Another reason.
    Other,
}

#[uniffi::export]
impl Call {
    /// Sends private text, 1 to 2,000 characters, to the other person alone. Its identifier comes back with its delivery mark (`Event.Text`).
    ///
    /// # Errors
    /// `CALL` while nothing is connected, when the call is over or `Config.texts` is off; `INVALID_ARGUMENT` for any other length; `TOO_FAST` if too many
    /// wait.
    pub async fn send_text(&self, text: String) -> Result<String, ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.send_text(&text).await.map(|id| id.to_string()) }).await
    }

    /// Tells the other side whether somebody types here. May be called with every key; it counts for 6 s.
    ///
    /// # Errors
    /// `CALL` as `send_text`.
    pub async fn set_typing(&self, on: bool) -> Result<(), ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move { call.set_typing(on).await }).await
    }

    /// Offers the file of this path; what becomes of it is told by `Event.File`. Returns its identifier.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` if it cannot be read; `CALL` while nothing is connected, when the call is over or `Config.files` is off; `TOO_FAST` if 16 are under
    /// way.
    pub async fn send_file(&self, path: String) -> Result<String, ChamadaError> {
        let call = self.handle()?;
        runtime::run(async move {
            let file =
                runtime::blocking(move || FileToSend::open(Path::new(&path)).map_err(ChamadaError::from)).await?;
            Ok::<_, ChamadaError>(call.send_file(file).await?.to_string())
        })
        .await
    }

    /// Takes a file that is offered into this folder. It is `NAME.part` until it is whole, and takes no other file's place.
    ///
    /// # Errors
    /// `CALL` if it is not offered any more, `INVALID_ARGUMENT` if there is no such identifier or no file can be made there.
    pub async fn accept_file(&self, id: String, folder: String, name: String) -> Result<(), ChamadaError> {
        let (call, id) = (self.handle()?, file_id(&id)?);
        runtime::run(async move {
            let sink = move || DiskSink::create(Path::new(&folder), &name).map_err(ChamadaError::invalid);
            let sink = runtime::blocking(sink).await?;
            Ok::<_, ChamadaError>(call.accept_file(id, Box::new(sink)).await?)
        })
        .await
    }

    /// Has a file wait, or go on.
    ///
    /// # Errors
    /// `CALL` if it is not under way, `INVALID_ARGUMENT` if that is no identifier.
    pub async fn pause_file(&self, id: String, on: bool) -> Result<(), ChamadaError> {
        let (call, id) = (self.handle()?, file_id(&id)?);
        runtime::run(async move { call.pause_file(id, on).await }).await
    }

    /// Ends a file: `DECLINED` is the answer to one that is offered, `CANCELLED` ends one that is under way.
    ///
    /// # Errors
    /// As `pause_file`.
    pub async fn end_file(&self, id: String, why: FileEnd) -> Result<(), ChamadaError> {
        let (call, id) = (self.handle()?, file_id(&id)?);
        runtime::run(async move { call.end_file(id, why.into()).await }).await
    }
}

fn file_id(id: &str) -> Result<FileId, ChamadaError> {
    id.parse().map(FileId).map_err(|_| ChamadaError::invalid("this is no identifier of a file"))
}

impl From<text::TextEvent> for TextEvent {
    fn from(event: text::TextEvent) -> Self {
        let id = |id: TextId| id.to_string();
        match event {
            text::TextEvent::Available => Self::Available,
            text::TextEvent::Received { id: of, text } => Self::Received { id: id(of), text },
            text::TextEvent::Delivered { id: of } => Self::Delivered { id: id(of) },
            text::TextEvent::Refused { id: of, .. } => Self::Refused { id: id(of) },
            text::TextEvent::Typing(on) => Self::Typing { on },
        }
    }
}

impl From<files::FileEvent> for FileEvent {
    fn from(event: files::FileEvent) -> Self {
        let id = |id: FileId| id.to_string();
        match event {
            files::FileEvent::Available => Self::Available,
            files::FileEvent::Offered(offer) => {
                let files::FileOffer { id: of, name, size, media_type } = offer;
                Self::Offered { id: id(of), name, size, media_type }
            }
            files::FileEvent::Accepted { id: of } => Self::Accepted { id: id(of) },
            files::FileEvent::Progress { id: of, bytes, size, bytes_per_second } => {
                Self::Progress { id: id(of), bytes, size, bytes_per_second }
            }
            files::FileEvent::Paused { id: of, here, there } => Self::Paused { id: id(of), here, there },
            files::FileEvent::Done { id: of, path } => {
                Self::Done { id: id(of), path: path.map(|path| path.to_string_lossy().into_owned()) }
            }
            files::FileEvent::Ended { id: of, why, here } => Self::Ended { id: id(of), why: why.into(), here },
        }
    }
}

same_cases!(files::FileEnd => FileEnd { Declined, NotTaken, TooMany, BadOffer, Cancelled, Size, Checksum, Protocol, Source, Storage, Other });
same_cases!(FileEnd => files::FileEnd { Declined, NotTaken, TooMany, BadOffer, Cancelled, Size, Checksum, Protocol, Source, Storage, Other });
