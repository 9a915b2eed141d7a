use super::*;
use crate::push::registration::{Details, DeviceId};
use async_trait::async_trait;
use chamada::signaling::message::{CallId, PushRegister};
use std::{
    collections::VecDeque,
    sync::{Mutex, mpsc},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Answers as it is told, then always accepts; tells what it was sent, and when after the start.
#[derive(Debug)]
struct Script {
    outcomes: Mutex<VecDeque<Outcome>>,
    sent: UnboundedSender<(String, PushedKind, Duration)>,
    start: Instant,
}

#[async_trait]
impl Provider for Script {
    async fn send(&self, push: Notification<'_>) -> Outcome {
        let token = push.to.address.token.clone().unwrap_or_default();
        let is_slow = token.starts_with("slow");
        self.sent.send((token, push.call.kind, self.start.elapsed())).unwrap();
        if is_slow {
            time::sleep(SLOW).await;
        }
        self.outcomes.lock().unwrap().pop_front().unwrap_or(Outcome::Accepted)
    }
}

struct Bench {
    delivery: Arc<Delivery>,
    sent: UnboundedReceiver<(String, PushedKind, Duration)>,
    gone: mpsc::Receiver<Arc<str>>,
}

fn bench(outcomes: impl IntoIterator<Item = Outcome>) -> Bench {
    let (sender, sent) = unbounded_channel();
    let (gone_sender, gone) = mpsc::channel();
    let outcomes = Mutex::new(outcomes.into_iter().collect());
    let script: Arc<dyn Provider> = Arc::new(Script { outcomes, sent: sender, start: Instant::now() });
    let providers = HashMap::from([(PushPlatform::Fcm, script)]);
    let on_gone = move |device: &Registration| gone_sender.send(device.id.device.clone()).unwrap();
    Bench { delivery: Arc::new(Delivery::new(providers, PushMetrics::default(), on_gone)), sent, gone }
}

/// Devices whose name begins with `slow` have a service that takes ten seconds.
const SLOW: Duration = Duration::from_secs(10);

fn device(name: &str) -> Registration {
    let subject = if name.starts_with("slow") { "slow" } else { "1" };
    let id = DeviceId { room: "".into(), subject: subject.into(), device: name.into() };
    let address = PushRegister {
        platform: PushPlatform::Fcm,
        token: Some(name.into()),
        endpoint: None,
        keys: None,
        locale: None,
    };
    Registration { id, details: Details { name: "ana".into(), address, refreshed: 0, blocked: Vec::new() } }
}

fn call() -> PushedCall {
    PushedCall { kind: PushedKind::Ring, call: CallId::random(), from: "bia".into(), room: "".into(), sent: 0 }
}

impl Bench {
    fn ring(&self, devices: &[&str]) -> PushedRing {
        let devices = devices.iter().map(|name| device(name)).collect();
        self.delivery.ring(devices, &call(), Instant::now() + Duration::from_secs(45), false)
    }

    /// What is sent until nothing more can happen for ten minutes.
    async fn all_sent(&mut self) -> Vec<(String, PushedKind, u64)> {
        let mut all = Vec::new();
        while let Ok(Some((token, kind, at))) = time::timeout(Duration::from_secs(600), self.sent.recv()).await {
            all.push((token, kind, at.as_secs()));
        }
        all.sort_by(|one, other| (one.2, &one.0).cmp(&(other.2, &other.0)));
        all
    }
}

const RING: PushedKind = PushedKind::Ring;
const CANCEL: PushedKind = PushedKind::Cancel;

#[tokio::test(start_paused = true)]
async fn a_busy_service_is_asked_again_when_it_said_and_then_ever_more_rarely_while_the_call_rings() {
    let busy = |after: Option<u64>| Outcome::Later(after.map(Duration::from_secs));
    let mut bench = bench([busy(Some(7)), busy(Some(0)), busy(None), busy(None), busy(None), busy(None), busy(None)]);
    let _ring = bench.ring(&["a"]);
    let times: Vec<u64> = bench.all_sent().await.into_iter().map(|(_, _, at)| at).collect();
    assert_eq!(times, [0, 7, 9, 13, 21, 37]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_busy_for_longer_than_the_call_rings_is_given_up() {
    let mut bench = bench([Outcome::Later(Some(Duration::from_secs(45)))]);
    let ring = bench.ring(&["a"]);
    time::sleep(Duration::from_secs(50)).await;
    ring.stop(Vec::new());
    assert_eq!(bench.all_sent().await, [("a".into(), RING, 0)]);
}

#[tokio::test(start_paused = true)]
async fn the_device_that_answered_goes_on_and_the_others_stop() {
    let mut bench = bench([]);
    let ring = bench.ring(&["a", "b"]);
    time::sleep(Duration::from_secs(3)).await;
    ring.stop(vec!["a".into()]);
    let expected = [("a".into(), RING, 0), ("b".into(), RING, 0), ("b".into(), CANCEL, 3)];
    assert_eq!(bench.all_sent().await, expected);
}

#[tokio::test(start_paused = true)]
async fn nothing_rings_after_the_call_is_over_and_what_did_not_ring_is_not_stopped() {
    let mut bench = bench([Outcome::Later(Some(Duration::from_secs(20)))]);
    let ring = bench.ring(&["a"]);
    time::sleep(Duration::from_secs(3)).await;
    drop(ring);
    assert_eq!(bench.all_sent().await, [("a".into(), RING, 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_ring_that_may_have_come_there_is_taken_back_until_that_is_taken() {
    let mut bench = bench([Outcome::Unanswered, Outcome::Later(None)]);
    let ring = bench.ring(&["a"]);
    time::sleep(Duration::from_millis(500)).await;
    ring.stop(Vec::new());
    assert_eq!(bench.all_sent().await, [("a".into(), RING, 0), ("a".into(), CANCEL, 0), ("a".into(), CANCEL, 1)]);
}

#[tokio::test(start_paused = true)]
async fn whose_services_are_slow_waits_for_them_and_nobody_else_does() {
    let mut bench = bench([]);
    let names: Vec<String> = (0..2 * REQUESTS).map(|n| format!("slow {n}")).collect();
    let slow = bench.ring(&names.iter().map(String::as_str).collect::<Vec<_>>());
    time::sleep(Duration::from_millis(1)).await;
    let ring = bench.ring(&["a"]);
    time::sleep(Duration::from_millis(1)).await;
    // What had no turn yet gets none any more.
    slow.stop(Vec::new());
    ring.stop(vec!["a".into()]);
    let all = bench.all_sent().await;
    let at_start = all.iter().filter(|(token, kind, at)| token != "a" && *kind == RING && *at == 0).count();
    assert_eq!((at_start, all.contains(&("a".into(), RING, 0))), (REQUESTS_OF_PERSON, true));
    assert_eq!(all.len(), 1 + 2 * REQUESTS_OF_PERSON, "{all:?}");
    time::timeout(Duration::from_secs(1), bench.delivery.idle()).await.unwrap();
    assert!(bench.delivery.people().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_gone_is_told_of_and_left_alone() {
    let mut bench = bench([Outcome::Gone]);
    let ring = bench.ring(&["a"]);
    time::sleep(Duration::from_secs(1)).await;
    ring.stop(Vec::new());
    assert_eq!(bench.all_sent().await.len(), 1);
    assert_eq!(&*bench.gone.try_recv().unwrap(), "a");
}
