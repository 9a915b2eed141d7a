//! A film shared as a screen, between two commands.

use crate::support::{Folder, SMALL, chamada, chamada_typed, server};
use serde_json::Value;

/// A film of this size: grey, with one brighter picture.
fn film(path: &str, (width, height): (usize, usize), pictures: u8) {
    let mut film = format!("YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n").into_bytes();
    for picture in 0..pictures {
        film.extend(b"FRAME\n");
        film.resize(film.len() + width * height, 100 + picture);
        film.resize(film.len() + 2 * width.div_ceil(2) * height.div_ceil(2), 128);
    }
    std::fs::write(path, film).unwrap();
}

#[tokio::test]
async fn a_screen_is_shared_and_stopped_by_commands_and_the_other_side_sees_it_as_one() {
    let folder = Folder::new("screen");
    let (_server, url) = server().await;
    let shared = folder.file("screen.y4m");
    film(&shared, (800, 600), 2);
    let common = ["--server", &url, "--video", SMALL, "--json"];
    let answer = [&["answer", "--name", "rui"][..], &common].concat();
    let mut rui = chamada(&answer);
    rui.line_with("logged-in").await;
    let call = [&["call", "rui", "--name", "ana", "--commands", "--screen", &shared][..], &common].concat();
    let mut ana = chamada_typed(&call);
    rui.line_with("\"connected\"").await;
    ana.types("share-screen\n").await;
    let state: Value = serde_json::from_str(&rui.line_with("\"screen\":true").await).unwrap();
    assert_eq!((&state["remote"]["screen"], &state["remote"]["video"]), (&true.into(), &true.into()));
    rui.line_with("\"width\":800").await;
    ana.types("share-screen\n").await;
    let refused: Value = serde_json::from_str(&ana.line_with("not-done").await).unwrap();
    assert_eq!((&refused["command"], &refused["why"]), (&"share-screen".into(), &"a screen is shared already".into()));
    ana.types("stop-screen\n").await;
    let state: Value = serde_json::from_str(&rui.line_with("\"event\":\"state\"").await).unwrap();
    assert_eq!((&state["remote"]["screen"], &state["remote"]["video"]), (&false.into(), &true.into()));
    rui.line_with("\"width\":320").await;
    ana.types("hang-up\n").await;
    assert_eq!((ana.ends().await.code, rui.ends().await.code), (0, 0));
}

#[tokio::test]
async fn a_film_of_8k_is_refused_as_a_screen_before_anybody_is_called() {
    let folder = Folder::new("screen-8k");
    let huge = folder.file("8k.y4m");
    film(&huge, (7680, 4320), 1);
    let ended = chamada(&["call", "rui", "--screen", &huge]).ends().await;
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("7680×4320 is too large: at most 3840×2160"), "{}", ended.stderr);
}
