//! The crate's sockets, which lose every packet while an outage is on, repeat the datagrams of a handshake, hold nominations back, carry what
//! goes to relays over streams, and follow a peer whose address changes on the way.

use super::checks::Checks;
use super::driver_task::DriverTask;
use super::early_checks::{EarlyChecks, Seen};
use super::handshake::{GAPS, Handshake};
use super::nomination::Nominations;
use super::rebinding::{Check, Rebinding, RemotePassword};
use super::relay::{Arrival, INCOMING, Relays};
use super::relaying::Relaying;
use super::route::MediaTo;
use super::sending::Shared;
use crate::net;
use crate::outage::Outage;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, IoSliceMut, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, TokioRuntime,
    Transmit,
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Tokio's runtime, but for its UDP sockets.
#[derive(Debug)]
pub(super) struct Sockets {
    outage: Outage,
    driver: DriverTask,
    relays: Arc<Relays>,
    relaying: Arc<Relaying>,
    checks: Arc<Checks>,
    media_to: Arc<MediaTo>,
    password: RemotePassword,
    nominations: Nominations,
    early_checks: EarlyChecks,
    /// Whether there is a socket of IPv4.
    ipv4: AtomicBool,
}

impl Sockets {
    pub(super) fn new(outage: Outage, driver: DriverTask, relays: Arc<Relays>, shared: &Shared) -> Self {
        let (relaying, checks) = Default::default();
        let (media_to, password) = (Arc::clone(&shared.media_to), shared.remote_password.clone());
        let (nominations, early_checks) = (shared.nominations.clone(), shared.early_checks.clone());
        let ipv4 = AtomicBool::new(false);
        Self { outage, driver, relays, relaying, checks, media_to, password, nominations, early_checks, ipv4 }
    }
}

impl Runtime for Sockets {
    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> Result<Arc<dyn AsyncUdpSocket>> {
        let address = socket.local_addr()?;
        self.ipv4.fetch_or(address.is_ipv4(), Ordering::Relaxed);
        let inner = TokioRuntime.wrap_udp_socket(socket)?;
        let (incoming, arrivals) = mpsc::channel(INCOMING);
        let (relays, relaying) = (Arc::clone(&self.relays), Arc::clone(&self.relaying));
        let (outage, handshake) = (self.outage.clone(), Handshake::default());
        let (checks, media_to) = (Arc::clone(&self.checks), Arc::clone(&self.media_to));
        let (nominations, rebinding) = (self.nominations.clone(), Rebinding::new(self.password.clone()));
        let path = Path {
            inner,
            address,
            outage,
            handshake,
            checks,
            nominations,
            early_checks: self.early_checks.clone(),
            media_to,
            rebinding,
            relays,
            relaying,
            incoming,
        };
        Ok(Arc::new(Socket { path: Arc::new(path), arrivals: Mutex::new(arrivals) }))
    }

    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(self.driver.watch(future))
    }

    fn spawn_reactor(&self, reactor_pool_size: usize, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn_reactor(reactor_pool_size, future)
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp(&self, remote: SocketAddr) -> Boxed<'_, Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(async move { TokioRuntime.connect_tcp(remote).await })
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            if let Some(relay) = self.relays.resolve(host, self.ipv4.load(Ordering::Relaxed)) {
                return Ok(vec![relay]);
            }
            // The crate writes an IPv6 address of a relay without brackets.
            let parts = host.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
            let (name, port) = parts.ok_or(ErrorKind::InvalidInput)?;
            let bare = name.trim_start_matches('[').trim_end_matches(']');
            Ok(net::reachable(net::lookup(bare, port).await?).await)
        })
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        TokioRuntime.sleep(self.relaying.pause(duration))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        TokioRuntime.yield_now()
    }

    fn name(&self) -> &'static str {
        TokioRuntime.name()
    }
}

/// What the crate holds: its going ends the repetitions.
#[derive(Debug)]
struct Socket {
    path: Arc<Path>,
    arrivals: Mutex<mpsc::Receiver<Arrival>>,
}

#[derive(Debug)]
struct Path {
    inner: Arc<dyn AsyncUdpSocket>,
    /// What it is bound to.
    address: SocketAddr,
    outage: Outage,
    handshake: Handshake,
    checks: Arc<Checks>,
    nominations: Nominations,
    early_checks: EarlyChecks,
    media_to: Arc<MediaTo>,
    rebinding: Rebinding,
    relays: Arc<Relays>,
    relaying: Arc<Relaying>,
    /// The way in for what comes from relays.
    incoming: mpsc::Sender<Arrival>,
}

impl Path {
    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<Result<usize>> {
        if self.outage.is_on() {
            // Lost on the way: a sender of UDP does not hear of it.
            return Poll::Ready(Ok(transmit.contents.len()));
        }
        for datagram in datagrams(transmit.contents, transmit.segment_size) {
            if !self.nominations.admit(datagram)
                || !self.checks.admit(Instant::now(), self.address, transmit.destination, datagram)
            {
                return Poll::Ready(Ok(transmit.contents.len()));
            }
            self.relaying.sent(datagram);
            self.media_to.sent(transmit.destination.ip(), datagram);
            match self.relays.send(transmit.destination, datagram, &self.incoming) {
                None => {
                    let destination = self.rebinding.destination(transmit.destination);
                    return self.inner.poll_send(cx, &Transmit { destination, ..transmit.clone() });
                }
                Some(Err(error)) => return Poll::Ready(Err(error)),
                Some(Ok(())) => {}
            }
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    /// Sends a check, once.
    async fn check(path: Weak<Self>, (destination, datagram): Check) {
        let Some(path) = path.upgrade() else { return };
        let contents = datagram.as_slice();
        let transmit = Transmit { destination, ecn: None, contents, segment_size: None, src_ip: None };
        // One that does not leave is one that is lost.
        let _ = poll_fn(|cx| path.poll_send(cx, &transmit)).await;
    }

    /// From whom the crate is to have these datagrams; nobody where they are not for it.
    fn origin(&self, now: Instant, buffer: &[u8], meta: &RecvMeta) -> Option<SocketAddr> {
        let mut origin = None;
        for datagram in datagrams(buffer, Some(meta.stride)) {
            match self.early_checks.received(now, meta.addr, datagram) {
                Seen::Now => {}
                Seen::Later => continue,
                // Where there is no room the agent nominates in its own time.
                Seen::WithCheck(check) => drop(self.incoming.try_send((meta.addr, check))),
            }
            origin = self.rebinding.received(now, meta.addr, datagram).or(origin);
        }
        origin
    }

    /// Sends a flight of the handshake again until it is answered or the socket is gone.
    async fn repeat(path: Weak<Self>, flight: u64) {
        for gap in GAPS {
            tokio::time::sleep(gap).await;
            let Some(path) = path.upgrade() else { return };
            let due = path.handshake.due(flight);
            if due.is_empty() {
                return;
            }
            for (destination, datagram) in due {
                let contents = datagram.as_slice();
                let transmit = Transmit { destination, ecn: None, contents, segment_size: None, src_ip: None };
                // One that does not leave is one that is lost.
                let _ = poll_fn(|cx| path.poll_send(cx, &transmit)).await;
            }
        }
    }
}

impl Socket {
    /// One datagram from a relay that fits.
    fn poll_relays(&self, cx: &mut Context<'_>, bufs: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> Poll<()> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        while let Poll::Ready(Some((addr, datagram))) = arrivals.poll_recv(cx) {
            let (len, stride) = (datagram.len(), datagram.len().max(1));
            if let (Some(buffer), Some(meta)) = (bufs.first_mut().and_then(|b| b.get_mut(..len)), meta.first_mut()) {
                buffer.copy_from_slice(&datagram);
                *meta = RecvMeta::default();
                (meta.addr, meta.len, meta.stride) = (addr, len, stride);
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

/// The datagrams of a buffer in which they follow each other, all but the last of one size.
fn datagrams(contents: &[u8], size: Option<usize>) -> impl Iterator<Item = &[u8]> {
    contents.chunks(size.unwrap_or(contents.len()).max(1))
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> Result<SocketAddr> {
        self.path.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<Result<usize>> {
        let sent = self.path.poll_send(cx, transmit);
        if sent.is_ready() {
            for datagram in datagrams(transmit.contents, transmit.segment_size) {
                if let Some(flight) = self.path.handshake.sent(transmit.destination, datagram) {
                    tokio::spawn(Path::repeat(Arc::downgrade(&self.path), flight));
                }
                if let Some(check) = self.path.rebinding.sent(Instant::now(), transmit.destination, datagram) {
                    tokio::spawn(Path::check(Arc::downgrade(&self.path), check));
                }
            }
        }
        sent
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<Result<usize>> {
        self.path.relaying.polled();
        loop {
            let count = match self.poll_relays(cx, bufs, meta) {
                Poll::Ready(()) => 1,
                Poll::Pending => match self.path.inner.poll_recv(cx, bufs, meta) {
                    Poll::Ready(Ok(count)) => count,
                    other => return other,
                },
            };
            // Read all the same, or they would arrive when it is over. Tokio's budget for a task ends the loop in a flood.
            if self.path.outage.is_on() {
                continue;
            }
            let mut wanted = false;
            for (buffer, meta) in bufs.iter().zip(meta.iter_mut()).take(count) {
                let buffer = buffer.get(..meta.len).unwrap_or_default();
                let origin = self.path.origin(Instant::now(), buffer, meta);
                meta.addr = origin.unwrap_or(meta.addr);
                wanted |= origin.is_some();
                for datagram in datagrams(buffer, Some(meta.stride)) {
                    self.path.handshake.received(datagram);
                    self.path.nominations.received(datagram);
                    self.path.checks.received(self.path.address, meta.addr, datagram);
                }
            }
            if wanted {
                return Poll::Ready(Ok(count));
            }
        }
    }

    fn max_gso_segments(&self) -> usize {
        self.path.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.path.inner.max_gro_segments()
    }
}
