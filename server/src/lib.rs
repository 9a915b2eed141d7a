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
//! Inside: `listen` takes connections, within the limits per address of `addresses`; `http` answers requests and upgrades them, `connection` is one client's socket, `hub` holds everything that the
//! clients share behind one lock that is never held over an await, `outbox` is the bounded way from the hub to a socket, `router` the way to
//! other nodes, and `cluster` what is known of the people there.

mod addresses;
mod admission;
mod auth;
mod away;
mod calls;
mod cluster;
mod config;
mod connection;
mod departure;
mod files;
mod http;
mod hub;
mod listen;
mod lists;
mod login;
mod metrics;
mod nuisance;
mod outbox;
mod outgoing;
mod page;
mod push;
mod rate;
mod relay;
mod rooms;
mod roster;
mod router;
mod sanitise;
mod session;
mod subjects;
mod tls;
mod turn;
mod watch_file;

pub use auth::{KeyError, issue_token};
pub use config::{AuthConfig, AuthKeys, ClusterConfig, Limits, ServerConfig, TlsConfig, TurnConfig};
pub use outgoing::ClientError;
pub use push::{ApnsConfig, FcmConfig, PushConfig, PushError, StoreError, WebhookConfig};
pub use sanitise::clean_name;
pub use tls::TlsError;
pub use turn::TurnError;

use hub::Hub;
use router::{Alone, Nats, Router};
use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet, time};

/// How long a shutdown waits for clients to acknowledge it.
const SHUTDOWN_WAIT: Duration = Duration::from_secs(3);

/// A token is good that much longer at most.
const TOKEN_CHECK_EVERY: Duration = Duration::from_secs(1);

/// How much later than asked for TURN credentials are renewed at most.
const TURN_CHECK_EVERY: Duration = Duration::from_secs(5);

/// What has been taken of other nodes' messages is told together.
const TELL_TAKEN_EVERY: Duration = Duration::from_millis(5);

const NODE_CHECK_EVERY: Duration = Duration::from_secs(1);

const ANNOUNCE_EVERY: Duration = Duration::from_secs(30 * 60);

/// Devices that were not heard of for months are forgotten so much later at most.
const SILENCE_CHECK_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// How much longer than the last call the end takes.
const DRAIN_CHECK_EVERY: Duration = Duration::from_millis(250);

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
    /// The keys for tokens cannot be used.
    #[error("tokens: {0}")]
    Auth(#[from] KeyError),
    /// Certificate or key cannot be used.
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    /// There can be no TURN credentials.
    #[error("TURN: {0}")]
    Turn(#[from] TurnError),
    /// The other nodes cannot be joined.
    #[error("cluster: {0}")]
    Cluster(String),
    /// Devices cannot be rung by push.
    #[error("push: {0}")]
    Push(#[from] PushError),
}

/// A server that has its port and waits to be run.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    operator: Option<TcpListener>,
    address: SocketAddr,
    hub: Arc<Hub>,
}

impl Server {
    /// Takes the port. Nobody is served before [`Server::run`], though the system queues who comes early.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn bind(config: ServerConfig) -> Result<Self, ServerError> {
        let router: Arc<dyn Router> = match &config.cluster {
            Some(cluster) => Arc::new(Nats::join(cluster).await.map_err(|e| ServerError::Cluster(e.0))?),
            None => Arc::new(Alone),
        };
        let hub = Arc::new(Hub::new(config, router)?);
        if let Some(authority) = &hub.authority {
            authority.fetch().await?;
        }
        hub.open_push().await?;
        files::raise_limit();
        let wanted = hub.config.listen;
        let bind = |source| ServerError::Bind { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let operator = match hub.config.metrics {
            Some(address) => {
                let bind = |source| ServerError::Bind { address, source };
                Some(TcpListener::bind(address).await.map_err(bind)?)
            }
            None => None,
        };
        Ok(Self { listener, operator, address, hub })
    }

    /// Whether a server could be run with this configuration, as far as that can be known without taking its port.
    ///
    /// # Errors
    /// [`ServerError`], but no `Bind`.
    pub fn check(config: ServerConfig) -> Result<(), ServerError> {
        if let Some(cluster) = &config.cluster {
            Nats::check(cluster).map_err(|e| ServerError::Cluster(e.0))?;
        }
        Hub::new(config, Arc::new(Alone)).map(drop)
    }

    /// The operator's address in use, if there is one.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.operator.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// The address in use; with the real port where port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` completes, lets calls go on for [`ServerConfig::drain`], then tells every client (close code 1001) and waits a few
    /// seconds at most. A connection that cannot be accepted, for want of file descriptors say, is logged.
    ///
    /// # Errors
    /// None at present.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), ServerError> {
        let Self { listener, operator, address, hub } = self;
        // Also ends the connections when this future is dropped instead of shut down.
        let _guard = CloseOnDrop(hub.clone());
        let mut chores = JoinSet::new();
        if hub.tls.is_some() {
            chores.spawn(reload_certificate(hub.clone()));
        }
        if hub.turn.is_some() {
            chores.spawn(renew_turn_credentials(hub.clone()));
            chores.spawn(reload_turn_secret(hub.clone()));
        }
        chores.spawn(send_user_lists(hub.clone()));
        chores.spawn(send_changes(hub.clone()));
        chores.spawn(forget_lost_sessions(hub.clone()));
        if hub.config.cluster.is_some() {
            chores.spawn(hear_other_nodes(hub.clone()));
            chores.spawn(tell_taken(hub.clone()));
            chores.spawn(look_after_nodes(hub.clone()));
            chores.spawn(renew_claims(hub.clone()));
            chores.spawn(announce_again(hub.clone()));
        }
        if hub.config.push.is_some() {
            chores.spawn(expire_rings(hub.clone()));
            chores.spawn(forget_silent_devices(hub.clone()));
            chores.spawn(follow_registrations(hub.clone()));
        }
        if hub.authority.is_some() {
            chores.spawn(check_tokens(hub.clone()));
            chores.spawn(reload_keys(hub.clone()));
            chores.spawn(fetch_keys(hub.clone()));
        }

        let (stop, stopped) = watch::channel(false);
        let (stop_operator, operator_stopped) = watch::channel(false);
        if let Some(operator) = operator {
            chores.spawn(listen::serve_operator(operator, hub.clone(), operator_stopped));
        }
        let mut serving = JoinSet::new();
        serving.spawn(listen::serve(listener, hub.clone(), stopped));
        tracing::info!(%address, "listening");
        tokio::select! {
            _ = serving.join_next() => return Ok(()),
            () = shutdown => {}
        }
        let _ = stop.send(true);
        if !hub.config.drain.is_zero() {
            tracing::info!(most = ?hub.config.drain, "letting calls end");
            let calls_ended = async {
                while !hub.drain() {
                    time::sleep(DRAIN_CHECK_EVERY).await;
                }
            };
            let _ = time::timeout(hub.config.drain, calls_ended).await;
        }
        tracing::info!("shutting down");
        hub.shut_down();
        let _ = stop_operator.send(true);
        // Who has not gone by then is cut off.
        let _ = time::timeout(SHUTDOWN_WAIT, async { tokio::join!(serving.join_next(), hub.everyone_left()) }).await;
        if let Some(push) = hub.push.get().cloned() {
            // What rings is taken back.
            let _ = time::timeout(SHUTDOWN_WAIT, push.idle()).await;
            // The next server opens the same file.
            let _ = tokio::task::spawn_blocking(move || push.close()).await;
        }
        hub.router.leave().await;
        Ok(())
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
    let mut next = None;
    loop {
        turn_or(next, hub.list_changed.notified()).await;
        next = hub.send_user_lists(Instant::now());
    }
}

/// The same for newcomers and for clients that read deltas.
async fn send_changes(hub: Arc<Hub>) {
    let mut next = None;
    loop {
        turn_or(next, hub.changed.notified()).await;
        next = hub.send_changes(Instant::now());
    }
}

/// Waits until that time, if there is one, or for an event.
async fn turn_or(at: Option<Instant>, event: impl Future<Output = ()>) {
    match at {
        Some(at) => tokio::select! {
            () = time::sleep_until(at.into()) => {}
            () = event => {}
        },
        None => event.await,
    }
}

async fn forget_lost_sessions(hub: Arc<Hub>) {
    loop {
        // One that is lost later may be over sooner.
        turn_or(hub.next_expiry(), hub.session_lost.notified()).await;
        hub.forget_lost();
    }
}

async fn hear_other_nodes(hub: Arc<Hub>) {
    loop {
        let event = hub.router.next().await;
        hub.hear(event);
    }
}

async fn tell_taken(hub: Arc<Hub>) {
    loop {
        hub.taken.some.notified().await;
        hub.tell_taken();
        time::sleep(TELL_TAKEN_EVERY).await;
    }
}

async fn look_after_nodes(hub: Arc<Hub>) {
    loop {
        time::sleep(NODE_CHECK_EVERY).await;
        hub.look_after_nodes(Instant::now());
    }
}

async fn renew_claims(hub: Arc<Hub>) {
    loop {
        hub.renewals.wait().await;
        hub.renew_claims().await;
    }
}

/// What nobody tells anew is forgotten by the store.
async fn announce_again(hub: Arc<Hub>) {
    loop {
        time::sleep(ANNOUNCE_EVERY).await;
        hub.announce_all();
    }
}

/// Ends calls that have waited for somebody for too long.
async fn expire_rings(hub: Arc<Hub>) {
    let changed = hub.rings_changed();
    loop {
        match hub.expire_rings(Instant::now()) {
            Some(next) => tokio::select! {
                () = time::sleep_until(next.into()) => {}
                () = changed.notified() => {}
            },
            None => changed.notified().await,
        }
    }
}

async fn follow_registrations(hub: Arc<Hub>) {
    if let Some(push) = hub.push.get() {
        push.follow().await;
    }
}

async fn forget_silent_devices(hub: Arc<Hub>) {
    loop {
        if let Some(push) = hub.push.get() {
            push.forget_silent();
        }
        if let Err(e) = hub.share_push().await {
            tracing::warn!(reason = %e, "what all nodes have to have for pushes could not be renewed");
        }
        time::sleep(SILENCE_CHECK_EVERY).await;
    }
}

async fn check_tokens(hub: Arc<Hub>) {
    loop {
        time::sleep(TOKEN_CHECK_EVERY).await;
        hub.check_tokens(SystemTime::now());
    }
}

async fn reload_keys(hub: Arc<Hub>) {
    let Some(authority) = &hub.authority else { return };
    let mut files = authority.files();
    loop {
        files.changed().await;
        match authority.reload() {
            Ok(()) => tracing::info!("the keys for tokens were read again"),
            Err(e) => tracing::error!(reason = %e, "the keys for tokens stay as they were"),
        }
    }
}

async fn fetch_keys(hub: Arc<Hub>) {
    if let Some(authority) = &hub.authority {
        authority.keep_fetching().await;
    }
}

async fn renew_turn_credentials(hub: Arc<Hub>) {
    loop {
        time::sleep(TURN_CHECK_EVERY).await;
        hub.renew_turn_credentials(Instant::now());
    }
}

async fn reload_turn_secret(hub: Arc<Hub>) {
    let Some(turn) = &hub.turn else { return };
    let mut files = turn.files();
    loop {
        files.changed().await;
        match turn.reload() {
            Ok(()) => tracing::info!("the secret shared with the TURN server was read again"),
            Err(e) => tracing::error!(reason = %e, "the secret shared with the TURN server stays as it was"),
        }
    }
}

async fn reload_certificate(hub: Arc<Hub>) {
    let Some(tls) = &hub.tls else { return };
    let mut files = tls.files();
    loop {
        files.changed().await;
        match tls.reload() {
            Ok(()) => tracing::info!("certificate and key were read again"),
            Err(e) => tracing::error!(reason = %e, "certificate and key stay as they were"),
        }
    }
}
