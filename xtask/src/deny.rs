//! `cargo deny`: licences, sources, bans and known vulnerabilities of what we depend on.

use crate::run::cargo;
use crate::steps::{Outcome, Steps};

/// The version CI uses; pinned so that a new release cannot turn CI red by itself.
const CARGO_DENY: &str = "0.20.2";

pub(crate) fn steps(steps: &mut Steps) {
    steps.step("cargo deny: installed", || {
        if !cargo(&["deny", "--version"]).succeeds() {
            println!("set-up: cargo installs cargo-deny {CARGO_DENY}");
            cargo(&["install", "--locked", "--debug", "cargo-deny", "--version", CARGO_DENY]).done()?;
        }
        Ok(Outcome::Passed)
    });
    steps.step("cargo deny: licences, bans, sources", || {
        cargo(&["deny", "check", "licenses", "bans", "sources"]).passes()
    });
    steps.step("cargo deny: advisories", || {
        if !cargo(&["deny", "fetch", "db"]).succeeds() {
            return Ok(Outcome::Skipped("the advisory database cannot be fetched from here".into()));
        }
        cargo(&["deny", "check", "advisories"]).passes()
    });
}
