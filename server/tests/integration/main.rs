//! The server over real sockets, as clients, strangers and operators meet it. One program, because linking one takes longer than running it;
//! what has to be alone in its process is beside it, in `resources.rs`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "tests and their helpers"
)]

mod addresses;
mod calls;
mod cluster;
mod cluster_failures;
mod costs;
mod limits;
mod lists;
mod mutated;
mod names;
mod nuisance;
mod operator;
mod page;
mod protocol;
mod published_keys;
mod push;
mod resume;
mod rooms;
mod strangers;
mod support;
mod tls;
mod tokens;
mod turn;
