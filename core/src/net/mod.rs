//! Connections over TCP to servers: their addresses raced by RFC 8305, by way of an HTTP proxy where the app names one, and TLS by
//! rustls. The signaling server and TURN servers that are reached over TCP or TLS both use it.

mod nat64;
mod proxy;
mod race;
mod tls;

pub use proxy::{BadProxy, Proxy};
pub use tls::{BadCertificate, RootCertificates};

pub(crate) use nat64::reachable;

use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// How connections over TCP are made.
#[derive(Debug, Clone, Default)]
pub struct ConnectConfig {
    /// Certificate authorities that are trusted besides those of the system.
    pub extra_roots: RootCertificates,
    /// Everything goes by way of this proxy. Names are then resolved by it.
    pub proxy: Option<Proxy>,
}

/// What reads and writes bytes in order.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection, encrypted or not.
pub(crate) type Stream = Box<dyn Io>;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The name was not found, or nobody accepts connections there.
    #[error("{0}")]
    Unreachable(io::Error),
    /// The proxy did not make the connection.
    #[error("{0}")]
    Proxy(String),
    /// No TLS: mostly a certificate that is not trusted.
    #[error("{0}")]
    Tls(String),
}

impl ConnectConfig {
    /// Connects to a host, which is a name or an address without brackets. Has no time-out of its own.
    pub(crate) async fn connect(&self, host: &str, port: u16, secure: bool) -> Result<Stream, ConnectError> {
        let tcp = match &self.proxy {
            Some(proxy) => proxy.tunnel(host, port).await?,
            None => tcp(host, port).await.map_err(ConnectError::Unreachable)?,
        };
        if secure { tls::handshake(&self.extra_roots, host, tcp).await } else { Ok(Box::new(tcp)) }
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses = race::interleaved(reachable(tokio::net::lookup_host((host, port)).await?.collect()).await);
    let stream = race::race(addresses, TcpStream::connect).await?;
    // What is sent is small and should not wait for company. A failure costs some milliseconds and nothing else.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
