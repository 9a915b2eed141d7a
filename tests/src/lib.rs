//! The mock signaling server for end-to-end tests.
//!
//! [`mock_server::MockServer`] listens on a real socket and misbehaves as its script says; [`mock_server::MockServer::old_server`] is an old
//! server, habits included.

pub mod mock_server;
pub mod real_server;
