//! A person who costs little: a WebSocket and a look at each frame.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A person who is logged in.
pub(super) struct Person {
    pub(super) socket: Socket,
    /// The session's number.
    pub(super) id: u64,
    /// With which the place is taken up again.
    pub(super) token: String,
    pub(super) name: String,
    /// What came before the list: who comes back gets first what waited.
    pub(super) early: Vec<String>,
}

/// As many sockets as the system allows.
pub(super) fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// Logs in and waits for the user list.
pub(super) async fn log_in(url: &str, name: &str, resume: Option<&str>) -> Result<Person> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", "json".parse()?);
    let (mut socket, _) = connect_async(request).await?;
    let hello = next(&mut socket).await?;
    let id = hello["id"].as_u64().context("no id")?;
    let token = hello["resume"].as_str().unwrap_or_default().to_owned();
    let login =
        json!({ "type": "username", "name": name, "id": id, "date": 1, "resume": resume, "features": ["user-delta"] });
    socket.send(Message::text(login.to_string())).await?;
    let (mut name, mut early) = (name.to_owned(), Vec::new());
    loop {
        let text = next_text(&mut socket).await?;
        if text.contains("\"type\":\"userlist\"") {
            return Ok(Person { socket, id, token, name, early });
        }
        if text.contains("\"rejectusername\"") {
            let renamed: Value = serde_json::from_str(&text)?;
            name = renamed["name"].as_str().context("no name")?.to_owned();
        } else if text.contains("\"type\":\"error\"") {
            bail!("no login: {text}");
        } else {
            early.push(text);
        }
    }
}

pub(super) async fn next_text(socket: &mut Socket) -> Result<String> {
    loop {
        match socket.next().await.context("the server closed")?? {
            Message::Text(text) => return Ok(text.to_string()),
            Message::Close(frame) => bail!("the server closed: {frame:?}"),
            _ => {}
        }
    }
}

async fn next(socket: &mut Socket) -> Result<Value> {
    Ok(serde_json::from_str(&next_text(socket).await?)?)
}
