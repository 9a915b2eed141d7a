//! Hands pushes to their services: tries again while the call rings, and takes back what has been taken.

use super::{
    metrics::PushMetrics,
    provider::{Notification, Outcome, Provider},
    registration::Registration,
};
use chamada::signaling::message::{PushPlatform, PushedCall, PushedKind};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::{Semaphore, watch},
    time::{self, Instant},
};

/// Requests to the services of one platform at a time: one that is slow holds up no other.
const REQUESTS: usize = 256;
/// Of them, requests for one person's devices: whoever registers services that are slow has the harm of it.
const REQUESTS_OF_PERSON: usize = 8;
/// The wait before the second try, or longer if the service says so; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long a cancel is tried: later the device has stopped by itself.
const CANCEL_TIME: Duration = Duration::from_secs(45);

/// Called for a device that its service does not know any more.
type OnGone = Box<dyn Fn(&Registration) + Send + Sync>;

pub(crate) struct Delivery {
    services: HashMap<PushPlatform, Service>,
    metrics: PushMetrics,
    on_gone: OnGone,
    /// How many devices are being told something.
    busy: watch::Sender<usize>,
    /// Permits by subject, of those whose devices are being told something.
    people: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
}

#[derive(Debug)]
struct Service {
    provider: Arc<dyn Provider>,
    permits: Semaphore,
}

/// One device that is being told something.
struct Busy {
    delivery: Arc<Delivery>,
    subject: Arc<str>,
    /// Shared by all devices of the person.
    permits: Arc<Semaphore>,
}

impl Busy {
    fn new(delivery: &Arc<Delivery>, subject: &Arc<str>) -> Self {
        delivery.busy.send_modify(|busy| *busy += 1);
        let permits = delivery.people().entry(subject.clone()).or_insert_with(new_permits_of_person).clone();
        Self { delivery: delivery.clone(), subject: subject.clone(), permits }
    }
}

fn new_permits_of_person() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(REQUESTS_OF_PERSON))
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut people = self.delivery.people();
        // This one and the one in there: nobody else has it, and nobody gets it meanwhile.
        if Arc::strong_count(&self.permits) <= 2 {
            people.remove(&self.subject);
        }
        drop(people);
        self.delivery.busy.send_modify(|busy| *busy = busy.saturating_sub(1));
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("services", &self.services).finish_non_exhaustive()
    }
}

/// How a call stands that devices are rung for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Ringing,
    /// Over, or answered: devices that were rung have to stop, apart from those that know by themselves.
    Over {
        except: Vec<Arc<str>>,
    },
    /// Another node sees to it.
    HandedOver,
}

/// Devices that are being rung. Dropped, it lets them stop.
#[derive(Debug)]
pub(crate) struct PushedRing(watch::Sender<Stage>);

impl PushedRing {
    /// Takes the ringing back, `except` on devices that hear of it by their connection.
    pub(crate) fn stop(self, except: Vec<Arc<str>>) {
        self.0.send_replace(Stage::Over { except });
    }

    /// Another node takes the ringing back.
    pub(crate) fn hand_over(self) {
        self.0.send_replace(Stage::HandedOver);
    }
}

impl Delivery {
    pub(crate) fn new(
        providers: HashMap<PushPlatform, Arc<dyn Provider>>,
        metrics: PushMetrics,
        on_gone: impl Fn(&Registration) + Send + Sync + 'static,
    ) -> Self {
        let service = |provider| Service { provider, permits: Semaphore::new(REQUESTS) };
        Self {
            services: providers.into_iter().map(|(platform, provider)| (platform, service(provider))).collect(),
            metrics,
            on_gone: Box::new(on_gone),
            busy: watch::Sender::new(0),
            people: Mutex::default(),
        }
    }

    fn people(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Semaphore>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no device is being told anything. While calls ring that does not come to pass.
    pub(crate) async fn idle(&self) {
        // It fails only without a sender, which is here.
        let _ = self.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }

    /// Rings these devices until `deadline`, or only takes it back at the end where they ring already. Has to be called within a runtime.
    pub(crate) fn ring(
        self: &Arc<Self>,
        devices: Vec<Registration>,
        call: &PushedCall,
        deadline: Instant,
        ring_already: bool,
    ) -> PushedRing {
        let (stage, watched) = watch::channel(Stage::Ringing);
        for device in devices {
            let busy = Busy::new(self, &device.id.subject);
            let until = (!ring_already).then_some(deadline);
            tokio::spawn(ring(busy, device, call.clone(), until, watched.clone()));
        }
        PushedRing(stage)
    }

    /// Sends until the service has taken it or it is too late, or `stop` completes while nothing is under way. What the last try said.
    async fn send(
        &self,
        permits: &Semaphore,
        device: &Registration,
        call: &PushedCall,
        deadline: Instant,
        mut stop: impl Future<Output = ()> + Unpin,
    ) -> Outcome {
        let platform = device.details.address.platform;
        let Some(service) = self.services.get(&platform) else {
            return Outcome::Refused("this server sends no pushes of that kind any more".into());
        };
        let mut pause = FIRST_PAUSE;
        let mut last = Outcome::Later(None);
        loop {
            let both = async { (permits.acquire().await, service.permits.acquire().await) };
            let held = tokio::select! {
                biased;
                () = &mut stop => return last,
                both = time::timeout_at(deadline, both) => both,
            };
            let ttl = deadline.saturating_duration_since(Instant::now());
            if ttl.is_zero() || !matches!(held, Ok((Ok(_), Ok(_)))) {
                return last;
            }
            let push = Notification { subject: &device.id.subject, to: &device.details, call, ttl };
            let outcome = service.provider.send(push).await;
            drop(held);
            self.metrics.sent(platform, call.kind, &outcome);
            let wait = match &outcome {
                Outcome::Later(wait) => wait.unwrap_or(pause).max(pause),
                Outcome::Unanswered => pause,
                Outcome::Accepted | Outcome::Gone | Outcome::Refused(_) => return outcome,
            };
            // Whatever was possibly taken once stays so.
            last = if last == Outcome::Unanswered { last } else { outcome };
            pause = pause.saturating_mul(2);
            if Instant::now() + wait.min(CANCEL_TIME * 2) >= deadline {
                return last;
            }
            tokio::select! {
                () = time::sleep(wait) => {}
                () = &mut stop => return last,
            }
        }
    }
}

/// All that one device is sent for one call, one after the other. `until`: none if it rings already.
async fn ring(
    busy: Busy,
    device: Registration,
    call: PushedCall,
    until: Option<Instant>,
    mut stage: watch::Receiver<Stage>,
) {
    let (delivery, permits) = (&*busy.delivery, &*busy.permits);
    let mut over = stage.clone();
    let stop = async move {
        let _ = over.wait_for(|stage| *stage != Stage::Ringing).await;
    };
    let platform = device.details.address.platform.name();
    let rung = match until {
        Some(deadline) => delivery.send(permits, &device, &call, deadline, Box::pin(stop)).await,
        None => Outcome::Accepted,
    };
    match rung {
        Outcome::Accepted | Outcome::Unanswered => {}
        Outcome::Gone => return (delivery.on_gone)(&device),
        Outcome::Later(_) => return tracing::warn!(platform, "a device was not rung while its call rang"),
        Outcome::Refused(why) => return tracing::warn!(platform, why, "a push was refused"),
    }
    let except = match stage.wait_for(|stage| *stage != Stage::Ringing).await.as_deref() {
        Ok(Stage::Over { except }) => except.clone(),
        Ok(Stage::HandedOver) => return,
        Ok(Stage::Ringing) | Err(_) => Vec::new(),
    };
    if except.contains(&device.id.device) {
        return;
    }
    let sent = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let cancel = PushedCall { kind: PushedKind::Cancel, sent, ..call };
    let never = Box::pin(std::future::pending());
    match delivery.send(permits, &device, &cancel, Instant::now() + CANCEL_TIME, never).await {
        Outcome::Accepted => {}
        Outcome::Gone => (delivery.on_gone)(&device),
        Outcome::Later(_) | Outcome::Unanswered | Outcome::Refused(_) => {
            tracing::warn!(platform, "a ring was perhaps not taken back");
        }
    }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
