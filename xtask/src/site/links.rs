//! Links: to pages, to places in them, and to other files of the repository, which come along. Those to other hosts are left as they are.

use super::Source;
use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};
use std::collections::BTreeMap;
use std::path::Path;

/// The site's folder of files that are not pages.
pub(super) const FILES: &str = "files";

/// A page whose links lead to where things are in the site.
pub(super) struct Resolved {
    pub(super) markdown: String,
    /// What has to come along, from the repository's folder.
    pub(super) files: Vec<String>,
}

pub(super) fn resolve(
    source: &Source,
    pages: &BTreeMap<String, Source>,
    root: &Path,
    wrong: &mut Vec<String>,
) -> Resolved {
    let (mut files, mut changes) = (Vec::new(), Vec::new());
    for (event, range) in Parser::new_ext(&source.markdown, options()).into_offset_iter() {
        let Event::Start(Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. }) = event else {
            continue;
        };
        if link_type != LinkType::Inline || is_elsewhere(&dest_url) {
            continue;
        }
        match target(&dest_url, source, pages, root) {
            Ok(target) => {
                // The destination is the last thing in its brackets.
                let written = &source.markdown[range.clone()];
                let Some(at) = written.rfind(&format!("]({dest_url}")) else { continue };
                let start = range.start + at + 2;
                let destination = start..start + dest_url.len();
                match target {
                    Target::Page(url) => changes.push((destination, url)),
                    Target::File(file) => {
                        changes.push((destination, format!("{FILES}/{file}")));
                        files.push(file);
                    }
                    Target::Folder => changes.push((range, written[1..at].to_owned())),
                }
            }
            Err(why) => wrong.push(format!("{}: {dest_url} {why}", source.entry.source)),
        }
    }
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut markdown = source.markdown.clone();
    for (range, url) in changes {
        markdown.replace_range(range, &url);
    }
    Resolved { markdown, files }
}

enum Target {
    /// A page, or a place in one.
    Page(String),
    /// A file that comes along.
    File(String),
    /// A folder of the repository, which the site does not show: of the link its words are left.
    Folder,
}

fn target(url: &str, source: &Source, pages: &BTreeMap<String, Source>, root: &Path) -> Result<Target, &'static str> {
    let (path, anchor) = url.split_once('#').map_or((url, None), |(path, anchor)| (path, Some(anchor)));
    let folder = source.entry.source.rsplit_once('/').map_or("", |(folder, _)| folder);
    let file = if path.is_empty() {
        source.entry.source.clone()
    } else {
        // What a section brings along from another document has links from there.
        let places = [joined(folder, path), joined("", path)];
        let is_there = |file: &String| pages.contains_key(file) || root.join(file).exists();
        let there = places.into_iter().flatten().find(is_there);
        there.ok_or("leads nowhere")?
    };
    let readme = format!("{file}/README.md");
    if let Some(page) = pages.get(&file).or_else(|| pages.get(readme.trim_start_matches('/'))) {
        if let Some(anchor) = anchor
            && !page.anchors.contains(anchor)
        {
            return Err("names a place that is not there");
        }
        let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
        return Ok(Target::Page(format!("{}{anchor}", page.entry.page)));
    }
    Ok(if root.join(&file).is_dir() { Target::Folder } else { Target::File(file) })
}

fn is_elsewhere(url: &str) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| url.starts_with(scheme))
}

pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH
}

/// A relative path from a folder, both from the repository's; none if it leads out of that.
pub(super) fn joined(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::summary::Entry;
    use std::collections::BTreeSet;

    fn page(source: &str, markdown: &str) -> (String, Source) {
        let entry = Entry { title: String::new(), source: source.to_owned(), page: source.replace(".md", ".html") };
        let anchors = BTreeSet::from(["there".to_owned()]);
        (source.to_owned(), Source { entry, markdown: markdown.to_owned(), anchors })
    }

    #[test]
    fn links_lead_to_pages_places_and_files_or_are_told() {
        let text =
            "[a](b.md#there) [c](Cargo.toml) [`g`](core) [d](https://a.example/b.md) [e](b.md#gone) [f](gone.md)";
        let pages = BTreeMap::from([page("a.md", text), page("b.md", "")]);
        let mut wrong = Vec::new();
        let root = crate::run::root();
        let resolved = resolve(&pages["a.md"], &pages, &root, &mut wrong);
        let expected = "[a](b.html#there) [c](files/Cargo.toml) `g` [d](https://a.example/b.md) ";
        assert!(resolved.markdown.starts_with(expected), "{}", resolved.markdown);
        assert_eq!(resolved.files, ["Cargo.toml"]);
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong.iter().any(|line| line.contains("gone.md leads nowhere")));
    }

    #[test]
    fn a_path_does_not_lead_out_of_the_repository() {
        assert_eq!(joined("docs/site", "../a/./b.md").as_deref(), Some("docs/a/b.md"));
        assert_eq!(joined("docs", "../../b.md"), None);
    }
}
