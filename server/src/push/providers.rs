//! The push services that the operator has set up.

use super::{
    apns::Apns, config::PushConfig, error::PushError, fcm::Fcm, http::Http, provider::Provider, web, web::WebPush,
    webhook::Webhook,
};
use chamada::signaling::message::PushPlatform;
use std::{collections::HashMap, path::Path, sync::Arc};

/// In the data directory.
pub(crate) const VAPID_KEY: &str = "vapid.key";

/// Providers by platform, and the public key for Web Push.
type Providers = (HashMap<PushPlatform, Arc<dyn Provider>>, Option<String>);

/// `make_key`: the key for Web Push is made if there is none.
pub(crate) fn providers(
    config: &PushConfig,
    authorities: Option<&Path>,
    make_key: bool,
) -> Result<Providers, PushError> {
    let http = Http::new(config.allow_private, authorities)?;
    let mut all: HashMap<PushPlatform, Arc<dyn Provider>> = HashMap::new();
    let mut key = None;
    if let Some(apns) = &config.apns {
        let apns: Arc<dyn Provider> = Arc::new(Apns::new(apns.clone(), http.clone())?);
        all.insert(PushPlatform::Apns, apns.clone());
        all.insert(PushPlatform::ApnsDev, apns);
    }
    if let Some(fcm) = &config.fcm {
        all.insert(PushPlatform::Fcm, Arc::new(Fcm::new(fcm, http.clone())?));
    }
    if let Some(webhook) = &config.webhook {
        all.insert(PushPlatform::Webhook, Arc::new(Webhook::new(webhook, http.clone())?));
    }
    if let Some(contact) = &config.contact {
        web::check_contact(contact)?;
        let file = config.data.join(VAPID_KEY);
        if make_key || file.exists() {
            let web = Arc::new(WebPush::new(contact, &file, http)?);
            key = Some(web.public_key().to_owned());
            all.insert(PushPlatform::WebPush, web.clone());
            all.insert(PushPlatform::UnifiedPush, web);
        }
    } else if all.is_empty() {
        let why = "nothing is told about any push service, though there is a directory for registrations";
        return Err(PushError::BadOption(why.into()));
    }
    Ok((all, key))
}
