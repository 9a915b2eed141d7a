//! TLS by rustls.

use super::{ConnectError, Stream};
use crate::roots::RootCertificates;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Makes a connection a secure one.
pub(super) async fn handshake(extra: &RootCertificates, host: &str, tcp: TcpStream) -> Result<Stream, ConnectError> {
    match shake(extra, host, tcp).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(ConnectError::Tls(words(&error))),
    }
}

/// Whether whoever is at the other end answers a TLS handshake with TLS, be it with a refusal or with a certificate that is not trusted.
pub(super) async fn is_spoken(extra: &RootCertificates, host: &str, tcp: TcpStream) -> bool {
    match shake(extra, host, tcp).await {
        Ok(_) => true,
        Err(error) => cause(&error).is_some_and(|error| !matches!(error, rustls::Error::InvalidMessage(_))),
    }
}

async fn shake(extra: &RootCertificates, host: &str, tcp: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    let config = if *extra == RootCertificates::default() { usual() } else { Arc::new(extra.client_config()) };
    TlsConnector::from(config).connect(name, tcp).await
}

fn cause(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn words(error: &std::io::Error) -> String {
    match cause(error) {
        Some(rustls::Error::InvalidMessage(_)) => "the server does not speak TLS there".to_owned(),
        Some(tls) => tls.to_string(),
        None => match error.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                "the connection was closed during the TLS handshake: perhaps the server does not speak TLS there"
                    .to_owned()
            }
            _ => error.to_string(),
        },
    }
}

/// With the system's authorities alone, which are read once.
fn usual() -> Arc<ClientConfig> {
    static USUAL: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    Arc::clone(USUAL.get_or_init(|| Arc::new(RootCertificates::default().client_config())))
}
