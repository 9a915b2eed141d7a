//! Code in pages: taken from files that are compiled and run as tests, by mdBook's `{{#include FILE:ANCHOR}}`.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

use super::{PAGES, links};

/// Languages that are compiled somewhere. In the site's own pages their code has to be included.
const COMPILED: [&str; 4] = ["rust", "kotlin", "swift", "javascript"];

/// The page with what it includes: whole files, parts between `ANCHOR: NAME` and `ANCHOR_END: NAME`, and sections of documents, by the
/// heading that they stand under (`{{#include FILE:## Heading}}`).
pub(super) fn included(text: &str, source: &str, root: &Path) -> Result<String> {
    let folder = source.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (mut lines, mut fence): (Vec<String>, Option<Fence>) = (Vec::new(), None);
    for line in text.lines() {
        if let Some(what) = line.trim().strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}")) {
            if let Some(fence) = &mut fence {
                fence.included = true;
            }
            lines.push(part(what, folder, root).with_context(|| what.to_owned())?);
            continue;
        }
        if let Some(language) = line.trim_start().strip_prefix("```") {
            match fence.take() {
                Some(open) => open.check(source)?,
                None => fence = Some(Fence { language: language.to_owned(), included: false, own: false }),
            }
        } else if let Some(fence) = &mut fence {
            fence.own |= !line.trim().is_empty();
        }
        lines.push(line.to_owned());
    }
    Ok(lines.join("\n") + "\n")
}

/// A block of code.
struct Fence {
    language: String,
    included: bool,
    own: bool,
}

impl Fence {
    fn check(&self, source: &str) -> Result<()> {
        let language = self.language.split(',').next().unwrap_or_default();
        if source.starts_with(PAGES) && COMPILED.contains(&language) && (self.own || !self.included) {
            bail!("a block of {language} that nobody compiles: take it from a file by {{{{#include …}}}}");
        }
        Ok(())
    }
}

fn part(what: &str, folder: &str, root: &Path) -> Result<String> {
    let (path, anchor) = what.split_once(':').map_or((what, None), |(path, anchor)| (path, Some(anchor)));
    let file = links::joined(folder, path).context("it is outside the repository")?;
    let text = fs::read_to_string(root.join(&file)).context(file)?;
    match anchor {
        None => Ok(text.trim_end().to_owned()),
        Some(heading) if heading.starts_with('#') => section(&text, heading),
        Some(anchor) => anchored(&text, anchor),
    }
}

/// What is between two marks, moved to the left as far as all of it allows.
fn anchored(text: &str, anchor: &str) -> Result<String> {
    let is = |line: &str, mark: &str| line.trim_end().ends_with(&format!("{mark}: {anchor}"));
    let start = text.lines().position(|line| is(line, "ANCHOR")).context("there is no such anchor")?;
    let inside: Vec<&str> = text.lines().skip(start + 1).take_while(|line| !is(line, "ANCHOR_END")).collect();
    if start + 1 + inside.len() == text.lines().count() {
        bail!("the anchor does not end");
    }
    // Other anchors may begin and end inside.
    let inside = inside.into_iter().filter(|line| !line.contains("ANCHOR: ") && !line.contains("ANCHOR_END: "));
    let inside: Vec<&str> = inside.collect();
    let indents = inside.iter().filter(|line| !line.trim().is_empty());
    let indent = indents.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    Ok(inside.iter().map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n"))
}

/// What is under a heading, without it, up to the next one of its level.
fn section(text: &str, heading: &str) -> Result<String> {
    let level = heading.chars().take_while(|letter| *letter == '#').count();
    let mut lines = text.lines().skip_while(|line| *line != heading);
    lines.next().context("there is no such heading")?;
    let ends = |line: &&str| {
        let hashes = line.chars().take_while(|letter| *letter == '#').count();
        !(1..=level).contains(&hashes) || !line[hashes..].starts_with(' ')
    };
    Ok(lines.take_while(ends).collect::<Vec<_>>().join("\n").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_taken_without_its_marks_and_its_indentation() {
        let text = "fn a() {\n    // ANCHOR: x\n    b();\n\n      c();\n    // ANCHOR_END: x\n}\n";
        assert_eq!(anchored(text, "x").unwrap(), "b();\n\n  c();");
        assert!(anchored(text, "y").is_err() && anchored("// ANCHOR: x\nb();\n", "x").is_err());
    }

    #[test]
    fn a_section_ends_where_the_next_of_its_level_begins() {
        let text = "# T\n## A\n\na\n### B\nb\n## C\nc\n";
        assert_eq!(section(text, "## A").unwrap(), "a\n### B\nb");
        assert!(section(text, "## D").is_err());
    }

    #[test]
    fn code_of_compiled_languages_has_to_be_included_in_the_sites_own_pages() {
        let root = Path::new("/");
        assert!(included("```kotlin\nval a = 1\n```\n", "docs/site/a.md", root).is_err());
        assert!(included("```sh\nls\n```\n", "docs/site/a.md", root).is_ok());
        assert!(included("```kotlin\nval a = 1\n```\n", "android/README.md", root).is_ok(), "checked by its own test");
    }
}
