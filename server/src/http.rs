//! Requests: a WebSocket upgrade on any path, else the page and `/healthz`.

use crate::{connection, hub::Hub, page};
use axum::{
    Router,
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
const MAX_READ_BYTES: usize = 256 * 1024;

const SECURITY_HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' blob: data:; media-src 'self' blob: mediastream:; \
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
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let wants_websocket =
        headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let mut response = match upgrade {
        Ok(upgrade) => return open(hub, &headers, upgrade),
        Err(rejection) if wants_websocket => rejection.into_response(),
        Err(_) if method != Method::GET && method != Method::HEAD => {
            (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")], "only GET and HEAD").into_response()
        }
        Err(_) if uri.path() == "/healthz" => health(&hub),
        Err(_) => match page::asset(uri.path()) {
            Some(asset) => ([(header::CONTENT_TYPE, asset.content_type)], asset.body).into_response(),
            None => (StatusCode::NOT_FOUND, "there is nothing here").into_response(),
        },
    };
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
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

fn open(hub: Arc<Hub>, headers: &HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !origin_is_allowed(&hub.config.allowed_origins, headers.get(header::ORIGIN)) {
        return (StatusCode::FORBIDDEN, "pages of this origin may not connect here").into_response();
    }
    let mut asked = upgrade.requested_protocols().peekable();
    if asked.peek().is_some() && !asked.any(|protocol| protocol.as_bytes() == SUBPROTOCOL.as_bytes()) {
        return (StatusCode::BAD_REQUEST, "the only WebSocket subprotocol here is 'json'").into_response();
    }
    drop(asked);
    if hub.is_crowded() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server has no room for another connection").into_response();
    }
    upgrade
        .protocols([SUBPROTOCOL])
        .max_message_size(MAX_READ_BYTES)
        .max_frame_size(MAX_READ_BYTES)
        .on_upgrade(move |socket| connection::serve(hub, socket))
}

/// Who names no origin is no page in a browser.
fn origin_is_allowed(allowed: &[String], origin: Option<&HeaderValue>) -> bool {
    let Some(origin) = origin else { return true };
    allowed.is_empty()
        || allowed.iter().any(|one| one.trim_end_matches('/').as_bytes().eq_ignore_ascii_case(origin.as_bytes()))
}
