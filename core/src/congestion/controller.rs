//! The controller: joins the parts of the estimate and makes the [`Plan`].

use super::acked::AckedRate;
use super::alr::ApplicationLimit;
use super::competing::CompetingFlow;
use super::delay::{self, DelayEstimator, Usage};
use super::loss::{self, LossEstimator};
use super::probe::{self, Prober, Situation};
use super::produced::{Produced, RepairPart};
use super::rate::{self, RateControl};
use super::repair::Protection;
use super::rtt::Rtt;
use super::sent::SentLog;
use super::share::{self, Share, Shares};
use super::swings::Swings;
use super::{Class, Demand, Feedback, PathLimit, Plan, Probe, Sent};
use std::time::{Duration, Instant};

/// Bounds of the estimate, in bits per second on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Where it starts.
    pub start_bps: u32,
    /// Never below: what the thinnest sound needs.
    pub min_bps: u32,
    /// Never above.
    pub max_bps: u32,
}

/// Measurements of the moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ControllerStats {
    /// What the path is reckoned to carry, in bits per second on the wire.
    pub target_bps: u32,
    /// What arrives there, in bits per second on the wire; none while too little does.
    pub acked_bps: Option<u32>,
    /// How long packets wait in queues on the way, above the least of late.
    pub queue: Duration,
    /// Part of the packets lost on the way, before any repair, 0 to 1, smoothed over about a second.
    pub loss: f64,
    /// The same of sound.
    pub audio_loss: f64,
    /// Feedback that made no sense and was left out.
    pub refused_feedback: u64,
}

/// Feedback that stays away for so long, while packets are on their way, means that the path is dead. Microseconds.
const SILENCE: i64 = 1_000_000;
/// After a silence: part of the target to go on with.
const AFTER_SILENCE: f64 = 0.5;
/// The queue is emptied from this length on until it is below that, in ms.
const DRAIN: f64 = 80.0;
const DRAINED: f64 = 40.0;
const DRAIN_FACTOR: f64 = 0.5;
/// A queue of this length is none, in ms.
const EMPTY: f64 = 5.0;
/// Loss, and jitter in ms, below which a path counts as steady.
const STEADY_LOSS: f64 = 0.005;
const STEADY_JITTER: f64 = 2.0;
/// For so long, in microseconds, so that what is seen of a short cluster means something for what follows.
const STEADY_FOR: i64 = 5_000_000;
/// What may be on its way: the target over the least round-trip time and this, in ms.
const WINDOW_EXTRA: f64 = 350.0;
const LEAST_PUSHBACK: f64 = 0.1;
/// After a probe that raised the rate by this factor loss is watched for a while; so much more than before takes the rise back, and
/// keeps probes off for so long, doubling up to the longest. Microseconds.
const PROBATION_GAIN: f64 = 1.3;
const PROBATION_FROM: i64 = 300_000;
const PROBATION_TO: i64 = 1_200_000;
const PROBATION_LOSS: f64 = 0.12;
const NO_GROWTH: i64 = 20_000_000;
const NO_GROWTH_AT_MOST: i64 = 60_000_000;
/// Below this rate, in bits per second, there is more to win than to lose: for no longer than this.
const NO_GROWTH_FROM: f64 = 600_000.0;
const NO_GROWTH_LOW: i64 = 5_000_000;
/// Most of a gap between two calls that counts: a phone that slept measures nothing.
const HEARTBEAT: Duration = Duration::from_millis(25);
/// Reports of the other side's that come without transport-wide feedback: loss up to this lets the rate grow, from that on cuts it.
const REPORT_GROWS: f64 = 0.02;
const REPORT_CUTS: f64 = 0.10;

/// Decides how much is sent, by what the other side says of what arrived. One per peer connection.
#[derive(Debug)]
pub struct Controller {
    epoch: Instant,
    config: Config,
    demand: Demand,
    sent: SentLog,
    delay: DelayEstimator,
    acked: AckedRate,
    rate: RateControl,
    loss: LossEstimator,
    prober: Prober,
    swings: Swings,
    limit: ApplicationLimit,
    share: Share,
    shares: Shares,
    target: f64,
    rtt: Rtt,
    drain: bool,
    /// The path drops what is above a rate, without a queue: bursts are lost.
    is_limited: bool,
    competing: CompetingFlow,
    /// The queue without jitter, in ms, by the shorter and the longer time, as of the last feedback.
    settled_ms: (f64, f64),
    pushback: f64,
    probation: Option<Probation>,
    no_growth_until: i64,
    no_growth: i64,
    produced: Produced,
    repair: RepairPart,
    protection: Protection,
    backlog: Duration,
    last_feedback: Option<i64>,
    oldest_unanswered: Option<i64>,
    silent: bool,
    proven: Option<(f64, i64)>,
    steady_since: Option<i64>,
    is_steady: bool,
    waking: Instant,
}

/// A rise that a probe brought, on trial.
#[derive(Debug)]
struct Probation {
    before: f64,
    loss_before: f64,
    from: i64,
    to: i64,
    sent: f64,
    lost: f64,
}

impl Controller {
    /// One that has sent nothing yet.
    pub fn new(now: Instant, config: Config) -> Self {
        let min = config.min_bps.max(10_000);
        let config = Config { min_bps: min, max_bps: config.max_bps.max(min), ..config };
        let demand = Demand { video_bps: config.max_bps, audio_bps: 32_000, redundancy: false };
        let bounds = (f64::from(config.min_bps), f64::from(config.max_bps));
        let start = f64::from(config.start_bps).clamp(bounds.0, bounds.1);
        let mut share = Share::new();
        let shares = share.update(0, &Self::share_inputs(start, demand));
        Self {
            epoch: now,
            config,
            demand,
            sent: SentLog::default(),
            delay: DelayEstimator::new(),
            acked: AckedRate::default(),
            rate: RateControl::new(start, bounds),
            loss: LossEstimator::new(),
            prober: Prober::new(),
            swings: Swings::default(),
            limit: ApplicationLimit::new(),
            share,
            shares,
            target: start,
            rtt: Rtt::default(),
            drain: false,
            is_limited: false,
            competing: CompetingFlow::default(),
            settled_ms: (0.0, 0.0),
            pushback: 1.0,
            probation: None,
            no_growth_until: i64::MIN,
            no_growth: NO_GROWTH,
            produced: Produced::default(),
            repair: RepairPart::new(),
            protection: Protection::default(),
            backlog: Duration::ZERO,
            last_feedback: None,
            oldest_unanswered: None,
            silent: false,
            proven: None,
            steady_since: None,
            is_steady: false,
            waking: now + HEARTBEAT,
        }
    }

    fn share_inputs(target: f64, demand: Demand) -> share::Inputs {
        share::Inputs {
            target,
            demand,
            loss: 0.0,
            repair: 0.0,
            overhead: Produced::FIRST_OVERHEAD,
            overshoot: 1.05,
            damping: 1.0,
            silent: false,
        }
    }

    /// A packet left, at the moment that it did.
    pub fn on_sent(&mut self, now: Instant, sent: Sent) {
        let now = self.time(now);
        self.sent.sent(now, sent);
        self.limit.sent(now, sent.wire_bytes, self.target);
        self.oldest_unanswered.get_or_insert(now);
        if let Some(probation) = &mut self.probation
            && (probation.from..probation.to).contains(&now)
        {
            probation.sent += 1.0;
        }
        let bytes = f64::from(sent.wire_bytes);
        match sent.class {
            Class::Video => {
                self.prober.start(now, f64::from(self.config.start_bps));
                self.produced.on_wire(now, bytes);
                self.repair.add(now, 0.0, bytes);
            }
            Class::VideoRtx | Class::Fec => self.repair.add(now, bytes, bytes),
            Class::Audio | Class::Padding => {}
        }
    }

    /// The other side says what arrived. What makes no sense is left out and counted.
    pub fn on_feedback(&mut self, now: Instant, feedback: &Feedback<'_>) {
        let now = self.time(now);
        let Some(learned) = self.sent.feedback(now, feedback) else { return };
        if learned.acked.is_empty() && learned.lost.is_empty() && learned.found.is_empty() {
            return;
        }
        self.answered(now);
        if let Some(rtt) = learned.acked.iter().map(|packet| now - packet.sent_at).min() {
            self.rtt.measured(rtt.max(0) as f64 / 1e3);
        }
        let congested = self.delay.queue_ms() > loss::CONGESTED;
        for packet in &learned.lost {
            self.loss.lost(packet, congested);
            self.prober.lost(packet);
            if let Some(probation) = &mut self.probation
                && (probation.from..probation.to).contains(&packet.sent_at)
            {
                probation.lost += 1.0;
            }
        }
        learned.found.iter().for_each(|_| self.loss.found());
        let mut probed = None;
        let situation = self.situation(now);
        for packet in &learned.acked {
            self.delay.arrived(now, packet.sent_at, packet.arrived_at);
            self.acked.arrived(packet.sent_at, packet.arrived_at, packet.wire_bytes);
            self.loss.acked(packet.sent_at, packet.wire_bytes, packet.class == Class::Audio);
            if let Some(found) = self.prober.acked(now, packet, &situation) {
                probed = Some(found / (1.0 - self.loss.random_part(now)));
            }
        }
        self.settled_ms = (self.delay.settled_queue_ms(delay::SOON), self.delay.settled_queue_ms(delay::SETTLED));
        self.competing.add(now, self.delay.standing_queue_ms(), self.acked.bps());
        self.estimate(now, probed, !learned.lost.is_empty());
    }

    fn answered(&mut self, now: i64) {
        self.last_feedback = Some(now);
        self.oldest_unanswered = (self.sent.in_flight() > 0).then_some(now);
        if std::mem::take(&mut self.silent) {
            let before = self.target;
            self.delay = DelayEstimator::new();
            self.acked.clear();
            self.rate.set(before * AFTER_SILENCE);
            self.prober.recover(now, before);
        }
    }

    fn estimate(&mut self, now: i64, probed: Option<f64>, lost: bool) {
        // Of what is lost whatever is sent the path would have carried as much as of what arrives.
        let carried = 1.0 / (1.0 - self.loss.random_part(now));
        let acked = self.acked.bps().map(|bps| bps * carried);
        let queue_ms = self.delay.queue_ms();
        // The slope takes a while to see a path that became much slower; a queue of this length says it at once.
        let long_queue = queue_ms > DRAIN && !self.competing.is_seen();
        let usage = if long_queue { Usage::Over } else { self.usage() };
        if let Some(found) = probed {
            self.take_probe_result(now, found, acked);
        }
        if let Some(acked) = acked
            && self.proven.is_none_or(|(most, at)| acked > most || now - at > 30_000_000)
        {
            self.proven = Some((acked, now));
        }
        let before = self.rate.bps();
        let growing = !self.loss.is_testing(now) && !self.drain && self.pushback >= 1.0;
        self.rate.update(
            now,
            &rate::Inputs {
                usage: if probed.is_some() && usage == Usage::Over && queue_ms < 10.0 { Usage::Normal } else { usage },
                queue_ms: (queue_ms - self.delay.usual_queue_ms()).max(0.0),
                settled_ms: (self.settled_ms.1 - self.delay.usual_queue_ms()).max(0.0),
                acked,
                recent: self.acked.recent_bps().map(|bps| bps * carried),
                rtt_ms: self.rtt.smoothed(),
                application_limited: self.limit.is_on(),
                may_grow: growing,
                competing: self.competing.is_seen(),
                lost,
            },
        );
        if self.rate.take_outgrown() {
            self.prober.hurry(now);
        }
        if self.rate.bps() < before {
            let highest = self.rate.take_before_cuts().unwrap_or(before);
            self.prober.cut(now, highest, self.rate.bps());
            self.swings.cut(now, highest, self.rate.bps());
            // What the path carried once it does not carry now.
            (self.proven, self.steady_since) = (None, None);
        }
        self.look_whether_steady(now);
        let own = self.loss.update(
            now,
            &loss::Inputs {
                acked,
                delay_rate: self.rate.bps(),
                queue_ms,
                overuse: usage == Usage::Over,
                competing: self.competing.is_seen(),
                application_limited: self.limit.is_on(),
            },
        );
        if own && let Some(bound) = self.loss.bps() {
            self.rate.full_at(bound);
        }
        if self.loss.is_own(now)
            && let Some(bound) = self.loss.bps()
        {
            self.rate.set(self.rate.bps().min(bound.max(before * 0.5)));
        }
        self.end_probation(now, acked);
        self.drain = match self.drain {
            _ if self.competing.is_seen() => false,
            true => queue_ms > DRAINED,
            false => queue_ms > DRAIN,
        };
        self.push_back();
        self.set_target(now);
    }

    fn look_whether_steady(&mut self, now: i64) {
        let jitter = self.delay.usual_queue_ms();
        let is = self.loss.smoothed() < STEADY_LOSS && jitter < STEADY_JITTER && self.settled_ms.1 - jitter < EMPTY;
        self.steady_since = is.then(|| self.steady_since.unwrap_or(now));
        self.is_steady = self.steady_since.is_some_and(|since| now - since >= STEADY_FOR);
    }

    /// What the detector says; without a queue it is jitter that it sees, or a queue that is gone already.
    fn usage(&self) -> Usage {
        match self.delay.usage() {
            _ if self.settled_ms.0 - self.delay.usual_queue_ms() < EMPTY => Usage::Normal,
            usage => usage,
        }
    }

    fn take_probe_result(&mut self, now: i64, found: f64, acked: Option<f64>) {
        let before = self.rate.bps();
        let found = self.swings.bound(now).map_or(found, |bound| found.min(bound));
        // What it found lower than that says little: the detector sees a full path by itself.
        if found > before {
            self.rate.probed(found.min(f64::from(self.config.max_bps)));
        }
        self.proven = Some((self.proven.map_or(found, |(most, _)| most.max(found)), now));
        if found > PROBATION_GAIN * acked.unwrap_or(before) && self.probation.is_none() {
            let (from, to) = (now + PROBATION_FROM, now + PROBATION_TO);
            let loss_before = self.loss.smoothed();
            self.probation = Some(Probation { before, loss_before, from, to, sent: 0.0, lost: 0.0 });
        }
    }

    fn end_probation(&mut self, now: i64, acked: Option<f64>) {
        let Some(probation) = &self.probation else { return };
        let much = probation.sent >= 15.0 && probation.lost / probation.sent > probation.loss_before + PROBATION_LOSS;
        if much && probation.lost >= 4.0 {
            let back = acked.unwrap_or(0.0).max(probation.before);
            self.rate.set(back.min(self.rate.bps()));
            if back < NO_GROWTH_FROM {
                self.no_growth_until = now + NO_GROWTH_LOW;
            } else {
                self.no_growth_until = now + self.no_growth;
                self.no_growth = (self.no_growth * 2).min(NO_GROWTH_AT_MOST);
            }
            self.probation = None;
        } else if now > probation.to + 500_000 {
            self.no_growth = NO_GROWTH;
            self.probation = None;
        }
    }

    /// What is on its way beyond what the path can hold is kept from the encoder.
    fn push_back(&mut self) {
        let window = self.target / 8e3 * (self.rtt.least() + WINDOW_EXTRA);
        let fill = self.sent.in_flight() as f64 / window.max(1.0);
        self.pushback = match fill {
            fill if fill > 1.5 => self.pushback * 0.9,
            fill if fill > 1.0 => self.pushback * 0.95,
            fill if fill < 0.1 => 1.0,
            _ => self.pushback * 1.05,
        }
        .clamp(LEAST_PUSHBACK, 1.0);
    }

    fn set_target(&mut self, now: i64) {
        self.is_limited = self.loss.has_limit(now);
        let bound = self.loss.bps().unwrap_or(f64::MAX);
        let target = self.rate.bps().min(bound) * self.loss.test_factor(now);
        self.target = target.clamp(f64::from(self.config.min_bps), f64::from(self.config.max_bps));
        let least_rtt = Duration::from_secs_f64(self.rtt.least() / 1e3);
        self.protection.update(now, self.loss.smoothed(), least_rtt);
        let damping = self.pushback.min(if self.drain { DRAIN_FACTOR } else { 1.0 });
        self.shares = self.share.update(
            now,
            &share::Inputs {
                target: self.target,
                demand: self.demand,
                loss: self.loss.of_audio(),
                repair: self.repair.part(),
                overhead: self.produced.overhead(),
                overshoot: self.produced.overshoot(),
                damping,
                silent: self.silent,
            },
        );
        self.produced.asked(now, f64::from(self.shares.video.bitrate_bps));
    }

    /// A round-trip time from a receiver report or a connectivity check.
    pub fn on_rtt(&mut self, _: Instant, rtt: Duration) {
        self.rtt.reported(rtt.as_secs_f64() * 1e3);
    }

    /// Part of what was sent that the other side reports as lost (RFC 3550 section 6.4.1), 0 to 1. It counts where no transport-wide
    /// feedback comes, in the manner of draft-ietf-rmcat-gcc-02 section 6.
    pub fn on_remote_loss(&mut self, now: Instant, fraction: f64) {
        let now = self.time(now);
        if self.last_feedback.is_some() || !fraction.is_finite() {
            return;
        }
        let rate = self.rate.bps();
        let fraction = fraction.clamp(0.0, 1.0);
        if fraction < REPORT_GROWS {
            self.rate.set(rate * 1.05);
        } else if fraction > REPORT_CUTS {
            self.rate.set(rate * (1.0 - fraction / 2.0));
        }
        self.set_target(now);
    }

    /// Media takes another path: what was learnt of the old one holds no more.
    pub fn on_route(&mut self, now: Instant) {
        let now = self.time(now);
        let before = self.target;
        let acked = self.acked.bps().unwrap_or(0.0);
        self.delay = DelayEstimator::new();
        self.acked.clear();
        self.rate.forget_capacity();
        self.loss.route_changed();
        self.sent.forget_flight();
        self.rtt = Rtt::default();
        (self.competing, self.settled_ms) = (CompetingFlow::default(), (0.0, 0.0));
        (self.drain, self.silent, self.pushback, self.probation) = (false, false, 1.0, None);
        (self.proven, self.oldest_unanswered, self.no_growth_until) = (None, None, i64::MIN);
        (self.steady_since, self.is_steady) = (None, false);
        self.rate.set(f64::from(self.config.start_bps).max(acked).min(before));
        self.prober.route_changed(now, before);
        self.swings = Swings::default();
        self.set_target(now);
    }

    /// What the application would send.
    pub fn set_demand(&mut self, now: Instant, demand: Demand) {
        let now = self.time(now);
        if self.demand != demand {
            self.demand = demand;
            self.set_target(now);
        }
    }

    /// How long the video that waits in the pacer takes to leave.
    pub fn on_backlog(&mut self, _: Instant, video: Duration) {
        self.backlog = video;
    }

    /// So many bytes of compressed video were made, headers not included.
    pub fn on_encoded(&mut self, now: Instant, payload_bytes: u32) {
        let now = self.time(now);
        self.produced.encoded(now, f64::from(payload_bytes));
    }

    /// A probe that is to be sent now.
    pub fn take_probe(&mut self, now: Instant) -> Option<Probe> {
        let now = self.time(now);
        if self.silent || self.backlog > Duration::from_millis(250) {
            return None;
        }
        let situation = self.situation(now);
        self.prober.next(now, &situation)
    }

    fn situation(&self, now: i64) -> Situation {
        let video = if self.demand.video_bps == 0 { 0.0 } else { f64::from(self.demand.video_bps) * 1.1 + 10_000.0 };
        let audio = self.shares.audio_wire;
        let wanted = (video + audio).min(f64::from(self.config.max_bps));
        Situation {
            target: self.target,
            demand: self.swings.bound(now).map_or(wanted, |bound| wanted.min(bound.max(self.target))),
            most: 1.2 * f64::from(self.config.max_bps),
            queue_ms: self.settled_ms.1,
            capacity: self.rate.capacity(now),
            proven: self.proven.map(|(most, _)| most),
            steady: self.is_steady,
            normal: self.usage() == Usage::Normal
                && !self.drain
                && !self.competing.is_seen()
                && !self.loss.is_testing(now),
            held_by_loss: self.loss.is_own(now) || self.loss.passes_bursts(now),
            limited_since: self.limit.since(),
            no_growth_until: self.no_growth_until,
        }
    }

    /// How to send from now on.
    pub fn plan(&self) -> Plan {
        let Shares { audio, audio_wire, video } = self.shares;
        let mut pace = Share::pace(self.target, audio_wire);
        if self.drain || self.is_limited {
            pace = (self.target - audio_wire).max(share::LEAST_PACE);
        } else if let Some((proven, _)) = self.proven
            && proven >= 2.0 * self.target
        {
            let most = if self.is_steady { probe::ROOM[1] } else { 2.5 };
            pace = pace.max((most * self.target).min(0.9 * proven) - audio_wire);
        }
        let wanted = f64::from(self.demand.video_bps);
        let limit = if f64::from(video.bitrate_bps) >= 0.95 * wanted && !video.suspended {
            PathLimit::None
        } else if self.loss.bps().is_some_and(|bound| bound < self.rate.bps()) {
            PathLimit::Loss
        } else {
            PathLimit::Bandwidth
        };
        Plan {
            target_bps: self.target as u32,
            pace_bps: pace as u32,
            audio,
            video,
            protected: self.protection.is_on(),
            limit,
        }
    }

    /// Round-trip time, smoothed, queues included.
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt.known().map(|ms| Duration::from_secs_f64(ms / 1e3))
    }

    /// To be called when [`next_wake`](Self::next_wake) has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        if now < self.waking {
            return;
        }
        self.waking = now + HEARTBEAT;
        let now = self.time(now);
        self.limit.update(now, self.target);
        let answered = self.last_feedback.is_some();
        let unanswered = self.oldest_unanswered.is_some_and(|since| now - since > SILENCE);
        if answered && unanswered && self.sent.in_flight() > 0 && !self.silent {
            self.silent = true;
        }
        self.set_target(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do though nothing comes.
    pub fn next_wake(&self) -> Option<Instant> {
        Some(self.waking)
    }

    /// Measurements of the moment.
    pub fn stats(&self) -> ControllerStats {
        ControllerStats {
            target_bps: self.target as u32,
            acked_bps: self.acked.bps().map(|bps| bps as u32),
            queue: Duration::from_secs_f64(self.delay.queue_ms().clamp(0.0, 60_000.0) / 1e3),
            loss: self.loss.smoothed(),
            audio_loss: self.loss.of_audio(),
            refused_feedback: self.sent.refused,
        }
    }

    /// Between these the target is, in bits per second.
    #[cfg(test)]
    pub(super) fn bounds(&self) -> (u32, u32) {
        (self.config.min_bps, self.config.max_bps)
    }

    /// Microseconds since this controller was made.
    fn time(&self, at: Instant) -> i64 {
        i64::try_from(at.saturating_duration_since(self.epoch).as_micros()).unwrap_or(i64::MAX / 4)
    }
}

#[cfg(test)]
#[path = "controller_tests.rs"]
mod tests;
