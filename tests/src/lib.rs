//! What Chamada's end-to-end tests share: a signaling server that misbehaves on demand, the real one, and phones without a phone.

pub mod mock_server;
pub mod phone;
pub mod real_server;
