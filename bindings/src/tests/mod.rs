//! Tests from the app's side of the line. `memory` needs no network and runs under valgrind too: `cargo xtask valgrind`.

mod memory;
pub(crate) mod support;
mod threads;
