//! The door: takes TCP connections within limits, and gives each its time for a request.

use crate::{
    addresses::{Addresses, Entered},
    http,
    hub::Hub,
    metrics,
};
use hyper::{Request, body::Incoming, server::conn::http1, service::Service as _};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{net::IpAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time,
};

/// Longest request head, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long a connection may ask for pages and take them, if it does not become a WebSocket.
const HTTP_LIFETIME: Duration = Duration::from_secs(60);
/// After a failed accept, which is mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// TCP connections beside those that may become sessions: pages are fetched over them.
const OTHER_CONNECTIONS: usize = 256;

/// At the operator's address.
const OPERATOR_CONNECTIONS: usize = 32;

/// Who is at the other end of a TCP connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) ip: IpAddr,
    /// Counts the connection as long as it is there, also as a WebSocket; none behind a proxy.
    pub(crate) entered: Option<Arc<Entered>>,
    pub(crate) addresses: Arc<Addresses>,
}

/// Serves until `stopped` says so and everybody is gone.
pub(crate) async fn serve(listener: TcpListener, hub: Arc<Hub>, stopped: watch::Receiver<bool>) {
    let limits = &hub.config.limits;
    let addresses = hub.addresses.clone();
    let router = http::router(hub.clone());
    let most = limits.connections.saturating_add(OTHER_CONNECTIONS);
    let mut connections = JoinSet::new();
    let mut stop = pin!(until(stopped.clone()));
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                tracing::warn!(reason = %e, "a connection could not be accepted");
                time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // An upgraded connection leaves this set; the hub counts those.
        if connections.len() >= most {
            hub.metrics.turned_away("full");
            continue;
        }
        let Ok(entered) = addresses.accept(peer.ip()) else {
            tracing::debug!(address = %peer.ip(), "an address has too many connections");
            hub.metrics.turned_away("address");
            continue;
        };
        let peer = Peer { ip: peer.ip(), entered: entered.map(Arc::new), addresses: addresses.clone() };
        // Messages of calls are small and should not wait for one another.
        if let Err(e) = stream.set_nodelay(true) {
            tracing::debug!(reason = %e, "TCP_NODELAY");
        }
        let (hub, router, stopped) = (hub.clone(), TowerToHyperService::new(router.clone()), stopped.clone());
        connections.spawn(async move {
            let timeout = hub.config.request_timeout;
            let Some(tls) = &hub.tls else { return answer(stream, peer, router, timeout, stopped).await };
            match time::timeout(timeout, tls.acceptor.accept(stream)).await {
                Ok(Ok(stream)) => answer(stream, peer, router, timeout, stopped).await,
                Ok(Err(e)) => tracing::debug!(reason = %e, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Serves what the operator asks for, until this future is dropped.
pub(crate) async fn serve_operator(listener: TcpListener, hub: Arc<Hub>, stopped: watch::Receiver<bool>) {
    let router = metrics::router(hub.clone());
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) if connections.len() < OPERATOR_CONNECTIONS => {
                let peer = Peer { ip: peer.ip(), entered: None, addresses: hub.addresses.clone() };
                let router = TowerToHyperService::new(router.clone());
                connections.spawn(answer(stream, peer, router, hub.config.request_timeout, stopped.clone()));
            }
            Ok(_) => tracing::warn!("too many connections at the operator's address"),
            Err(e) => {
                tracing::warn!(reason = %e, "a connection at the operator's address could not be accepted");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: TowerToHyperService<axum::Router>,
    head_timeout: Duration,
    stopped: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = time::sleep(HTTP_LIFETIME) => return,
        () = until(stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(e) = result {
        tracing::debug!(reason = %e, "a request ended badly");
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a reason to stop too.
    let _ = stopped.wait_for(|stop| *stop).await;
}
