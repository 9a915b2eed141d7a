//! Files that are played and saved: what is wrong with them is told before a call, and what goes wrong in one is its exit code.

use crate::support::{Folder, SMALL, chamada, server};
use std::path::Path;

/// A WAV file of 0.1 s at 48 kHz, 24 valid bits in 32, as a program that writes to a pipe leaves it.
fn piped_wav() -> Vec<u8> {
    let mut bytes = b"RIFF\xff\xff\xff\xffWAVEfmt \x28\0\0\0\xfe\xff\x01\0".to_vec();
    bytes.extend(48_000u32.to_le_bytes());
    bytes.extend(192_000u32.to_le_bytes());
    bytes.extend(
        b"\x04\0\x20\0\x16\0\x18\0\x04\0\0\0\x01\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71data\xff\xff\xff\xff",
    );
    for index in 0..4_800 {
        let sample = (f64::from(index) / 48_000.0 * 440.0 * std::f64::consts::TAU).sin() * 2e8;
        bytes.extend(((sample as i32) & !0xff).to_le_bytes());
    }
    bytes
}

#[tokio::test]
async fn a_saved_film_has_the_rate_of_the_call_and_sound_from_a_pipe_is_heard_as_it_is() {
    let folder = Folder::new("rate");
    let (sound, video, heard) = (folder.file("in.wav"), folder.file("seen.y4m"), folder.file("heard.wav"));
    std::fs::write(&sound, piped_wav()).unwrap();
    let (_server, url) = server().await;
    let saving = ["--save-video", &video, "--save-audio", &heard];
    let answer = ["answer", "--server", &url, "--name", "rui", "--video", SMALL, "--json"];
    let mut rui = chamada(&[&answer[..], &saving].concat());
    rui.line_with("logged-in").await;
    let call = ["call", "rui", "--server", &url, "--name", "ana", "--seconds", "3", "--video", "test:320x240@10"];
    let ana = chamada(&[&call[..], &["--audio", &sound, "--json"]].concat());
    let (ana, rui) = (ana.ends().await, rui.ends().await);
    assert_eq!((ana.code, rui.code), (0, 0), "{} {}", ana.stderr, rui.stderr);
    let bytes = std::fs::read(&video).unwrap();
    let header = String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap()).into_owned();
    let rate = header.split(' ').find_map(|field| field.strip_prefix('F')).unwrap();
    let (count, seconds) = rate.split_once(':').unwrap();
    let fps = count.parse::<f64>().unwrap() / seconds.parse::<f64>().unwrap();
    assert!((7.0..13.0).contains(&fps), "{header}");
    // A tenth of full scale has an energy of 0.004 a second; noise would have a hundred times that.
    let energy = rui.summary()["audio_received"]["energy"].as_f64().unwrap();
    assert!((0.002..0.05).contains(&energy), "{energy}");
}

#[tokio::test]
async fn what_cannot_be_played_or_saved_is_refused_before_anybody_is_called() {
    let folder = Folder::new("refused");
    let (law, old, missing) = (folder.file("law.wav"), folder.file("old.wav"), folder.file("missing/new.png"));
    let mut bytes = piped_wav();
    bytes[20..22].copy_from_slice(&[6, 0]);
    std::fs::write(&law, bytes).unwrap();
    std::fs::write(&old, "kept").unwrap();
    let here = folder.file("");
    let film = folder.file("film.y4m");
    std::fs::write(&film, b"YUV4MPEG2 W2 H2 F30:1\nFRAME\n123456").unwrap();
    let (folder_as_photo, inside_a_file) = (folder.file("folder.png"), folder.file("old.wav/a.png"));
    std::fs::create_dir(&folder_as_photo).unwrap();
    let (new, roundabout) = (folder.file("new.wav"), folder.file("./new.wav"));
    for (bad, said) in [
        (&["--audio", &law][..], "sound in A-law is not supported"),
        (&["--video", &film, "--flip-after", "1"], "--flip-after needs two cameras"),
        (&["--photo", &missing], "missing is not there"),
        (&["--photo", &folder_as_photo], "it is a folder"),
        (&["--photo", &inside_a_file], "old.wav is no folder"),
        (&["--photo", "/proc/self/new.png"], "no file can be made in /proc/self"),
        (&["--save-audio", &here], "it is a folder"),
        (&["--save-video", "/dev/null"], "it is a pipe or a device"),
        (&["--save-video", "/proc/self/new.y4m"], "no file can be made in /proc/self"),
        (&["--save-video", &new, "--save-audio", &roundabout], "one would overwrite the other"),
    ] {
        let ended = chamada(&[&["call", "rui", "--server", "ws://127.0.0.1:1"], bad].concat()).ends().await;
        assert_eq!(ended.code, 2, "{bad:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{bad:?}: {}", ended.stderr);
    }
    assert!(!Path::new(&new).exists());
    assert_eq!(std::fs::read(&old).unwrap(), b"kept");
}

#[tokio::test]
async fn what_goes_wrong_in_a_call_that_goes_on_is_its_exit_code() {
    let folder = Folder::new("in-call");
    let (sound, video) = (folder.file("in.wav"), folder.file("seen.y4m"));
    std::fs::write(&sound, piped_wav()).unwrap();
    let (_server, url) = server().await;
    let answer = ["answer", "--server", &url, "--name", "rui", "--video", "none", "--audio", &sound, "--json"];
    let mut rui = chamada(&answer);
    rui.line_with("logged-in").await;
    let call = ["call", "rui", "--server", &url, "--name", "ana", "--video", SMALL, "--seconds", "2", "--json"];
    let mut ana = chamada(&[&call[..], &["--save-video", &video]].concat());
    ana.line_with("\"connected\"").await;
    std::fs::File::options().write(true).open(&sound).unwrap().set_len(200).unwrap();
    let (ana, rui) = (ana.ends().await, rui.ends().await);
    assert_eq!((ana.code, rui.code), (5, 5), "{} {}", ana.stderr, rui.stderr);
    assert!(ana.stderr.contains("no picture came"), "{}", ana.stderr);
    assert!(rui.summary()["error"].as_str().unwrap().contains("in.wav"), "{}", rui.summary());
}
