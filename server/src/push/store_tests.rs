use super::*;
use chamada::signaling::message::{PushPlatform, PushRegister};
use redb::StorageBackend;
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
};

fn registration(device: &str) -> Registration {
    let id = DeviceId { room: "lobby".into(), subject: "a \"quoted\" subject".into(), device: device.into() };
    let address = PushRegister {
        platform: PushPlatform::Fcm,
        token: Some("token".into()),
        endpoint: None,
        keys: None,
        locale: Some("pt-BR".into()),
    };
    Registration { id, details: Details { name: "Zoë".into(), address, refreshed: 7, blocked: Vec::new() } }
}

struct TempFile(PathBuf);

impl TempFile {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("chamada-store-{}.redb", uuid::Uuid::new_v4())))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn what_was_accepted_is_there_after_a_restart() {
    let file = TempFile::new();
    let mut store = RedbStore::open(&file.0).unwrap();
    store.write(&[Change::Put(registration("a")), Change::Put(registration("b"))]).unwrap();
    store.write(&[Change::Remove(registration("a").id)]).unwrap();
    drop(store);
    assert_eq!(RedbStore::open(&file.0).unwrap().load().unwrap(), [registration("b")]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn two_servers_do_not_share_a_file_and_a_foreign_file_is_named_as_such() {
    let file = TempFile::new();
    let _first = RedbStore::open(&file.0).unwrap();
    assert!(RedbStore::open(&file.0).is_err());
    let foreign = TempFile::new();
    std::fs::write(&foreign.0, "no database").unwrap();
    assert!(RedbStore::open(&foreign.0).is_err());
}

#[test]
fn a_file_that_something_else_has_changed_is_an_error_and_no_panic() {
    let file = TempFile::new();
    let mut store = RedbStore::open(&file.0).unwrap();
    let all: Vec<Change> = (0..200).map(|n| Change::Put(registration(&n.to_string()))).collect();
    store.write(&all).unwrap();
    drop(store);
    let good = std::fs::read(&file.0).unwrap();
    let mut found = 0;
    for place in (0..good.len()).step_by(good.len() / 16) {
        let mut bad = good.clone();
        bad[place..].iter_mut().take(4096).for_each(|byte| *byte ^= 0x55);
        std::fs::write(&file.0, bad).unwrap();
        // Parts that hold nothing may be anything.
        match RedbStore::open(&file.0).and_then(|mut store| store.load()) {
            Ok(all) => assert_eq!(all.len(), 200),
            Err(_) => found += 1,
        }
    }
    assert!(found > 0);
}

/// A small disk that can be full, and keeps what is on it while it is not in use.
#[derive(Debug, Clone, Default)]
struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    full: Arc<AtomicBool>,
}

impl Disk {
    const BYTES: usize = 16 << 20;

    fn write(&self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        write(&mut self.bytes.lock().unwrap());
        Ok(())
    }

    fn open(&self) -> Result<Database, StoreError> {
        Ok(Database::builder().create_with_backend(self.clone())?)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = offset as usize;
        out.copy_from_slice(&self.bytes.lock().unwrap()[offset..offset + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if len as usize > Self::BYTES {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.write(|bytes| bytes.resize(len as usize, 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.write(|_| {})
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = offset as usize;
        Self::write(self, |bytes| bytes[offset..offset + data.len()].copy_from_slice(data))
    }
}

#[test]
fn a_full_disk_is_an_error_that_loses_nothing_and_heals() {
    let disk = Disk::default();
    let opened = disk.clone();
    let mut store = RedbStore::with(move || opened.open()).unwrap();
    store.write(&[Change::Put(registration("a"))]).unwrap();
    disk.full.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        assert!(store.write(&[Change::Put(registration("b"))]).is_err());
    }
    disk.full.store(false, Ordering::SeqCst);
    assert_eq!(store.load().unwrap(), [registration("a")]);
    store.write(&[Change::Put(registration("c"))]).unwrap();
    drop(store);
    let opened = disk.clone();
    let all = RedbStore::with(move || opened.open()).unwrap().load().unwrap();
    assert_eq!(all, [registration("a"), registration("c")]);
}

#[test]
fn one_batch_that_cannot_be_written_does_not_take_the_others_with_it() {
    let disk = Disk::default();
    let opened = disk.clone();
    let store = RedbStore::with(move || opened.open()).unwrap();
    let writer = Writer::start(store).unwrap();
    let (told, results) = channel();
    for (device, name_bytes) in [("a", 1), ("bad", Disk::BYTES), ("b", 1)] {
        let told = told.clone();
        let done: Done = Box::new(move |result| told.send((device, result.is_ok())).unwrap());
        let mut registration = registration(device);
        registration.details.name = "n".repeat(name_bytes);
        writer.submit(Batch { changes: vec![Change::Put(registration)], done });
    }
    let mut all: Vec<_> = results.iter().take(3).collect();
    all.sort_unstable();
    assert_eq!(all, [("a", true), ("b", true), ("bad", false)]);
}
