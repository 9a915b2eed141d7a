//! Keys that the issuer of tokens publishes at a URL, as a JWK Set.

use super::{KeyError, Keys};
use crate::outgoing;
use reqwest::{Client, Url};
use std::path::Path;

/// Where the keys are, and the way there.
#[derive(Debug)]
pub(super) struct Published {
    url: Url,
    client: Client,
}

impl Published {
    /// `authorities` are trusted beside the system's own.
    ///
    /// # Errors
    /// [`KeyError::BadUrl`] for what is neither `https` nor on this machine.
    pub(super) fn new(url: &str, authorities: Option<&Path>) -> Result<Self, KeyError> {
        let bad = |why: &'static str| KeyError::BadUrl { url: url.into(), why };
        let parsed = Url::parse(url).map_err(|_| bad("it is no URL"))?;
        let is_here = matches!(parsed.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        match parsed.scheme() {
            "https" => {}
            "http" if is_here => {}
            _ => return Err(bad("keys that somebody on the way could replace are of no use, it has to be https")),
        }
        let client = outgoing::build(outgoing::builder(outgoing::tls(authorities)?))?;
        Ok(Self { url: parsed, client })
    }

    /// The keys that are there now.
    pub(super) async fn fetch(&self) -> Result<Keys, KeyError> {
        let failed = |why: String| KeyError::Unreachable { url: self.url.to_string(), why };
        let answer = self.client.get(self.url.clone()).header("accept", "application/jwk-set+json, application/json");
        let answer = answer.send().await.map_err(|e| failed(reason(&e.without_url())))?;
        if !answer.status().is_success() {
            return Err(failed(format!("status {}", answer.status().as_u16())));
        }
        let most = usize::try_from(super::keys::MAX_FILE_BYTES).unwrap_or(usize::MAX);
        let (body, end) = outgoing::read_body(answer, most + 1).await;
        end.map_err(|e| failed(reason(&e.without_url())))?;
        let place = Path::new(self.url.as_str());
        if body.len() > most {
            return Err(KeyError::TooLarge(place.into()));
        }
        super::keys::parse_jwks(&String::from_utf8_lossy(&body), place)
    }
}

/// What has gone wrong at the bottom of it: the library's own words say only that it has.
fn reason(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
