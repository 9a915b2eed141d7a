//! The task behind one connection.

use super::faults::Way;
use super::record::{End, Line, Order, Record};
use super::script::{Door, Manner, Reads, Script};
use futures_util::{SinkExt, StreamExt};
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

/// Serves one connection until it ends.
pub(super) async fn run(tcp: TcpStream, record: Arc<Record>) {
    let (orders, orders_in) = mpsc::unbounded_channel();
    let (end, end_in) = mpsc::unbounded_channel();
    let line = Line { orders, end, close_code: None, over: false, pings: 0, pongs: 0, written: 0 };
    let (number, script) = record.change(|state| {
        state.lines.push(line);
        (state.lines.len() - 1, state.next_scripts.pop_front().unwrap_or_else(|| state.script.clone()))
    });
    let number_of_line = number;
    // Frames are small and their timing is what tests are about.
    let _ = tcp.set_nodelay(true);
    if let Some(socket) = open(tcp, &script.door).await {
        let way = script.faults.way(number);
        let mut task = Task {
            number,
            socket,
            record: record.clone(),
            orders: orders_in,
            end: end_in,
            reads: script.reads,
            read_at: Instant::now(),
            manner: script.manner,
            way,
            flush_at: Instant::now(),
            queue: VecDeque::new(),
            due: Instant::now(),
        };
        task.welcome(&script);
        if task.serve().await == Some(End::Reset) {
            // A failure means that the connection is gone already.
            let _ = task.socket.get_ref().set_zero_linger();
        }
    }
    record.change(|state| state.over(number_of_line));
}

/// Opens the door, or shows the client another one.
async fn open(mut tcp: TcpStream, door: &Door) -> Option<WebSocketStream<TcpStream>> {
    match door {
        Door::WebSocket(subprotocol) => {
            let name = subprotocol.as_deref().and_then(|name| HeaderValue::from_str(name).ok());
            #[allow(clippy::result_large_err)] // The callback's type is the library's.
            let answer = move |_: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
                response.headers_mut().remove("sec-websocket-protocol");
                if let Some(name) = name {
                    response.headers_mut().insert("sec-websocket-protocol", name);
                }
                Ok(response)
            };
            // What is no upgrade gets no answer.
            accept_hdr_async(tcp, answer).await.ok()
        }
        Door::Http(status) => {
            read_request(&mut tcp).await;
            let answer = format!("HTTP/1.1 {status} As Told\r\ncontent-length: 6\r\nconnection: close\r\n\r\nhello\n");
            finish(tcp, answer.as_bytes()).await
        }
        Door::Raw(bytes) => finish(tcp, bytes).await,
        Door::Silent => {
            // Reads to the end, so that the client's leaving is seen.
            let _ = tokio::io::copy(&mut tcp, &mut tokio::io::sink()).await;
            None
        }
        Door::Reset => {
            let _ = tcp.set_zero_linger();
            None
        }
    }
}

async fn read_request(tcp: &mut TcpStream) {
    let (mut seen, mut buffer) = (Vec::new(), [0; 1024]);
    while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
        match tcp.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => seen.extend_from_slice(&buffer[..length]),
        }
    }
}

/// Writes the last words and waits for the client to go, since unread bytes would turn the end into a reset.
async fn finish<T>(mut tcp: TcpStream, words: &[u8]) -> Option<T> {
    if tcp.write_all(words).await.is_ok() && tcp.shutdown().await.is_ok() {
        let _ = tokio::io::copy(&mut tcp, &mut tokio::io::sink()).await;
    }
    None
}

struct Task {
    number: usize,
    socket: WebSocketStream<TcpStream>,
    record: Arc<Record>,
    orders: mpsc::UnboundedReceiver<Order>,
    end: mpsc::UnboundedReceiver<End>,
    reads: Reads,
    read_at: Instant,
    manner: Manner,
    way: Way,
    flush_at: Instant,
    queue: VecDeque<(Duration, String)>,
    due: Instant,
}

/// What woke the task.
enum Wake {
    Order(Order),
    End(End),
    Frame(Option<Result<Frame, tokio_tungstenite::tungstenite::Error>>),
    Flush,
    Due,
}

impl Task {
    fn welcome(&mut self, script: &Script) {
        let number = self.number;
        self.record.change(|state| {
            state.opened.push(number);
            for frame in &script.hello {
                state.tell(number, &frame.replace("{n}", &number.to_string()));
            }
            if script.manner == Manner::Old {
                let id = state.old.enter(number);
                state.tell(number, &id);
            }
        });
    }

    /// Works until the connection is over; says how, if the test ended it.
    async fn serve(&mut self) -> Option<End> {
        loop {
            match self.wake().await {
                Wake::End(end) => return Some(end),
                Wake::Order(order) => {
                    if let Err(over) = self.obey(order).await {
                        return over;
                    }
                }
                Wake::Flush => {
                    let frames = self.way.flush();
                    self.enqueue(frames);
                }
                Wake::Due => {
                    if let Some((_, frame)) = self.queue.pop_front() {
                        if let Err(over) = self.write(Frame::text(frame)).await {
                            return over;
                        }
                        self.due = Instant::now() + self.queue.front().map_or(Duration::ZERO, |(wait, _)| *wait);
                    }
                }
                Wake::Frame(Some(Ok(frame))) => self.heard(frame),
                Wake::Frame(Some(Err(_)) | None) => return None,
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let Self { socket, orders, end, way, queue, reads, read_at, flush_at, due, .. } = self;
        let frame = async {
            match reads {
                Reads::AtOnce => socket.next().await,
                Reads::Slowly(_) => {
                    sleep_until(*read_at).await;
                    socket.next().await
                }
                Reads::Never => pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(end) = end.recv() => Wake::End(end),
            () = sleep_until(*due), if !queue.is_empty() => Wake::Due,
            Some(order) = orders.recv() => Wake::Order(order),
            frame = frame => Wake::Frame(frame),
            () = sleep_until(*flush_at), if way.holds() => Wake::Flush,
        }
    }

    async fn obey(&mut self, order: Order) -> Result<(), Option<End>> {
        match order {
            Order::Text(text) => {
                let value = serde_json::from_str::<serde_json::Value>(&text).ok();
                let kind = value.as_ref().and_then(|value| value["type"].as_str());
                let frames = self.way.pass(text, kind);
                self.flush_at = Instant::now() + super::Faults::QUIET;
                self.enqueue(frames);
                Ok(())
            }
            Order::Binary(bytes) => self.write(Frame::binary(bytes)).await,
            Order::Ping => self.write(Frame::Ping(Default::default())).await,
            Order::Raw(bytes) => {
                tokio::select! {
                    biased;
                    Some(end) = self.end.recv() => Err(Some(end)),
                    written = self.socket.get_mut().write_all(&bytes) => written.map_err(|_| None),
                }
            }
            Order::Close(code, reason) => {
                self.write(Frame::Close(Some(CloseFrame { code: CloseCode::from(code), reason: reason.into() }))).await
            }
            Order::Read(reads) => {
                self.reads = reads;
                Ok(())
            }
        }
    }

    fn enqueue(&mut self, frames: Vec<(Duration, String)>) {
        if self.queue.is_empty() {
            self.due = Instant::now() + frames.first().map_or(Duration::ZERO, |(wait, _)| *wait);
        }
        self.queue.extend(frames);
    }

    async fn write(&mut self, frame: Frame) -> Result<(), Option<End>> {
        tokio::select! {
            biased;
            Some(end) = self.end.recv() => return Err(Some(end)),
            sent = self.socket.send(frame) => {
                // After a close frame nothing more can be sent, but the reply is still to come.
                let closing = matches!(sent, Err(tokio_tungstenite::tungstenite::Error::Protocol(_)));
                if sent.is_err() && !closing {
                    return Err(None);
                }
            }
        }
        let number = self.number;
        self.record.change(|state| state.lines[number].written += 1);
        Ok(())
    }

    fn heard(&mut self, frame: Frame) {
        if let Reads::Slowly(pause) = self.reads {
            self.read_at = Instant::now() + pause;
        }
        let (number, manner) = (self.number, self.manner);
        self.record.change(|state| match frame {
            Frame::Text(text) => {
                let value = state.keep(number, text.as_str());
                if let (Manner::Old, Some(value)) = (manner, value) {
                    for (line, frame) in state.old.hear(number, value) {
                        state.tell(line, &frame);
                    }
                }
            }
            Frame::Binary(_) | Frame::Frame(_) => state.unreadable += 1,
            Frame::Ping(_) => state.lines[number].pings += 1,
            Frame::Pong(_) => state.lines[number].pongs += 1,
            Frame::Close(close) => {
                state.lines[number].close_code = Some(close.map_or(1005, |close| u16::from(close.code)));
            }
        });
    }
}
