//! One fuzz target under libFuzzer: the one that `CHAMADA_FUZZ_TARGET` names.
#![no_main]
#![allow(unsafe_code, missing_docs, reason = "libFuzzer calls a C function, which its macro writes")]

use chamada::fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static TARGET: OnceLock<Target> = OnceLock::new();

fn target() -> &'static Target {
    TARGET.get_or_init(|| {
        let wanted = std::env::var("CHAMADA_FUZZ_TARGET").unwrap_or_default();
        let known = TARGETS.into_iter().find(|target| target.name == wanted);
        known.unwrap_or_else(|| panic!("no target '{wanted}'"))
    })
}

fuzz_target!(|input: &[u8]| (target().run)(input));
