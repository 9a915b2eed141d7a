//! `cargo xtask site`: the documentation as pages of HTML in `target/site`.
//!
//! `docs/site/SUMMARY.md` lists the pages, in mdBook's form: those beside it, and the documents that the repository has elsewhere, which are
//! taken from where they are. Nothing is shown that was not looked at: links have to lead to something, and code to be compiled elsewhere.

mod code;
mod links;
mod page;
mod summary;

use crate::run::{root, say, target};
use crate::steps::{Outcome, Steps, last_run};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use summary::Entry;

/// The folder of the pages that are the site's own.
const PAGES: &str = "docs/site";
/// Where the last run of `cargo xtask test` is put.
const LAST_RUN: &str = "<!-- last run -->";

pub(crate) fn steps(steps: &mut Steps) {
    steps.step("the site: pages, links, code", || build(&root()));
}

/// One page before it is HTML.
struct Source {
    entry: Entry,
    /// With what it includes.
    markdown: String,
    /// What links may lead to in it.
    anchors: BTreeSet<String>,
}

fn build(root: &std::path::Path) -> Result<Outcome> {
    let list = fs::read_to_string(root.join(PAGES).join("SUMMARY.md")).context("docs/site/SUMMARY.md")?;
    let parts = summary::read(&list, PAGES)?;
    let (mut pages, mut wrong) = (BTreeMap::new(), Vec::new());
    for entry in parts.iter().flat_map(|part| &part.entries) {
        let path = root.join(&entry.source);
        let text = fs::read_to_string(&path).with_context(|| format!("{}, which SUMMARY.md names", entry.source))?;
        let markdown = match code::included(&text, &entry.source, root) {
            Ok(markdown) => markdown.replace(LAST_RUN, &last_run()),
            Err(error) => {
                wrong.push(format!("{}: {error:#}", entry.source));
                continue;
            }
        };
        let anchors = page::anchors(&markdown);
        pages.insert(entry.source.clone(), Source { entry: entry.clone(), markdown, anchors });
    }
    let (out, mut files) = (target().join("site"), BTreeSet::new());
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    for source in pages.values() {
        let resolved = links::resolve(source, &pages, root, &mut wrong);
        files.extend(resolved.files);
        let html = page::html(source, &resolved.markdown, &parts);
        fs::write(out.join(&source.entry.page), html)?;
    }
    for unlisted in unlisted(root, &pages)? {
        wrong.push(format!("{unlisted} is not in SUMMARY.md"));
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    for file in &files {
        let to = out.join(links::FILES).join(file);
        fs::create_dir_all(to.parent().unwrap_or(&out))?;
        fs::copy(root.join(file), to)?;
    }
    fs::write(out.join("style.css"), page::STYLE)?;
    let first = out.join("index.html");
    say(&format!("{} pages and {} files: {}", pages.len(), files.len(), first.display()));
    Ok(Outcome::Passed)
}

/// A page that nobody can get to is a mistake.
fn unlisted(root: &std::path::Path, pages: &BTreeMap<String, Source>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(PAGES)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "md") && !path.ends_with("SUMMARY.md") {
                let name = path.to_string_lossy().into_owned();
                if !pages.contains_key(&name) {
                    found.push(name);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_the_repository_is_listed_and_every_link_leads_somewhere() {
        build(&root()).unwrap();
        let index = fs::read_to_string(target().join("site/index.html")).unwrap();
        assert!(index.contains("<nav") && index.contains("<main"), "{index}");
    }
}
