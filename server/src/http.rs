//! Requests: a WebSocket upgrade on any path, else the page and `/healthz`.

use crate::{
    addresses::{self, TooMany},
    connection,
    hub::Hub,
    listen::Peer,
    page, rooms,
};
use axum::{
    Extension, Router,
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use chamada::signaling::message::SUBPROTOCOL;
use std::sync::Arc;

/// Longest message that is read at all, in bytes. Above the protocol's limit, so that a frame which is a little too long
/// gets an `error` and the connection lives on.
const MAX_READ_BYTES: usize = 80 * 1024;
/// Initial buffers of a connection, in bytes: silent ones are many.
const READ_BUFFER_BYTES: usize = 2 * 1024;
const WRITE_BUFFER_BYTES: usize = 8 * 1024;

/// For a year browsers come by TLS only (RFC 6797).
const HSTS: &str = "max-age=31536000";

const SECURITY_HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'self'; connect-src 'self'; img-src 'self' blob: data:; media-src 'self' blob: mediastream:; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()"),
    ("cache-control", "no-cache"),
];

pub(crate) fn router(hub: Arc<Hub>) -> Router {
    Router::new().fallback(answer).with_state(hub)
}

async fn answer(
    State(hub): State<Arc<Hub>>,
    Extension(peer): Extension<Peer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let wants_websocket =
        headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let mut response = match upgrade {
        Ok(upgrade) => match rooms::of_path(uri.path()) {
            Some(room) => open(hub.clone(), &peer, room, &headers, upgrade),
            None => (StatusCode::NOT_FOUND, "no room can have such a name").into_response(),
        },
        Err(rejection) if wants_websocket => rejection.into_response(),
        Err(_) if method != Method::GET && method != Method::HEAD => {
            (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], "only GET and HEAD").into_response()
        }
        Err(_) if uri.path() == "/healthz" => health(&hub),
        Err(_) => match page::asset(uri.path()) {
            Some(asset) => asset.respond(&headers),
            None => (StatusCode::NOT_FOUND, "there is nothing here").into_response(),
        },
    };
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if hub.tls.is_some() {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    response
}

fn health(hub: &Hub) -> Response {
    let (connections, users) = hub.counts();
    let body = serde_json::json!({
        "status": "ok", "version": env!("CARGO_PKG_VERSION"), "connections": connections, "users": users,
    });
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn open(hub: Arc<Hub>, peer: &Peer, room: Arc<str>, headers: &HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !origin_is_allowed(&hub.config.allowed_origins, headers) {
        hub.metrics.turned_away("origin");
        return (StatusCode::FORBIDDEN, "pages of this origin may not connect here").into_response();
    }
    let mut asked = upgrade.requested_protocols().peekable();
    if asked.peek().is_some() && !asked.any(|protocol| protocol.as_bytes() == SUBPROTOCOL.as_bytes()) {
        return (StatusCode::BAD_REQUEST, "the only WebSocket subprotocol here is 'json'").into_response();
    }
    drop(asked);
    if hub.is_crowded() {
        hub.metrics.turned_away("full");
        return (StatusCode::SERVICE_UNAVAILABLE, "the server has no room for another connection").into_response();
    }
    let addresses = &peer.addresses;
    let key = addresses::client_key(peer.ip, headers, addresses.trusted());
    let entered = match (&peer.entered, key) {
        (None, Some(key)) => match addresses.enter(key) {
            Ok(entered) => Some(Arc::new(entered)),
            Err(TooMany) => {
                hub.metrics.turned_away("address");
                return (StatusCode::TOO_MANY_REQUESTS, "too many connections from there").into_response();
            }
        },
        (entered, _) => entered.clone(),
    };
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(MAX_READ_BYTES)
        .max_frame_size(MAX_READ_BYTES)
        .on_upgrade(move |socket| async move {
            connection::serve(hub, socket, room, key).await;
            drop(entered);
        })
}

/// Who names no origin is no page in a browser. Without a list it is pages of the host that was asked that may connect, on any port: old pages
/// are often served from another one.
fn origin_is_allowed(allowed: &[String], headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    if !allowed.is_empty() {
        let is = |one: &str| one == "*" || one.trim_end_matches('/').as_bytes().eq_ignore_ascii_case(origin.as_bytes());
        return allowed.iter().any(|one| is(one));
    }
    let host = |value: Option<&HeaderValue>| Some(host_name(value?.to_str().ok()?).to_ascii_lowercase());
    let is_local = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match (host(Some(origin)), host(headers.get(header::HOST))) {
        (Some(origin), Some(host)) => origin == host || (is_local(&origin) && is_local(&host)),
        _ => false,
    }
}

/// The host in `[scheme://]host[:port]`.
fn host_name(text: &str) -> &str {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    match authority.find(']') {
        Some(end) => authority.get(..=end).unwrap_or(authority),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    }
}
