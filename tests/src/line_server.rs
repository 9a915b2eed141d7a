//! A signaling server of somebody else's: lines over TCP, the first one a connection's name, each other one whom it is for, a space, and text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Who is connected, and where their lines go. Letting go of an end closes the connection.
type People = Arc<Mutex<HashMap<String, mpsc::UnboundedSender<String>>>>;

/// Listens on a port of its own until it is dropped.
pub struct LineServer {
    address: String,
    people: People,
    task: JoinHandle<()>,
}

impl LineServer {
    /// Listens from now on.
    ///
    /// # Errors
    /// What kept the system from giving a port.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let people = People::default();
        let known = Arc::clone(&people);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&known)));
            }
        });
        Ok(Self { address, people, task })
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Closes every connection; new ones are taken.
    pub fn drop_connections(&self) {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        self.task.abort();
        self.drop_connections();
    }
}

async fn serve(stream: TcpStream, people: People) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read).lines();
    let Ok(Some(name)) = read.next_line().await else { return };
    let (lines, mut outbox) = mpsc::unbounded_channel::<String>();
    people.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), lines);
    loop {
        let line = tokio::select! {
            line = read.next_line() => line,
            line = outbox.recv() => match line {
                Some(line) if write.write_all(line.as_bytes()).await.is_ok() => continue,
                _ => return,
            },
        };
        let Ok(Some(line)) = line else { return };
        let Some((to, text)) = line.split_once(' ') else { continue };
        let people = people.lock().unwrap_or_else(PoisonError::into_inner);
        let (addressee, line) = match people.get(to) {
            Some(addressee) => (addressee, format!("{name} {text}\n")),
            None => match people.get(&name) {
                Some(sender) => (sender, format!("! {to}\n")),
                None => return,
            },
        };
        // Whoever is leaving gets no more.
        let _ = addressee.send(line);
    }
}
