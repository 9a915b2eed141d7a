//! The table of peers and cases that the README has, from what the peers' programs tell.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::Path;

/// One case that was tried with one peer, as its program writes it: a JSON object a line.
#[derive(Deserialize, Serialize)]
pub(super) struct Cell {
    /// Name and version.
    peer: String,
    /// What is special about the call.
    what: String,
    /// `calls us` or `is called`: what the peer does.
    way: String,
    passed: bool,
}

/// Reads `cells` and writes `interop.json` and `interop.md` into `folder`; prints the latter.
pub(super) fn write(cells: &Path, folder: &Path) -> Result<()> {
    let text = std::fs::read_to_string(cells).context("no peer told of any case")?;
    let cells: Vec<Cell> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let table = markdown(&cells);
    std::fs::write(folder.join("interop.json"), serde_json::to_string_pretty(&cells)?)?;
    std::fs::write(folder.join("interop.md"), &table)?;
    println!("{table}");
    Ok(())
}

/// A row for each case, in the order in which they were first told, and a column for each peer.
fn markdown(cells: &[Cell]) -> String {
    let peers = distinct(cells.iter().map(|cell| &*cell.peer));
    let mut table = format!("| | {} |\n|{}\n", peers.join(" | "), " --- |".repeat(peers.len() + 1));
    for what in distinct(cells.iter().map(|cell| &*cell.what)) {
        let row = cells.iter().filter(|cell| cell.what == what);
        let columns: Vec<String> =
            peers.iter().map(|peer| verdict(row.clone().filter(|cell| cell.peer == *peer))).collect();
        let _ = writeln!(table, "| {what} | {} |", columns.join(" | "));
    }
    table
}

fn verdict<'a>(tried: impl Iterator<Item = &'a Cell>) -> String {
    let words = tried.map(|cell| if cell.passed { cell.way.clone() } else { format!("{}: FAILED", cell.way) });
    let mut words: Vec<_> = words.collect();
    // Some programs try several cases at a time.
    words.sort();
    words.join(", ")
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(peer: &str, what: &str, way: &str, passed: bool) -> Cell {
        Cell { peer: peer.into(), what: what.into(), way: way.into(), passed }
    }

    #[test]
    fn a_table_has_a_row_for_each_case_and_a_column_for_each_peer() {
        let cells = [
            cell("A 1", "as it is", "calls us", true),
            cell("A 1", "LF", "calls us", false),
            cell("B 2", "as it is", "is called", true),
            cell("B 2", "as it is", "calls us", true),
        ];
        let table = "| | A 1 | B 2 |\n| --- | --- | --- |\n\
            | as it is | calls us | calls us, is called |\n\
            | LF | calls us: FAILED |  |\n";
        assert_eq!(markdown(&cells), table);
    }
}
