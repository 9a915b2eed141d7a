//! `SUMMARY.md`: parts with a title, and in each the pages in their order.

use super::links;
use anyhow::{Result, bail};
use std::collections::BTreeSet;

/// Pages under one title.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    pub(super) title: String,
    pub(super) entries: Vec<Entry>,
}

/// A page in the list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) title: String,
    /// Its Markdown, from the repository's folder.
    pub(super) source: String,
    /// Its file in the site.
    pub(super) page: String,
}

/// Lines such as `# Title of a part` and `- [Title](path)`; others are blank.
pub(super) fn read(list: &str, folder: &str) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut seen = BTreeSet::new();
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("# ") {
            parts.push(Part { title: title.to_owned(), entries: Vec::new() });
            continue;
        }
        let inner = line.strip_prefix("- [").and_then(|rest| rest.strip_suffix(')'));
        let (Some((title, path)), Some(part)) = (inner.and_then(|inner| inner.split_once("](")), parts.last_mut())
        else {
            bail!("SUMMARY.md: neither a part nor a page: {line}");
        };
        let Some(source) = links::joined(folder, path) else { bail!("SUMMARY.md: {path} is outside") };
        let page = name(&source, folder);
        if !seen.insert(page.clone()) {
            bail!("SUMMARY.md: two pages are {page}");
        }
        part.entries.push(Entry { title: title.to_owned(), source, page });
    }
    Ok(parts)
}

/// `docs/site/guides/push.md` is `guides-push.html`, `docs/operating.md` is `operating.html`, `android/README.md` is `android.html`: one
/// folder, so that pages and style find each other wherever the site is put.
fn name(source: &str, folder: &str) -> String {
    let within = source.strip_prefix(folder).map(|rest| rest.trim_start_matches('/'));
    let short = within.or_else(|| source.strip_prefix("docs/")).unwrap_or(source);
    let short = short.trim_end_matches(".md").to_lowercase();
    let short = short.strip_suffix("/readme").unwrap_or(&short);
    format!("{}.html", short.replace('/', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_get_short_names_and_stand_under_their_part() {
        let parts = read(
            "# A\n\n- [One](index.md)\n- [Two](../operating.md)\n# B\n- [Three](../../android/README.md)\n",
            "docs/site",
        );
        let parts = parts.unwrap();
        let pages: Vec<_> = parts.iter().flat_map(|part| &part.entries).map(|entry| entry.page.as_str()).collect();
        assert_eq!(pages, ["index.html", "operating.html", "android.html"]);
        assert_eq!(parts[1].entries[0].source, "android/README.md");
        assert!(read("- [One](index.md)", "docs/site").is_err(), "a page without a part");
        assert!(read("# A\n- [One](a.md)\n- [Two](../a.md)\n", "docs/site").is_err(), "one name for two pages");
    }
}
