//! What the simulated call asks of whoever decides the rates, so that a naive one can be put in the place of ours.

use std::time::{Duration, Instant};

use crate::congestion::{AudioPlan, Config, Controller, Demand, Feedback, PathLimit, Plan, Probe, Sent, VideoPlan};

/// What the per-second series shows of the estimate.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) acked_bps: f64,
    pub(super) queue_us: u64,
    pub(super) loss: f64,
}

pub(super) trait RateControl {
    fn on_sent(&mut self, now: Instant, sent: Sent);
    fn on_feedback(&mut self, now: Instant, feedback: &Feedback<'_>);
    fn on_rtt(&mut self, _: Instant, _: Duration) {}
    fn on_route(&mut self, _: Instant) {}
    fn set_demand(&mut self, _: Instant, _: Demand) {}
    fn on_backlog(&mut self, _: Instant, _: Duration) {}
    fn on_encoded(&mut self, _: Instant, _: u32) {}
    fn take_probe(&mut self, _: Instant) -> Option<Probe> {
        None
    }
    fn plan(&self) -> Plan;
    fn rtt(&self) -> Option<Duration> {
        None
    }
    fn handle_timeout(&mut self, _: Instant) {}
    fn next_wake(&self) -> Option<Instant> {
        None
    }
    /// Between these the target is to be, in bits per second.
    fn bounds(&self) -> (u32, u32) {
        (0, u32::MAX)
    }
    fn seen(&self) -> Seen {
        Seen::default()
    }
}

impl RateControl for Controller {
    fn on_sent(&mut self, now: Instant, sent: Sent) {
        Controller::on_sent(self, now, sent);
    }
    fn on_feedback(&mut self, now: Instant, feedback: &Feedback<'_>) {
        Controller::on_feedback(self, now, feedback);
    }
    fn on_rtt(&mut self, now: Instant, rtt: Duration) {
        Controller::on_rtt(self, now, rtt);
    }
    fn on_route(&mut self, now: Instant) {
        Controller::on_route(self, now);
    }
    fn set_demand(&mut self, now: Instant, demand: Demand) {
        Controller::set_demand(self, now, demand);
    }
    fn on_backlog(&mut self, now: Instant, video: Duration) {
        Controller::on_backlog(self, now, video);
    }
    fn on_encoded(&mut self, now: Instant, payload_bytes: u32) {
        Controller::on_encoded(self, now, payload_bytes);
    }
    fn take_probe(&mut self, now: Instant) -> Option<Probe> {
        Controller::take_probe(self, now)
    }
    fn plan(&self) -> Plan {
        Controller::plan(self)
    }
    fn rtt(&self) -> Option<Duration> {
        Controller::rtt(self)
    }
    fn handle_timeout(&mut self, now: Instant) {
        Controller::handle_timeout(self, now);
    }
    fn next_wake(&self) -> Option<Instant> {
        Controller::next_wake(self)
    }
    fn bounds(&self) -> (u32, u32) {
        Controller::bounds(self)
    }
    fn seen(&self) -> Seen {
        let stats = self.stats();
        Seen {
            acked_bps: f64::from(stats.acked_bps.unwrap_or(0)),
            queue_us: stats.queue.as_micros() as u64,
            loss: stats.loss,
        }
    }
}

pub(super) fn ours(now: Instant, config: Config) -> Box<dyn RateControl> {
    Box::new(Controller::new(now, config))
}

/// Sends at one rate whatever happens, or grows by 8 % each second without an end: no delay and no loss holds it.
pub(super) struct Blind {
    bps: f64,
    growth: f64,
    at: Option<Instant>,
}

impl Blind {
    pub(super) fn steady(bps: u32) -> Self {
        Self { bps: f64::from(bps), growth: 0.0, at: None }
    }

    pub(super) fn growing(bps: u32) -> Self {
        Self { bps: f64::from(bps), growth: 0.08, at: None }
    }
}

impl RateControl for Blind {
    fn on_sent(&mut self, _: Instant, _: Sent) {}

    fn on_feedback(&mut self, now: Instant, _: &Feedback<'_>) {
        let since = self.at.replace(now).map_or(0.0, |at| (now - at).as_secs_f64());
        self.bps = (self.bps * (1.0 + self.growth * since)).min(2_900_000.0);
    }

    fn plan(&self) -> Plan {
        let target_bps = self.bps as u32;
        let video = target_bps.saturating_sub(56_000) as f64 / 1.05 * 0.93;
        Plan {
            target_bps,
            pace_bps: (self.bps * 1.2) as u32,
            audio: AudioPlan {
                bitrate_bps: 32_000,
                frame: Duration::from_millis(20),
                redundancy: 0,
                loss_percent: 0,
                dtx: false,
            },
            protected: false,
            video: VideoPlan {
                bitrate_bps: video as u32,
                keyframe_bytes: (video / 8.0 * 0.15) as u32,
                suspended: false,
            },
            limit: PathLimit::None,
        }
    }
}
