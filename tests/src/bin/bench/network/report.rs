//! The table that people read and the JSON that programs read.

use super::Peer;
use super::call::Codec;
use super::measure::{Run, median};
use super::scenario::{Bound, Measure, Scenario, Span};
use serde_json::{Value, json};

/// All calls on one path with one codec.
pub(crate) struct Result<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) codec: Codec,
    pub(crate) runs: Vec<(Peer, Run)>,
}

/// One measure of all calls.
struct Row {
    measure: Measure,
    bound: Option<Bound>,
    chamada: Option<f64>,
    chromium: Option<f64>,
}

impl Row {
    fn is_missed(&self) -> bool {
        self.bound.is_some_and(|bound| !bound.holds(self.chamada))
    }

    /// Whether Chromium did better on the same path, where a mark says which direction is better.
    fn is_behind(&self) -> bool {
        match (self.bound, self.chamada, self.chromium) {
            (Some(Bound::AtMost(_)), Some(ours), Some(theirs)) => ours > theirs,
            (Some(Bound::AtLeast(_)), Some(ours), Some(theirs)) => ours < theirs,
            _ => false,
        }
    }
}

impl Result<'_> {
    /// The calls of one product, in their order.
    pub(crate) fn of(&self, peer: Peer) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |(of, _)| *of == peer).map(|(_, run)| run)
    }

    /// How many of the marks were missed; those of a product that made no call are not counted.
    pub(crate) fn missed(&self) -> usize {
        if self.of(Peer::Chamada).next().is_none() {
            0
        } else {
            self.rows().iter().filter(|row| row.is_missed()).count()
        }
    }

    fn rows(&self) -> Vec<Row> {
        let of = |peer, measure| median(self.of(peer).filter_map(|run| run.measure(self.scenario, measure)));
        let row = |(measure, bound)| {
            let (chamada, chromium) = (of(Peer::Chamada, measure), of(Peer::Chromium, measure));
            Row { measure, bound, chamada, chromium }
        };
        self.scenario.rows().into_iter().map(row).collect()
    }

    /// The table, one line for each measure.
    pub(crate) fn table(&self) -> String {
        let (name, path) = (self.scenario.name, self.scenario.path);
        let codec = self.codec.media_subtype();
        let runs = [Peer::Chamada, Peer::Chromium].map(|peer| self.of(peer).count());
        let mut text = format!("\n{name}: {path} ({codec}, medians of {} and {} calls)\n", runs[0], runs[1]);
        text += &format!("  {:<42} {:>12} {:>12}   mark\n", "", "chamada", "Chromium");
        for row in self.rows() {
            let shown = |value: Option<f64>| value.map_or("–".into(), |value| shown(row.measure, value));
            let mark = row.bound.map_or(String::new(), |bound| in_words(row.measure, bound));
            let missed = if row.is_missed() && runs[0] > 0 { "   MISSED" } else { "" };
            let behind = if row.is_behind() { "   behind Chromium" } else { "" };
            let name = self.name_of(row.measure);
            let line =
                format!("  {name:<42} {:>12} {:>12}   {mark}{missed}{behind}", shown(row.chamada), shown(row.chromium));
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    /// What is measured, in words.
    fn name_of(&self, measure: Measure) -> String {
        let leg = |index: usize| match self.scenario.legs.get(index) {
            Some(leg) if self.scenario.legs.len() > 1 => format!(" from {} s on, {} kbit/s", leg.from_s, leg.kbps),
            _ => String::new(),
        };
        match measure {
            Measure::Frozen => "frozen".into(),
            Measure::Concealed | Measure::ConcealedSeconds => "sound concealed".into(),
            Measure::Queue(index) => format!("queue, mean{}", index.map_or(String::new(), leg)),
            Measure::Use(Span::Leg(index)) => format!("use{}", leg(index)),
            Measure::Use(Span::Last(seconds)) => format!("use of the last {seconds} s"),
            Measure::Reach { from_s, kbps } => format!("until {kbps} kbit/s after {from_s} s"),
            Measure::FullPicture => "until 720p and 2 Mbit/s".into(),
            Measure::FrameRate => "pictures".into(),
            Measure::AvOffset => "sound and pictures apart, p95".into(),
            Measure::SoundAlone => "told that sound goes on alone".into(),
        }
    }

    /// All of it, each call and each 100 ms included.
    pub(crate) fn to_json(&self) -> Value {
        let rows: Vec<Value> = self.rows().iter().map(|row| self.row_to_json(row)).collect();
        let runs: Vec<Value> = self.runs.iter().map(|(peer, run)| self.run_to_json(*peer, run)).collect();
        json!({
            "scenario": self.scenario.name, "path": self.scenario.path, "codec": self.codec.name(), "medians": rows,
            "runs": runs,
        })
    }

    fn row_to_json(&self, row: &Row) -> Value {
        let (most, least) = match row.bound {
            Some(Bound::AtMost(most)) => (Some(most), None),
            Some(Bound::AtLeast(least)) => (None, Some(least)),
            None => (None, None),
        };
        json!({
            "name": self.name_of(row.measure), "unit": unit(row.measure).trim(), "chamada": row.chamada,
            "chromium": row.chromium, "at_most": most, "at_least": least,
            "missed": row.bound.map(|_| row.is_missed()), "behind_chromium": row.bound.map(|_| row.is_behind()),
        })
    }

    fn run_to_json(&self, peer: Peer, run: &Run) -> Value {
        let measures = self.scenario.rows();
        let values = measures.iter().map(
            |(measure, _)| json!({ "name": self.name_of(*measure), "value": run.measure(self.scenario, *measure) }),
        );
        let path = run.log.iter().map(|bucket| {
            json!([
                bucket.bytes_in,
                bucket.bytes_out,
                bucket.dropped,
                bucket.lost,
                if bucket.queued > 0 { bucket.waited.as_secs_f64() * 1e3 / f64::from(bucket.queued) } else { 0.0 },
                bucket.longest_wait.as_secs_f64() * 1e3,
            ])
        });
        let samples = run.observed.samples.iter().map(|sample| {
            json!({
                "at": sample.at, "frames": sample.frames, "width": sample.width, "frozen_s": sample.frozen_s,
                "concealed_s": sample.concealed_s, "jitter_buffer_ms": sample.jitter_buffer_ms,
                "av_offset_ms": sample.av_offset_ms,
            })
        });
        json!({
            "peer": peer.name(), "measures": values.collect::<Vec<_>>(), "freezes": run.observed.freezes,
            "lasted_s": run.observed.lasted_s, "samples": samples.collect::<Vec<_>>(),
            "target_kbps": run.observed.targets, "said": run.observed.raw,
            "path_columns": ["bytes in", "bytes out", "dropped", "lost", "queue mean ms", "queue max ms"],
            "path_per_100ms": path.collect::<Vec<_>>(),
        })
    }
}

fn unit(measure: Measure) -> &'static str {
    match measure {
        Measure::Frozen | Measure::ConcealedSeconds | Measure::Reach { .. } | Measure::FullPicture => " s",
        Measure::Concealed => " %",
        Measure::Queue(_) | Measure::AvOffset => " ms",
        Measure::FrameRate => " fps",
        Measure::Use(_) | Measure::SoundAlone => "",
    }
}

fn shown(measure: Measure, value: f64) -> String {
    let unit = unit(measure);
    match measure {
        Measure::Use(_) | Measure::Concealed | Measure::ConcealedSeconds => format!("{value:.2}{unit}"),
        Measure::SoundAlone => if value >= 1.0 { "yes" } else { "no" }.into(),
        _ => format!("{value:.1}{unit}"),
    }
}

fn in_words(measure: Measure, bound: Bound) -> String {
    match (measure, bound) {
        (Measure::SoundAlone, _) => "yes".into(),
        (_, Bound::AtMost(most)) => format!("≤ {most}{}", unit(measure)),
        (_, Bound::AtLeast(least)) => format!("≥ {least}{}", unit(measure)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::observed::Observed;
    use super::super::scenario::Leg;
    use super::*;

    const PATH: Scenario = Scenario {
        name: "path",
        path: "1 Mbit/s",
        seconds: 10,
        legs: &[Leg { kbps: 1000, ..Leg::PLAIN }],
        marks: &[(Measure::Frozen, Bound::AtMost(1.0)), (Measure::Concealed, Bound::AtMost(1.0))],
    };

    fn frozen(seconds: &[f64], peer: Peer) -> Vec<(Peer, Run)> {
        let run = |frozen_s: &f64| {
            let observed = Observed { frozen_s: *frozen_s, concealed: Some(0.005), ..Observed::default() };
            (peer, Run { seconds: 10.0, log: Vec::new(), observed })
        };
        seconds.iter().map(run).collect()
    }

    #[test]
    fn the_median_of_the_calls_is_held_against_mark_and_chromium() {
        let mut runs = frozen(&[5.0, 0.5, 0.7], Peer::Chamada);
        runs.extend(frozen(&[0.0, 0.6, 9.0], Peer::Chromium));
        let result = Result { scenario: &PATH, codec: Codec::Vp8, runs };
        assert_eq!(result.missed(), 0);
        let table = result.table();
        let line = table.lines().find(|line| line.contains("frozen")).unwrap();
        assert!(line.contains("0.7 s") && line.contains("≤ 1 s") && line.ends_with("behind Chromium"), "{line}");
    }

    #[test]
    fn what_was_missed_and_what_could_not_be_measured_is_said() {
        let mut runs = frozen(&[1.1], Peer::Chamada);
        runs[0].1.observed.concealed = None;
        let result = Result { scenario: &PATH, codec: Codec::Vp8, runs };
        assert_eq!(result.missed(), 2);
        assert_eq!(result.table().matches("MISSED").count(), 2);
    }

    #[test]
    fn without_a_call_of_ours_nothing_of_ours_is_missed() {
        let result = Result { scenario: &PATH, codec: Codec::Vp8, runs: frozen(&[5.0], Peer::Chromium) };
        assert_eq!(result.missed(), 0);
        assert!(!result.table().contains("MISSED"));
    }
}
