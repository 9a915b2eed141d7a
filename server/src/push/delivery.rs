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
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::{Semaphore, watch},
    time::{self, Instant},
};

/// Requests to push services at a time.
const REQUESTS: usize = 256;
/// The wait before the second try, if the service names none; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long a cancel is tried: later the device has stopped by itself.
const CANCEL_TIME: Duration = Duration::from_secs(45);

/// Called for a device that its service does not know any more.
type OnGone = Box<dyn Fn(&Registration) + Send + Sync>;

pub(crate) struct Delivery {
    providers: HashMap<PushPlatform, Arc<dyn Provider>>,
    permits: Semaphore,
    metrics: PushMetrics,
    on_gone: OnGone,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("providers", &self.providers).finish_non_exhaustive()
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
}

/// Devices that are being rung. Dropped, it lets them stop.
#[derive(Debug)]
pub(crate) struct PushedRing(watch::Sender<Stage>);

impl PushedRing {
    /// Takes the ringing back, `except` on devices that hear of it by their connection.
    pub(crate) fn stop(self, except: Vec<Arc<str>>) {
        self.0.send_replace(Stage::Over { except });
    }
}

impl Delivery {
    pub(crate) fn new(
        providers: HashMap<PushPlatform, Arc<dyn Provider>>,
        metrics: PushMetrics,
        on_gone: impl Fn(&Registration) + Send + Sync + 'static,
    ) -> Self {
        Self { providers, permits: Semaphore::new(REQUESTS), metrics, on_gone: Box::new(on_gone) }
    }

    /// Rings these devices until `deadline`. Has to be called within a runtime.
    pub(crate) fn ring(
        self: &Arc<Self>,
        devices: Vec<Registration>,
        call: &PushedCall,
        deadline: Instant,
    ) -> PushedRing {
        let (stage, watched) = watch::channel(Stage::Ringing);
        for device in devices {
            tokio::spawn(ring(self.clone(), device, call.clone(), deadline, watched.clone()));
        }
        PushedRing(stage)
    }

    /// Sends until the service has taken it or it is too late, or `stop` completes between two tries. What the last try said.
    async fn send(
        &self,
        device: &Registration,
        call: &PushedCall,
        deadline: Instant,
        mut stop: impl Future<Output = ()> + Unpin,
    ) -> Outcome {
        let platform = device.details.address.platform;
        let Some(provider) = self.providers.get(&platform) else {
            return Outcome::Refused("this server sends no pushes of that kind any more".into());
        };
        let mut pause = FIRST_PAUSE;
        let mut last = Outcome::Later(None);
        loop {
            let ttl = deadline.saturating_duration_since(Instant::now());
            if ttl.is_zero() {
                return last;
            }
            let push = Notification { subject: &device.id.subject, to: &device.details, call, ttl };
            let outcome = match self.permits.acquire().await {
                Ok(_permit) => provider.send(push).await,
                Err(_) => return last,
            };
            self.metrics.sent(platform, call.kind, &outcome);
            let wait = match &outcome {
                Outcome::Later(wait) => wait.unwrap_or(pause),
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

/// All that one device is sent for one call, one after the other.
async fn ring(
    delivery: Arc<Delivery>,
    device: Registration,
    call: PushedCall,
    deadline: Instant,
    mut stage: watch::Receiver<Stage>,
) {
    let mut over = stage.clone();
    let stop = async move {
        let _ = over.wait_for(|stage| *stage != Stage::Ringing).await;
    };
    let mut may_ring = false;
    if *stage.borrow() == Stage::Ringing {
        match delivery.send(&device, &call, deadline, Box::pin(stop)).await {
            Outcome::Accepted | Outcome::Unanswered => may_ring = true,
            Outcome::Gone => (delivery.on_gone)(&device),
            Outcome::Later(_) => {
                tracing::warn!(platform = device.details.address.platform.name(), "a push was given up")
            }
            Outcome::Refused(why) => {
                tracing::warn!(platform = device.details.address.platform.name(), why, "a push was refused");
            }
        }
    }
    if !may_ring {
        return;
    }
    let except = match stage.wait_for(|stage| *stage != Stage::Ringing).await.as_deref() {
        Ok(Stage::Over { except }) => except.clone(),
        Ok(Stage::Ringing) | Err(_) => Vec::new(),
    };
    if except.contains(&device.id.device) {
        return;
    }
    let sent = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let cancel = PushedCall { kind: PushedKind::Cancel, sent, ..call };
    let never = Box::pin(std::future::pending());
    if delivery.send(&device, &cancel, Instant::now() + CANCEL_TIME, never).await == Outcome::Gone {
        (delivery.on_gone)(&device);
    }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
