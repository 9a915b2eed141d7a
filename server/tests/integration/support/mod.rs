//! A server on a free port, and clients that speak the protocol frame by frame.

pub mod calls;
pub mod nats;
pub mod push_services;

use chamada_server::{Server, ServerConfig};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::{HeaderValue, Request},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// Bounds a wait that fails the test.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct Running {
    pub address: SocketAddr,
    pub stop: Option<oneshot::Sender<()>>,
    pub task: JoinHandle<()>,
}

pub fn config() -> ServerConfig {
    ServerConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..ServerConfig::default() }
}

/// One that nobody has at the moment.
pub fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub async fn start(config: ServerConfig) -> Running {
    let server = Server::bind(config).await.unwrap();
    let address = server.local_addr();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        server
            .run(async move {
                let _ = stopped.await;
            })
            .await
            .unwrap();
    });
    Running { address, stop: Some(stop), task }
}

impl Running {
    pub fn request(&self, headers: &[(&'static str, &str)]) -> Request<()> {
        self.request_at("/", headers)
    }

    fn request_at(&self, path: &str, headers: &[(&'static str, &str)]) -> Request<()> {
        let mut request = format!("ws://{}{path}", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        request
    }

    pub async fn try_connect(
        &self,
        headers: &[(&'static str, &str)],
    ) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, tungstenite::Error> {
        connect_async_with_config(self.request(headers), None, true).await.map(|(socket, _)| socket)
    }

    /// Connects and reads the `id`.
    pub async fn connect(&self) -> Client {
        self.connect_at("/").await
    }

    /// Connects to this path and reads the `id`.
    pub async fn connect_at(&self, path: &str) -> Client {
        let request = self.request_at(path, &[("sec-websocket-protocol", "json")]);
        // As clients do: small messages do not wait for one another.
        let (socket, _) = connect_async_with_config(request, None, true).await.unwrap();
        let mut client = Client { socket, id: 0, token: String::new(), name: String::new() };
        let id = client.next().await;
        assert_eq!(id["type"], "id");
        client.id = id["id"].as_u64().unwrap();
        client.token = id["resume"].as_str().unwrap().to_owned();
        client
    }

    /// Logs in in the room of this path.
    pub async fn log_in_at(&self, path: &str, name: &str) -> Client {
        let mut client = self.connect_at(path).await;
        client.log_in(name, None).await;
        client
    }

    /// Connects, logs in, and waits for the list that names the newcomer.
    pub async fn log_in(&self, name: &str) -> Client {
        let mut client = self.connect().await;
        client.log_in(name, None).await;
        client
    }
}

pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub id: u64,
    pub token: String,
    pub name: String,
}

impl Client {
    pub async fn log_in(&mut self, name: &str, resume: Option<&str>) {
        self.log_in_with(name, resume.map_or(json!({}), |token| json!({"resume": token}))).await;
    }

    /// Logs in with more fields.
    pub async fn log_in_with(&mut self, name: &str, more: Value) {
        let mut login = json!({"type": "username", "name": name, "id": self.id, "date": 1});
        for (field, value) in more.as_object().unwrap() {
            login[field] = value.clone();
        }
        self.name = name.to_owned();
        self.send(login).await;
        let me = self.id;
        loop {
            let message = self.next_of(&["userlist", "rejectusername", "error"]).await;
            match message["type"].as_str() {
                Some("rejectusername") => {
                    assert_eq!(message["id"], me);
                    self.name = message["name"].as_str().unwrap().to_owned();
                }
                Some("userlist") if users(&message).contains(&self.name) => return,
                Some("userlist") => {}
                other => panic!("{other:?}: {message}"),
            }
        }
    }

    pub async fn send(&mut self, message: Value) {
        self.send_text(message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.unwrap();
    }

    /// The next message of any type.
    pub async fn next(&mut self) -> Value {
        loop {
            match timeout(PATIENCE + Duration::from_secs(1), self.socket.next()).await.expect("no message came") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("the connection ended: {other:?}"),
            }
        }
    }

    /// The next message of one of these types; others are passed over.
    pub async fn next_of(&mut self, kinds: &[&str]) -> Value {
        loop {
            let message = self.next().await;
            if kinds.iter().any(|kind| message["type"] == *kind) {
                return message;
            }
        }
    }

    /// The next message that is no user list.
    pub async fn heard(&mut self) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] != "userlist" {
                return message;
            }
        }
    }

    /// Waits for a user list for which `wanted` holds.
    pub async fn list_where(&mut self, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let mut lists = Vec::new();
        while let Ok(message) = timeout(PATIENCE, self.next_of(&["userlist"])).await {
            let list = users(&message);
            if wanted(&list) {
                return list;
            }
            lists.push(list);
        }
        panic!("{} sees other people: {lists:?}", self.name);
    }

    /// Waits until just these people are there. Their order is that of the clock, in milliseconds, which does not tell apart those who come
    /// to two nodes at once.
    pub async fn sees(&mut self, people: &[&str]) {
        let mut people = people.to_vec();
        people.sort_unstable();
        self.list_where(|list| {
            let mut list: Vec<&str> = list.iter().map(String::as_str).collect();
            list.sort_unstable();
            list == people
        })
        .await;
    }

    /// Sends and expects an error with this code.
    pub async fn refused(&mut self, message: Value, code: &str) -> Value {
        self.send(message).await;
        let error = self.heard().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{error}");
        error
    }

    /// Shows that nothing was waiting: an own chat line is the next thing that comes.
    pub async fn heard_nothing(&mut self) {
        let text = format!("marker {:?}", Instant::now());
        self.send(json!({"type": "message", "text": text, "id": self.id, "date": 1})).await;
        let message = self.heard().await;
        assert_eq!(message["text"], text, "{message}");
    }

    /// Closes with this code.
    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
        self.socket.close(Some(frame)).await.unwrap();
    }

    /// The code that the server closes with, after whatever came before.
    pub async fn close_code(&mut self) -> Option<u16> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("the connection stays open") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}

pub fn users(list: &Value) -> Vec<String> {
    list["users"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// A plain HTTP request, written by hand; gives status line, headers and body as they came.
pub async fn http(address: SocketAddr, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(format!("{request}\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, socket.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}
