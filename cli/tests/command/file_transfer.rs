//! Files between two commands.

use crate::support::{Folder, Running, SMALL, chamada, server};
use serde_json::Value;

/// The next event of a file in this state.
async fn file(peer: &mut Running, state: &str) -> Value {
    let line = peer.line_with(&format!("\"state\":\"{state}\"")).await;
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["event"], "file", "{line}");
    event
}

fn made(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[tokio::test]
async fn files_arrive_whole_beside_the_picture_and_take_no_other_files_place() {
    let folder = Folder::new("send");
    let (_server, url) = server().await;
    let common = ["--server", &url, "--video", SMALL, "--json"];
    let into = folder.file("into");
    std::fs::create_dir(&into).unwrap();
    std::fs::write(folder.0.join("into/one.bin"), "kept").unwrap();
    let (one, two) = (folder.file("one.bin"), folder.file("two.png"));
    std::fs::write(&one, made(3_000_000)).unwrap();
    std::fs::write(&two, made(17)).unwrap();
    let mut rui = chamada(&[&["answer", "--name", "rui", "--receive-dir", &into][..], &common].concat());
    rui.line_with("logged-in").await;
    let sending = ["--send-file", &one, "--send-file", &two];
    let mut ana = chamada(&[&["call", "rui", "--name", "ana"][..], &common, &sending].concat());
    let offered = [file(&mut rui, "offered").await, file(&mut rui, "offered").await];
    assert_eq!((&offered[0]["name"], &offered[0]["size"]), (&"one.bin".into(), &3_000_000.into()));
    assert_eq!((&offered[1]["name"], &offered[1]["type"]), (&"two.png".into(), &"image/png".into()));
    let progress = file(&mut ana, "progress").await;
    assert!(progress["bytes"].as_u64().unwrap() <= 3_000_000, "{progress}");
    // The call ends by itself when all are through.
    let (ana, rui) = (ana.ends().await, rui.ends().await);
    assert_eq!((ana.code, rui.code), (0, 0), "{} {}", ana.stderr, rui.stderr);
    assert_eq!(std::fs::read(folder.0.join("into/one (2).bin")).unwrap(), made(3_000_000));
    assert_eq!(std::fs::read(folder.0.join("into/two.png")).unwrap(), made(17));
    assert_eq!(std::fs::read(folder.0.join("into/one.bin")).unwrap(), b"kept");
    assert_eq!(std::fs::read_dir(&into).unwrap().count(), 3, "no parts are left");
    assert!(rui.summary()["video_received"]["frames_decoded"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn who_takes_no_files_says_so_and_the_sender_fails() {
    let folder = Folder::new("refuse");
    let (_server, url) = server().await;
    let common = ["--server", &url, "--video", SMALL, "--json"];
    let one = folder.file("one.bin");
    std::fs::write(&one, made(100)).unwrap();
    let mut rui = chamada(&[&["answer", "--name", "rui"][..], &common].concat());
    rui.line_with("logged-in").await;
    let mut ana = chamada(&[&["call", "rui", "--name", "ana", "--send-file", &one][..], &common].concat());
    let ended = file(&mut ana, "ended").await;
    assert_eq!((&ended["why"], &ended["here"]), (&"not-taken".into(), &false.into()));
    let (ana, rui) = (ana.ends().await, rui.ends().await);
    assert_eq!((ana.code, rui.code), (5, 0), "{} {}", ana.stderr, rui.stderr);
}

#[tokio::test]
async fn files_and_folders_that_are_not_there_are_refused_before_anybody_is_called() {
    let folder = Folder::new("nothing");
    let missing = folder.file("missing");
    for wrong in [["--send-file", &missing], ["--send-file", &folder.file("")], ["--receive-dir", &missing]] {
        let ended = chamada(&[&["call", "rui"][..], &wrong].concat()).ends().await;
        assert_eq!(ended.code, 2, "{wrong:?}: {}", ended.stderr);
    }
}
