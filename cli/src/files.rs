//! `--send-file` and `--receive-dir`: files of a call.

use crate::exit::Failure;
use crate::output::{Output, printable};
use chamada::client::{Client, ClientError};
use chamada::files::disk::{DiskSink, DiskSource};
use chamada::files::{FileEnd, FileEvent, FileId, FileOffer, FileToSend, MAX_FILES, TransferError};
use serde_json::json;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What can be refused before anybody is called.
pub(crate) fn check(send: &[PathBuf], receive: Option<&Path>) -> Result<(), Failure> {
    let bad = |path: &Path, why: &dyn std::fmt::Display| Failure::BadArgument(format!("{}: {why}", path.display()));
    if send.len() > MAX_FILES {
        return Err(Failure::BadArgument(format!("{MAX_FILES} files are the most that one call sends at once")));
    }
    for path in send {
        DiskSource::open(path).map_err(|error| bad(path, &error))?;
    }
    match receive {
        Some(folder) if !folder.is_dir() => Err(bad(folder, &"this is no folder")),
        _ => Ok(()),
    }
}

/// The files of one call.
#[derive(Default)]
pub(crate) struct Files {
    names: HashMap<FileId, String>,
    /// Those of this side's that are not through.
    sending: Vec<FileId>,
    has_sent: bool,
}

impl Files {
    /// The call is connected: offers what is to be sent.
    pub(crate) async fn send(&mut self, client: &Client, output: Output, paths: &[PathBuf]) -> Result<(), Failure> {
        for path in paths {
            let bad = |error: TransferError| Failure::Failed(format!("{}: {error}", path.display()));
            let file = FileToSend::open(path).map_err(bad)?;
            let (name, size, media_type) = (file.name.clone(), file.size, file.media_type.clone());
            let id = match client.send_file(file).await {
                Ok(id) => id,
                // The call may have ended just now, which is told.
                Err(ClientError::File(TransferError::NoCall)) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let fields = json!({ "state": "sending", "id": id, "name": name, "size": size, "type": media_type });
            output.event("file", fields, Some(format!("offering {} ({size} bytes)", printable(&name))));
            self.names.insert(id, name);
            self.sending.push(id);
            self.has_sent = true;
        }
        Ok(())
    }

    /// What happened to a file. Says what went wrong, if something did.
    pub(crate) async fn on_event(
        &mut self,
        client: &Client,
        output: Output,
        folder: Option<&Path>,
        event: FileEvent,
    ) -> Option<String> {
        self.print(output, &event);
        match event {
            FileEvent::Offered(offer) => {
                self.names.insert(offer.id, offer.name.clone());
                return answer(client, folder, &offer).await;
            }
            FileEvent::Done { id, .. } => self.sending.retain(|sending| *sending != id),
            FileEvent::Ended { id, why, here } => {
                let sent = self.sending.contains(&id);
                self.sending.retain(|sending| *sending != id);
                // That somebody else's file was not wanted here is as asked.
                if sent || why != FileEnd::NotTaken || !here {
                    return Some(format!("{} did not get through: {}", self.name(id), why.as_str()));
                }
            }
            _ => {}
        }
        None
    }

    /// Whether there were files to send, and all are through.
    pub(crate) fn is_through(&self) -> bool {
        self.has_sent && self.sending.is_empty()
    }

    /// What the end of the call has cut off.
    pub(crate) fn unfinished(&self) -> Option<String> {
        let id = self.sending.first()?;
        Some(format!("{} did not get through before the call ended", self.name(*id)))
    }

    fn name(&self, id: FileId) -> String {
        self.names.get(&id).map_or_else(|| "a file".into(), |name| printable(name))
    }

    fn print(&self, output: Output, event: &FileEvent) {
        let (fields, text) = match event {
            FileEvent::Available => (json!({ "state": "available" }), None),
            FileEvent::Offered(FileOffer { id, name, size, media_type }) => (
                json!({ "state": "offered", "id": id, "name": name, "size": size, "type": media_type }),
                Some(format!("{} ({size} bytes) is offered", printable(name))),
            ),
            FileEvent::Accepted { id } => {
                (json!({ "state": "accepted", "id": id }), Some(format!("{} is wanted", self.name(*id))))
            }
            FileEvent::Progress { id, bytes, size, bytes_per_second } => (
                json!({ "state": "progress", "id": id, "bytes": bytes, "size": size, "bytes_per_s": bytes_per_second }),
                Some(format!(
                    "{}: {:.0} %, {:.1} MB/s",
                    self.name(*id),
                    100.0 * *bytes as f64 / (*size).max(1) as f64,
                    *bytes_per_second as f64 / 1e6
                )),
            ),
            FileEvent::Paused { id, here, there } => {
                let fields = json!({ "state": "paused", "id": id, "here": here, "there": there });
                (fields, Some(format!("{} {}", self.name(*id), if *here || *there { "waits" } else { "goes on" })))
            }
            FileEvent::Done { id, path } => {
                let place = path.as_ref().map(|path| printable(&path.to_string_lossy()));
                let text = match &place {
                    Some(place) => format!("{} is whole: {place}", self.name(*id)),
                    None => format!("{} has arrived there", self.name(*id)),
                };
                (json!({ "state": "done", "id": id, "path": place }), Some(text))
            }
            FileEvent::Ended { id, why, here } => (
                json!({ "state": "ended", "id": id, "why": why.as_str(), "here": here }),
                Some(format!("{} ended: {}", self.name(*id), why.as_str())),
            ),
        };
        output.event("file", fields, text);
    }
}

/// Takes it into the folder, or says why not.
async fn answer(client: &Client, folder: Option<&Path>, offer: &FileOffer) -> Option<String> {
    let (answered, trouble) = match folder.map(|folder| DiskSink::create(folder, &offer.name)) {
        Some(Ok(sink)) => (client.accept_file(offer.id, Box::new(sink)).await, None),
        Some(Err(error)) => {
            let trouble = format!("{} cannot be kept: {error}", printable(&offer.name));
            (client.end_file(offer.id, FileEnd::Storage).await, Some(trouble))
        }
        None => (client.end_file(offer.id, FileEnd::NotTaken).await, None),
    };
    // It may have been taken back, or the call may have ended just now.
    trouble.or(answered
        .err()
        .filter(|error| !matches!(error, ClientError::File(_) | ClientError::Call(_)))
        .map(|error| error.to_string()))
}
