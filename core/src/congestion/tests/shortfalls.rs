//! Marks that do not hold yet, with what was measured in their place. None may get worse; one that holds goes from the list.
//!
//! `cargo test -p chamada --lib print_the_shortfalls -- --ignored --nocapture` prints the list as it is now.

use super::measure::Aim::{self, AtLeast, AtMost};
use super::measure::Mark;
use super::measure::Measure::{self, *};

/// The median of the seeds and the worst one, where the plan falls short of its aim.
pub(super) struct Shortfall {
    pub(super) plan: &'static str,
    pub(super) measure: Measure,
    pub(super) aim: Aim,
    pub(super) recorded: (f64, f64),
}

impl Shortfall {
    pub(super) fn is(&self, plan: &str, mark: &Mark) -> bool {
        self.plan == plan && self.measure == mark.measure && self.aim == mark.aim
    }
}

const fn short(plan: &'static str, measure: Measure, aim: Aim, median: f64, worst: f64) -> Shortfall {
    Shortfall { plan, measure, aim, recorded: (median, worst) }
}

#[rustfmt::skip]
pub(super) const SHORTFALLS: &[Shortfall] = &[
    short("steady_1m", Use((5, 75)), AtLeast(0.9), 0.885, 0.875),
    short("steady_250k", Use((5, 60)), AtLeast(0.9), 0.882, 0.873),
    short("steady_250k", Frozen((0, 60)), AtMost(0.5), 1.155, 1.155),
    short("policer_with_a_large_bucket", Loss((10, 60)), AtMost(3.0), 0.422, 11.820),
    short("policer_with_a_large_bucket", Frozen((0, 60)), AtMost(3.0), 1.265, 10.121),
    short("clock_drift_and_sleep", Use((5, 75)), AtLeast(0.88), 0.880, 0.871),
    short("late_timers", Use((10, 60)), AtLeast(0.79), 0.786, 0.759),
    short("late_timers", Reaches(0, 2000), AtMost(4.0), 1.945, 5.929),
    short("rfc8867_variable_capacity", Use((65, 80)), AtLeast(0.88), 0.872, 0.845),
    short("rfc8867_variable_capacity", Concealed((0, 105)), AtMost(0.5), 0.515, 0.591),
    short("rfc8867_variable_capacity", Reaches(40, 2000), AtMost(4.0), 2.848, 5.150),
    short("wifi_steps", Use((5, 60)), AtLeast(0.55), 0.335, 0.280),
    short("wifi_steps", Frozen((0, 60)), AtMost(0.6), 1.032, 2.401),
    short("wifi_steps", Concealed((5, 60)), AtMost(1.0), 1.600, 2.545),
    short("handover", Concealed((29, 60)), AtMost(1.0), 1.484, 2.000),
    short("loss_10", Frozen((0, 60)), AtMost(0.3), 0.000, 1.726),
    short("loss_20", Use((10, 60)), AtLeast(0.4), 0.548, 0.191),
    short("loss_20", Frozen((0, 60)), AtMost(1.0), 1.205, 6.984),
    short("loss_20", Concealed((10, 60)), AtMost(2.0), 2.320, 3.400),
    short("loss_30", LeastTarget((5, 60)), AtLeast(200.0), 163.549, 24.000),
    short("loss_30", Frozen((0, 60)), AtMost(8.0), 8.528, 56.806),
    short("loss_30", Concealed((10, 60)), AtMost(5.0), 5.240, 29.680),
    short("bursts_of_4", Use((10, 60)), AtLeast(0.75), 0.682, 0.498),
    short("rtt_150_loss_3", Use((10, 60)), AtLeast(0.85), 0.834, 0.757),
    short("rtt_150_loss_3", FrameDelayP95((10, 60)), AtMost(350.0), 417.927, 463.373),
    short("rtt_300_loss_5", Frozen((0, 60)), AtMost(0.6), 13.136, 15.392),
    short("jitter_30", Cuts((10, 60)), AtMost(6.0), 14.400, 19.200),
    short("jitter_60", Use((10, 60)), AtLeast(0.8), 0.809, 0.716),
    short("jitter_60", Cuts((10, 60)), AtMost(6.0), 13.200, 19.200),
    short("short_tcp_flows", Use((20, 80)), AtLeast(0.35), 0.409, 0.192),
    short("short_tcp_flows", Frozen((10, 80)), AtMost(2.0), 11.508, 32.355),
];
