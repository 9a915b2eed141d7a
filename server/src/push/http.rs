//! The HTTP clients that pushes go out by.

use super::{provider::Outcome, url_check::PublicResolver};
use crate::outgoing::{self, ClientError};
use reqwest::{Client, RequestBuilder, StatusCode, header::RETRY_AFTER};
use std::{path::Path, sync::Arc, time::Duration};

/// Most that is read of an answer.
const MAX_ANSWER_BYTES: usize = 8 * 1024;
/// Connections that are kept to a host that a device has named, for those who speak no HTTP/2.
const MAX_IDLE_PER_HOST: usize = 2;
/// Keeps a connection to a provider through firewalls that forget silent ones.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// One client for servers that the operator has named, one for URLs that devices have.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) chosen: Client,
    pub(crate) registered: Client,
    /// Whether `registered` may send to private addresses.
    pub(crate) allow_private: bool,
}

impl Http {
    /// `authorities` are trusted beside the system's own.
    pub(crate) fn new(allow_private: bool, authorities: Option<&Path>) -> Result<Self, ClientError> {
        let tls = outgoing::tls(authorities)?;
        let chosen = outgoing::builder(tls.clone());
        let chosen = chosen.http2_keep_alive_interval(KEEP_ALIVE).http2_keep_alive_while_idle(true);
        let registered = outgoing::builder(tls).pool_max_idle_per_host(MAX_IDLE_PER_HOST);
        let registered = if allow_private { registered } else { registered.dns_resolver(Arc::new(PublicResolver)) };
        let (chosen, registered) = (outgoing::build(chosen)?, outgoing::build(registered)?);
        Ok(Self { chosen, registered, allow_private })
    }
}

/// A provider's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    /// The beginning of the body, if it is text.
    pub(crate) body: String,
}

impl Answer {
    /// What these status codes say where a provider gives them no other meaning (RFC 9110 section 15).
    pub(crate) fn outcome(&self) -> Outcome {
        match self.status {
            status if status.is_success() => Outcome::Accepted,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Outcome::Later(self.retry_after),
            status if status.is_server_error() => Outcome::Later(self.retry_after),
            status => Outcome::Refused(format!("status {}", status.as_u16())),
        }
    }
}

/// Sends a request and reads the answer. `Err`: there is none.
pub(crate) async fn send(request: RequestBuilder) -> Result<Answer, Outcome> {
    // What the library says may quote the URL, which is as good as a password.
    let failed = |e: reqwest::Error| {
        tracing::debug!(reason = %e.without_url(), "a push service did not answer");
        Outcome::Unanswered
    };
    let answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    let header = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    // A date there is (RFC 9110 section 10.2.3) counts as none: those who ring have seconds.
    let retry_after = header.and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
    // The status has said it already, should the rest not come.
    let (body, _) = outgoing::read_body(answer, MAX_ANSWER_BYTES).await;
    Ok(Answer { status, retry_after, body: String::from_utf8(body).unwrap_or_default() })
}
