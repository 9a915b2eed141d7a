//! Markdown into HTML: one page with the list of all beside it. No scripts, nothing from other hosts.

use super::Source;
use super::links::options;
use super::summary::Part;
use pulldown_cmark::{CowStr, Event, Parser, Tag, TagEnd, html::push_html};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

pub(super) const STYLE: &str = include_str!("style.css");

/// The places that links may name: one for each heading, as in the repository's pages on the web.
pub(super) fn anchors(markdown: &str) -> BTreeSet<String> {
    events(markdown).1.into_iter().collect()
}

/// What the parser says, with an id for each heading.
fn events(markdown: &str) -> (Vec<Event<'_>>, Vec<String>) {
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, options()).collect();
    let (mut ids, mut taken, mut heading) = (Vec::new(), BTreeMap::new(), None);
    for at in 0..events.len() {
        match &events[at] {
            Event::Start(Tag::Heading { .. }) => heading = Some((at, String::new())),
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, title)) = &mut heading {
                    title.push_str(text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let Some((start, title)) = heading.take() else { continue };
                let slug = slug(&title);
                let count: &mut usize = taken.entry(slug.clone()).or_default();
                let id = if *count == 0 { slug } else { format!("{slug}-{count}") };
                *count += 1;
                if let Event::Start(Tag::Heading { id: place, .. }) = &mut events[start] {
                    *place = Some(CowStr::from(id.clone()));
                }
                ids.push(id);
            }
            _ => {}
        }
    }
    (events, ids)
}

fn slug(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept.trim().chars().filter(|it| it.is_alphanumeric() || [' ', '-', '_'].contains(it));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

pub(super) fn html(source: &Source, markdown: &str, parts: &[Part]) -> String {
    let (events, _) = events(markdown);
    let mut body = String::new();
    push_html(&mut body, events.into_iter());
    // A table wider than the screen scrolls by itself.
    let body =
        body.replace("<table>", "<div class=\"wide\" tabindex=\"0\"><table>").replace("</table>", "</table></div>");
    let title = escaped(&source.entry.title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – Chamada</title>\n<link rel=\"stylesheet\" href=\"style.css\">\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#content\">To the content</a>\n{}\n<main id=\"content\">\n{body}{}</main>\n</body>\n</html>\n",
        list(source, parts),
        neighbours(source, parts),
    )
}

fn list(source: &Source, parts: &[Part]) -> String {
    let mut list =
        String::from("<nav aria-label=\"Pages\">\n<p class=\"name\"><a href=\"index.html\">Chamada</a></p>\n");
    for part in parts {
        // Writing into a string does not fail.
        let _ = write!(list, "<h2>{}</h2>\n<ul>\n", escaped(&part.title));
        for entry in &part.entries {
            let current = if entry.page == source.entry.page { " aria-current=\"page\"" } else { "" };
            let _ = writeln!(list, "<li><a href=\"{}\"{current}>{}</a></li>", entry.page, escaped(&entry.title));
        }
        list.push_str("</ul>\n");
    }
    list + "</nav>"
}

fn neighbours(source: &Source, parts: &[Part]) -> String {
    let all: Vec<_> = parts.iter().flat_map(|part| &part.entries).collect();
    let Some(at) = all.iter().position(|entry| entry.page == source.entry.page) else { return String::new() };
    let link = |entry: &&super::summary::Entry, way: &str| {
        format!("<a rel=\"{way}\" href=\"{}\">{}</a>", entry.page, escaped(&entry.title))
    };
    let before = at.checked_sub(1).and_then(|at| all.get(at)).map(|entry| link(entry, "prev")).unwrap_or_default();
    let after = all.get(at + 1).map(|entry| link(entry, "next")).unwrap_or_default();
    format!("<footer><span>{before}</span><span>{after}</span></footer>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::summary;

    #[test]
    fn headings_get_ids_by_their_words_and_equal_ones_a_number() {
        let anchors = anchors("# What's `new`?\n## Same\n## Same\n");
        assert_eq!(anchors.iter().collect::<Vec<_>>(), ["same", "same-1", "whats-new"]);
    }

    #[test]
    fn a_page_marks_itself_in_the_list_and_names_its_neighbours() {
        let parts = summary::read("# P\n- [One & all](index.md)\n- [Two](b.md)\n", "docs/site").unwrap();
        let entry = parts[0].entries[0].clone();
        let source = Source { entry, markdown: String::new(), anchors: BTreeSet::new() };
        let html = html(&source, "# A\n\n| a |\n| --- |\n| `<b>` |\n", &parts);
        assert!(html.contains("<a href=\"index.html\" aria-current=\"page\">One &amp; all</a>"), "{html}");
        assert!(html.contains("<a rel=\"next\" href=\"b.html\">Two</a>") && !html.contains("rel=\"prev\""), "{html}");
        assert!(html.contains("<code>&lt;b&gt;</code>") && html.contains("<h1 id=\"a\">"), "{html}");
    }
}
