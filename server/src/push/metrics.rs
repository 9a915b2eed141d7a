use super::provider::Outcome;
use chamada::signaling::message::{PushPlatform, PushedKind};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// Counts for the operator; copies count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct PushMetrics {
    sent: Family<[(&'static str, &'static str); 3], Counter>,
    rings: Family<[(&'static str, &'static str); 1], Counter>,
    pub(crate) registrations: Gauge,
    pub(crate) store_errors: Counter,
}

impl PushMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("pushes", "Tries to hand a push to its service, by outcome", self.sent.clone());
        registry.register("pushed_calls", "Calls that rang by push, by how that ended", self.rings.clone());
        registry.register("push_registrations", "Devices that can be rung by push", self.registrations.clone());
        registry.register("push_store_errors", "Changes that could not be written", self.store_errors.clone());
    }

    pub(crate) fn sent(&self, platform: PushPlatform, kind: PushedKind, outcome: &Outcome) {
        let outcome = match outcome {
            Outcome::Accepted => "accepted",
            Outcome::Gone => "gone",
            Outcome::Later(_) => "later",
            Outcome::Unanswered => "unanswered",
            Outcome::Refused(_) => "refused",
        };
        let labels = [("platform", platform.name()), ("kind", kind.name()), ("outcome", outcome)];
        self.sent.get_or_create(&labels).inc();
    }

    /// A call that waited for somebody waits no more.
    pub(crate) fn ring_ended(&self, how: &'static str) {
        self.rings.get_or_create(&[("how", how)]).inc();
    }
}
