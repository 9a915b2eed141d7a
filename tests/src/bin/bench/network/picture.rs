//! A call on a path as a picture (SVG): what the path carried and what was sent, the queue, frozen pictures, concealed sound.
//!
//! Written as text, since it is a handful of lines and rectangles: a plotting library would want fonts of the system.

use super::measure::Run;
use super::scenario::Scenario;
use std::fmt::Write;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
/// Top and height of the panels: rates, queue, concealed sound.
const RATES: (f64, f64) = (70.0, 230.0);
const QUEUE: (f64, f64) = (340.0, 110.0);
const SOUND: (f64, f64) = (490.0, 70.0);
const HEIGHT: f64 = 610.0;
/// How many entries of the log the delivered rate is averaged over: half a second.
const SMOOTH: usize = 5;

const CAPACITY: &str = "#8a8f98";
const DELIVERED: &str = "#1565c0";
const TARGET: &str = "#e07b00";
const FROZEN: &str = "#d32f2f";
const LONGEST: &str = "#b39ddb";
const MEAN: &str = "#512da8";
const CONCEALED: &str = "#c2185b";

/// Draws one call; `title` says whose it is.
pub(crate) fn draw(title: &str, scenario: &Scenario, run: &Run) -> String {
    let mut svg = Svg::new(run.seconds);
    svg.text(LEFT, 26.0, "start", 17, "#111", title);
    svg.legend(
        46.0,
        &[("capacity", CAPACITY), ("bandwidth estimate", TARGET), ("delivered", DELIVERED), ("picture frozen", FROZEN)],
    );
    rates(&mut svg, scenario, run);
    queue(&mut svg, run);
    sound(&mut svg, run);
    svg.finish()
}

fn rates(svg: &mut Svg, scenario: &Scenario, run: &Run) {
    let delivered = run.delivered_kbps(SMOOTH);
    let capacity = |at: f64| f64::from(scenario.leg_at(at).kbps);
    // A path that is far wider than what is sent would flatten everything else.
    let sent = delivered.iter().copied().fold(0.0, f64::max);
    let widest = scenario.legs.iter().map(|leg| f64::from(leg.kbps)).fold(0.0, f64::max);
    let top = nice(widest.min(sent * 2.0).max(100.0) * 1.15);
    svg.axis(RATES, top, "kbit/s");
    for (from, to, share) in run.observed.frozen_spans() {
        if share > 0.02 {
            svg.band(RATES, from, to.min(run.seconds), FROZEN, 0.15 + 0.3 * share);
        }
    }
    let steps = scenario.legs.iter().enumerate().filter_map(|(index, _)| scenario.span_of_leg(index, run.seconds));
    let steps = steps.flat_map(|(from, to)| [(from, capacity(from)), (to, capacity(from))]).collect::<Vec<_>>();
    svg.line(RATES, top, CAPACITY, 2.5, steps);
    svg.line(RATES, top, TARGET, 1.3, run.observed.targets.iter().copied());
    svg.line(RATES, top, DELIVERED, 1.5, points(&delivered));
}

fn queue(svg: &mut Svg, run: &Run) {
    let buckets = run.log.iter().take(count(run));
    let longest: Vec<f64> = buckets.clone().map(|bucket| bucket.longest_wait.as_secs_f64() * 1e3).collect();
    let mean: Vec<f64> =
        buckets.map(|bucket| bucket.waited.as_secs_f64() * 1e3 / f64::from(bucket.queued.max(1))).collect();
    let top = nice(longest.iter().copied().fold(50.0, f64::max) * 1.05);
    svg.axis(QUEUE, top, "queue, ms");
    svg.line(QUEUE, top, LONGEST, 1.0, points(&longest));
    svg.line(QUEUE, top, MEAN, 1.3, points(&mean));
    svg.legend(QUEUE.0 - 10.0, &[("longest wait in the queue of each 100 ms", LONGEST), ("mean", MEAN)]);
}

fn sound(svg: &mut Svg, run: &Run) {
    let spans = run.observed.concealed_spans();
    let top = nice(spans.iter().map(|(_, _, share)| share * 100.0).fold(5.0, f64::max));
    svg.axis(SOUND, top, "sound, %");
    for (from, to, share) in &spans {
        svg.bar(SOUND, *from, to.min(run.seconds), share * 100.0 / top, CONCEALED);
    }
    let whole = run.observed.concealed.map_or(String::new(), |share| format!(", {:.2} % of the call", share * 100.0));
    let told = if spans.is_empty() { " (not told while the call lasts)" } else { "" };
    svg.legend(SOUND.0 - 10.0, &[(&format!("sound concealed{whole}{told}"), CONCEALED)]);
    svg.times(SOUND.0 + SOUND.1);
}

fn count(run: &Run) -> usize {
    (run.seconds * 10.0).round() as usize
}

fn points(values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().enumerate().map(|(index, value)| (index as f64 / 10.0 + 0.05, *value)).collect()
}

/// The next larger of 1, 2, 3, 4, 5, 6, 8, 10 times a power of ten.
fn nice(value: f64) -> f64 {
    let power = 10f64.powf(value.max(1e-6).log10().floor());
    let steps = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0];
    steps.into_iter().find(|step| step * power >= value).map_or(10.0 * power, |step| step * power)
}

struct Svg {
    out: String,
    seconds: f64,
}

impl Svg {
    fn new(seconds: f64) -> Self {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = write!(
            out,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" font-family="system-ui, sans-serif">
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
"##
        );
        Self { out, seconds: seconds.max(1.0) }
    }

    fn x(&self, at: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (at / self.seconds).clamp(0.0, 1.0)
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, size: u32, color: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            self.out,
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}" fill="{color}">{text}</text>"#
        );
    }

    /// Colours and what they stand for, in a row.
    fn legend(&mut self, y: f64, entries: &[(&str, &str)]) {
        let mut x = LEFT;
        for (text, color) in entries {
            let _ = writeln!(self.out, r#"<rect x="{x:.1}" y="{:.1}" width="14" height="9" fill="{color}"/>"#, y - 9.0);
            self.text(x + 20.0, y, "start", 13, "#333", text);
            // About the width of a letter of that size.
            x += 50.0 + 6.8 * text.chars().count() as f64;
        }
    }

    /// Frame, lines and numbers of a panel whose values go from 0 to `top`.
    fn axis(&mut self, (y, height): (f64, f64), top: f64, label: &str) {
        for quarter in 0..=4 {
            let share = f64::from(quarter) / 4.0;
            let at = y + height * (1.0 - share);
            let _ = writeln!(
                self.out,
                r##"<line x1="{LEFT}" x2="{:.1}" y1="{at:.1}" y2="{at:.1}" stroke="#e3e5e8"/>"##,
                WIDTH - RIGHT
            );
            if quarter % 2 == 0 {
                let value = top * share;
                let text = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
                self.text(LEFT - 6.0, at + 4.0, "end", 12, "#555", &text);
            }
        }
        let middle = y + height / 2.0;
        let _ = writeln!(
            self.out,
            r##"<text x="16" y="{middle:.1}" transform="rotate(-90 16 {middle:.1})" text-anchor="middle" font-size="13" fill="#333">{label}</text>"##
        );
    }

    /// Seconds below the last panel.
    fn times(&mut self, y: f64) {
        let step = nice(self.seconds / 8.0).max(1.0);
        let mut at = 0.0;
        while at <= self.seconds {
            self.text(self.x(at), y + 18.0, "middle", 12, "#555", &format!("{at:.0}"));
            at += step;
        }
        self.text(
            LEFT + (WIDTH - LEFT - RIGHT) / 2.0,
            y + 38.0,
            "middle",
            13,
            "#333",
            "seconds since the call was connected",
        );
    }

    fn line(
        &mut self,
        (y, height): (f64, f64),
        top: f64,
        color: &str,
        width: f64,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) {
        let mut path = String::new();
        for (at, value) in points {
            let _ = write!(path, "{:.1},{:.1} ", self.x(at), y + height * (1.0 - (value / top).clamp(0.0, 1.0)));
        }
        let _ = writeln!(
            self.out,
            r#"<polyline points="{}" fill="none" stroke="{color}" stroke-width="{width}"/>"#,
            path.trim_end()
        );
    }

    /// A stretch of time, as high as the panel.
    fn band(&mut self, panel: (f64, f64), from: f64, to: f64, color: &str, opacity: f64) {
        self.rectangle(panel, from, to, 1.0, color, opacity);
    }

    /// A stretch of time, as high as a share of the panel.
    fn bar(&mut self, panel: (f64, f64), from: f64, to: f64, share: f64, color: &str) {
        self.rectangle(panel, from, to, share.clamp(0.0, 1.0), color, 0.85);
    }

    fn rectangle(&mut self, (y, height): (f64, f64), from: f64, to: f64, share: f64, color: &str, opacity: f64) {
        let (left, right) = (self.x(from), self.x(to));
        let _ = writeln!(
            self.out,
            r#"<rect x="{left:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="{color}" fill-opacity="{opacity:.2}"/>"#,
            y + height * (1.0 - share),
            (right - left).max(0.0),
            height * share
        );
    }

    fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::super::observed::{Observed, Sample};
    use super::super::scenario::Leg;
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number() {
        for (most, end) in [(0.3, 0.3), (1.0, 1.0), (7.0, 8.0), (9.1, 10.0), (1150.0, 2000.0)] {
            assert!((nice(most) / end - 1.0_f64).abs() < 1e-9, "{most}");
        }
    }

    #[test]
    fn freezes_and_concealed_sound_are_drawn_where_they_were() {
        let scenario = Scenario { name: "x", path: "a < b", seconds: 10, legs: &[Leg::PLAIN], marks: &[] };
        let sample = |at: f64, frozen: f64| Sample {
            at,
            frozen_s: Some(frozen),
            concealed_s: Some(frozen / 10.0),
            ..Sample::default()
        };
        let observed = Observed { samples: vec![sample(5.0, 0.0), sample(10.0, 5.0)], ..Observed::default() };
        let svg = draw("a < b", &scenario, &Run { seconds: 10.0, log: Vec::new(), observed });
        assert!(svg.contains("a &lt; b"));
        let frozen: Vec<_> = svg.lines().filter(|line| line.contains(FROZEN) && line.contains("opacity")).collect();
        assert_eq!(frozen.len(), 1, "only the second half: {frozen:?}");
        assert!(frozen[0].contains(&format!("x=\"{:.1}\"", LEFT + (WIDTH - LEFT - RIGHT) / 2.0)), "{frozen:?}");
    }
}
