//! Whole calls between clients of the core, and the core's signaling against servers of every kind. One program, because linking one takes
//! longer than running it; what has to be alone in its process is beside it, in `alone`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers fail the test")]

mod calls;
mod devices;
mod file_transfer;
mod guide;
mod hold;
mod missing;
mod own_signaling;
mod paths;
mod private_text;
mod rough_ways;
mod screen;
mod second_call;
mod signaling;
mod verification;
