//! A signaling server that says what a test tells it to say, over real sockets.

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// A listening mock server; it drops everything when dropped.
pub struct MockServer {
    listener: TcpListener,
    url: String,
}

impl MockServer {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("ws://{}", listener.local_addr()?);
        Ok(Self { listener, url })
    }

    /// Where to connect.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes the next connection as a WebSocket that names this subprotocol, or none.
    ///
    /// # Errors
    /// Those of the socket and the handshake.
    pub async fn accept(&self, subprotocol: Option<&'static str>) -> anyhow::Result<Connection> {
        let (tcp, _) = self.listener.accept().await?;
        #[allow(clippy::result_large_err)] // The callback's type is the library's.
        let name = move |_: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            if let Some(subprotocol) = subprotocol {
                response.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(subprotocol));
            }
            Ok(response)
        };
        Ok(Connection { socket: accept_hdr_async(tcp, name).await? })
    }

    /// Takes the next connection, writes these bytes and closes it.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn answer_raw(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let (mut tcp, _) = self.listener.accept().await?;
        tcp.write_all(bytes).await?;
        Ok(tcp.shutdown().await?)
    }
}

/// One client's connection.
pub struct Connection {
    socket: WebSocketStream<TcpStream>,
}

impl Connection {
    /// Sends any text.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn inject(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.socket.send(Frame::text(text)).await?)
    }

    /// The next text frame from the client as JSON; its close frame is an error that names the code.
    ///
    /// # Errors
    /// Those of the socket, and text that is no JSON.
    pub async fn next_frame(&mut self) -> anyhow::Result<serde_json::Value> {
        loop {
            match self.socket.next().await {
                Some(Ok(Frame::Text(text))) => return Ok(serde_json::from_str(&text)?),
                Some(Ok(Frame::Close(close))) => anyhow::bail!("closed: {:?}", close.map(|c| u16::from(c.code))),
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(e.into()),
                None => anyhow::bail!("gone"),
            }
        }
    }

    /// Sends `id`, awaits `username`, lists `users`; gives the `username` message.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn log_in(&mut self, id: &str, users: &str) -> anyhow::Result<serde_json::Value> {
        self.inject(id).await?;
        let username = self.next_frame().await?;
        self.inject(&format!(r#"{{"type":"userlist","users":{users}}}"#)).await?;
        Ok(username)
    }

    /// Closes with a code.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn close(mut self, code: u16) -> anyhow::Result<()> {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "test".into() };
        Ok(self.socket.close(Some(frame)).await?)
    }

    /// Drops the TCP connection without a close frame.
    pub fn cut(self) {}
}
