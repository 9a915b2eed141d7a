//! The scenarios as data: a path, what the ends do, and the marks. Each is a test by its name.

mod changing;
mod lossy;
mod shared;
mod steady;

use super::call::{Setup, run};
use super::link::MILLI;
use super::measure::{Aim, Mark, Measure};
use super::report::Report;
use super::shortfalls::SHORTFALLS;

/// How many seeds each plan runs with.
const SEEDS: u64 = 20;

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

/// The figures of each mark: the median of the seeds, and the worst.
fn figures(scenario: &Scenario, runs: &[Vec<Report>]) -> Vec<(Mark, f64, f64)> {
    let figure = |mark: &Mark| {
        let values = runs.iter().map(|reports| mark.measure.of(&scenario.setup, reports)).collect();
        let (median, worst) = mark.aim.median_and_worst(values);
        (*mark, median, worst)
    };
    scenario.marks.iter().map(figure).collect()
}

fn run_all_seeds(scenario: &Scenario) -> Vec<Vec<Report>> {
    let seeds = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    (1..=seeds).map(|seed| run(&scenario.setup, seed)).collect()
}

/// Runs a scenario with all seeds and holds it to its marks; to what was recorded where it is known to fall short.
fn check(name: &str, scenario: &Scenario) {
    let runs = run_all_seeds(scenario);
    let mut failed = Vec::new();
    for (mark, median, worst) in figures(scenario, &runs) {
        let known = SHORTFALLS.iter().find(|known| known.is(name, &mark));
        let holds = mark.holds(median, worst);
        let verdict = match known {
            _ if holds => "holds",
            Some(_) => "falls short",
            None => "FAILS",
        };
        let (measure, aim, worst_aim) = (mark.measure, mark.aim, mark.worst_aim().of());
        println!("{name} | {measure:?} | {aim:?} | {median:.3} | {worst:.3} | {worst_aim:.3} | {verdict}");
        if !holds && known.is_none_or(|known| !mark.holds_recorded((median, worst), known.recorded)) {
            failed.push(format!("{measure:?}, aim {aim:?}: median {median:.3}, worst {worst:.3} ({worst_aim:.3})"));
        }
    }
    let wrong: Vec<&String> = runs.iter().flatten().flat_map(|report| &report.violations).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    let protected = runs.iter().any(|reports| reports[0].protected);
    assert_eq!(protected, is_far_and_lossy(&scenario.setup), "{name}: forward error correction");
    let series = if failed.is_empty() { String::new() } else { runs[0][0].series() };
    assert!(failed.is_empty(), "{name}:\n{}\nseed 1 by the second:\n{series}", failed.join("\n"));
}

/// The one kind of path on which forward error correction is worth what it costs.
fn is_far_and_lossy(setup: &Setup) -> bool {
    let (there, back) = (setup.forward.at(0), setup.back.at(0));
    there.delay + back.delay >= 200 * MILLI && there.loss > 0.03
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
        pub(in crate::congestion::tests) const NAMES: &[&str] = &[$(stringify!($name)),*];
        mod plan {
            $(#[test]
            fn $name() {
                $crate::congestion::tests::plans::check(stringify!($name), &super::$name());
            })*
        }
    };
}
use scenarios;

fn by_name(name: &str) -> Option<Scenario> {
    [steady::by_name, changing::by_name, lossy::by_name, shared::by_name].iter().find_map(|find| find(name))
}

fn names() -> impl Iterator<Item = &'static str> {
    [steady::NAMES, changing::NAMES, lossy::NAMES, shared::NAMES].into_iter().flatten().copied()
}

#[test]
fn each_known_shortfall_is_of_a_mark_that_there_is() {
    for known in SHORTFALLS {
        let scenario = by_name(known.plan).unwrap_or_else(|| panic!("no plan is called {}", known.plan));
        assert!(scenario.marks.iter().any(|mark| known.is(known.plan, mark)), "{}: {:?}", known.plan, known.measure);
    }
}

/// Prints `shortfalls.rs`' list as it is now; with `PLANS=wifi_steps,loss_5` all measures of these plans.
#[test]
#[ignore = "for people who tune"]
fn print_the_shortfalls() {
    let wanted = std::env::var("PLANS").ok();
    for name in names().filter(|name| wanted.as_ref().is_none_or(|all| all.split(',').any(|one| one == *name))) {
        let Some(scenario) = by_name(name) else { continue };
        let runs = run_all_seeds(&scenario);
        for (mark, median, worst) in figures(&scenario, &runs) {
            if wanted.is_some() || !mark.holds(median, worst) {
                println!("    short({name:?}, {:?}, {:?}, {median:.3}, {worst:.3}),", mark.measure, mark.aim);
            }
        }
    }
}

/// Prints one plan's run by the second: `PLAN=steady_1m SEED=3 cargo test -p chamada --lib print_a_plan -- --ignored --nocapture`.
#[test]
#[ignore = "for people who tune"]
fn print_a_plan_by_the_second() {
    let name = std::env::var("PLAN").unwrap_or_else(|_| "steady_1m".to_owned());
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let scenario = by_name(&name).unwrap_or_else(|| panic!("no plan is called {name}"));
    let reports = run(&scenario.setup, seed);
    for report in reports.iter().step_by(2) {
        println!("{}", report.series());
    }
    for mark in &scenario.marks {
        println!("{:?} {:?}: {:.3}", mark.measure, mark.aim, mark.measure.of(&scenario.setup, &reports));
    }
}
