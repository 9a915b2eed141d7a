//! Files in calls between two cores.

use chamada::call::{CallState, EndReason};
use chamada::client::{ClientError, ClientEvent};
use chamada::files::disk::DiskSink;
use chamada::files::storage::FileSource;
use chamada::files::{FileEnd, FileEvent, FileId, FileOffer, FileToSend, TransferError};
use chamada_tests::phone::{Phone, must};
use chamada_tests::real_server::RealServer;
use std::io;
use std::path::{Path, PathBuf};

/// A folder of the test's own, gone at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("chamada-files-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file whose bytes follow from their places, so that nothing has to be kept of it.
struct Made(u64);

fn byte(at: u64) -> u8 {
    (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

impl FileSource for Made {
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = usize::try_from(self.0.saturating_sub(offset)).unwrap_or(usize::MAX).min(buffer.len());
        buffer.iter_mut().zip(offset..).for_each(|(to, at)| *to = byte(at));
        Ok(count)
    }
}

fn made(name: &str, size: u64) -> FileToSend {
    FileToSend { name: name.into(), size, media_type: None, source: Box::new(Made(size)) }
}

fn is_made(path: &Path, size: u64) -> bool {
    let bytes = std::fs::read(path).unwrap();
    bytes.len() as u64 == size && bytes.iter().zip(0..).all(|(one, at)| *one == byte(at))
}

async fn happens(phone: &mut Phone, what: &str, is_it: impl Fn(&FileEvent) -> bool) -> FileEvent {
    phone
        .until(what, |event| match event {
            ClientEvent::File(event) if is_it(event) => Some(event.clone()),
            _ => None,
        })
        .await
}

async fn offered(phone: &mut Phone) -> FileOffer {
    match happens(phone, "offer", |event| matches!(event, FileEvent::Offered(_))).await {
        FileEvent::Offered(offer) => offer,
        other => panic!("{other:?}"),
    }
}

async fn accepts(phone: &mut Phone, folder: &Folder) -> FileId {
    let offer = offered(phone).await;
    let sink = DiskSink::create(&folder.0, &offer.name).unwrap();
    must(phone.client.accept_file(offer.id, Box::new(sink)).await);
    offer.id
}

async fn done(phone: &mut Phone) -> Option<PathBuf> {
    match happens(phone, "end of the file", |event| matches!(event, FileEvent::Done { .. } | FileEvent::Ended { .. }))
        .await
    {
        FileEvent::Done { path, .. } => path,
        other => panic!("{other:?}"),
    }
}

async fn gets_on(phone: &mut Phone, at_least: u64) {
    happens(phone, "progress", |event| matches!(event, FileEvent::Progress { bytes, .. } if *bytes >= at_least)).await;
}

async fn two(url: &str) -> (Phone, Phone) {
    let mut ana = Phone::login(url, "ana").await;
    let mut rui = Phone::login(url, "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    (ana, rui)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_asked_about_and_comes_whole_beside_the_picture_both_ways() {
    let (server, folder) = (RealServer::start().await, Folder::new("both"));
    let (mut ana, mut rui) = two(server.url()).await;
    for (name, size) in [("a/b/first.bin", 4_000_000), ("empty", 0)] {
        must(ana.client.send_file(made(name, size)).await);
        let id = accepts(&mut rui, &folder).await;
        let path = done(&mut rui).await.unwrap();
        assert!(path.file_name().unwrap() == Path::new(name).file_name().unwrap() && is_made(&path, size));
        assert_eq!(done(&mut ana).await, None);
        assert!(matches!(rui.client.pause_file(id, true).await, Err(ClientError::File(TransferError::NoFile))));
    }
    must(rui.client.send_file(made("back", 300_000)).await);
    accepts(&mut ana, &folder).await;
    assert!(is_made(&done(&mut ana).await.unwrap(), 300_000));
    tokio::join!(ana.view.frames(10), rui.view.frames(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_while_somebody_has_it_paused_and_ends_when_somebody_has_enough() {
    let (server, folder) = (RealServer::start().await, Folder::new("pause"));
    let (mut ana, mut rui) = two(server.url()).await;
    let id = must(ana.client.send_file(made("large", 1 << 33)).await);
    accepts(&mut rui, &folder).await;
    gets_on(&mut ana, 100_000).await;
    must(rui.client.pause_file(id, true).await);
    happens(&mut ana, "pause", |event| *event == FileEvent::Paused { id, here: false, there: true }).await;
    must(rui.client.pause_file(id, false).await);
    happens(&mut ana, "resumption", |event| *event == FileEvent::Paused { id, here: false, there: false }).await;
    gets_on(&mut rui, 1_000_000).await;
    must(rui.client.end_file(id, FileEnd::Cancelled).await);
    let ended = happens(&mut ana, "end", |event| matches!(event, FileEvent::Ended { .. })).await;
    assert_eq!(ended, FileEvent::Ended { id, why: FileEnd::Cancelled, here: false });
    // The thread that writes lets go of it in its own time.
    let gone = async {
        while !folder.is_empty() {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(chamada_tests::phone::PATIENCE, gone).await.expect("nothing is kept of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_after_the_path_was_lost_and_the_end_of_the_call_ends_it() {
    let (server, folder) = (RealServer::start().await, Folder::new("lost"));
    let (mut ana, mut rui) = two(server.url()).await;
    must(ana.client.send_file(made("over", 6_000_000)).await);
    accepts(&mut rui, &folder).await;
    gets_on(&mut rui, 500_000).await;
    rui.client.drop_media(true);
    rui.reaches(CallState::Reconnecting).await;
    rui.client.drop_media(false);
    assert!(is_made(&done(&mut rui).await.unwrap(), 6_000_000));
    assert_eq!(done(&mut ana).await, None);

    must(ana.client.send_file(made("cut off", 1 << 33)).await);
    accepts(&mut rui, &folder).await;
    gets_on(&mut rui, 100_000).await;
    must(ana.client.hang_up().await);
    assert_eq!((ana.ends().await, rui.ends().await), (EndReason::HungUpLocally, EndReason::HungUpRemotely));
    assert!(matches!(ana.client.send_file(made("late", 1)).await, Err(ClientError::File(TransferError::NoCall))));
    let only_the_first = async {
        while std::fs::read_dir(&folder.0).unwrap().count() != 1 {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(chamada_tests::phone::PATIENCE, only_the_first).await.expect("no part is left");
}
