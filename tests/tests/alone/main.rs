//! What is a figure or a property of a whole process: its one logger, its open descriptors. These tests share the process with no other, and
//! [`ALONE`] lets them run one after the other.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail the test")]

mod descriptors;
mod log_privacy;

static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
