//! One end of a call: encoders, controller, pacer and repair put together as the adapters do it, over simulated links.

use std::time::Duration;

use super::encoder::{Encoder, gate};
use super::link::{MILLI, SECOND};
use super::network::Network;
use super::packet::{
    Body, Control, DESCRIPTOR, HEADERS, Media, Packet, REPAIR_HEADER, RTCP_HEADERS, RTX_HEADER, RepairPacket,
    SoundPacket, VideoPacket, instant, max_payload, micros,
};
use super::paid::Paid;
use super::playout::Playout;
use super::random::Random;
use super::rate_control::RateControl;
use super::receiver::{Arrivals, Decoded, VideoReceiver};
use super::sound::{JitterBuffer, Microphone};
use crate::congestion::repair::{RetransmissionBudget, RetransmissionHistory, repair_packets};
use crate::congestion::{Class, Demand, Feedback, Pacer, Sent};

const FEEDBACK_EVERY: u64 = 50 * MILLI;
const SENDER_REPORT_EVERY: u64 = SECOND;
/// Timers run on a grid: no runtime wakes to the microsecond.
const TIMER_STEP: u64 = MILLI;

/// What waits in the pacer.
#[derive(Debug, Clone, Copy)]
enum Handle {
    Sound(SoundPacket),
    Video(VideoPacket),
    Repeat(VideoPacket),
    Repair(RepairPacket),
    Padding,
}

/// How an end is off from the ideal.
#[derive(Debug, Clone, Default)]
pub(super) struct Flaws {
    /// Timers come so much too late with that probability: (probability, microseconds).
    pub(super) late_timers: Vec<(f64, u64)>,
    /// Its clock is off by so many microseconds, and runs so many millionths too fast.
    pub(super) clock_offset: i64,
    pub(super) clock_drift_ppm: i64,
    /// The machine sleeps from – to.
    pub(super) sleeps: Vec<(u64, u64)>,
}

pub(super) struct Endpoint {
    me: usize,
    peer: usize,
    control: Box<dyn RateControl>,
    pacer: Pacer<Handle>,
    paid: Paid,
    encoder: Encoder,
    microphone: Microphone,
    history: RetransmissionHistory<VideoPacket>,
    budget: RetransmissionBudget,
    number: u64,
    sequence: u64,
    frame: u64,
    video_bps: u32,
    redundancy: bool,
    arrivals: Arrivals,
    receiver: VideoReceiver,
    playout: Playout,
    jitter: JitterBuffer,
    next_feedback: u64,
    next_sender_report: u64,
    /// When the last RTCP of the other side was sent and came.
    heard: Option<(u64, u64)>,
    picture_loss_wanted: bool,
    flaws: Flaws,
    random: Random,
    /// When something is due, and when the timer comes.
    due: u64,
    wake: u64,
}

impl Endpoint {
    /// One that begins now; `video_bps` 0: no camera.
    pub(super) fn new(
        (me, peer): (usize, usize),
        start: u64,
        control: Box<dyn RateControl>,
        video_bps: u32,
        flaws: Flaws,
        mut random: Random,
    ) -> Self {
        let plan = control.plan();
        let mut end = Self {
            me,
            peer,
            pacer: Pacer::new(instant(start), plan.pace_bps),
            paid: Paid::new(start, plan.pace_bps),
            encoder: Encoder::new(start, plan.video, video_bps, random.fork()),
            microphone: Microphone::new(start.next_multiple_of(20 * MILLI)),
            history: RetransmissionHistory::new(),
            budget: RetransmissionBudget::new(instant(start), plan.target_bps),
            // Close below the wrap of the 16 bits that travel.
            number: 65_000,
            sequence: 65_000,
            frame: 0,
            video_bps,
            redundancy: true,
            arrivals: Arrivals::default(),
            receiver: VideoReceiver::new(),
            playout: Playout::new(),
            jitter: JitterBuffer::new(),
            next_feedback: start + FEEDBACK_EVERY,
            next_sender_report: start,
            heard: None,
            picture_loss_wanted: false,
            flaws,
            random,
            due: start,
            wake: start,
            control,
        };
        end.tell_demand(start);
        end
    }

    pub(super) fn next_wake(&self) -> u64 {
        self.wake
    }

    pub(super) fn set_video(&mut self, now: u64, bps: u32) {
        self.video_bps = bps;
        self.encoder.set_demand(bps);
        self.tell_demand(now);
        self.wake = self.wake.min(now + 1);
    }

    fn tell_demand(&mut self, now: u64) {
        let demand = Demand { video_bps: self.video_bps, audio_bps: 32_000, redundancy: self.redundancy };
        self.control.set_demand(instant(now), demand);
    }

    pub(super) fn change_route(&mut self, now: u64) {
        self.control.on_route(instant(now));
        self.wake = self.wake.min(now + 1);
    }

    /// Its viewer's decoder asks for a keyframe, with or without a reason.
    pub(super) fn ask_for_keyframe(&mut self, now: u64) {
        self.picture_loss_wanted = true;
        self.wake = self.wake.min(now + 1);
    }

    fn rtt(&self) -> u64 {
        self.control.rtt().map_or(100 * MILLI, |rtt| rtt.as_micros() as u64)
    }

    /// When a machine that sleeps then hears of what comes.
    pub(super) fn awake(&self, now: u64) -> u64 {
        self.flaws.sleeps.iter().find(|(from, to)| (*from..*to).contains(&now)).map_or(now, |(_, to)| *to)
    }

    pub(super) fn receive(&mut self, now: u64, packet: Packet, network: &mut Network) {
        match packet.body {
            Body::Rtp { number, class, repeated, media } => {
                let drift = now as i64 * self.flaws.clock_drift_ppm / 1_000_000;
                self.arrivals.record(number, now as i64 + self.flaws.clock_offset + drift);
                let bytes = packet.wire_bytes;
                match media {
                    Media::Sound(sound) => {
                        network.reports[self.peer].delivered(now, bytes, None);
                        self.jitter.arrived(now, &sound);
                    }
                    Media::Video(video) => {
                        network.reports[self.peer].delivered(now, bytes, Some(video.sequence));
                        self.watch(now, &video, repeated, network);
                    }
                    Media::Repair(repair) => self.repair(now, repair, network),
                    Media::Padding => debug_assert_eq!(class, Class::Padding),
                }
                self.plan_wake(now);
            }
            Body::Rtcp(control) => {
                self.hear(now, packet.sent, &control, network);
                self.run(now, network);
            }
        }
    }

    fn repair(&mut self, now: u64, repair: RepairPacket, network: &mut Network) {
        let mut decoded: Vec<Decoded> = Vec::new();
        self.receiver.repair(now, repair, &mut decoded);
        self.show(now, decoded, network);
    }

    fn watch(&mut self, now: u64, video: &VideoPacket, repeated: bool, network: &mut Network) {
        let mut decoded: Vec<Decoded> = Vec::new();
        self.receiver.packet(now, video, repeated, &mut decoded);
        self.show(now, decoded, network);
    }

    fn show(&mut self, now: u64, decoded: Vec<Decoded>, network: &mut Network) {
        for packet in self.receiver.take_recovered() {
            network.reports[self.peer].delivered(now, packet.wire_bytes, Some(packet.sequence));
        }
        let rtt = self.rtt();
        for picture in decoded {
            let shown = self.playout.complete(now, picture.captured, rtt);
            network.reports[self.peer].shown(picture.captured, shown);
        }
    }

    fn hear(&mut self, now: u64, sent: u64, control: &Control, network: &mut Network) {
        let at = instant(now);
        self.heard = Some((sent, now));
        if let Some((then, lay)) = control.echo {
            self.control.on_rtt(at, Duration::from_micros((now - then).saturating_sub(lay)));
        }
        if let Some((base, arrivals)) = &control.feedback {
            self.control.on_feedback(at, &Feedback { base: *base, arrivals });
        }
        if !control.nack.is_empty() {
            let rtt = self.control.rtt();
            for number in &control.nack {
                self.history.on_nack(at, *number, rtt);
            }
            if self.history.gives_up(&self.budget) {
                self.encoder.want_keyframe();
            }
        }
        if control.picture_loss {
            self.encoder.want_keyframe();
            network.reports[self.me].count_picture_loss();
        }
    }

    /// Does all that is due.
    pub(super) fn run(&mut self, now: u64, network: &mut Network) {
        self.run_receiver(now, network);
        self.run_sender(now, network);
        self.plan_wake(now);
    }

    fn run_receiver(&mut self, now: u64, network: &mut Network) {
        let (played, concealed) = self.jitter.play(now);
        if played + concealed > 0 {
            network.reports[self.peer].heard(now, played, concealed, self.jitter.delay(now));
        }
        let rtt = self.rtt();
        let (nack, mut picture_loss) = self.receiver.poll(now, rtt, self.control.rtt());
        picture_loss |= std::mem::take(&mut self.picture_loss_wanted);
        let mut control = Control { nack, picture_loss, ..Control::default() };
        if now >= self.next_feedback {
            while self.next_feedback <= now {
                self.next_feedback += FEEDBACK_EVERY;
            }
            control.feedback = self.arrivals.report();
        }
        let report = now >= self.next_sender_report;
        if report {
            self.next_sender_report = now + SENDER_REPORT_EVERY;
            control.echo = self.heard.map(|(sent, came)| (sent, now - came));
        }
        if control.feedback.is_none() && control.nack.is_empty() && !control.picture_loss && !report {
            return;
        }
        control.sent = now;
        let told = control.feedback.as_ref().map_or(0, |(_, arrivals)| arrivals.len() as u32);
        let bytes = RTCP_HEADERS + told + told / 7 + 4 * control.nack.len() as u32 + if report { 52 } else { 8 };
        let to = self.peer;
        network.send(now, self.me, Packet { to, wire_bytes: bytes, sent: now, body: Body::Rtcp(control) });
    }

    fn run_sender(&mut self, now: u64, network: &mut Network) {
        let at = instant(now);
        self.control.on_backlog(at, self.pacer.video_backlog());
        self.control.handle_timeout(at);
        let plan = self.control.plan();
        network.reports[self.me].check(now, &plan, self.control.bounds(), self.control.next_wake().map(micros));
        self.pacer.set_pace(at, plan.pace_bps);
        self.paid.set_pace(now, plan.pace_bps);
        self.budget.set_target(at, plan.target_bps);
        while let Some((sound, payload)) = self.microphone.packet(now, &plan.audio) {
            network.reports[self.me].sound_sent();
            self.paid.sound_came();
            self.pacer.push(at, Class::Audio, None, payload + HEADERS, Handle::Sound(sound));
        }
        let backlog = self.pacer.video_backlog().as_micros() as u64;
        if let Some(picture) = self.encoder.encode(now, plan.video, gate(backlog), self.rtt()) {
            self.control.on_encoded(at, picture.bytes);
            network.reports[self.me].encoded(now, &picture);
            let count = picture.bytes.div_ceil(max_payload(plan.target_bps)).max(1);
            for index in 0..count {
                let part = picture.bytes / count + u32::from(index < picture.bytes % count);
                let wire_bytes = part + DESCRIPTOR + HEADERS;
                let (sequence, frame) = (self.sequence, self.frame);
                let (captured, key) = (picture.captured, picture.key);
                let packet = VideoPacket { sequence, frame, captured, key, index, count, wire_bytes };
                self.sequence += 1;
                self.pacer.push(at, Class::Video, None, wire_bytes, Handle::Video(packet));
            }
            self.frame += 1;
        }
        while let Some(repeat) = self.history.poll(at, &mut self.budget) {
            let (packet, deadline, bytes) = (*repeat.packet, repeat.deadline, repeat.bytes + RTX_HEADER);
            self.pacer.push(at, Class::VideoRtx, Some(deadline), bytes, Handle::Repeat(packet));
        }
        if let Some(probe) = self.control.take_probe(at) {
            network.reports[self.me].probed(now);
            self.pacer.start_probe(at, probe);
        }
        self.release(now, network);
        network.reports[self.me].violations(self.paid.done(now));
        network.reports[self.me].sample(now, &plan, self.pacer.video_backlog(), || self.control.seen(), &self.encoder);
    }

    fn release(&mut self, now: u64, network: &mut Network) {
        let at = instant(now);
        loop {
            while let Some(released) = self.pacer.pop(at) {
                let (repeated, media) = match released.handle {
                    Handle::Sound(sound) => (false, Media::Sound(sound)),
                    Handle::Video(video) => {
                        self.history.on_sent(at, video.sequence as u16, video, video.wire_bytes);
                        self.protect(at, video);
                        (false, Media::Video(video))
                    }
                    Handle::Repeat(video) => (true, Media::Video(video)),
                    Handle::Repair(repair) => (false, Media::Repair(repair)),
                    Handle::Padding => (true, Media::Padding),
                };
                let (number, class, wire_bytes) = (self.number, released.class, released.wire_bytes);
                self.number += 1;
                let wrong = self.paid.leaves(now, class, wire_bytes, released.probe);
                network.reports[self.me].violations(wrong);
                self.control.on_sent(at, Sent { number, class, wire_bytes, probe: released.probe });
                network.reports[self.me].sent(now, class, wire_bytes);
                let body = Body::Rtp { number, class, repeated, media };
                network.send(now, self.me, Packet { to: self.peer, wire_bytes, sent: now, body });
            }
            // Padding repeats a packet of about that size, so that each receiver takes it; before any was sent there is none.
            let Some(wanted) = self.pacer.wants_padding(at) else { return };
            let sizes = self.history.recent().take(32).map(|(_, bytes)| bytes);
            let Some(bytes) = sizes.min_by_key(|bytes| bytes.abs_diff(wanted)) else { return };
            self.pacer.push(at, Class::Padding, None, bytes + RTX_HEADER, Handle::Padding);
        }
    }

    /// After the last packet of a picture: its protection.
    fn protect(&mut self, at: std::time::Instant, last: VideoPacket) {
        if last.index + 1 < last.count || !self.control.plan().protected {
            return;
        }
        let sets = repair_packets(last.count as usize) as u32;
        let first = VideoPacket { sequence: last.sequence - u64::from(last.index), index: 0, ..last };
        for set in 0..sets {
            // A picture's packets are of one size but for a byte.
            let (bytes, repair) = (last.wire_bytes + 1 + REPAIR_HEADER, RepairPacket { first, set, sets });
            self.pacer.push(at, Class::Fec, None, bytes, Handle::Repair(repair));
        }
    }

    fn plan_wake(&mut self, now: u64) {
        let sender = [self.control.next_wake(), self.pacer.next_wake(), self.history.next_wake(&self.budget)];
        let wake = sender.into_iter().flatten().map(micros).min().unwrap_or(u64::MAX);
        let wake = wake
            .min(self.encoder.next_wake())
            .min(self.microphone.next_wake())
            .min(self.next_feedback)
            .min(self.next_sender_report)
            .min(self.jitter.next_wake())
            .min(self.receiver.next_wake(self.rtt()));
        let wake = wake.max(now + 1).next_multiple_of(TIMER_STEP);
        if wake == self.due && self.wake > now {
            return;
        }
        self.due = wake;
        let late = self.flaws.late_timers.iter().find(|(probability, _)| self.random.chance(*probability));
        self.wake = self.awake(wake + late.map_or(0, |(_, by)| *by));
    }

    /// What stands still when the call ends.
    pub(super) fn end(&self, now: u64, network: &mut Network) {
        if let Some((from, to)) = self.playout.unfinished(now) {
            network.reports[self.peer].froze(from, to);
        }
        network.reports[self.peer].finish(self.playout.freezes, self.receiver.gave_up, self.playout.delay());
    }
}
