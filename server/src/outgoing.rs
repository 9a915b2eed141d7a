//! HTTP requests of the server's own: to push services, and for keys that the issuer of tokens publishes.

use chamada::roots::{BadCertificate, RootCertificates};
use reqwest::{Client, ClientBuilder, Response, redirect::Policy};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_rustls::rustls::ClientConfig;

const CONNECT_TIME: Duration = Duration::from_secs(5);
/// From the connection to the end of the answer.
const REQUEST_TIME: Duration = Duration::from_secs(10);

/// Why there are no requests.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The file of authorities could not be read.
    #[error("{}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else than certificates.
    #[error("{}: {source}", file.display())]
    BadCertificate {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: BadCertificate,
    },
    /// The library cannot be set up.
    #[error("no connections can be made: {0}")]
    Unusable(String),
}

/// How connections are encrypted. Trusted are the system's authorities, and those of this file (PEM).
pub(crate) fn tls(authorities: Option<&Path>) -> Result<ClientConfig, ClientError> {
    let roots = match authorities {
        Some(file) => {
            let pem = fs::read(file).map_err(|source| ClientError::File { file: file.into(), source })?;
            RootCertificates::from_pem(&pem)
                .map_err(|source| ClientError::BadCertificate { file: file.into(), source })?
        }
        None => RootCertificates::default(),
    };
    let mut tls = roots.client_config();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// A client that goes nowhere but where it is sent, within fixed times.
pub(crate) fn builder(tls: ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("chamada/", env!("CARGO_PKG_VERSION")))
        // A redirect would lead past the check of the URL, and a proxy past that of the address.
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIME)
        .timeout(REQUEST_TIME)
}

pub(crate) fn build(builder: ClientBuilder) -> Result<Client, ClientError> {
    builder.build().map_err(|e| ClientError::Unusable(e.to_string()))
}

/// The body of an answer, up to this many bytes; what is longer is cut off there. `Err`: it ended too early.
pub(crate) async fn read_body(mut answer: Response, most: usize) -> (Vec<u8>, Result<(), reqwest::Error>) {
    let mut body = Vec::new();
    while body.len() < most {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(e) => return (body, Err(e)),
        }
    }
    body.truncate(most);
    (body, Ok(()))
}
