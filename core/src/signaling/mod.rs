//! Signaling: the wire messages, the session that logs in and stays logged in, and the WebSocket that carries it.

pub mod message;
