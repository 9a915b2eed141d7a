//! `cargo xtask texts`: from the one table of what people read, docs/texts.json, the files that each platform wants.

mod generate;
mod table;
mod used;

use crate::run::root;
use crate::steps::{Outcome, Steps};
use anyhow::{Context, Result, bail};
use std::fs;
use table::Table;

const TABLE: &str = "docs/texts.json";
/// Where the core has the words of the check of the other end.
const VERIFICATION_WORDS: &str = "core/src/security/words.rs";

/// Writes everything.
pub(crate) fn write() -> Result<()> {
    let table = read()?;
    for (path, content) in files(&table)? {
        let path = root().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, content).with_context(|| path.display().to_string())?;
        println!("texts: {}", path.display());
    }
    used::check(&table)
}

pub(crate) fn steps(steps: &mut Steps) {
    steps.step("texts in step", || {
        let table = read()?;
        for (path, content) in files(&table)? {
            if fs::read_to_string(root().join(&path)).unwrap_or_default() != content {
                bail!("{path} is not what {TABLE} and {VERIFICATION_WORDS} say: run cargo xtask texts");
            }
        }
        used::check(&table)?;
        Ok(Outcome::Passed)
    });
}

/// Each file's path, and what is in it.
fn files(table: &Table) -> Result<Vec<(String, String)>> {
    let mut files = generate::files(table);
    files.push(generate::verification_words(&fs::read_to_string(root().join(VERIFICATION_WORDS))?));
    Ok(files)
}

fn read() -> Result<Table> {
    Table::parse(&fs::read_to_string(root().join(TABLE))?).context(TABLE)
}
