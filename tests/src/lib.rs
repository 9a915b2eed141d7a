//! What Chamada's end-to-end tests share: a signaling server that misbehaves on demand, the real one, and phones without a phone.
//!
//! [`mock_server::MockServer`] listens on a real socket and misbehaves as its script says; [`mock_server::MockServer::old_server`] is
//! an old server, habits included.

pub mod line_server;
pub mod mock_server;
pub mod phone;
pub mod proxy;
pub mod real_server;
pub mod turn_server;
