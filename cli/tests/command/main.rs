//! The command as a person or a script meets it: arguments, output, files, exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers fail the test")]

mod file_transfer;
mod files;
mod options;
mod screen;
mod support;
mod text;
mod verify;

use serde_json::Value;
use std::path::Path;
use support::{Folder, SMALL, chamada, chamada_in, server};

#[tokio::test]
async fn a_call_by_two_commands_is_measured_saved_and_ends_as_asked() {
    let folder = Folder::new("call");
    let (_server, url) = server().await;
    let answer = ["answer", "--server", &url, "--name", "rui", "--video", SMALL, "--json"];
    let mut rui = chamada(&answer);
    rui.line_with("logged-in").await;
    let (video, sound, photo) = (folder.file("seen.y4m"), folder.file("heard.wav"), folder.file("rui.png"));
    let call = ["call", "rui", "--server", &url, "--name", "ana", "--video", SMALL, "--seconds", "3", "--json"];
    let saving =
        ["--save-video", &video, "--save-audio", &sound, "--photo", &photo, "--flip-after", "1", "--say", "olá"];
    let ana = chamada(&[&call[..], &saving[..]].concat());
    let said: Value = serde_json::from_str(&rui.line_with("\"chat\"").await).unwrap();
    assert_eq!((&said["from"], &said["text"]), (&"ana".into(), &"olá".into()));
    let (ana, rui) = (ana.ends().await, rui.ends().await);
    for (ended, reason) in [(&ana, "hung-up-here"), (&rui, "hung-up-there")] {
        let summary = ended.summary();
        assert_eq!((ended.code, &summary["ended"]), (0, &reason.into()), "{summary} {}", ended.stderr);
        let number = |field: &str| {
            summary.pointer(field).and_then(Value::as_f64).unwrap_or_else(|| panic!("{field}: {summary}"))
        };
        assert!(number("/setup_ms") > 0.0 && number("/first_frame_ms") >= number("/setup_ms") / 2.0, "{summary}");
        assert!(number("/video_sent/frames") > 40.0 && number("/video_sent/kbps") > 20.0, "{summary}");
        assert_eq!((number("/video_sent/width"), number("/video_sent/height")), (320.0, 240.0));
        assert!(number("/video_received/frames_decoded") > 40.0 && number("/video_received/fps") > 15.0, "{summary}");
        assert_eq!((number("/video_received/width"), number("/video_received/height")), (320.0, 240.0));
        assert!(number("/video_received/delay_ms_p50") <= number("/video_received/delay_ms_p95"), "{summary}");
        for field in ["freezes", "freeze_ms", "frames_lost"] {
            number(&format!("/video_received/{field}"));
        }
        assert!(number("/audio_received/packets") > 50.0 && number("/audio_received/energy") > 0.001, "{summary}");
        assert!(number("/audio_received/concealed_ratio") < 0.5, "{summary}");
        assert!(number("/rtt_ms") < 1000.0 && number("/cpu_s") > 0.0 && number("/peak_rss_mib") > 1.0, "{summary}");
        assert_eq!(summary["candidate_pair"]["protocol"], "udp");
        assert_eq!(summary["video_sent"]["codec"], summary["video_received"]["codec"]);
    }
    let stats: Value =
        serde_json::from_str(ana.stdout.iter().rfind(|line| line.contains("\"stats\"")).unwrap()).unwrap();
    for field in ["/sent/kbps", "/sent/target_kbps", "/sent/fps", "/received/kbps", "/received/jitter_buffer_ms"] {
        assert!(
            stats.pointer(field).is_some_and(|value| value.as_f64().is_some_and(|value| value >= 0.0)),
            "{field}: {stats}"
        );
    }
    for field in
        ["/sent/limited_by", "/received/av_offset_ms", "/audio/concealed_ratio", "/audio/jitter_buffer_ms", "/loss"]
    {
        assert!(stats.pointer(field).is_some(), "{field}: {stats}");
    }
    assert!(ana.stdout.iter().any(|line| line.contains("\"environment\"") && line.contains("\"camera\"")), "a flip");
    assert!(std::fs::read(&photo).unwrap().starts_with(b"\x89PNG"));
    assert!(std::fs::read(&video).unwrap().starts_with(b"YUV4MPEG2 W320 H240"));
    assert!(std::fs::metadata(&sound).unwrap().len() > 48_000, "less than half a second of sound");

    // What was saved can be sent in the next call.
    let rui = chamada(&[&answer[..], &["--codec", "h264"]].concat());
    let files = ["call", "rui", "--server", &url, "--name", "ana", "--video", &video, "--audio", &sound];
    let ana = chamada(&[&files[..], &["--codec", "h264", "--seconds", "2", "--json"]].concat());
    let (ana, rui) = (ana.ends().await, rui.ends().await);
    assert_eq!((ana.code, rui.code), (0, 0), "{} {}", ana.stderr, rui.stderr);
    let heard = rui.summary();
    assert_eq!(heard["video_received"]["codec"], "h264", "{heard}");
    assert!(heard["audio_received"]["energy"].as_f64().unwrap() > 0.0005, "{heard}");
    assert!(heard["video_received"]["frames_decoded"].as_u64().unwrap() > 20, "{heard}");
}

#[tokio::test]
async fn who_is_declined_or_finds_nobody_ends_with_code_4() {
    let (_server, url) = server().await;
    let mut rui = chamada(&["answer", "--decline", "--server", &url, "--name", "rui", "--json"]);
    rui.line_with("logged-in").await;
    let ana = chamada(&["call", "rui", "--server", &url, "--name", "ana", "--json"]).ends().await;
    assert_eq!((ana.code, &ana.summary()["ended"]), (4, &"declined-there".into()), "{}", ana.stderr);
    assert_eq!(ana.stderr.lines().count(), 1, "one line says why: {}", ana.stderr);
    let rui = rui.ends().await;
    assert_eq!((rui.code, &rui.summary()["ended"]), (0, &"declined-here".into()), "it did as asked");

    for alone in [&["call", "nobody"][..], &["answer"]] {
        let ended = chamada(&[alone, &["--server", &url, "--wait", "0.5", "--json"]].concat()).ends().await;
        assert_eq!((ended.code, &ended.summary()["ended"]), (4, &Value::Null), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn an_answerer_takes_only_the_call_it_was_told_to_take() {
    let (_server, url) = server().await;
    let mut rui = chamada(&["answer", "--from", "ana", "--server", &url, "--name", "rui", "--video", SMALL, "--json"]);
    rui.line_with("logged-in").await;
    let eva = chamada(&["call", "rui", "--server", &url, "--name", "eva", "--json"]).ends().await;
    assert_eq!((eva.code, &eva.summary()["ended"]), (4, &"declined-there".into()));
    let call =
        ["call", "rui", "--server", &url, "--name", "ana", "--video", "none", "--audio", "none", "--seconds", "1"];
    assert_eq!(chamada(&call).ends().await.code, 0);
    assert_eq!(rui.ends().await.code, 0);
}

#[tokio::test]
async fn ctrl_c_hangs_up_and_counts_as_asked_for() {
    let (_server, url) = server().await;
    let mut rui = chamada(&["answer", "--server", &url, "--name", "rui", "--video", SMALL, "--json"]);
    rui.line_with("logged-in").await;
    let mut ana = chamada(&["call", "rui", "--server", &url, "--name", "ana", "--video", SMALL, "--json"]);
    ana.line_with("\"connected\"").await;
    // One side knows before the other; whoever is hung up on before has no call that was.
    rui.line_with("\"connected\"").await;
    ana.interrupt();
    let (ana, rui) = (ana.ends().await, rui.ends().await);
    assert_eq!((ana.code, &ana.summary()["ended"]), (0, &"hung-up-here".into()), "{}", ana.stderr);
    assert_eq!((rui.code, &rui.summary()["ended"]), (0, &"hung-up-there".into()), "{}", rui.stderr);
}

#[tokio::test]
async fn a_server_that_is_none_or_not_there_ends_with_code_3() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = format!("ws://{}", listener.local_addr().unwrap());
    drop(listener);
    let something_else = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("ws://{}", something_else.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::Write;
        // Whatever it is asked, it says the same; the client may be gone by then.
        for mut stream in something_else.incoming().flatten() {
            let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
        }
    });
    for url in [refused.as_str(), other.as_str(), "ftp://example.org", "ws://", "no address"] {
        let ended = chamada(&["call", "rui", "--server", url, "--json"]).ends().await;
        assert_eq!(ended.code, 3, "{url}: {}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{url}: {}", ended.stderr);
        assert!(ended.summary()["error"].is_string(), "{url}");
    }
    let (_server, url) = server().await;
    let listen = url.strip_prefix("ws://").unwrap();
    let second = chamada(&["serve", "--listen", listen]).ends().await;
    assert_eq!(second.code, 3, "the port is taken: {}", second.stderr);
}

#[tokio::test]
async fn bad_arguments_and_files_end_with_code_2_before_anybody_is_called() {
    let folder = Folder::new("bad");
    let (text, empty) = (folder.file("text.y4m"), folder.file("empty.wav"));
    std::fs::write(&text, "this is no picture").unwrap();
    std::fs::write(&empty, "").unwrap();
    let missing = folder.file("missing/seen.y4m");
    for bad in [
        &["--video", "test:0x0@30"][..],
        &["--video", &text],
        &["--video", "film.mp4"],
        &["--video", "/nowhere/film.y4m"],
        &["--audio", &empty],
        &["--codec", "av1"],
        &["--facing", "up"],
        &["--ice-server", "http://example.org"],
        &["--seconds", "-1"],
        &["--save-video", &missing],
        &["--photo", "picture.gif"],
        &["--say", &"a".repeat(257)],
    ] {
        let ended = chamada(&[&["call", "rui", "--server", "ws://127.0.0.1:1"], bad].concat()).ends().await;
        assert_eq!(ended.code, 2, "{bad:?}: {}", ended.stderr);
        assert!(!ended.stderr.is_empty(), "{bad:?}");
    }
}

#[tokio::test]
async fn what_would_overwrite_something_else_is_refused_and_files_stay_as_they_are() {
    let folder = Folder::new("same");
    let (film, sound, photo) = (folder.file("film.y4m"), folder.file("sound.wav"), folder.file("new.y4m"));
    std::fs::write(&film, "kept").unwrap();
    std::fs::write(&sound, "kept").unwrap();
    let roundabout = folder.file("./film.y4m");
    for bad in [
        &["--video", &film, "--save-video", &roundabout][..],
        &["--audio", &sound, "--save-audio", &sound],
        &["--save-video", &film, "--save-audio", &film],
        &["--save-video", &photo, "--photo", "picture.gif"],
    ] {
        let ended = chamada(&[&["call", "rui", "--server", "ws://127.0.0.1:1"], bad].concat()).ends().await;
        assert_eq!(ended.code, 2, "{bad:?}: {}", ended.stderr);
    }
    // A server that is not there costs nothing that was saved before either.
    let call = ["call", "rui", "--server", "ws://127.0.0.1:1", "--save-video", &film, "--save-audio", &sound];
    assert_eq!(chamada(&call).ends().await.code, 3);
    assert_eq!((std::fs::read(&film).unwrap(), std::fs::read(&sound).unwrap()), (b"kept".into(), b"kept".into()));
    assert!(!Path::new(&photo).exists(), "nothing is made for a command that is refused");
}

#[tokio::test]
async fn the_camera_to_begin_with_is_the_one_that_was_asked_for() {
    let (_server, url) = server().await;
    let answer = ["answer", "--server", &url, "--name", "rui", "--video", SMALL, "--json"];
    let mut rui = chamada(&answer);
    rui.line_with("logged-in").await;
    let call = ["call", "rui", "--server", &url, "--name", "ana", "--video", SMALL, "--seconds", "1", "--json"];
    let mut ana = chamada(&[&call[..], &["--facing", "environment"]].concat());
    let camera: Value = serde_json::from_str(&ana.line_with("\"camera\"").await).unwrap();
    assert_eq!((&camera["facing"], &camera["mirrored_preview"]), (&"environment".into(), &false.into()), "{camera}");
    let camera: Value = serde_json::from_str(&rui.line_with("\"camera\"").await).unwrap();
    assert_eq!((&camera["facing"], &camera["mirrored_preview"]), (&"user".into(), &true.into()), "{camera}");
    assert_eq!((ana.ends().await.code, rui.ends().await.code), (0, 0));
}

#[tokio::test]
async fn the_demo_checks_itself_shows_it_and_ends_by_itself() {
    let folder = Folder::new("demo");
    let mut demo = chamada_in(&folder.0, &["demo", "--seconds", "1", "--json"]);
    demo.line_with("\"server\"").await;
    let ended = demo.ends().await;
    let summary = ended.summary();
    assert_eq!((ended.code, &summary["ended"]), (0, &"hung-up-here".into()), "{summary} {}", ended.stderr);
    assert!(summary["video_received"]["frames_decoded"].as_u64().unwrap() > 10, "{summary}");
    assert!(ended.stdout.iter().any(|line| line.contains("\"ready\"") && line.contains("http://127.0.0.1:")));
    assert!(std::fs::read(folder.0.join("chamada-demo.png")).unwrap().starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn eco_answers_with_the_callers_own_picture_and_sound() {
    let folder = Folder::new("eco");
    let mut demo = chamada_in(&folder.0, &["--json"]);
    let server: Value = serde_json::from_str(&demo.line_with("\"server\"").await).unwrap();
    let url = server["url"].as_str().unwrap();
    demo.line_with("\"ready\"").await;
    let ana = chamada(&["call", "eco", "--server", url, "--name", "ana", "--video", SMALL, "--seconds", "3", "--json"]);
    let ended = ana.ends().await;
    let summary = ended.summary();
    assert_eq!(ended.code, 0, "{summary} {}", ended.stderr);
    // The pictures that come back carry the caller's own marks: there and back they take time, and few are lost.
    assert!(summary["video_received"]["delay_ms_p50"].as_f64().unwrap() > 0.0, "{summary}");
    assert!(summary["audio_received"]["energy"].as_f64().unwrap() > 0.001, "{summary}");
    demo.interrupt();
    assert_eq!(demo.ends().await.code, 0);
}

#[tokio::test]
async fn keys_are_pressed_once_the_call_is_connected_and_told_at_the_other_side() {
    let (_server, url) = server().await;
    let mut rui = chamada(&["answer", "--name", "rui", "--server", &url, "--video", SMALL, "--json"]);
    rui.line_with("logged-in").await;
    let call = ["call", "rui", "--name", "ana", "--server", &url, "--video", SMALL, "--json", "--dtmf", "42#"];
    let ana = chamada(&call);
    for key in ["4", "2", "#"] {
        let line = rui.line_with("\"event\":\"dtmf\"").await;
        assert!(line.contains(&format!("\"tone\":\"{key}\"")), "{line}");
    }
    ana.interrupt();
    assert_eq!((ana.ends().await.code, rui.ends().await.code), (0, 0));
}
