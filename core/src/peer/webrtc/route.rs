//! Notices that media takes another path. The crate tells nobody when the selected candidate pair changes, and links of the packet
//! chain see no addresses; its statistics know. They are read four times a second.

use super::sending::{Overhead, Sending};
use super::stats;
use std::sync::Arc;
use std::time::{Duration, Instant};
use webrtc::peer_connection::{PeerConnection, StatsSelector};

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(250);

/// Follows the selected candidate pair for as long as the connection lives.
pub(super) async fn watch(connection: Arc<dyn PeerConnection>, sending: Arc<Sending>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut route = None;
    loop {
        ticks.tick().await;
        let now = Instant::now();
        let report = connection.get_stats(now, StatsSelector::None).await;
        let Some(current) = stats::route(&report) else { continue };
        if let Some(rtt) = current.rtt {
            sending.controller().on_rtt(now, rtt);
        }
        if route.as_ref() == Some(&current.addresses) {
            continue;
        }
        sending.set_overhead(current.overhead);
        // The first one is no change: nothing was learnt of another path.
        if route.replace(current.addresses).is_some() {
            log::info!("media takes another path");
            let mut controller = sending.controller();
            controller.on_route(now);
            sending.publish(controller.plan());
        }
    }
}

/// The path of the moment.
pub(super) struct Route {
    /// Local and remote address and port: an ICE restart that ends where it began is no other path.
    pub(super) addresses: [(Option<String>, u16); 2],
    pub(super) overhead: Overhead,
    pub(super) rtt: Option<Duration>,
}
