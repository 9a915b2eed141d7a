//! How a node logs in at NATS: by what its URL says, of which `async-nats` itself reads host, port and scheme alone.

use super::{Unavailable, unavailable};
use crate::rooms::percent_decoded;
use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr};

/// Options with the credentials of the first URL that has some: the servers of one NATS cluster know the same ones. A name without a password is
/// a token, as NATS's own tools take it.
///
/// # Errors
/// A URL that is none of NATS's.
pub(super) fn options(servers: &[String]) -> Result<ConnectOptions, Unavailable> {
    let mut options = ConnectOptions::new();
    let mut is_known = false;
    for server in servers {
        let Some((name, password)) = credentials(server)? else { continue };
        if is_known {
            continue;
        }
        is_known = true;
        options = match password {
            Some(password) => options.user_and_password(name, password),
            None => options.token(name),
        };
    }
    Ok(options)
}

/// Why there is no connection, in an operator's words where they help.
pub(super) fn refused(error: ConnectError) -> Unavailable {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            unavailable("NATS refuses user and password: the URL is nats://USER:PASSWORD@HOST[:PORT]")
        }
        _ => unavailable(error),
    }
}

/// The errors do not repeat the URL: it may have a password.
fn credentials(server: &str) -> Result<Option<(String, Option<String>)>, Unavailable> {
    let is_nats = server.starts_with("nats://") || server.starts_with("tls://") || !server.contains("://");
    let bad = || unavailable("a NATS server is written nats://[USER:PASSWORD@]HOST[:PORT], or tls://… for TLS");
    let url: Option<ServerAddr> = server.parse().ok();
    let url = url.filter(|url| is_nats && !url.host().is_empty()).ok_or_else(bad)?;
    let decoded = |text: &str| percent_decoded(text).ok_or_else(bad);
    let Some(name) = url.username() else { return Ok(None) };
    Ok(Some((decoded(name)?, url.password().map(decoded).transpose()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_read_from_the_url_and_what_is_no_url_of_nats_is_refused_without_repeating_it() {
        let given = |user: &str, password: Option<&str>| Ok(Some((user.to_owned(), password.map(str::to_owned))));
        for (url, wanted) in [
            ("nats://host", Ok(None)),
            ("host:4222", Ok(None)),
            ("nats://node:secret@host:4222", given("node", Some("secret"))),
            ("tls://node:s%40c%3Aret@host", given("node", Some("s@c:ret"))),
            ("nats://token@host", given("token", None)),
        ] {
            assert_eq!(credentials(url), wanted, "{url}");
        }
        for url in ["http://node:secret@host", "nats://", "nats://node:%ff@host", "ws://node:secret@host"] {
            let Err(error) = credentials(url) else { panic!("{url}") };
            assert!(error.0.contains("nats://[USER:PASSWORD@]HOST") && !error.0.contains("secret"), "{error}");
        }
    }
}
