//! Connections over TCP to servers: their addresses raced by RFC 8305, by way of an HTTP proxy where the app names one, and TLS by
//! rustls. The signaling server and TURN servers that are reached over TCP or TLS both use it.

mod nat64;
mod proxy;
mod race;
mod tls;

use crate::roots::RootCertificates;
pub use proxy::{BadProxy, Proxy};

pub(crate) use nat64::{reachable, sources};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Between two questions for the same name, and how many may wait for an answer.
const ASK_AGAIN: Duration = Duration::from_secs(1);
const QUESTIONS: usize = 3;

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
        let tcp = self.tcp(host, port).await?;
        if secure { tls::handshake(&self.extra_roots, host, tcp).await } else { Ok(Box::new(tcp)) }
    }

    /// Whether TLS is spoken there: what somebody who did not ask for it may have missed. Has no time-out of its own.
    pub(crate) async fn is_tls(&self, host: &str, port: u16) -> bool {
        match self.tcp(host, port).await {
            Ok(tcp) => tls::is_spoken(&self.extra_roots, host, tcp).await,
            Err(_) => false,
        }
    }

    async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, ConnectError> {
        match &self.proxy {
            Some(proxy) => proxy.tunnel(host, port).await,
            None => tcp(host, port).await.map_err(ConnectError::Unreachable),
        }
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses = race::interleaved(reachable(lookup(host, port).await?).await);
    let stream = race::race(addresses, TcpStream::connect).await?;
    // What is sent is small and should not wait for company. A failure costs some milliseconds and nothing else.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// The addresses of a host. A question that the network loses, as one does that changes just then, is repeated by the system after five
/// seconds (resolv.conf(5)): here it is asked anew before.
pub(crate) async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    ask_again(|| async { Ok(tokio::net::lookup_host((host, port)).await?.collect()) }).await
}

/// The first answer to a question that is asked up to three times, a second apart.
async fn ask_again<T, F: Future<Output = io::Result<T>>>(ask: impl Fn() -> F) -> io::Result<T> {
    let mut questions = FuturesUnordered::new();
    loop {
        questions.push(ask());
        let waits = questions.len() < QUESTIONS;
        tokio::select! {
            Some(answer) = questions.next() => return answer,
            () = tokio::time::sleep(ASK_AGAIN), if waits => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_question_that_gets_lost_is_asked_anew_within_a_second_and_at_most_three_times() {
        let (start, asked) = (Instant::now(), Cell::new(0));
        let answer = ask_again(|| {
            asked.set(asked.get() + 1);
            let lost = asked.get() == 1;
            async move { if lost { std::future::pending().await } else { Ok(7) } }
        });
        assert_eq!(answer.await.unwrap(), 7);
        assert_eq!(start.elapsed(), ASK_AGAIN);
        asked.set(0);
        let never = ask_again(|| {
            asked.set(asked.get() + 1);
            std::future::pending::<io::Result<()>>()
        });
        assert!(tokio::time::timeout(ASK_AGAIN * 20, never).await.is_err());
        assert_eq!(asked.get(), QUESTIONS);
    }

    #[tokio::test]
    async fn an_address_is_no_question() {
        for (host, address) in [("10.0.0.1", "10.0.0.1:5"), ("2001:db8::1", "[2001:db8::1]:5")] {
            assert_eq!(lookup(host, 5).await.unwrap(), [address.parse::<SocketAddr>().unwrap()]);
        }
    }
}
