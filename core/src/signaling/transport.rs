//! The WebSocket: the rules for addresses, the opening handshake, and what its failures mean.

use super::error::SignalingError;
use super::message::{DEFAULT_PORT, MAX_FRAME_BYTES, SUBPROTOCOL};
use crate::net::{ConnectConfig, ConnectError, Stream};
use crate::outage::Outage;
use std::io::ErrorKind;
use std::time::Duration;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{Error as WsError, ProtocolError, SubProtocolError};
use tokio_tungstenite::tungstenite::http::header::{LOCATION, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::{Host, Url};

pub(crate) type Socket = WebSocketStream<Stream>;

/// Whether this is an address of this machine (loopback).
pub(crate) fn is_loopback_address(address: &str) -> bool {
    resolve(address, true).is_ok_and(|url| is_loopback(&url))
}

/// Whether this is an address of this machine or of its local network: one that routers do not forward to the internet (RFC 1918,
/// RFC 3927, RFC 4193, RFC 4291), or an mDNS name (RFC 6762). An app may allow unencrypted connections to these, for a
/// developer's server without a certificate, and to no others.
pub fn is_local_network(address: &str) -> bool {
    let Ok(url) = resolve(address, true) else { return false };
    is_loopback(&url)
        || match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').ends_with(".local"),
            Some(Host::Ipv4(ip)) => ip.is_private() || ip.is_link_local(),
            Some(Host::Ipv6(ip)) => ip.is_unique_local() || ip.is_unicast_link_local(),
            None => false,
        }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The URL to open: `http` and `https` are read as `ws` and `wss`; a bare host means `ws` on loopback and `wss` elsewhere, port 6503
/// where none is given; unencrypted only to loopback unless allowed.
pub(crate) fn resolve(address: &str, allow_insecure: bool) -> Result<Url, SignalingError> {
    let address = address.trim();
    let bad = || SignalingError::BadUrl(address.chars().take(200).collect());
    let (scheme, rest) = address.split_once("://").map_or((None, address), |(s, r)| (Some(s.to_ascii_lowercase()), r));
    // Parsed as a scheme without a default port, so that a port that was written is seen.
    let probe = Url::parse(&format!("ws://{rest}")).map_err(|_| bad())?;
    let explicit_port = {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let after_host = authority.rsplit(']').next().unwrap_or_default();
        after_host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty())
    };
    let loopback = is_loopback(&probe);
    let secure = match scheme.as_deref() {
        Some("ws" | "http") => false,
        Some("wss" | "https") => true,
        None => !loopback,
        Some(_) => return Err(bad()),
    };
    let mut url = Url::parse(&format!("{}://{rest}", if secure { "wss" } else { "ws" })).map_err(|_| bad())?;
    if url.host_str().is_none_or(str::is_empty) || !url.username().is_empty() || url.password().is_some() {
        return Err(bad());
    }
    if !explicit_port && (scheme.is_none() || (loopback && !secure)) {
        url.set_port(Some(DEFAULT_PORT)).map_err(|()| bad())?;
    }
    url.set_fragment(None);
    if !secure && !loopback && !allow_insecure {
        return Err(SignalingError::Insecure(host_of(&url)));
    }
    Ok(url)
}

fn host_of(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}

pub(crate) async fn open(
    url: &Url,
    connect: &ConnectConfig,
    timeout: Duration,
    outage: &Outage,
) -> Result<Socket, SignalingError> {
    let mut request = url.as_str().into_client_request().map_err(|_| SignalingError::BadUrl(url.to_string()))?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    let config =
        WebSocketConfig::default().max_message_size(Some(MAX_FRAME_BYTES)).max_frame_size(Some(MAX_FRAME_BYTES));
    if outage.is_on() {
        return Err(SignalingError::Unreachable { host: host_of(url), detail: "an outage was asked for".into() });
    }
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let secure = url.scheme() == "wss";
    let opening = async {
        let stream = connect.connect(bare, port, secure).await.map_err(|e| not_connected(e, url))?;
        client_async_with_config(request, stream, Some(config)).await.map_err(|e| meaning(e, url))
    };
    let (socket, response) = match tokio::time::timeout(timeout, opening).await {
        Err(_) => return Err(SignalingError::TimedOut),
        // Servers with TLS answer a plain request with an alert, with HTTP status 400, or by closing: it takes a handshake to know.
        Ok(Err(error @ SignalingError::NotWebSocket { status: None | Some(400) })) if !secure => {
            let is_tls = tokio::time::timeout(timeout, connect.is_tls(bare, port)).await;
            return Err(if is_tls == Ok(true) { SignalingError::NeedsTls(host_of(url)) } else { error });
        }
        Ok(opened) => opened?,
    };
    match response.headers().get(SEC_WEBSOCKET_PROTOCOL).map(|v| v.to_str().unwrap_or("?").to_owned()) {
        Some(chosen) if chosen == SUBPROTOCOL => Ok(socket),
        other => Err(SignalingError::WrongSubprotocol(other)),
    }
}

/// What it means when there is no connection to the server.
fn not_connected(error: ConnectError, url: &Url) -> SignalingError {
    match error {
        ConnectError::Unreachable(e) if e.kind() == ErrorKind::TimedOut => SignalingError::TimedOut,
        ConnectError::Unreachable(e) => SignalingError::Unreachable { host: host_of(url), detail: e.to_string() },
        ConnectError::Proxy(detail) => SignalingError::Proxy { host: host_of(url), detail },
        ConnectError::Tls(why) => SignalingError::Tls(why),
    }
}

/// What it means when the connection was made, and no WebSocket.
fn meaning(error: WsError, url: &Url) -> SignalingError {
    match error {
        WsError::Io(e) if e.kind() == ErrorKind::TimedOut => SignalingError::TimedOut,
        // A certificate of ours that the server does not like is told after the handshake (RFC 8446).
        WsError::Io(e) if url.scheme() == "wss" => SignalingError::Tls(e.to_string()),
        WsError::Io(_) => SignalingError::NotWebSocket { status: None },
        WsError::Tls(e) => SignalingError::Tls(e.to_string()),
        WsError::Url(_) => SignalingError::BadUrl(url.to_string()),
        WsError::Http(response) if is_to_tls(&response, url) => SignalingError::NeedsTls(host_of(url)),
        WsError::Http(response) => SignalingError::NotWebSocket { status: Some(response.status().as_u16()) },
        WsError::Protocol(ProtocolError::SecWebSocketSubProtocolError(e)) => {
            SignalingError::WrongSubprotocol(match e {
                SubProtocolError::NoSubProtocol => None,
                other => Some(other.to_string()),
            })
        }
        _ => SignalingError::NotWebSocket { status: None },
    }
}

/// Whether an answer to a plain request sends on to the same host by TLS.
fn is_to_tls<T>(response: &Response<T>, url: &Url) -> bool {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let there = location.filter(|_| response.status().is_redirection()).and_then(|location| Url::parse(location).ok());
    url.scheme() == "ws" && there.is_some_and(|there| there.scheme() == "https" && there.host() == url.host())
}

/// What an error on an open connection means.
pub(crate) fn broken(error: &WsError) -> SignalingError {
    match error {
        WsError::Capacity(e) => SignalingError::Protocol(e.to_string()),
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) | WsError::Io(_) => vanished(),
        WsError::Protocol(e) => SignalingError::Protocol(e.to_string()),
        WsError::Utf8(e) => SignalingError::Protocol(e.clone()),
        _ => vanished(),
    }
}

/// The connection ended without a close frame.
pub(crate) fn vanished() -> SignalingError {
    SignalingError::ServerClosed { code: 1006, reason: "connection lost".into() }
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
