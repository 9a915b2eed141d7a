//! Whom TLS connections trust: the system's certificate authorities, and those that an app or an operator names.
//!
//! On Android the system's verifier is reached by JNI only, with the app's context, which a library that is loaded by way of JNA
//! does not have. There the authorities are read from where the system keeps them: what an app trusts that says nothing else.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// Most certificates in one file.
const MAX_CERTIFICATES: usize = 256;

/// Certificate authorities.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RootCertificates(Vec<CertificateDer<'static>>);

/// A file of certificates that has none, or one that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCertificate {
    /// There is no certificate in it.
    #[error("there is no certificate in PEM form")]
    None,
    /// Something in it is damaged.
    #[error("a certificate cannot be read: {0}")]
    Damaged(String),
}

impl RootCertificates {
    /// Reads certificates in PEM form (RFC 7468).
    ///
    /// # Errors
    /// [`BadCertificate`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, BadCertificate> {
        let mut certificates = Vec::new();
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem).take(MAX_CERTIFICATES) {
            let certificate = certificate.map_err(|error| BadCertificate::Damaged(error.to_string()))?;
            store.add(certificate.clone()).map_err(|error| BadCertificate::Damaged(error.to_string()))?;
            certificates.push(certificate.into_owned());
        }
        if certificates.is_empty() { Err(BadCertificate::None) } else { Ok(Self(certificates)) }
    }

    /// How a client connects that trusts these besides the system's, or Mozilla's where the system has none. Without ALPN.
    pub fn client_config(&self) -> ClientConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        // What can be wrong here is a provider without cipher suites of these versions.
        #[expect(clippy::expect_used, reason = "ring has TLS 1.2 and 1.3")]
        let builder = builder.with_safe_default_protocol_versions().expect("ring has TLS 1.2 and 1.3");
        #[cfg(not(target_os = "android"))]
        match rustls_platform_verifier::Verifier::new_with_extra_roots(self.0.iter().cloned(), provider) {
            Ok(verifier) => {
                return builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
            }
            // A system without certificates, as a small container is.
            Err(error) => log::info!("the system has no certificate authorities, Mozilla's are used: {error}"),
        }
        builder.with_root_certificates(roots(self)).with_no_client_auth()
    }
}

impl std::fmt::Debug for RootCertificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} certificates", self.0.len())
    }
}

/// The authorities of an Android system, or Mozilla's where none can be read.
fn roots(extra: &RootCertificates) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    #[cfg(target_os = "android")]
    for folder in ["/apex/com.android.conscrypt/cacerts", "/system/etc/security/cacerts"] {
        if !roots.is_empty() {
            break;
        }
        for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            roots.add_parsable_certificates(CertificateDer::from_pem_file(file.path()).ok());
        }
    }
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots.add_parsable_certificates(extra.0.iter().cloned());
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        assert_eq!(RootCertificates::from_pem(b""), Err(BadCertificate::None));
        assert_eq!(RootCertificates::from_pem(b"hello"), Err(BadCertificate::None));
        let no_certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(RootCertificates::from_pem(no_certificate), Err(BadCertificate::Damaged(_))));
        let no_base64 = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(RootCertificates::from_pem(no_base64), Err(BadCertificate::Damaged(_))));
    }

    #[test]
    fn there_are_authorities_also_where_the_system_has_none() {
        assert!(!roots(&RootCertificates::default()).is_empty());
    }
}
