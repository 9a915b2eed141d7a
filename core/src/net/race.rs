//! Happy Eyeballs (RFC 8305): a host with a broken IPv6 or IPv4 path is reached over the other one without waiting for a time-out.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::Future;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::time::Duration;

/// Connection Attempt Delay (RFC 8305 section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 16;

/// The addresses in the order in which they are tried: families by turns, beginning with that which the system prefers (section 4).
pub(super) fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let (preferred, other): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut all = Vec::new();
    while all.len() < MAX_ADDRESSES && preferred.len() + other.len() > 0 {
        all.extend(preferred.next());
        all.extend(other.next());
    }
    all
}

/// The first connection that comes about. An attempt begins when the one before has failed, or 250 ms after it began.
///
/// # Errors
/// That of the attempt that failed last.
pub(super) async fn race<T, F>(addresses: Vec<SocketAddr>, attempt: impl Fn(SocketAddr) -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut last = Error::new(ErrorKind::NotFound, "the name has no address");
    loop {
        attempts.extend(waiting.next().map(&attempt));
        let delay = tokio::time::sleep(ATTEMPT_DELAY);
        tokio::select! {
            ended = attempts.next() => match ended {
                Some(Ok(connection)) => return Ok(connection),
                Some(Err(error)) => last = error,
                None => return Err(last),
            },
            () = delay, if waiting.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::time::{Instant, sleep};

    fn addresses(all: &[&str]) -> Vec<SocketAddr> {
        all.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_the_preferred_one_begins() {
        let mixed = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1"]);
        assert_eq!(interleaved(mixed), addresses(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "[::3]:1"]));
        assert_eq!(interleaved(addresses(&["1.0.0.1:1", "[::1]:1"])), addresses(&["1.0.0.1:1", "[::1]:1"]));
        assert!(interleaved(vec![]).is_empty());
        let many = (1..100).map(|port| SocketAddr::from(([1, 0, 0, 1], port))).collect();
        assert_eq!(interleaved(many).len(), MAX_ADDRESSES);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_family_costs_a_quarter_of_a_second() {
        let start = Instant::now();
        let tried = Mutex::new(vec![]);
        let won = race(addresses(&["[::1]:1", "1.0.0.1:1", "[::2]:1"]), |address| {
            tried.lock().unwrap().push((address, start.elapsed()));
            async move {
                // Packets to IPv6 get lost.
                sleep(Duration::from_millis(if address.is_ipv6() { 20_000 } else { 40 })).await;
                Ok(address)
            }
        })
        .await;
        assert_eq!(won.unwrap(), addresses(&["1.0.0.1:1"])[0]);
        assert_eq!(start.elapsed(), Duration::from_millis(290));
        assert_eq!(tried.lock().unwrap().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_refused_makes_way_for_the_next_at_once() {
        let start = Instant::now();
        let won = race(addresses(&["[::1]:1", "1.0.0.1:1"]), |address| async move {
            if address.is_ipv6() { Err(ErrorKind::ConnectionRefused.into()) } else { Ok(()) }
        });
        won.await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_fail_the_last_error_is_told() {
        let failed = race::<(), _>(addresses(&["[::1]:1", "1.0.0.1:1"]), |address| async move {
            Err(if address.is_ipv6() { ErrorKind::TimedOut } else { ErrorKind::ConnectionRefused }.into())
        });
        assert_eq!(failed.await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(race::<(), _>(vec![], |_| std::future::pending()).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
