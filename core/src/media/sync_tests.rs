use super::*;

const TICK: Duration = Duration::from_millis(300);
/// Close to the end of NTP's first era, which is crossed on the way.
const NTP_START: u64 = u64::MAX - (20 << 32);

/// A call in virtual time: a sender whose streams share a clock, and a receiver whose streams take so long.
struct Call {
    sync: LipSync,
    start: Instant,
    now: Instant,
    audio_ms: f64,
    video_ms: f64,
    set: Adjust,
    /// What becomes of the reports on the way: of sound, of pictures.
    spoil: fn(&Self, SenderReport, u32) -> Option<SenderReport>,
    last_reports: [Option<SenderReport>; 2],
}

impl Call {
    fn new(audio_ms: f64, video_ms: f64) -> Self {
        let start = Instant::now();
        let spoil = |_: &Self, report, _| Some(report);
        Self {
            sync: LipSync::new(),
            start,
            now: start,
            audio_ms,
            video_ms,
            set: Adjust::default(),
            spoil,
            last_reports: [None; 2],
        }
    }

    fn rtp(seconds: f64, rate: u32) -> u32 {
        u32::MAX.wrapping_sub(rate * 5).wrapping_add((seconds * f64::from(rate)) as i64 as u32)
    }

    fn elapsed(&self) -> f64 {
        self.now.duration_since(self.start).as_secs_f64()
    }

    fn playing(&self, rate: u32, delay_ms: f64) -> Playing {
        Playing { ssrc: rate, rtp_timestamp: Self::rtp(self.elapsed() - delay_ms / 1e3, rate), at: self.now }
    }

    fn report(&self, rate: u32) -> Option<SenderReport> {
        let seconds = self.elapsed() - 0.05;
        let ntp = NTP_START.wrapping_add((seconds * (1u64 << 32) as f64) as i64 as u64);
        (self.spoil)(self, SenderReport { ntp, rtp: Self::rtp(seconds, rate), arrived_at: self.now }, rate)
    }

    /// True offset, with the delays that were set.
    fn offset(&self) -> f64 {
        self.video_ms + self.set.video.as_secs_f64() * 1e3 - self.audio_ms - self.set.audio.as_secs_f64() * 1e3
    }

    fn run(&mut self, ticks: u32) {
        for tick in 0..ticks {
            self.now += TICK;
            if tick % 4 == 0 {
                self.last_reports = [self.report(AUDIO_CLOCK_RATE), self.report(VIDEO_CLOCK_RATE)];
            }
            let inputs = LipSyncInputs {
                audio_report: self.last_reports[0],
                video_report: self.last_reports[1],
                audio: Some(self.playing(AUDIO_CLOCK_RATE, self.audio_ms + self.set.audio.as_secs_f64() * 1e3)),
                video: Some(self.playing(VIDEO_CLOCK_RATE, self.video_ms + self.set.video.as_secs_f64() * 1e3)),
            };
            if let Some(adjust) = self.sync.update(self.now, &inputs) {
                let step = |a: Duration, b: Duration| a.abs_diff(b).as_millis();
                assert!(step(adjust.audio, self.set.audio) + step(adjust.video, self.set.video) <= 121, "{adjust:?}");
                self.set = adjust;
            }
        }
    }
}

#[test]
fn whichever_is_early_is_delayed_until_nobody_notices() {
    for (audio, video) in [(60.0, 200.0), (200.0, 60.0), (350.0, 20.0), (20.0, 140.0)] {
        let mut call = Call::new(audio, video);
        call.run(100);
        assert!(
            (-UNNOTICED_EARLY_MS..=UNNOTICED_LATE_MS).contains(&call.offset()),
            "{audio} {video}: {}",
            call.offset()
        );
        assert!((call.sync.offset_ms().unwrap() - call.offset()).abs() < 1.0);
        assert_eq!(call.set.audio > Duration::ZERO, audio < video);
        assert_eq!(call.set.video > Duration::ZERO, video < audio);
        assert_eq!(call.sync.ignored(), 0);
    }
}

#[test]
fn what_is_together_is_left_alone() {
    let mut call = Call::new(80.0, 98.0);
    call.run(200);
    assert_eq!(call.set, Adjust::default());
    assert_eq!(call.sync.offset_p95_ms(), Some(20.0));
}

#[test]
fn sound_that_nobody_hears_to_be_late_holds_up_no_pictures() {
    let mut call = Call::new(58.0, 5.0);
    call.run(200);
    assert_eq!(call.set, Adjust::default());
    let mut call = Call::new(5.0, 46.0);
    call.run(200);
    assert!(call.set.audio > Duration::ZERO, "early sound is noticed sooner");
}

#[test]
fn pictures_wait_for_late_sound_within_three_seconds() {
    let mut call = Call::new(200.0, 60.0);
    call.run(10);
    assert!((-UNNOTICED_EARLY_MS..=UNNOTICED_LATE_MS).contains(&call.offset()), "{}", call.offset());
}

#[test]
fn pictures_that_wait_for_nothing_any_more_are_let_go_within_three_seconds() {
    let mut call = Call::new(200.0, 60.0);
    call.run(20);
    let waiting = call.set.video;
    assert!(waiting > Duration::from_millis(60));
    call.audio_ms = 60.0;
    call.run(7);
    assert!(call.offset() <= UNNOTICED_LATE_MS && call.set.audio == Duration::ZERO, "{:?}", call.set);
}

#[test]
fn sound_that_waits_for_pictures_that_came_nearer_is_let_go_within_three_seconds() {
    let mut call = Call::new(40.0, 140.0);
    call.run(30);
    assert!(call.set.audio >= Duration::from_millis(70), "{:?}", call.set);
    // Early by less than what nobody notices, were it not for the sake of nothing.
    call.video_ms -= 50.0;
    call.run(10);
    assert!((-UNNOTICED_LATE_MS..=UNNOTICED_LATE_MS).contains(&call.offset()), "{}", call.offset());
    assert_eq!(call.set.video, Duration::ZERO);
}

#[test]
fn sound_does_not_follow_pictures_that_are_late_for_a_moment() {
    let mut call = Call::new(70.0, 300.0);
    call.run(3);
    call.video_ms = 80.0;
    call.run(20);
    assert_eq!(call.set, Adjust::default());
    call.video_ms = 300.0;
    call.run(60);
    assert!((-UNNOTICED_EARLY_MS..=UNNOTICED_LATE_MS).contains(&call.offset()), "{}", call.offset());
}

#[test]
fn sound_does_not_wait_for_pictures_that_catch_up_by_themselves() {
    // A first picture that took long on a slow path: the ones after it come nearer and nearer.
    let mut call = Call::new(60.0, 300.0);
    for _ in 0..12 {
        call.run(1);
        call.video_ms = 60.0 + (call.video_ms - 60.0) * 0.85;
        assert_eq!(call.set, Adjust::default());
    }
    // Those that stop short of it are late for good.
    call.video_ms = 160.0;
    call.run(12);
    assert!(call.offset().abs() <= UNNOTICED_LATE_MS, "{}", call.offset());
}

#[test]
fn one_picture_that_is_shown_late_is_no_reason_to_delay_sound() {
    let mut call = Call::new(80.0, 90.0);
    for n in 0..50 {
        call.video_ms = if n % 4 == 3 { 400.0 } else { 90.0 };
        call.run(1);
    }
    assert_eq!(call.set, Adjust::default());
}

#[test]
fn a_delay_that_is_no_longer_needed_is_taken_back_before_the_other_one_is_made() {
    let mut call = Call::new(60.0, 240.0);
    call.run(60);
    assert!(call.set.audio > Duration::from_millis(100));
    call.video_ms = 60.0;
    call.run(60);
    assert!((-UNNOTICED_EARLY_MS..=UNNOTICED_LATE_MS).contains(&call.offset()));
    assert!(call.set.audio < Duration::from_millis(40) && call.set.video == Duration::ZERO, "{:?}", call.set);
}

#[test]
fn sound_waits_at_most_300_ms_and_not_at_all_once_there_are_no_pictures() {
    let mut call = Call::new(50.0, 900.0);
    call.run(100);
    assert_eq!(call.set, Adjust { audio: Duration::from_millis(300), video: Duration::ZERO });
    let mut adjust = call.set;
    for _ in 0..20 {
        call.now += TICK;
        let inputs = LipSyncInputs { audio: Some(call.playing(AUDIO_CLOCK_RATE, 350.0)), ..LipSyncInputs::default() };
        adjust = call.sync.update(call.now, &inputs).unwrap_or(adjust);
    }
    assert_eq!((adjust, call.sync.offset_ms()), (Adjust::default(), None));
}

#[test]
fn without_reports_of_both_nothing_is_done() {
    for missing in [AUDIO_CLOCK_RATE, VIDEO_CLOCK_RATE] {
        let mut call = Call::new(50.0, 300.0);
        call.spoil = if missing == AUDIO_CLOCK_RATE {
            |_, report, rate| (rate != AUDIO_CLOCK_RATE).then_some(report)
        } else {
            |_, report, rate| (rate != VIDEO_CLOCK_RATE).then_some(report)
        };
        call.run(100);
        assert_eq!((call.set, call.sync.offset_ms(), call.sync.offset_p95_ms()), (Adjust::default(), None, None));
    }
}

#[test]
fn reports_that_cannot_be_true_are_ignored_and_counted() {
    type Spoil = fn(&Call, SenderReport, u32) -> Option<SenderReport>;
    let spoils: [Spoil; 5] = [
        |_, report, _| Some(SenderReport { ntp: 0, ..report }),
        // Clocks of the wrong rate, one of them or both.
        |_, report, rate| Some(SenderReport { rtp: report.rtp.wrapping_mul(3), ..report }).filter(|_| rate > 50_000),
        |_, report, _| Some(SenderReport { ntp: report.ntp.wrapping_mul(2), ..report }),
        // Leaps at each report.
        |call, report, _| Some(SenderReport { ntp: report.ntp ^ (call.elapsed().to_bits() << 20), ..report }),
        // Both go on in their own good time, hours apart.
        |_, report, rate| Some(SenderReport { ntp: report.ntp.wrapping_add(u64::from(rate) << 40), ..report }),
    ];
    for (n, spoil) in spoils.into_iter().enumerate() {
        let mut call = Call { spoil, ..Call::new(80.0, 100.0) };
        call.run(200);
        assert!(call.sync.ignored() > 0 || n == 1, "{n}");
        assert!(call.set.audio <= Duration::from_millis(300) && call.set.video <= Duration::from_millis(400), "{n}");
        assert!(call.sync.offset_ms().is_none_or(|offset| offset.abs() <= MAX_OFFSET_MS));
    }
}

#[test]
fn one_false_report_changes_nothing_and_a_clock_that_was_set_is_believed_at_its_second_report() {
    let mut call = Call::new(80.0, 90.0);
    call.spoil = |call, report, _| {
        let leap = if (10.0..11.2).contains(&call.elapsed()) { 700 << 32 } else { 0 };
        Some(SenderReport { ntp: report.ntp.wrapping_add(leap), ..report })
    };
    call.run(200);
    assert_eq!((call.set, call.sync.ignored()), (Adjust::default(), 2), "one of each stream");
    let mut call = Call::new(80.0, 90.0);
    call.spoil = |call, report, _| {
        let leap = if call.elapsed() > 10.0 { 700 << 32 } else { 0 };
        Some(SenderReport { ntp: report.ntp.wrapping_add(leap), ..report })
    };
    call.run(200);
    assert_eq!((call.set, call.sync.ignored()), (Adjust::default(), 2));
    assert!((call.sync.offset_ms().unwrap() - 10.0).abs() < 1.0);
}
