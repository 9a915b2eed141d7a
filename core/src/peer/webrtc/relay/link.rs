//! The connection to one relay: made, used, and closed with the socket that it carries for.

use super::{Arrival, framing};
use crate::net::{ConnectConfig, ConnectError, Stream};
use crate::signaling::ice_url::{IceUrl, IceUrlKind};
use std::io::Result;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// For TCP, proxy and TLS together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For what is still to be sent when the socket is gone: the release of an allocation.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs until the connection or the socket is gone: then `outgoing` or `incoming` is closed.
pub(super) async fn run(
    url: IceUrl,
    connect: ConnectConfig,
    known_as: SocketAddr,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
    incoming: mpsc::Sender<Arrival>,
) {
    let opening = timeout(CONNECT_TIMEOUT, connect.connect(&url.host, url.port, url.kind == IceUrlKind::TurnTls));
    let stream = tokio::select! {
        opened = opening => opened,
        () = incoming.closed() => return,
    };
    let stream = match stream {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return log::warn!("a TURN server over TCP cannot be used: {}", words(&error)),
        Err(_) => return log::warn!("a TURN server over TCP cannot be used: it did not answer in time"),
    };
    if let Err(error) = carry(stream, known_as, &mut outgoing, &incoming).await {
        log::info!("the connection to a TURN server ended: {error}");
    }
}

/// What may be read in a log: the system's own words may name the server.
fn words(error: &ConnectError) -> String {
    match error {
        ConnectError::Unreachable(error) => format!("it cannot be reached ({})", error.kind()),
        ConnectError::Proxy(why) => why.clone(),
        ConnectError::Tls(why) => format!("no secure connection, {why}"),
    }
}

async fn carry(
    stream: Stream,
    known_as: SocketAddr,
    outgoing: &mut mpsc::Receiver<Vec<u8>>,
    incoming: &mpsc::Sender<Arrival>,
) -> Result<()> {
    let (reader, writer) = split(stream);
    let closing = async {
        incoming.closed().await;
        tokio::time::sleep(CLOSE_TIMEOUT).await;
    };
    tokio::select! {
        ended = receive(reader, known_as, incoming) => ended,
        ended = transmit(writer, outgoing, incoming) => ended,
        // The server does not take what is still to be sent.
        () = closing => Ok(()),
    }
}

async fn receive(mut reader: ReadHalf<Stream>, known_as: SocketAddr, incoming: &mpsc::Sender<Arrival>) -> Result<()> {
    loop {
        let message = framing::read(&mut reader).await?;
        // When the socket is gone there is still something to send.
        let _ = incoming.send((known_as, message)).await;
    }
}

/// Until all is sent after the socket is gone.
async fn transmit(
    mut writer: WriteHalf<Stream>,
    outgoing: &mut mpsc::Receiver<Vec<u8>>,
    incoming: &mpsc::Sender<Arrival>,
) -> Result<()> {
    loop {
        let message = tokio::select! {
            biased;
            message = outgoing.recv() => message,
            () = incoming.closed() => None,
        };
        let Some(message) = message else { return writer.shutdown().await };
        writer.write_all(&message).await?;
        if outgoing.is_empty() {
            writer.flush().await?;
        }
    }
}
