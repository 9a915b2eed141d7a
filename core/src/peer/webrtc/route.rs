//! Notices that media takes another path. The crate tells nobody when the selected candidate pair changes, and links of the packet
//! chain see no addresses; its statistics know. They are read four times a second, and at once when the connection is up (again): the first
//! feedback of a new path would be taken for a loss on the old one.

use super::sending::{Overhead, Sending};
use super::stats;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use webrtc::peer_connection::{PeerConnection, StatsSelector};

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long the statistics may take to show the pair of a connection that is up.
const SETTLES: Duration = Duration::from_millis(10);

/// Follows the selected candidate pair for as long as the connection lives.
///
/// `connected` is notified when the connection is up.
pub(super) async fn watch(connection: Arc<dyn PeerConnection>, sending: Arc<Sending>, connected: Arc<Notify>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut route: Option<Route> = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = connected.notified() => tokio::time::sleep(SETTLES).await,
        }
        let now = Instant::now();
        let report = connection.get_stats(now, StatsSelector::None).await;
        let Some(current) = stats::route(&report) else { continue };
        if let Some(rtt) = current.rtt {
            sending.controller().on_rtt(now, rtt);
        }
        if route.as_ref().is_some_and(|before| before.pair == current.pair) {
            continue;
        }
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
    /// Address and port, where they are known: those of a candidate that only its checks brought to light are not.
    pub(super) local: Option<(String, u16)>,
    pub(super) remote: Option<(String, u16)>,
    pub(super) overhead: Overhead,
    pub(super) rtt: Option<Duration>,
}

impl Route {
    /// Whether another candidate pair is the same path, as after an ICE restart that ends where it began.
    fn leads_where(&self, other: &Self) -> bool {
        self.local.is_some() && self.local == other.local && self.remote.is_some() && self.remote == other.remote
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_pair_between_the_same_addresses_is_the_same_path() {
        let route = |local: &str, remote: Option<&str>| Route {
            pair: String::new(),
            local: Some((local.into(), 1)),
            remote: remote.map(|r| (r.into(), 2)),
            overhead: Overhead::default(),
            rtt: None,
        };
        let before = route("10.0.0.1", Some("10.0.0.2"));
        assert!(before.leads_where(&route("10.0.0.1", Some("10.0.0.2"))));
        assert!(!before.leads_where(&route("10.0.0.3", Some("10.0.0.2"))));
        assert!(!before.leads_where(&route("10.0.0.1", Some("10.0.0.4"))));
        let unknown = route("10.0.0.1", None);
        assert!(!unknown.leads_where(&unknown), "nobody knows");
    }
}
