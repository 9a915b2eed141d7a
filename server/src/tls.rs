//! TLS by the server itself, with a certificate that is replaced while it runs.

use crate::{config::TlsConfig, watch_file::WatchedFiles};
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read, or is no PEM (RFC 7468) with what is wanted.
    #[error("{} has no {wanted}: {detail}", file.display())]
    BadFile {
        /// The file.
        file: PathBuf,
        /// Certificate or key.
        wanted: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("certificate and key: {0}")]
    Unusable(rustls::Error),
}

/// Takes TLS connections with the certificate of the moment.
pub(crate) struct Tls {
    config: TlsConfig,
    current: Arc<Current>,
    pub(crate) acceptor: TlsAcceptor,
    files: WatchedFiles,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The certificate that the next connection gets.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Tls {
    pub(crate) fn new(config: TlsConfig) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let files = WatchedFiles::new(&[&config.certificate, &config.key]);
        let current = Arc::new(Current(RwLock::new(read(&config, &provider)?)));
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(current.clone());
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config, current, acceptor: TlsAcceptor::from(Arc::new(tls)), files })
    }

    pub(crate) fn files(&self) -> WatchedFiles {
        self.files.clone()
    }

    /// Takes what is in the files now; if certificate and key are of no use, or one of them is not replaced yet, the old ones stay.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let key = read(&self.config, &ring::default_provider())?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(())
    }
}

fn read(config: &TlsConfig, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
    let bad = |file: &PathBuf, wanted, detail: &dyn std::fmt::Display| TlsError::BadFile {
        file: file.clone(),
        wanted,
        detail: detail.to_string(),
    };
    let file = &config.certificate;
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect).map_err(|e| bad(file, "certificate", &e))?;
    if chain.is_empty() {
        return Err(bad(file, "certificate", &"no PEM section CERTIFICATE"));
    }
    let key = PrivateKeyDer::from_pem_file(&config.key).map_err(|e| bad(&config.key, "private key", &e))?;
    CertifiedKey::from_der(chain, key, provider).map(Arc::new).map_err(TlsError::Unusable)
}
