//! What a stranger may send instead of files.

use super::pace::PathLoad;
use super::storage::{Done, Job};
use super::{FileEnd, FileEvent, FileId, FileOffer, MAX_MESSAGE, MAX_WINDOWS, Transfers, WINDOW};
use crate::fuzz::Input;
use bytes::Bytes;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Messages of any bytes, a line each; in those that begin with `#` the bytes are a chunk. Between them time passes, files are offered, accepted, paused and
/// ended, the disk does its work, and connections change.
pub(crate) fn messages(bytes: &[u8]) {
    let (mut transfers, mut now) = (Transfers::default(), Instant::now());
    let (mut asked, mut written, mut jobs): (Vec<FileId>, HashMap<FileId, u64>, Vec<Job>) = Default::default();
    transfers.connected();
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut input = Input::new(line);
        match input.u8() {
            b'+' => now += Duration::from_millis(input.u16().into()),
            b'>' => {
                let offer = FileOffer {
                    id: FileId(Uuid::from_u128(input.u8().into())),
                    name: String::from_utf8_lossy(line).into(),
                    size: input.u32().into(),
                    media_type: None,
                };
                let _ = transfers.send(offer);
            }
            b'y' => asked.drain(..).for_each(|id| drop(transfers.accept(id))),
            b'n' => asked.drain(..).for_each(|id| drop(transfers.end(id, FileEnd::Declined))),
            b'p' => drop(transfers.pause(FileId(Uuid::from_u128(input.u8().into())), input.u8() & 1 == 0)),
            b'!' => transfers.connected(),
            b'o' => transfers
                .observe(now, &PathLoad { queue: Duration::from_millis(input.u8().into()), ..PathLoad::default() }),
            b'd' => {
                for job in jobs.drain(..) {
                    if let Some(done) = done(job, &mut written) {
                        transfers.done(now, done);
                    }
                }
            }
            b'#' => transfers.receive(now, Bytes::copy_from_slice(line.get(1..).unwrap_or_default())),
            _ => transfers.receive(now, Bytes::copy_from_slice(line)),
        }
        if transfers.poll_timeout(now).is_some_and(|at| at <= now) {
            transfers.handle_timeout(now);
        }
        let mut count = 0;
        while transfers.has_frame(now) && count < 1_000 {
            assert!(transfers.poll_frame(now).is_none_or(|message| message.len() <= MAX_MESSAGE));
            count += 1;
        }
        assert!(count < 1_000, "frames for ever");
        while let Some(event) = transfers.poll_event() {
            match event {
                FileEvent::Offered(offer) => asked.push(offer.id),
                FileEvent::Progress { bytes, size, .. } => assert!(bytes <= size),
                _ => {}
            }
        }
        jobs.extend(std::iter::from_fn(|| transfers.poll_job()));
        let waiting: usize =
            jobs.iter().map(|job| if let Job::Write { bytes, .. } = job { bytes.len() } else { 0 }).sum();
        // Of a file that was ended what it had may still wait.
        let ended = jobs.iter().filter(|job| matches!(job, Job::Close { .. })).count();
        assert!(waiting <= (MAX_WINDOWS + ended) * WINDOW as usize, "{waiting} bytes wait for the disk");
    }
}

fn done(job: Job, written: &mut HashMap<FileId, u64>) -> Option<Done> {
    Some(match job {
        Job::Read { id, offset, length } => {
            let bytes = vec![0; usize::try_from(length).ok()?];
            Done::Read { id, offset, read: Ok((bytes.into(), Some([0; 32]))) }
        }
        Job::Write { id, bytes } => {
            let total = written.entry(id).or_default();
            *total += bytes.len() as u64;
            Done::Written { id, bytes: Ok(*total) }
        }
        Job::Finish { id, .. } => Done::Finished { id, file: Ok(None) },
        Job::Close { id } => {
            written.remove(&id);
            return None;
        }
    })
}
