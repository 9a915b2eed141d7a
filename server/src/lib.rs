//! Chamada's signaling server: it logs people in, tells everyone who is there, carries public chat, and passes the messages
//! of calls from one person to another. It also serves the web page. Media never passes through it.
//!
//! `docs/protocol.md` describes what it speaks, `docs/operating.md` how to run it.
//!
//! ```no_run
//! # async fn example() -> Result<(), chamada_server::ServerError> {
//! let server = chamada_server::Server::bind(chamada_server::ServerConfig::default()).await?;
//! println!("listening on {}", server.local_addr());
//! server.run(async { let _ = tokio::signal::ctrl_c().await; }).await
//! # }
//! ```
//!
//! Inside: `http` answers requests and upgrades them, `connection` is one client's socket, `hub` holds everything that the
//! clients share behind one lock that is never held over an await, `outbox` is the bounded way from the hub to a socket.

mod calls;
mod config;
mod connection;
mod http;
mod hub;
mod outbox;
mod page;
mod rate;
mod relay;
mod sanitise;

pub use config::{Limits, ServerConfig};

use hub::Hub;
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time};

/// How long a shutdown waits for clients to acknowledge it.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(3);

/// Why a server could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address could not be taken: in use, not ours, or not permitted.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The listening socket failed later.
    #[error("the listening socket failed: {0}")]
    Listen(#[from] io::Error),
}

/// A server that has its port and waits to be run.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    hub: Arc<Hub>,
}

impl Server {
    /// Takes the port. Nobody is served before [`Server::run`], though the system queues who comes early.
    ///
    /// # Errors
    /// [`ServerError::Bind`].
    pub async fn bind(config: ServerConfig) -> Result<Self, ServerError> {
        let wanted = config.listen;
        let bind = |source| ServerError::Bind { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address, hub: Arc::new(Hub::new(config)) })
    }

    /// The address in use; with the real port where port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` completes, then tells every client (close code 1001) and waits a few seconds at most.
    ///
    /// # Errors
    /// [`ServerError::Listen`].
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), ServerError> {
        let Self { listener, address, hub } = self;
        // Also ends the connections when this future is dropped instead of shut down.
        let _guard = CloseOnDrop(hub.clone());
        let mut chores = JoinSet::new();
        chores.spawn(send_user_lists(hub.clone()));
        chores.spawn(forget_lost_sessions(hub.clone()));

        let (stop, mut stopped) = watch::channel(false);
        let serve = axum::serve(listener, http::router(hub.clone())).with_graceful_shutdown(async move {
            // An error means that the sender is gone, which is a reason to stop too.
            let _ = stopped.wait_for(|stop| *stop).await;
        });
        let mut serve = std::pin::pin!(serve.into_future());
        log::info!("listening on {address}");
        tokio::select! {
            result = &mut serve => return result.map_err(ServerError::Listen),
            () = shutdown => {}
        }
        log::info!("shutting down");
        hub.shut_down();
        let _ = stop.send(true);
        let farewell = async {
            let (result, ()) = tokio::join!(serve, hub.everyone_left());
            result
        };
        // Who has not gone by then is cut off.
        time::timeout(SHUTDOWN_WAIT, farewell).await.unwrap_or(Ok(())).map_err(ServerError::Listen)
    }
}

struct CloseOnDrop(Arc<Hub>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.shut_down();
    }
}

/// The first change is told at once; those of the following interval wait for its end and are told together.
async fn send_user_lists(hub: Arc<Hub>) {
    loop {
        hub.list_changed.notified().await;
        hub.send_user_list();
        time::sleep(hub.config.userlist_interval).await;
    }
}

async fn forget_lost_sessions(hub: Arc<Hub>) {
    loop {
        match hub.next_expiry() {
            Some(at) => time::sleep_until(at.into()).await,
            None => hub.session_lost.notified().await,
        }
        hub.forget_lost();
    }
}
