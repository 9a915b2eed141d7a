//! Each target with its seeds and with mutations of them. `FUZZ_INPUTS` says how many; they are the same ones each time.

use super::mutate::{Random, mutated};
use super::{TARGETS, Target};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// A few seconds each where nothing is optimised.
const INPUTS: usize = 10_000;

fn target(name: &str) -> Target {
    TARGETS.into_iter().find(|target| target.name == name).unwrap()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds").join(name)
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder(name)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn fuzz(name: &str) {
    let count = std::env::var("FUZZ_INPUTS").ok().and_then(|count| count.parse().ok()).unwrap_or(INPUTS);
    let (target, seeds) = (target(name), seeds(name));
    let run = |input: &[u8]| {
        if catch_unwind(|| (target.run)(input)).is_err() {
            panic!("a finding: \"{}\"", input.escape_ascii());
        }
    };
    seeds.iter().for_each(|seed| run(seed));
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    (0..count).for_each(|_| run(&mutated(&seeds, &mut random)));
}

#[test]
fn every_target_has_seeds_and_every_seed_a_target() {
    let mut folders: Vec<String> =
        std::fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    names.sort_unstable();
    assert_eq!(folders, names);
    assert!(names.iter().all(|name| !seeds(name).is_empty()));
}

macro_rules! targets {
    ($($test:ident: $name:literal),*) => {
        $(#[test]
        fn $test() {
            fuzz($name);
        })*
    };
}

targets! {
    frames_of_a_broken_server_do_no_harm: "signaling",
    descriptions_of_a_broken_peer_do_no_harm: "sdp",
    candidates_of_a_broken_peer_do_no_harm: "candidates",
    rtp_of_a_broken_peer_does_no_harm: "rtp",
    pictures_in_any_packets_in_any_order_do_no_harm: "video",
    repair_packets_of_a_broken_peer_do_no_harm: "fec",
    rtcp_of_a_broken_peer_does_no_harm: "rtcp",
    sound_in_any_packets_at_any_time_does_no_harm: "jitter",
    damaged_films_do_no_harm: "y4m",
    damaged_sound_files_do_no_harm: "wav",
    tones_of_a_broken_peer_do_no_harm: "dtmf",
    frames_of_somebody_who_does_not_keep_to_the_check_do_no_harm: "verification",
    frames_of_somebody_who_writes_no_text_do_no_harm: "text",
    messages_of_somebody_who_sends_no_files_do_no_harm: "files"
}
