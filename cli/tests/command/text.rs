//! Private text between two commands.

use crate::support::{SMALL, chamada, server};
use serde_json::Value;

#[tokio::test]
async fn two_commands_exchange_private_texts_in_order_and_see_them_delivered() {
    let (_server, url) = server().await;
    let common = ["--server", &url, "--video", SMALL, "--json"];
    let mut rui = chamada(&[&["answer", "--name", "rui", "--text", "olá ana"][..], &common].concat());
    rui.line_with("logged-in").await;
    let texts = ["--text", "one", "--text", "two \u{202e}<b>", "--text", "three"];
    let mut ana = chamada(&[&["call", "rui", "--name", "ana"][..], &common, &texts].concat());
    for expected in ["one", "two <b>", "three"] {
        let line: Value = serde_json::from_str(&rui.line_with("\"state\":\"received\"").await).unwrap();
        assert_eq!((&line["event"], &line["text"]), (&"text".into(), &expected.into()));
    }
    let mut delivered = 0;
    while delivered < 3 {
        let line = ana.line_with("\"event\":\"text\"").await;
        delivered += usize::from(line.contains("\"state\":\"delivered\""));
        assert!(!line.contains("refused"), "{line}");
    }
    ana.interrupt();
    let (ana, rui) = (ana.ends().await, rui.ends().await);
    assert_eq!((ana.code, rui.code), (0, 0), "{} {}", ana.stderr, rui.stderr);
}

#[tokio::test]
async fn a_text_that_cannot_be_sent_is_refused_before_anybody_is_called() {
    for wrong in [" ", &"x".repeat(2_001)] {
        let ended = chamada(&["call", "rui", "--text", wrong]).ends().await;
        assert_eq!(ended.code, 2, "{}", ended.stderr);
    }
}
