//! The mock signaling server for end-to-end tests.
//!
//! Start a [`mock_server::MockServer`], give its `url()` to a client, and await what the client says with `next_frame()`. Say anything back with `inject()`, or end the
//! connection with `close()` or `cut()`. Sockets are real; the server takes one connection after the other, and speaks only when told to.

pub mod mock_server;
