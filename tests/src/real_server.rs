//! The real server on a free port of this machine.

use chamada_server::{Server, ServerConfig};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server that runs until it is stopped or dropped.
pub struct RealServer {
    url: String,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl RealServer {
    /// A server with the default limits on a free port.
    pub async fn start() -> Self {
        Self::with(ServerConfig::default()).await
    }

    /// A server with this configuration, on a free port whatever it says.
    pub async fn with(config: ServerConfig) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = match Server::bind(ServerConfig { listen, ..config }).await {
            Ok(server) => server,
            Err(error) => panic!("the server cannot start: {error}"),
        };
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let ended = server
                .run(async {
                    // Sent, or dropped with the handle: either way the server stops.
                    let _ = stopped.await;
                })
                .await;
            if let Err(error) = ended {
                log::error!("the server failed: {error}");
            }
        });
        Self { url: format!("ws://{address}"), address, stop: Some(stop), running }
    }

    /// Its WebSocket URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its page is.
    pub fn page(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Stops it and waits until it is gone.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Err(error) = self.running.await {
            panic!("the server's task failed: {error}");
        }
    }
}
