//! TLS by the server itself.

use crate::support::{PATIENCE, config, http, start};
use chamada_server::{Server, ServerConfig, ServerError, TlsConfig};
use futures_util::{SinkExt, StreamExt};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer},
};

/// Files of a certificate for `localhost`, that go with the test.
struct Files {
    folder: PathBuf,
    config: TlsConfig,
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Files {
    fn new(name: &str) -> (Self, CertificateDer<'static>) {
        let folder = std::env::temp_dir().join(format!("chamada-tls-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = TlsConfig { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
        let files = Self { folder, config };
        let certificate = files.renew();
        (files, certificate)
    }

    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&self.config.certificate, made.cert.pem()).unwrap();
        std::fs::write(&self.config.key, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }
}

async fn connect(
    server: &crate::support::Running,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
}

#[tokio::test]
async fn page_and_websocket_come_over_tls_and_the_page_asks_to_stay_there() {
    let (files, certificate) = Files::new("page");
    let server = start(ServerConfig { tls: Some(files.config.clone()), ..config() }).await;
    let mut stream = connect(&server, &certificate).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("strict-transport-security: max-age="), "{answer}");
    let stream = connect(&server, &certificate).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async("wss://localhost/", stream).await.unwrap();
    let first = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(first.to_text().unwrap().contains(r#""type":"id""#), "{first}");
}

#[tokio::test]
async fn a_renewed_certificate_holds_for_new_connections_and_old_ones_stay() {
    let (files, first) = Files::new("renewed");
    let server = start(ServerConfig { tls: Some(files.config.clone()), ..config() }).await;
    let stream = connect(&server, &first).await.unwrap();
    let (mut old, _) = tokio_tungstenite::client_async("wss://localhost/", stream).await.unwrap();
    old.next().await.unwrap().unwrap();
    let second = files.renew();
    let renewed = async {
        while connect(&server, &second).await.is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(PATIENCE, renewed).await.expect("the new certificate never holds");
    assert!(connect(&server, &first).await.is_err());
    // What is of no use changes nothing.
    std::fs::write(&files.config.certificate, "nonsense").unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(connect(&server, &second).await.is_ok());
    old.send("{\"type\":\"wave\"}".into()).await.unwrap();
    assert!(old.next().await.unwrap().unwrap().to_text().unwrap().contains("not-logged-in"));
}

#[tokio::test]
async fn a_handshake_without_an_end_is_not_waited_for() {
    let (files, _) = Files::new("slow");
    let tls = Some(files.config.clone());
    let server = start(ServerConfig { tls, request_timeout: Duration::from_millis(300), ..config() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&[0x16, 3, 1]).await.unwrap();
    assert_eq!(timeout(PATIENCE, stream.read(&mut [0; 16])).await.expect("it lives on").unwrap_or(0), 0);
}

#[tokio::test]
async fn files_that_do_not_fit_together_are_said_before_anybody_is_served() {
    let ((one, _), (other, _)) = (Files::new("one"), Files::new("other"));
    let bind = async |certificate: &PathBuf, key: &PathBuf| {
        let tls = Some(TlsConfig { certificate: certificate.clone(), key: key.clone() });
        Server::bind(ServerConfig { tls, ..config() }).await.unwrap_err()
    };
    assert!(matches!(bind(&one.config.certificate, &other.config.key).await, ServerError::Tls(_)));
    let said = bind(&one.config.key, &one.config.key).await.to_string();
    assert!(said.contains("key.pem") && said.contains("certificate"), "{said}");
    assert!(bind(&one.config.certificate, &"/nowhere".into()).await.to_string().contains("/nowhere"));
}

#[tokio::test]
async fn without_tls_nobody_is_sent_away_from_plain_http() {
    let answer = http(start(config()).await.address, "GET / HTTP/1.1").await;
    assert!(!answer.to_ascii_lowercase().contains("strict-transport-security"), "{answer}");
}
