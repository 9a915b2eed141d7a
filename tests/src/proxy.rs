//! An HTTP proxy that knows CONNECT (RFC 9110 section 9.3.6) and nothing else.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A proxy that wants `ana` with the password `s3cret`; ends when dropped.
pub struct HttpProxy {
    address: SocketAddr,
    targets: Arc<Mutex<Vec<String>>>,
    running: JoinHandle<()>,
}

impl HttpProxy {
    /// Starts it on a free port of this machine.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn start() -> std::io::Result<Self> {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts it on this address.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn listen(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let targets = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&targets);
        let running = tokio::spawn(async move {
            let mut tunnels = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                tunnels.spawn(async move {
                    if let Err(error) = serve(stream, &seen).await {
                        log::debug!("a tunnel ended: {error}");
                    }
                });
            }
        });
        Ok(Self { address, targets, running })
    }

    /// Its address as an app gives it.
    pub fn url(&self) -> String {
        format!("http://ana:s3cret@{}", self.address)
    }

    /// Where it has connected to so far.
    pub fn targets(&self) -> Vec<String> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for HttpProxy {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn serve(mut client: TcpStream, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        header.push(client.read_u8().await?);
    }
    let header = String::from_utf8_lossy(&header);
    let target = header.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let answer = match target {
        None => "HTTP/1.1 405 Method Not Allowed\r\n\r\n",
        // "ana:s3cret" in base64.
        Some(_) if !header.contains("\r\nProxy-Authorization: Basic YW5hOnMzY3JldA==\r\n") => {
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n"
        }
        Some(target) => {
            let mut server = TcpStream::connect(target).await?;
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(target.to_owned());
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            return copy_bidirectional(&mut client, &mut server).await.map(drop);
        }
    };
    client.write_all(answer.as_bytes()).await
}
