//! What can go wrong between us and the signaling server.

/// Why a connection to the signaling server failed, or why it did not take a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignalingError {
    /// The address is no `ws`, `wss`, `http` or `https` URL with a host.
    #[error("'{0}' is not the address of a signaling server")]
    BadUrl(String),
    /// `ws://` to another machine, which was not allowed explicitly.
    #[error("refusing an unencrypted connection to {0}")]
    Insecure(String),
    /// The name was not found, or nobody accepted the connection.
    #[error("cannot reach {host}: {detail}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// What the system said.
        detail: String,
    },
    /// The connection was not made in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The proxy that the app named did not make the connection.
    #[error("cannot reach {host}: {detail}")]
    Proxy {
        /// Host and port of the server.
        host: String,
        /// What the proxy did.
        detail: String,
    },
    /// No TLS connection: mostly a certificate that is not trusted.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// `ws://` to a server that speaks TLS; with its host and port.
    #[error("{0} speaks TLS: use wss:// instead of ws://")]
    NeedsTls(String),
    /// Something answered, but not a WebSocket; with the HTTP status where there was one.
    #[error("no WebSocket at this address{}", status.map(|status| format!(" (HTTP status {status})")).unwrap_or_default())]
    NotWebSocket {
        /// HTTP status (RFC 9110 section 15).
        status: Option<u16>,
    },
    /// A WebSocket that does not speak the subprotocol `json`; with what it named.
    #[error("the server speaks something else (subprotocol {0:?})")]
    WrongSubprotocol(Option<String>),
    /// The name is empty, longer than 32 characters or has control characters.
    #[error("a name has 1 to 32 characters and no control characters")]
    BadName,
    /// The server did not let us in under this name; with its reason.
    #[error("the server refused the login: {0}")]
    LoginRefused(String),
    /// The server wants a token, and ours is none that it takes, or has expired; with its reason.
    #[error("the server refused the token: {reason}")]
    TokenRefused {
        /// Whether it was good once, so that a fresh one will do.
        expired: bool,
        /// The server's words.
        reason: String,
    },
    /// A chat line is empty or longer than 256 characters.
    #[error("a chat line has 1 to 256 characters")]
    BadText,
    /// The message is longer than a frame may be, in bytes.
    #[error("the message has {0} bytes, too many for one frame")]
    TooLarge(usize),
    /// The message is of a type that only the server or this client itself sends.
    #[error("a '{0}' message cannot be sent by hand")]
    NotSendable(String),
    /// A WebSocket, but not one that logs us in.
    #[error("the server does not behave like a signaling server: {0}")]
    Protocol(String),
    /// The server closed the connection (RFC 6455 section 7.4); 1006 if it vanished without a close frame.
    #[error("the server closed the connection (code {code}): {reason}")]
    ServerClosed {
        /// Close code.
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// Messages come faster than the connection takes them.
    #[error("too many messages wait to be sent")]
    QueueFull,
    /// The client has been closed.
    #[error("not connected")]
    NotConnected,
    /// The app's own transport carries nothing any more; with its reason.
    #[error("the app's signaling is lost: {0}")]
    TransportLost(String),
    /// This is a matter of a Chamada server, and the app's own transport carries calls alone; with what was asked for.
    #[error("the app's own signaling has no '{0}'")]
    NotCarried(&'static str),
    /// The server has not been heard for too long.
    #[error("the server fell silent")]
    Silent,
}

impl SignalingError {
    /// Whether another attempt cannot help, because the address, the name or the server's kind is wrong.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::BadUrl(_) | Self::Insecure(_) | Self::BadName | Self::LoginRefused(_) | Self::TokenRefused { .. }
        )
    }
}
