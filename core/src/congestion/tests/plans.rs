//! The scenarios as data: a path, what the ends do, and the marks. Each is a test by its name.

mod changing;
mod lossy;
mod shared;
mod steady;

use super::call::{Setup, run};
use super::measure::{Aim, Mark, Measure};
use super::shortfalls::SHORTFALLS;

/// How many seeds each plan runs with.
const SEEDS: u64 = 6;

/// One scenario.
pub(super) struct Scenario {
    pub(super) setup: Setup,
    pub(super) marks: Vec<Mark>,
}

impl Scenario {
    pub(super) fn new(setup: Setup) -> Self {
        Self { setup, marks: Vec::new() }
    }

    pub(super) fn at_most(mut self, measure: Measure, most: f64) -> Self {
        self.marks.push(Mark { measure, aim: Aim::AtMost(most) });
        self
    }

    pub(super) fn at_least(mut self, measure: Measure, least: f64) -> Self {
        self.marks.push(Mark { measure, aim: Aim::AtLeast(least) });
        self
    }
}

/// Runs a scenario with all seeds and holds it to its marks; to what was recorded where it is known to fall short.
fn check(name: &str, scenario: &Scenario) {
    let seeds = std::env::var("CHAMADA_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    let runs: Vec<_> = (1..=seeds).map(|seed| run(&scenario.setup, seed)).collect();
    let mut failed = Vec::new();
    for mark in &scenario.marks {
        let values: Vec<f64> = runs.iter().map(|reports| mark.measure.of(&scenario.setup, reports)).collect();
        let (median, worst) = mark.aim.median_and_worst(values.clone());
        let known = SHORTFALLS.iter().find(|known| known.plan == name && known.measure == mark.measure);
        let holds = mark.holds(median, worst);
        let verdict = match known {
            _ if holds => "holds",
            Some(_) => "KNOWN",
            None => "FAILS",
        };
        println!(
            "{name} | {:?} | {:?} | {median:.3} | {worst:.3} | {:.3} | {verdict} | {values:.2?}",
            mark.measure,
            mark.aim,
            mark.worst_aim().of()
        );
        let good = holds || known.is_some_and(|known| mark.holds_recorded((median, worst), known.recorded));
        if !good {
            failed.push(format!("{mark:?}: median {median:.3}, worst {worst:.3} of {values:.3?}"));
        }
    }
    let wrong: Vec<&String> = runs.iter().flatten().flat_map(|report| &report.violations).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    let series = if failed.is_empty() { String::new() } else { runs[0][0].series() };
    assert!(failed.is_empty(), "{name}:\n{}\nseed 1 by the second:\n{series}", failed.join("\n"));
}

/// A test for each scenario, and a way to find it by its name.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        pub(in crate::congestion::tests) fn by_name(name: &str) -> Option<$crate::congestion::tests::plans::Scenario> {
            match name {
                $(stringify!($name) => Some($name()),)*
                _ => None,
            }
        }
        mod plan {
            $(#[test]
            fn $name() {
                $crate::congestion::tests::plans::check(stringify!($name), &super::$name());
            })*
        }
    };
}
use scenarios;

/// Prints one plan's run by the second: `PLAN=steady_1m SEED=3 cargo test -p chamada --lib print_a_plan -- --ignored --nocapture`.
#[test]
#[ignore = "for people who tune"]
fn print_a_plan_by_the_second() {
    let name = std::env::var("PLAN").unwrap_or_else(|_| "steady_1m".to_owned());
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let found = [steady::by_name, changing::by_name, lossy::by_name, shared::by_name].iter().find_map(|find| find(&name));
    let scenario = found.unwrap_or_else(|| panic!("no plan is called {name}"));
    let reports = run(&scenario.setup, seed);
    for report in reports.iter().step_by(2) {
        println!("{}", report.series());
    }
    for mark in &scenario.marks {
        println!("{:?} {:?}: {:.3}", mark.measure, mark.aim, mark.measure.of(&scenario.setup, &reports));
    }
}
