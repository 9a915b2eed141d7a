//! The check of the other end, by two commands.

use crate::support::{Folder, Running, SMALL, chamada, chamada_typed, server};
use serde_json::Value;

async fn checked(peer: &mut Running, result: &str) -> Value {
    let line = peer.line_with(&format!("\"result\":\"{result}\"")).await;
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["event"], "verification");
    event
}

#[tokio::test]
async fn two_commands_show_the_same_words_and_know_each_other_in_the_next_call() {
    let folder = Folder::new("verify");
    let (_server, url) = server().await;
    let common = ["--server", &url, "--video", SMALL, "--json", "--verify", "--remember"];
    let (of_rui, of_ana) = (folder.file("rui.json"), folder.file("ana.json"));
    let answer = [&["answer", "--name", "rui"][..], &common, &[&of_rui]].concat();
    let call = [&["call", "rui", "--name", "ana"][..], &common, &[&of_ana]].concat();
    for results in [["compare", "confirmed"], ["remembered", "confirmed"]] {
        let mut rui = chamada_typed(&answer);
        rui.line_with("logged-in").await;
        let mut ana = chamada_typed(&call);
        let (here, there) = (checked(&mut ana, results[0]).await, checked(&mut rui, results[0]).await);
        assert_eq!(here["words"].as_array().unwrap().len(), 4);
        assert_eq!((&here["words"], &here["names"]), (&there["words"], &there["names"]));
        ana.types("yes\n").await;
        rui.types("sim\n").await;
        checked(&mut ana, results[1]).await;
        checked(&mut rui, results[1]).await;
        ana.interrupt();
        assert_eq!((ana.ends().await.code, rui.ends().await.code), (0, 0));
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&of_ana).unwrap()).unwrap();
    assert_eq!((&kept[0]["name"], kept[0]["secrets"].as_array().unwrap().len()), (&"rui".into(), 1));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&of_ana).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // Rui has lost his file: that is told to Ana.
    std::fs::remove_file(&of_rui).unwrap();
    let mut rui = chamada_typed(&answer);
    rui.line_with("logged-in").await;
    let mut ana = chamada_typed(&call);
    checked(&mut ana, "changed").await;
    checked(&mut rui, "compare").await;
    rui.types("no\n").await;
    checked(&mut ana, "differs").await;
    ana.interrupt();
    ana.ends().await;
    rui.ends().await;
}

#[tokio::test]
async fn a_file_of_remembered_people_that_is_none_is_refused() {
    let folder = Folder::new("remember");
    let file = folder.file("people.json");
    for wrong in ["{", "[{\"name\":\"ana\",\"secrets\":[\"zz\"]}]"] {
        std::fs::write(&file, wrong).unwrap();
        let ended = chamada(&["answer", "--verify", "--remember", &file]).ends().await;
        assert_eq!(ended.code, 2, "{}", ended.stderr);
        assert!(ended.stderr.contains("people.json"), "{}", ended.stderr);
    }
}
