//! Notices that media takes another path. The crate tells nobody when the selected candidate pair changes, and links of the packet
//! chain see no addresses; its statistics know. They are read four times a second, and at once when the connection is up (again): the first
//! feedback of a new path would be taken for a loss on the old one.

use super::sending::{Overhead, Sending};
use super::stats;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use webrtc::peer_connection::{PeerConnection, StatsSelector};

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long the statistics may take to show the pair of a connection that is up.
const SETTLES: Duration = Duration::from_millis(10);
/// How often it is looked for an address that the statistics do not know, before it counts as another one.
const LOOKS: u32 = 10;

/// To whom the newest packet of media left. Statistics have no address for a candidate that only its checks brought to light, which is
/// mostly so after an ICE restart, as checks are faster than signaling.
#[derive(Debug, Default)]
pub(super) struct MediaTo(Mutex<Option<IpAddr>>);

impl MediaTo {
    /// A datagram leaves.
    pub(super) fn sent(&self, to: IpAddr, datagram: &[u8]) {
        // RTP and RTCP (RFC 7983).
        if matches!(datagram, [128..=191, ..]) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(to);
        }
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn get(&self) -> Option<IpAddr> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the selected candidate pair for as long as the connection lives.
///
/// `connected` is notified when the connection is up.
pub(super) async fn watch(
    connection: Arc<dyn PeerConnection>,
    sending: Arc<Sending>,
    media_to: Arc<MediaTo>,
    connected: Arc<Notify>,
) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut route: Option<Route> = None;
    let mut looks = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = connected.notified() => {
                media_to.forget();
                tokio::time::sleep(SETTLES).await;
            }
            () = tokio::time::sleep(SETTLES), if looks > 0 => {}
        }
        let now = Instant::now();
        let report = connection.get_stats(now, StatsSelector::None).await;
        let Some(mut current) = stats::route(&report) else { continue };
        if let Some(rtt) = current.rtt {
            sending.controller().on_rtt(now, rtt);
        }
        if route.as_ref().is_some_and(|before| before.pair == current.pair) {
            looks = 0;
            continue;
        }
        if current.remote.is_none() && !current.overhead.relayed {
            current.remote = media_to.get();
            looks = if current.remote.is_none() && looks < LOOKS { looks + 1 } else { 0 };
            if looks > 0 {
                continue;
            }
        }
        looks = 0;
        sending.set_overhead(current.overhead);
        // The first one is no change: nothing was learnt of another path.
        if route.replace(current.clone()).is_some_and(|before| !before.leads_where(&current)) {
            log::info!("media takes another path");
            let mut controller = sending.controller();
            controller.on_route(now);
            sending.publish(controller.plan());
        }
    }
}

/// The path of the moment.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// Names the candidate pair in statistics.
    pub(super) pair: String,
    /// Addresses, where they are known. Ports say nothing of a path: an ICE restart has new sockets, and a NAT gives out others.
    pub(super) local: Option<IpAddr>,
    pub(super) remote: Option<IpAddr>,
    pub(super) overhead: Overhead,
    pub(super) rtt: Option<Duration>,
}

impl Route {
    /// Whether another candidate pair is the same path, as after an ICE restart that ends where it began.
    fn leads_where(&self, other: &Self) -> bool {
        let same =
            self.local.is_some() && self.local == other.local && self.remote.is_some() && self.remote == other.remote;
        same && self.overhead.relayed == other.overhead.relayed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(local: &str, remote: Option<&str>) -> Route {
        let (local, remote) = (Some(local.parse().unwrap()), remote.map(|remote| remote.parse().unwrap()));
        Route { pair: String::new(), local, remote, overhead: Overhead::default(), rtt: None }
    }

    #[test]
    fn another_pair_between_the_same_addresses_is_the_same_path() {
        let before = route("10.0.0.1", Some("10.0.0.2"));
        assert!(before.leads_where(&route("10.0.0.1", Some("10.0.0.2"))));
        assert!(!before.leads_where(&route("10.0.0.3", Some("10.0.0.2"))));
        assert!(!before.leads_where(&route("10.0.0.1", Some("10.0.0.4"))));
        let relayed = Route { overhead: Overhead { relayed: true, ..Overhead::default() }, ..before.clone() };
        assert!(!before.leads_where(&relayed));
        let unknown = route("10.0.0.1", None);
        assert!(!unknown.leads_where(&unknown), "nobody knows");
    }

    #[test]
    fn media_says_where_it_goes_and_checks_do_not() {
        let (to, other) = (IpAddr::from([10, 0, 0, 2]), IpAddr::from([10, 0, 0, 9]));
        let media_to = MediaTo::default();
        media_to.sent(to, &[0x80, 96]);
        media_to.sent(other, &[0x00, 0x01]);
        assert_eq!(media_to.get(), Some(to));
        media_to.forget();
        assert_eq!(media_to.get(), None);
    }
}
