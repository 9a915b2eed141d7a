//! What is new, for whoever reads about a release; and that all packages have its version.

use super::VERSION;
use crate::run::root;
use crate::steps::Outcome;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// Files that name the version, and how.
const NAMED: [(&str, &str, &str); 3] = [
    ("bindings/kotlin/pom.xml", "<artifactId>chamada-kotlin</artifactId>\n  <version>", "<"),
    ("android/pom.xml", "<artifactId>chamada-android-check</artifactId>\n  <version>", "<"),
    ("bindings/kotlin/sample/pom.xml", "<chamada.version>", "<"),
];

pub(super) fn write(out: &Path) -> Result<Outcome> {
    for (file, before, after) in NAMED {
        let text = fs::read_to_string(root().join(file)).context(file)?;
        let version = text.split_once(before).and_then(|(_, rest)| rest.split(after).next());
        if version != Some(VERSION) {
            bail!("{file} has the version {version:?}, and the workspace {VERSION}");
        }
    }
    let changelog = fs::read_to_string(root().join("CHANGELOG.md"))?;
    let section = section(&changelog)?;
    fs::write(out.join("CHANGES.md"), format!("# Chamada {VERSION}\n\n{section}\n"))?;
    Ok(Outcome::Passed)
}

/// That of this version, or, before it is released, what is unreleased.
fn section(changelog: &str) -> Result<String> {
    let after = |title: &str| {
        let mut lines = changelog.lines().skip_while(|line| line.split(" – ").next() != Some(title));
        lines.next()?;
        let text: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
        Some(text.join("\n").trim().to_owned())
    };
    let found = after(&format!("## {VERSION}")).or_else(|| after("## Unreleased"));
    let text = found.with_context(|| format!("CHANGELOG.md has neither {VERSION} nor Unreleased"))?;
    if text.is_empty() {
        bail!("CHANGELOG.md says nothing of what is new");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_that_of_the_version_or_what_is_unreleased() {
        let both = format!(
            "# Changelog\n\n## Unreleased\n\n- later\n\n## {VERSION} – 2026-11-29\n\n- now\n\n## 0.0.1\n- old\n"
        );
        assert_eq!(section(&both).unwrap(), "- now");
        assert_eq!(section("## Unreleased\n\n- later\n").unwrap(), "- later");
        assert!(section("## Unreleased\n\n").is_err() && section("## 0.0.1\n- old\n").is_err());
    }
}
