//! `--verify`: the words that both people compare, and the file of the people who were checked.

use crate::exit::Failure;
use crate::output::Output;
use chamada::client::Verification;
use chamada::security::{CheckResult, RememberedPerson};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// Prints how far the check is.
pub(crate) fn print(output: Output, verification: &Verification) {
    let words = verification.words.map(Vec::from).unwrap_or_default();
    let emoji: Vec<&str> = words.iter().map(|word| word.emoji).collect();
    let english: Vec<&str> = words.iter().map(|word| word.en).collect();
    let portuguese: Vec<&str> = words.iter().map(|word| word.pt_br).collect();
    let result = verification.result;
    let text = match result {
        CheckResult::Checking => "it goes on".to_owned(),
        CheckResult::Compare => "compare by voice, then type yes or no".to_owned(),
        CheckResult::Changed => "this is another device than last time: compare by voice, then type yes or no".into(),
        CheckResult::Remembered => "this is the device that was checked before".into(),
        CheckResult::Confirmed => "both of you see the same: nobody is in between".into(),
        CheckResult::Differs => "the two of you do not see the same: the call is not private".into(),
        CheckResult::Unsupported => "the other side cannot be checked".into(),
        CheckResult::Failed(why) => format!("the check failed, so the call may not be private: {why}"),
    };
    let shown =
        if words.is_empty() { String::new() } else { format!(": {} ({})", emoji.join(" "), english.join(", ")) };
    let why = match result {
        CheckResult::Failed(why) => Some(why.to_string()),
        _ => None,
    };
    output.event(
        "verification",
        json!({
            "words": emoji, "names": { "en": english, "pt-BR": portuguese }, "result": result.as_str(), "why": why,
        }),
        Some(format!("check of the other end{shown}: {text}")),
    );
}

/// The people in the file; none if it is not there yet.
pub(crate) fn read(path: &Path) -> Result<Vec<RememberedPerson>, Failure> {
    let bad = |error: &dyn std::fmt::Display| Failure::BadArgument(format!("{}: {error}", path.display()));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(bad(&error)),
    };
    serde_json::from_str(&text).map_err(|error| bad(&error))
}

/// Puts this person into the file, which nobody else may read.
pub(crate) fn remember(path: &Path, person: RememberedPerson) -> Result<(), Failure> {
    let mut people = read(path)?;
    people.retain(|known| known.name != person.name);
    people.push(person);
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
    let text = serde_json::to_string_pretty(&people).map_err(|error| failed(&error))?;
    // Written beside it first: half a file would forget everybody.
    let beside = path.with_extension("new");
    let written = create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    });
    written.map_err(|error| failed(&error))
}

fn create(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
