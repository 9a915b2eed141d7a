//! The HTTP clients that pushes go out by.

use super::{config::PushConfig, error::PushError, provider::Outcome, url_check::PublicResolver};
use reqwest::{Client, ClientBuilder, RequestBuilder, StatusCode, header::RETRY_AFTER, redirect::Policy};
use rustls_platform_verifier::Verifier;
use std::{fs, sync::Arc, time::Duration};
use tokio_rustls::rustls::{
    ClientConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem::PemObject},
};

const CONNECT_TIME: Duration = Duration::from_secs(5);
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// Most that is read of an answer.
const MAX_ANSWER_BYTES: usize = 8 * 1024;
/// Connections that are kept to a host that a device has named, for those who speak no HTTP/2.
const MAX_IDLE_PER_HOST: usize = 2;
/// Keeps a connection to a provider through firewalls that forget silent ones.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// One client for servers that the operator has named, one for URLs that devices have.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) chosen: Client,
    pub(crate) registered: Client,
    /// Whether `registered` may send to private addresses.
    pub(crate) allow_private: bool,
}

impl Http {
    pub(crate) fn new(config: &PushConfig) -> Result<Self, PushError> {
        let tls = tls(config)?;
        let failed = |e: reqwest::Error| PushError::Client(e.to_string());
        let chosen = builder(tls.clone()).http2_keep_alive_interval(KEEP_ALIVE).http2_keep_alive_while_idle(true);
        let chosen = chosen.build().map_err(failed)?;
        let registered = builder(tls).pool_max_idle_per_host(MAX_IDLE_PER_HOST);
        let registered =
            if config.allow_private { registered } else { registered.dns_resolver(Arc::new(PublicResolver)) };
        Ok(Self { chosen, registered: registered.build().map_err(failed)?, allow_private: config.allow_private })
    }
}

fn builder(tls: ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("chamada/", env!("CARGO_PKG_VERSION")))
        // A redirect would lead past the check of the URL, and a proxy past that of the address.
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIME)
        .timeout(REQUEST_TIME)
}

fn tls(config: &PushConfig) -> Result<ClientConfig, PushError> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let failed = |e: tokio_rustls::rustls::Error| PushError::Client(e.to_string());
    let extra = match &config.authorities {
        Some(file) => {
            let bytes = fs::read(file).map_err(|source| PushError::File { file: file.clone(), source })?;
            let all: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
            let bad = || PushError::BadFile { file: file.clone(), what: "certificates in PEM are expected" };
            let all = all.map_err(|_| bad())?;
            if all.is_empty() {
                return Err(bad());
            }
            all
        }
        None => Vec::new(),
    };
    let verifier = verifier(extra, provider.clone());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier.map_err(failed)?))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// Trusts whom the system trusts, and these authorities.
#[cfg(not(target_os = "android"))]
fn verifier(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, tokio_rustls::rustls::Error> {
    if extra.is_empty() { Verifier::new(provider) } else { Verifier::new_with_extra_roots(extra, provider) }
}

/// Trusts whom the system trusts: Android's verifier takes no further authorities.
#[cfg(target_os = "android")]
fn verifier(
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<Verifier, tokio_rustls::rustls::Error> {
    if extra.is_empty() {
        Verifier::new(provider)
    } else {
        Err(tokio_rustls::rustls::Error::General("Android takes no certificate authorities besides its own".into()))
    }
}

/// A provider's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    /// The beginning of the body, if it is text.
    pub(crate) body: String,
}

impl Answer {
    /// What these status codes say where a provider gives them no other meaning (RFC 9110 section 15).
    pub(crate) fn outcome(&self) -> Outcome {
        match self.status {
            status if status.is_success() => Outcome::Accepted,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Outcome::Later(self.retry_after),
            status if status.is_server_error() => Outcome::Later(self.retry_after),
            status => Outcome::Refused(format!("status {}", status.as_u16())),
        }
    }
}

/// Sends a request and reads the answer. `Err`: there is none.
pub(crate) async fn send(request: RequestBuilder) -> Result<Answer, Outcome> {
    // What the library says may quote the URL, which is as good as a password.
    let failed = |e: reqwest::Error| {
        tracing::debug!(reason = %e.without_url(), "a push service did not answer");
        Outcome::Unanswered
    };
    let mut answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    let header = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    // A date there is (RFC 9110 section 10.2.3) counts as none: those who ring have seconds.
    let retry_after = header.and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER_BYTES
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(MAX_ANSWER_BYTES);
    Ok(Answer { status, retry_after, body: String::from_utf8(body).unwrap_or_default() })
}
