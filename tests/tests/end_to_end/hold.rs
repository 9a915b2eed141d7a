//! Calls on hold, between two cores over real sockets.

use chamada::call::{CallEvent, CallSnapshot, CallState, EndReason};
use chamada::client::ClientEvent;
use chamada::media::capture::{AudioProvider, AudioSink, AudioSource, CaptureError, CaptureHandle};
use chamada::media::synthetic::SyntheticAudio;
use chamada_tests::phone::{Phone, PhoneSetup, must};
use chamada_tests::real_server::RealServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A microphone and a speaker of which it is known whether they are open.
pub(crate) struct CountedAudio {
    audio: SyntheticAudio,
    pub(crate) microphones: Arc<AtomicUsize>,
    pub(crate) speakers: Arc<AtomicUsize>,
}

struct Open {
    _handle: Box<dyn CaptureHandle>,
    open: Arc<AtomicUsize>,
}

impl CaptureHandle for Open {}

impl Drop for Open {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl CountedAudio {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { audio: SyntheticAudio::new(440.0), microphones: Arc::default(), speakers: Arc::default() })
    }
}

fn counted(handle: Box<dyn CaptureHandle>, open: &Arc<AtomicUsize>) -> Box<dyn CaptureHandle> {
    assert_eq!(open.fetch_add(1, Ordering::SeqCst), 0, "one call has the device");
    Box::new(Open { _handle: handle, open: Arc::clone(open) })
}

impl AudioProvider for CountedAudio {
    fn open_microphone(&self, sink: AudioSink) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        Ok(counted(self.audio.open_microphone(sink)?, &self.microphones))
    }

    fn open_speaker(&self, source: AudioSource) -> Result<Box<dyn CaptureHandle>, CaptureError> {
        Ok(counted(self.audio.open_speaker(source)?, &self.speakers))
    }
}

pub(crate) async fn sees(phone: &mut Phone, what: &str, fits: impl Fn(&CallSnapshot) -> bool) -> CallSnapshot {
    phone
        .until(what, |event| match event {
            ClientEvent::Call(CallEvent::Changed(now)) if fits(now) => Some(now.clone()),
            _ => None,
        })
        .await
}

/// Until so many more statistics have come, which is as many seconds.
pub(crate) async fn seconds(phone: &mut Phone, count: usize) {
    for _ in 0..count {
        phone.measures("statistics", |_| true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_on_hold_has_no_device_sends_and_plays_nothing_and_goes_on_where_it_was() {
    let server = RealServer::start().await;
    let audio = CountedAudio::new();
    let mut setup = PhoneSetup::new(server.url(), "ana");
    setup.audio = Some(audio.clone());
    let mut ana = setup.login().await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    let (seen_by_ana, seen_by_rui) = (ana.view.clone(), rui.view.clone());
    tokio::join!(seen_by_ana.frames(10), seen_by_rui.frames(10), ana.hears(), rui.hears());

    must(ana.client.set_held(true).await);
    sees(&mut rui, "who holds", |now| now.remote.held && !now.remote.audio && !now.remote.video).await;
    // What is asked for after the hold is done after it.
    must(ana.client.set_camera(true).await);
    seconds(&mut ana, 2).await;
    let open = [&audio.microphones, &audio.speakers].map(|open| open.load(Ordering::SeqCst));
    assert_eq!(open, [0, 0], "microphone and speaker are free for another call");
    let heard = rui.measures("sound", |stats| stats.audio_received.is_some()).await;
    let (before, energy) = (ana.view.look(|seen| seen.frames), heard.audio_received.unwrap().energy);
    seconds(&mut ana, 2).await;
    assert_eq!(ana.view.look(|seen| seen.frames), before, "nothing is shown on hold");
    let heard = rui.measures("sound", |stats| stats.audio_received.is_some()).await;
    assert!(heard.audio_received.unwrap().energy - energy < 0.001, "the other side hears silence");
    assert_eq!(must(ana.client.snapshot().await).state, CallState::Connected);

    must(ana.client.set_held(false).await);
    sees(&mut rui, "the end of the hold", |now| !now.remote.held && now.remote.audio && now.remote.video).await;
    rui.view.measure_anew();
    tokio::join!(seen_by_ana.frames(30), seen_by_rui.frames(30));
    rui.view.until("a picture of the camera", |seen| seen.delay.report().frames > 10).await;
    let before = rui.measures("sound", |stats| stats.audio_received.is_some()).await.audio_received.unwrap().energy;
    rui.measures("sound after the hold", |stats| {
        stats.audio_received.as_ref().is_some_and(|audio| audio.energy > before + 0.001)
    })
    .await;
    must(ana.client.hang_up().await);
    assert_eq!(ana.ends().await, EndReason::HungUpLocally);
    assert_eq!(rui.ends().await, EndReason::HungUpRemotely);
    let open = [&audio.microphones, &audio.speakers].map(|open| open.load(Ordering::SeqCst));
    assert_eq!(open, [0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn holding_and_resuming_ten_times_a_second_loses_nothing() {
    let server = RealServer::start().await;
    let mut ana = Phone::login(server.url(), "ana").await;
    let mut rui = Phone::login(server.url(), "rui").await;
    ana.talks_with(&mut rui, "rui").await;
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(100));
    for round in 0..30 {
        ticks.tick().await;
        must(ana.client.set_held(round % 2 == 0).await);
    }
    must(ana.client.set_held(true).await);
    sees(&mut rui, "the hold", |now| now.remote.held).await;
    must(ana.client.set_held(false).await);
    sees(&mut rui, "its end", |now| !now.remote.held && now.remote.video).await;
    let (seen_by_ana, seen_by_rui) = (ana.view.clone(), rui.view.clone());
    tokio::join!(seen_by_ana.frames(30), seen_by_rui.frames(30));
    tokio::join!(ana.hears(), rui.hears());
}
