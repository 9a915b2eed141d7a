//! The server in a process of its own, with a thousand people.

use crate::Figure;
use crate::usage::{cpu_seconds, resident_mib};
use anyhow::{Context, Result};
use chamada::signaling::message::{Chat, Message, SUBPROTOCOL, Username};
use futures_util::{SinkExt, StreamExt};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PEOPLE: usize = 1000;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) struct Served {
    pub(crate) process: Child,
    pub(crate) url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `chamada serve` on a free port; it says on its first line where it listens. `cargo xtask bench` has built it beside us.
pub(crate) fn serve() -> Result<Served> {
    let binary = std::env::current_exe()?.with_file_name("chamada");
    let mut process = Command::new(binary).args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    let stdout = process.stdout.take().context("no standard output")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let url = line.split_whitespace().find(|word| word.starts_with("ws://")).context("the server said no URL")?;
    Ok(Served { process, url: url.to_owned() })
}

async fn log_in(url: &str, number: usize) -> Result<Socket> {
    log_in_as(url, &format!("person-{number}")).await
}

pub(crate) async fn log_in_as(url: &str, name: &str) -> Result<Socket> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse()?);
    let (mut socket, _) = connect_async(request).await?;
    let id = loop {
        if let Message::Id(id) = receive(&mut socket).await? {
            break id.id;
        }
    };
    let login = Message::Username(Username {
        name: name.to_owned(),
        id,
        date: 0,
        resume: None,
        features: Vec::new(),
        token: None,
        device: None,
    });
    socket.send(login.to_json().into()).await?;
    loop {
        if let Message::UserList(list) = receive(&mut socket).await?
            && list.users.iter().flatten().any(|user| user == name)
        {
            return Ok(socket);
        }
    }
}

pub(crate) async fn receive(socket: &mut Socket) -> Result<Message> {
    loop {
        let frame = socket.next().await.context("the server closed")??;
        if frame.is_text() {
            return Ok(Message::parse(frame.to_text()?)?);
        }
    }
}

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let server = serve()?;
    let process = server.process.id().to_string();
    let (start, cpu) = (Instant::now(), cpu_seconds(&process)?);
    let mut logins = JoinSet::new();
    for number in 0..PEOPLE {
        let url = server.url.clone();
        logins.spawn(async move { log_in(&url, number).await });
    }
    let sockets = logins.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    let took = start.elapsed();
    let cpu = cpu_seconds(&process)? - cpu;

    // Everybody reads; one speaks. The time counts until the last has heard.
    let mut readers = JoinSet::new();
    let mut speaker = None;
    for (number, socket) in sockets.into_iter().enumerate() {
        let (sink, mut stream) = socket.split();
        if number == 0 {
            speaker = Some(sink);
        }
        readers.spawn(async move {
            loop {
                let frame = stream.next().await.context("the server closed")??;
                if frame.is_text() && frame.to_text()?.contains("\"message\"") {
                    return anyhow::Ok(());
                }
            }
        });
    }
    let id = 0;
    let chat = Message::Chat(Chat { text: "hello, everybody".into(), id, date: 0, name: None }).to_json();
    let without_id = chat.replace("\"id\":0,", "");
    let start = Instant::now();
    speaker.context("nobody logged in")?.send(without_id.into()).await?;
    let heard = async { readers.join_all().await.into_iter().collect::<Result<Vec<_>>>() };
    tokio::time::timeout(Duration::from_secs(20), heard).await.context("somebody heard nothing")??;
    let fan_out = start.elapsed();
    Ok(vec![
        Figure::new(format!("server: {PEOPLE} logins at once, wall"), took.as_secs_f64(), "s"),
        Figure::new(format!("server: {PEOPLE} logins at once, CPU of the server"), cpu, "s").aim(1.0),
        Figure::new(format!("server: a chat line to {PEOPLE} people"), fan_out.as_secs_f64() * 1e3, "ms"),
        Figure::new(format!("server: memory with {PEOPLE} people"), resident_mib(&process)?, "MiB"),
    ])
}
