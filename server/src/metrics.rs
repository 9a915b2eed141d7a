//! What the operator sees: counts for Prometheus, and whether this server wants people.

use crate::{auth::FetchMetrics, hub::Hub, push::PushMetrics};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use chamada::signaling::message::{ErrorCode, Message};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::sync::{Arc, Mutex, PoisonError};

/// One label with one of few values: what a client writes is never one.
type ByLabel = Family<[(&'static str, String); 1], Counter>;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counts since the start.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    connections: Gauge,
    users: Gauge,
    joined: Gauge,
    nodes: Gauge,
    messages: ByLabel,
    refused: ByLabel,
    turned_away: ByLabel,
    ended: ByLabel,
    pub(crate) logins: Counter,
    pub(crate) list_bytes: Counter,
    pub(crate) push: PushMetrics,
    pub(crate) key_fetches: FetchMetrics,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("chamada");
        let metrics = Self {
            registry: Mutex::default(),
            connections: Gauge::default(),
            users: Gauge::default(),
            joined: Gauge::default(),
            nodes: Gauge::default(),
            messages: ByLabel::default(),
            refused: ByLabel::default(),
            turned_away: ByLabel::default(),
            ended: ByLabel::default(),
            logins: Counter::default(),
            list_bytes: Counter::default(),
            push: PushMetrics::default(),
            key_fetches: FetchMetrics::default(),
        };
        registry.register("connections", "WebSockets that are open", metrics.connections.clone());
        registry.register("users", "People who are logged in or whose place is kept", metrics.users.clone());
        registry.register("joined", "Whether the other nodes can be reached; 1 alone", metrics.joined.clone());
        registry.register("nodes", "Nodes that are there, this one counted", metrics.nodes.clone());
        registry.register("messages", "Messages of clients that were acted on, by type", metrics.messages.clone());
        registry.register("refused", "Messages of clients that were refused, by code", metrics.refused.clone());
        registry.register("turned_away", "Connections that were not let in, by reason", metrics.turned_away.clone());
        registry.register("ended", "Sessions that ended, by whether they left or were lost", metrics.ended.clone());
        registry.register("logins", "Logins and returns", metrics.logins.clone());
        registry.register("list_bytes", "Bytes of user lists and changes that were sent", metrics.list_bytes.clone());
        metrics.push.register(&mut registry);
        metrics.key_fetches.register(&mut registry);
        Self { registry: Mutex::new(registry), ..metrics }
    }

    /// A message of this type was acted on.
    pub(crate) fn message(&self, kind: &str) {
        // Those of other types could be of as many as somebody thinks up.
        let known = Message::is_known_type(kind);
        let kind = if known { kind } else { "other" };
        self.messages.get_or_create(&[("type", kind.to_owned())]).inc();
    }

    pub(crate) fn refused(&self, code: ErrorCode) {
        let code = serde_json::to_value(code).ok().and_then(|code| code.as_str().map(str::to_owned));
        self.refused.get_or_create(&[("code", code.unwrap_or_default())]).inc();
    }

    pub(crate) fn turned_away(&self, why: &'static str) {
        self.turned_away.get_or_create(&[("reason", why.to_owned())]).inc();
    }

    pub(crate) fn ended(&self, how: &'static str) {
        self.ended.get_or_create(&[("how", how.to_owned())]).inc();
    }

    fn text(
        &self,
        (connections, users): (usize, usize),
        router: &dyn crate::router::Router,
    ) -> Result<String, std::fmt::Error> {
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.connections.set(gauge(connections));
        self.users.set(gauge(users));
        self.joined.set(router.is_joined().into());
        self.nodes.set(gauge(router.nodes()));
        let mut text = String::new();
        encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(text)
    }
}

/// What is served at the operator's address.
pub(crate) fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/readyz", get(ready))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(hub)
}

async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    match hub.metrics.text(hub.counts(), &*hub.router) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(e) => (StatusCode::INTERNAL_SERVER_ERROR, e.to_string()).into_response(),
    }
}

async fn ready(State(hub): State<Arc<Hub>>) -> Response {
    let unavailable = |why: &'static str| (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    match (hub.takes_newcomers(), hub.router.is_joined()) {
        (true, true) => "ready".into_response(),
        (true, false) => unavailable("the other nodes cannot be reached"),
        (false, _) => unavailable("this server is going"),
    }
}
