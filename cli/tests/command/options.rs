//! What stands on the command line: where it may stand, what is meant by it, and what is said of it.

use crate::support::{SMALL, chamada, server};
use std::io::{Read, Write};

/// The code and the standard error of a command that ends by itself.
async fn said(args: &[&str]) -> (i32, String) {
    let ended = chamada(args).ends().await;
    (ended.code, ended.stderr)
}

#[tokio::test]
async fn verbose_may_stand_before_the_command_and_what_belongs_behind_it_is_said() {
    let (_server, url) = server().await;
    let (code, text) = said(&["-v", "answer", "--server", &url, "--wait", "0.1"]).await;
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("DEBUG"), "{text}");
    for wrong in [&["--json", "call", "rui"][..], &["--seconds", "3", "answer"]] {
        let (code, text) = said(wrong).await;
        assert_eq!(code, 2, "{text}");
        assert!(text.contains("stand behind the command"), "{text}");
    }
}

#[tokio::test]
async fn a_value_that_makes_no_sense_is_explained() {
    let long = "a".repeat(33);
    for (args, explained) in [
        (&["call", "rui", "--seconds", "-1"][..], "a number of seconds from 0"),
        (&["call", "rui", "--wait", "-0.5"], "a number of seconds from 0"),
        (&["call", "rui", "--flip-after", "2s"], "a number of seconds from 0"),
        (&["--seconds", "-1"], "a number of seconds from 0"),
        (&["call", "rui", "--dtmf", "1 2"], "' ' is no key of a phone"),
        (&["call", "rui", "--facing", "back"], "'environment'"),
        (&["call", "rui", "--facing", "Front"], "'user'"),
        (&["call", "rui", "--facing", "up"], "user (the front camera) or environment"),
        (&["call", "rui", "--name", &long], "1 to 32 characters"),
        (&["call", "rui", "--name", "  "], "1 to 32 characters"),
        (&["call", &long], "1 to 32 characters"),
        (&["answer", "--from", "a\nb"], "no control characters"),
        (&["answer", "--forever", "--wait", "3"], "--wait"),
        (&["answer", "--forever", "--photo", "a.png"], "--photo"),
        (&["serve", "--listen", "example.org:80"], "localhost:PORT"),
        (&["serve", "--listen", "70000"], "localhost:PORT"),
        (&["serve", "--listen", "-1"], "localhost:PORT"),
        (&["serve", "--ice-server", "turns:a.example?transport=udp,u,p"], "TURN over DTLS is not supported"),
        (&["serve", "--ice-server", "stun://a.example"], "no // follows the scheme"),
    ] {
        let (code, text) = said(args).await;
        assert_eq!(code, 2, "{args:?}: {text}");
        assert!(text.contains(explained), "{args:?}: {text}");
    }
}

#[tokio::test]
async fn a_name_that_the_server_does_not_take_is_a_bad_argument() {
    let (_server, url) = server().await;
    let (code, text) = said(&["answer", "--server", &url, "--name", "a\u{202e}b"]).await;
    assert_eq!((code, text.lines().count()), (2, 1), "{text}");
}

#[tokio::test]
async fn an_unencrypted_server_elsewhere_is_refused_with_the_option_that_allows_it() {
    let (code, text) = said(&["call", "rui", "--server", "ws://192.0.2.1"]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("--allow-insecure"), "{text}");
}

#[tokio::test]
async fn tls_to_a_server_without_it_is_said_in_words() {
    let (_server, url) = server().await;
    let secure = url.replacen("ws://", "wss://", 1);
    let (code, text) = said(&["call", "rui", "--server", &secure]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("does not speak TLS there"), "{text}");
    // One that hangs up at what it does not understand.
    let rude = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://{}", rude.local_addr().unwrap());
    std::thread::spawn(move || rude.incoming().for_each(drop));
    let (code, text) = said(&["call", "rui", "--server", &url]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("perhaps the server does not speak TLS there"), "{text}");
}

#[tokio::test]
async fn no_tls_to_a_server_with_it_is_said_in_words() {
    // What servers with TLS answer to a plain request: an alert, a page with HTTP status 400, nothing.
    let alert = &[21, 3, 3, 0, 2, 2, 40][..];
    let page = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    for plain in [alert, page, b""] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, mut first) = (stream.unwrap(), [0; 2_048]);
                let _ = stream.read(&mut first);
                // A record of type handshake (RFC 8446 section 5.1).
                let _ = stream.write_all(if first[0] == 22 { alert } else { plain });
            }
        });
        let (code, text) = said(&["call", "rui", "--server", &format!("ws://{address}")]).await;
        assert_eq!(code, 3, "{text}");
        assert!(text.contains(&format!("{address} speaks TLS: use wss://")), "{text}");
    }
}

#[tokio::test]
async fn a_port_alone_is_listened_on_at_this_machine() {
    for listen in ["0", "localhost:0"] {
        let mut server = chamada(&["serve", "--listen", listen]);
        assert!(server.line_with("ws://").await.contains("ws://127.0.0.1:"));
    }
}

#[tokio::test]
async fn names_mean_the_same_as_for_the_server() {
    let (_server, url) = server().await;
    let answer = ["answer", "--server", &url, "--video", "none", "--name", " rui\u{3000} Jose\u{301} "];
    let mut rui = chamada(&[&answer[..], &["--from", "  ana   maria ", "--json"]].concat());
    let line = rui.line_with("logged-in").await;
    assert!(line.contains("\"rui José\""), "{line}");
    let call = ["call", "\trui Jose\u{301}", "--server", &url, "--name", " ana   maria", "--video", "none"];
    let ana = chamada(&[&call[..], &["--seconds", "0.2"]].concat()).ends().await;
    assert_eq!((ana.code, rui.ends().await.code), (0, 0), "{}", ana.stderr);
}

#[tokio::test]
async fn answer_forever_takes_one_call_after_the_other_until_it_is_told_to_stop() {
    let (_server, url) = server().await;
    let mut rui = chamada(&["answer", "--forever", "--server", &url, "--name", "rui", "--video", SMALL, "--json"]);
    rui.line_with("logged-in").await;
    for name in ["ana", "eva"] {
        let call = ["call", "rui", "--server", &url, "--name", name, "--video", SMALL, "--seconds", "0.5", "--json"];
        let caller = chamada(&call).ends().await;
        assert_eq!(caller.code, 0, "{}", caller.stderr);
        let summary: serde_json::Value = serde_json::from_str(&rui.line_with("\"summary\"").await).unwrap();
        assert_eq!(summary["ended"], "hung-up-there");
        assert!(summary["setup_ms"].as_f64().unwrap() > 0.0, "{summary}");
    }
    rui.interrupt();
    let ended = rui.ends().await;
    assert_eq!((ended.code, &ended.summary()["ended"]), (0, &serde_json::Value::Null), "{}", ended.stderr);
}
