//! `chamada serve`.

use crate::args::TokenArgs;
use crate::exit::Failure;
use crate::output::line;
use crate::settings::ServeArgs;
use chamada_server::{Server, ServerError, issue_token};

pub(crate) async fn run(args: ServeArgs) -> Result<(), Failure> {
    let check = args.check;
    let config = args.server_config()?;
    if check {
        Server::check(config).map_err(failure)?;
        line("The configuration can be used.");
        return Ok(());
    }
    let s = if config.tls.is_some() { "s" } else { "" };
    let server = Server::bind(config).await.map_err(failure)?;
    let address = server.local_addr();
    line(&format!("Signaling on ws{s}://{address} and the page on http{s}://{address}/ (Ctrl-C ends it)"));
    if let Some(address) = server.metrics_addr() {
        line(&format!("Metrics on http://{address}/metrics"));
    }
    server.run(stop_signal()).await.map_err(|error| Failure::Failed(error.to_string()))
}

fn failure(error: ServerError) -> Failure {
    match error {
        ServerError::Bind { .. } => Failure::Unreachable(error.to_string()),
        _ => Failure::BadArgument(error.to_string()),
    }
}

/// `chamada token`.
pub(crate) fn token(args: &TokenArgs) -> Result<(), Failure> {
    let claims = (args.auth_audience.as_deref(), args.auth_issuer.as_deref());
    let token =
        issue_token(&args.auth_secret, &args.sub, &args.name, args.room.as_deref(), args.seconds, claims.0, claims.1);
    line(&token.map_err(|error| Failure::BadArgument(error.to_string()))?);
    Ok(())
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
