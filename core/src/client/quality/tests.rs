use super::*;
use crate::media::video::QualityLimitation;
use QualityLevel::{Bad, Good, Poor};
use QualityReason::{Bandwidth, Delay, Device, Loss};

/// A call whose every second is the same until `change` makes it another.
struct Call {
    monitor: QualityMonitor,
    now: Instant,
    sample: Sample,
}

/// What one second adds.
#[derive(Clone, Copy, Default)]
struct Second {
    frozen_ms: u64,
    concealed: u64,
    received_lost: u64,
    sent_lost: u64,
    no_video: bool,
}

impl Call {
    /// Fine so far, for as long as nothing is judged.
    fn new() -> Self {
        let sent = SentSample {
            video: true,
            target_bps: 900_000.0,
            needed_bps: 900_000.0,
            limited_by: Some(QualityLimitation::None),
            fps: 30.0,
            encode_ms: 5.0,
            ..SentSample::default()
        };
        let received =
            ReceivedSample { camera: true, video: true, fps: Some(30.0), decode_ms: 3.0, ..ReceivedSample::default() };
        let rtt = Some(Duration::from_millis(50));
        let sample = Sample { sent, received, rtt };
        let mut call = Self { monitor: QualityMonitor::default(), now: Instant::now(), sample };
        assert_eq!(call.seconds(7, Second::default()), []);
        call
    }

    /// What is told in so many seconds, with the second of each.
    fn seconds(&mut self, seconds: u64, second: Second) -> Vec<(u64, CallQuality)> {
        let mut told = Vec::new();
        for n in 1..=seconds {
            self.now += Duration::from_secs(1);
            let Sample { sent, received, .. } = &mut self.sample;
            sent.packets += 100;
            sent.lost += second.sent_lost;
            received.video_packets += if second.no_video { 0 } else { 50 };
            received.audio_packets += 50;
            received.lost += second.received_lost;
            received.frozen += Duration::from_millis(second.frozen_ms);
            received.samples += 48_000;
            received.concealed += second.concealed;
            told.extend(self.monitor.update(self.now, self.sample).map(|quality| (n, quality)));
        }
        told
    }

    /// What each direction is after these seconds.
    fn after(mut self, seconds: u64, second: Second) -> CallQuality {
        self.seconds(seconds, second);
        self.monitor.quality()
    }
}

fn is(level: QualityLevel, reason: QualityReason) -> DirectionQuality {
    DirectionQuality { level, reason: Some(reason), audio_only: false }
}

fn received(second: Second) -> DirectionQuality {
    Call::new().after(20, second).received
}

fn sent(change: impl FnOnce(&mut SentSample)) -> DirectionQuality {
    let mut call = Call::new();
    change(&mut call.sample.sent);
    call.after(20, Second::default()).sent
}

const FINE: DirectionQuality = DirectionQuality { level: Good, reason: None, audio_only: false };

#[test]
fn received_pictures_are_judged_by_how_long_they_stand_and_how_many_come() {
    let frozen = |frozen_ms| received(Second { frozen_ms, ..Second::default() });
    assert_eq!(frozen(49), FINE);
    assert_eq!(frozen(50), is(Poor, Bandwidth));
    assert_eq!(frozen(299), is(Poor, Bandwidth));
    assert_eq!(frozen(300), is(Bad, Bandwidth));
    let fps = |fps| {
        let mut call = Call::new();
        call.sample.received.fps = Some(fps);
        call.after(20, Second::default()).received
    };
    assert_eq!(fps(12.1), FINE);
    assert_eq!(fps(12.0), is(Poor, Bandwidth));
    assert_eq!(fps(6.1), is(Poor, Bandwidth));
    assert_eq!(fps(6.0), is(Bad, Bandwidth));
    assert_eq!(fps(0.0), is(Bad, Bandwidth));
}

#[test]
fn a_screen_may_change_rarely_and_a_camera_that_is_off_sends_nothing() {
    for (camera, video) in [(false, true), (false, false)] {
        let mut call = Call::new();
        let sample = &mut call.sample.received;
        (sample.camera, sample.video, sample.fps) = (camera, video, Some(0.5));
        assert_eq!(call.after(20, Second::default()).received, FINE, "{camera} {video}");
    }
}

#[test]
fn received_sound_is_judged_by_what_is_made_up_of_it_and_loss_is_told_from_lateness() {
    let concealed = |concealed, received_lost| received(Second { concealed, received_lost, ..Second::default() });
    assert_eq!(concealed(959, 0), FINE);
    assert_eq!(concealed(960, 0), is(Poor, Delay));
    assert_eq!(concealed(4_799, 0), is(Poor, Delay));
    assert_eq!(concealed(4_800, 0), is(Bad, Delay));
    assert_eq!(concealed(960, 2), is(Poor, Delay), "2 of 102 packets explain nothing");
    assert_eq!(concealed(960, 3), is(Poor, Loss));
    assert_eq!(concealed(0, 20), FINE, "loss that was repaired is none");
}

#[test]
fn delay_is_that_of_path_and_buffer_together() {
    let delay = |rtt_ms, buffer_ms| {
        let mut call = Call::new();
        call.sample.rtt = Some(Duration::from_millis(rtt_ms));
        call.sample.received.playout_delay = Duration::from_millis(buffer_ms);
        call.after(20, Second::default())
    };
    assert_eq!(delay(200, 149), CallQuality::default());
    assert_eq!(delay(200, 150).received, is(Poor, Delay));
    assert_eq!(delay(200, 299).received, is(Poor, Delay));
    assert_eq!(delay(200, 300), CallQuality { received: is(Bad, Delay), sent: FINE });
    assert_eq!(delay(399, 0).sent, FINE);
    assert_eq!(delay(400, 0).sent, is(Poor, Delay));
    assert_eq!(delay(699, 0).sent, is(Poor, Delay));
    assert_eq!(delay(700, 0).sent, is(Bad, Delay));
}

#[test]
fn sent_loss_is_what_the_other_side_reports() {
    let lost = |sent_lost| Call::new().after(20, Second { sent_lost, ..Second::default() }).sent;
    assert_eq!(lost(4), FINE);
    assert_eq!(lost(5), is(Poor, Loss));
    assert_eq!(lost(14), is(Poor, Loss));
    assert_eq!(lost(15), is(Bad, Loss));
}

#[test]
fn sent_pictures_are_judged_by_what_the_target_lacks_of_what_the_camera_needs() {
    let target = |bps| sent(|sent| sent.target_bps = bps);
    assert_eq!(target(450_100.0), FINE);
    assert_eq!(target(450_000.0), is(Poor, Bandwidth));
    assert_eq!(target(135_100.0), is(Poor, Bandwidth));
    assert_eq!(target(134_900.0), is(Bad, Bandwidth));
    let off = |sent: &mut SentSample| (sent.video, sent.target_bps) = (false, 0.0);
    assert_eq!(sent(off), FINE, "no camera, no need");
}

#[test]
fn a_device_that_does_not_keep_up_is_the_reason_even_where_it_already_does_less() {
    let encode = |ms| sent(|sent| sent.encode_ms = ms);
    assert_eq!(encode(28.3), FINE);
    assert_eq!(encode(28.4), is(Poor, Device));
    assert_eq!(encode(43.3), is(Poor, Device));
    assert_eq!(encode(43.4), is(Bad, Device));
    let limited = |fps| {
        sent(|sent| (sent.limited_by, sent.fps, sent.target_bps) = (Some(QualityLimitation::Cpu), fps, 200_000.0))
    };
    assert_eq!(limited(30.0), is(Poor, Device));
    assert_eq!(limited(6.0), is(Bad, Device));
    let mut call = Call::new();
    call.sample.received.decode_ms = 30.0;
    assert_eq!(call.after(20, Second::default()).received, is(Poor, Device));
}

#[test]
fn worse_is_told_after_two_seconds_and_better_after_five_beyond_a_stricter_threshold() {
    let mut call = Call::new();
    call.sample.sent.target_bps = 400_000.0;
    let told = call.seconds(10, Second::default());
    assert_eq!(told, [(3, CallQuality { sent: is(Poor, Bandwidth), received: FINE })]);
    // 0.7 of the threshold: a shortage of 35 %.
    call.sample.sent.target_bps = 580_000.0;
    assert_eq!(call.seconds(30, Second::default()), [], "just better is not yet good");
    call.sample.sent.target_bps = 590_000.0;
    assert_eq!(call.seconds(30, Second::default()), [(6, CallQuality::default())]);
}

#[test]
fn what_swings_around_a_threshold_is_told_once() {
    let mut call = Call::new();
    let mut told = Vec::new();
    for n in 0..120 {
        call.sample.sent.target_bps = if n % 8 < 4 { 440_000.0 } else { 460_000.0 };
        told.extend(call.seconds(1, Second::default()));
    }
    assert_eq!(told.len(), 1, "{told:?}");
    // A second of worse is nothing at all.
    let mut call = Call::new();
    for n in 0..60 {
        call.sample.sent.target_bps = if n % 4 < 2 { 100_000.0 } else { 900_000.0 };
        assert_eq!(call.seconds(1, Second::default()), []);
    }
}

#[test]
fn another_reason_for_the_same_level_is_told_once_it_lasts() {
    let mut call = Call::new();
    call.sample.sent.target_bps = 400_000.0;
    call.seconds(10, Second::default());
    (call.sample.sent.target_bps, call.sample.rtt) = (900_000.0, Some(Duration::from_millis(450)));
    let told = call.seconds(20, Second::default());
    assert_eq!(told.iter().map(|(n, quality)| (*n, quality.sent)).collect::<Vec<_>>(), [(6, is(Poor, Delay))]);
}

#[test]
fn a_suspended_camera_is_told_at_once_and_so_is_its_return() {
    let mut call = Call::new();
    call.sample.sent.suspended = true;
    let audio_only = DirectionQuality { level: Bad, reason: Some(Bandwidth), audio_only: true };
    assert_eq!(call.seconds(5, Second::default()), [(1, CallQuality { sent: audio_only, received: FINE })]);
    call.sample.sent.suspended = false;
    assert_eq!(call.seconds(5, Second::default()), [(1, CallQuality::default())]);
    call.sample.sent.suspended = true;
    call.sample.sent.video = false;
    assert_eq!(call.seconds(5, Second::default()), [], "no camera is on");
}

#[test]
fn sound_without_the_pictures_of_a_camera_that_is_on_is_sound_alone() {
    let silent = Second { no_video: true, ..Second::default() };
    let mut call = Call::new();
    let told = call.seconds(10, silent);
    let audio_only = DirectionQuality { level: Bad, reason: Some(Bandwidth), audio_only: true };
    assert_eq!(told, [(3, CallQuality { sent: FINE, received: audio_only })]);
    assert_eq!(call.seconds(10, Second::default()), [(1, CallQuality::default())]);
    let mut call = Call::new();
    (call.sample.received.camera, call.sample.received.video) = (false, false);
    assert_eq!(call.seconds(20, silent), [], "it is off");
    (call.sample.received.camera, call.sample.received.video) = (true, true);
    assert_eq!(call.seconds(2, silent), [], "it was just switched on");
}

#[test]
fn nothing_is_judged_at_the_start_and_after_a_gap() {
    let bad = Second { frozen_ms: 1000, ..Second::default() };
    let mut call = Call::new();
    call.monitor = QualityMonitor::default();
    assert_eq!(call.seconds(20, bad).first().map(|(n, _)| *n), Some(8));
    assert_eq!(call.monitor.quality().received, is(Bad, Bandwidth));
    call.now += Duration::from_secs(10);
    assert_eq!(call.seconds(10, Second::default()), [], "what was told stays until something else is known");
    assert_eq!(call.seconds(3, Second::default()).len(), 1);
}

#[test]
fn counters_that_go_back_and_times_that_stand_still_are_harmless() {
    let mut call = Call::new();
    call.sample.received = ReceivedSample { camera: true, video: true, ..ReceivedSample::default() };
    call.seconds(3, Second::default());
    for n in 0..100 {
        call.sample.received.lost = u64::MAX - n;
        call.sample.sent.packets = u64::MAX / 2 + n;
        call.sample.sent.target_bps = f64::NAN;
        call.monitor.update(call.now, call.sample);
    }
}
