//! `chamada serve`.

use crate::args::ServeArgs;
use crate::exit::Failure;
use crate::output::line;
use chamada_server::{Server, ServerConfig};

pub(crate) async fn run(args: ServeArgs) -> Result<(), Failure> {
    let config = ServerConfig {
        listen: args.listen,
        allowed_origins: args.allow_origin,
        trusted_proxies: args.trusted_proxy,
        ice_servers: args.ice_server,
        ..ServerConfig::default()
    };
    let server = Server::bind(config).await.map_err(|error| Failure::Unreachable(error.to_string()))?;
    let address = server.local_addr();
    line(&format!("Signaling on ws://{address} and the page on http://{address}/ (Ctrl-C ends it)"));
    server.run(stop_signal()).await.map_err(|error| Failure::Failed(error.to_string()))
}

/// Completes at Ctrl-C or, on Unix, at SIGTERM.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
                return;
            }
            Err(error) => log::warn!("SIGTERM cannot be awaited: {error}"),
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        log::warn!("Ctrl-C cannot be awaited: {error}");
        std::future::pending::<()>().await;
    }
}
