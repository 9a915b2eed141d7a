//! `cargo xtask bench`: what a call costs, in numbers. A benchmark, not a test: it fails only if something does not work.
#![allow(clippy::print_stdout, missing_docs, reason = "a benchmark talks to the person who runs it")]

mod calls;
mod codecs;
mod server;
mod usage;

use anyhow::Result;
use serde_json::{Value, json};
use std::path::Path;

/// One measured figure.
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// Not more than this is what we aim at.
    aim: Option<f64>,
}

impl Figure {
    fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, aim: None }
    }

    fn aim(mut self, most: f64) -> Self {
        self.aim = Some(most);
        self
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    env_logger::init();
    let calls = match std::env::args().skip_while(|arg| arg != "--calls").nth(1) {
        Some(number) => number.parse()?,
        None => 30,
    };
    let mut figures = Vec::new();
    figures.extend(show(codecs::measure()?));
    figures.extend(show(calls::set_up().await?));
    figures.extend(show(calls::talk().await?));
    figures.extend(show(calls::in_a_row(calls).await?));
    figures.extend(show(server::measure().await?));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench.json");
    std::fs::write(&path, format!("{:#}\n", to_json(&figures)))?;
    println!("written to target/bench.json");
    Ok(())
}

fn show(figures: Vec<Figure>) -> Vec<Figure> {
    for Figure { name, value, unit, aim } in &figures {
        let aim = aim
            .map_or_else(String::new, |aim| format!("   aim ≤ {aim}{}", if *value <= aim { "" } else { "   MISSED" }));
        println!("{name:<52} {value:>10.2} {unit:<8}{aim}");
    }
    figures
}

fn to_json(figures: &[Figure]) -> Value {
    figures
        .iter()
        .map(|figure| json!({ "name": figure.name, "value": figure.value, "unit": figure.unit, "aim": figure.aim }))
        .collect()
}
