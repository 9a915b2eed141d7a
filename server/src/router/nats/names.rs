//! Whose a name is: the claims that NATS keeps.

use super::messages::json;
use crate::router::{Claim, KeyValue, Unavailable};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A claim that no session has is an aborted login's after so many seconds.
const STALE_CLAIM: u64 = 60;

/// Where the claim to a name with this look in this room stands.
pub(super) fn key(room: &str, look: &str) -> String {
    format!("{}.{}", format_args!("_{}", URL_SAFE_NO_PAD.encode(room)), URL_SAFE_NO_PAD.encode(look))
}

/// See [`Router::claim`](crate::router::Router::claim).
pub(super) async fn claim(
    names: &dyn KeyValue,
    key: &str,
    claim: &Claim,
    is_known: &(dyn Fn(u64) -> bool + Send + Sync),
) -> Result<bool, Unavailable> {
    let value = json(claim);
    loop {
        if names.create(key, value.clone()).await?.is_some() {
            return Ok(true);
        }
        // Given back in between.
        let Some(entry) = names.get(key).await? else { continue };
        let held: Option<Claim> = serde_json::from_slice(&entry.value).ok();
        let is_own = held.as_ref().is_some_and(|held| match (&held.subject, &claim.subject) {
            (None, None) => held.place == claim.place,
            (held, own) => held == own,
        });
        let is_stale = held.is_none_or(|held| held.subject.is_none() && !is_known(held.place));
        let may_have = is_own || (is_stale && entry.age >= STALE_CLAIM);
        if !may_have {
            return Ok(false);
        }
        if names.update(key, value.clone(), entry.revision).await?.is_some() {
            return Ok(true);
        }
    }
}

pub(super) async fn give_back(names: &dyn KeyValue, key: &str, claim: &Claim) -> Result<(), Unavailable> {
    let Some(entry) = names.get(key).await? else { return Ok(()) };
    if serde_json::from_slice::<Claim>(&entry.value).is_ok_and(|held| held == *claim) {
        names.delete(key).await?;
    }
    Ok(())
}
