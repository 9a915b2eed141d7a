//! Whether table and sources fit: each row is used wherever it goes, and each key that a source uses is there.
//!
//! It is a search for keys and identifiers, not a reading of the languages: it believes comments. A key that the page builds,
//! `login.${why}`, is used if its last part stands somewhere in the page as a word in quotes or as a property's name; for `end.` it is
//! the core that says which there are.

use super::TABLE;
use super::generate::{files, xml};
use super::table::{Language, Platform, Table};
use crate::run::root;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where the reasons for a call's end have their names.
const REASONS: &str = "core/src/call/types.rs";
const PAGE: &str = "server/web/index.html";
const INFO: &str = "ios/App/Resources/Info.plist";

/// What the phones' apps are told to say by the core.
const CORE: &str = "core/src/app/text.rs";

/// What the page can say before it has a script.
const IN_PAGE: [&str; 3] = ["title", "tagline", "no-script"];

/// A file's path and what is in it.
type Source = (String, String);

/// Everything that is wrong, at once.
pub(super) fn check(table: &Table) -> Result<()> {
    let generated: BTreeSet<_> = files(table).into_iter().map(|(path, _)| path).collect();
    let sources = |folders: &[&str], kinds: &[&str]| -> Result<Vec<Source>> {
        let mut found = Vec::new();
        for folder in folders {
            read_below(folder, kinds, &generated, &mut found)?;
        }
        if found.is_empty() {
            bail!("{folders:?} have no sources");
        }
        Ok(found)
    };
    let mut wrong = page(table, &sources(&["server/web"], &["js", "html"])?);
    let core = read(CORE)?;
    let core = quoted(&core);
    wrong.extend(android(
        table,
        &sources(&["android/app/src/main", "android/chamada/src/main", "android/ui/src/main"], &["kt", "xml"])?,
        &core,
    ));
    wrong.extend(ios(table, &sources(&["ios/App/Sources", "ios/ChamadaKit/Sources"], &["swift"])?, &core));
    wrong.extend(ends(table, &reasons(&read(REASONS)?)?));
    wrong.extend(copies(table, &read(PAGE)?, &read(INFO)?));
    if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root().join(path)).with_context(|| path.to_owned())
}

fn read_below(folder: &str, kinds: &[&str], without: &BTreeSet<String>, found: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(root().join(folder)).with_context(|| folder.to_owned())? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        let is_kind = Path::new(&path).extension().is_some_and(|kind| kinds.iter().any(|wanted| kind == *wanted));
        if entry.file_type()?.is_dir() {
            read_below(&path, kinds, without, found)?;
        } else if is_kind && !without.contains(&path) {
            let source = read(&path)?;
            found.push((path, source));
        }
    }
    Ok(())
}

fn unused<'a>(keys: impl Iterator<Item = &'a str>, platform: &str) -> Vec<String> {
    keys.map(|key| format!("'{key}' of {TABLE} goes to {platform}, which does not use it")).collect()
}

/// The keys that stand in quotes.
fn quoted(source: &str) -> BTreeSet<&str> {
    let keys = runs(source, |c| c.is_ascii_lowercase() || "-.".contains(c));
    keys.filter(|(before, _, after)| before.ends_with('"') && after.starts_with('"')).map(|(_, key, _)| key).collect()
}

/// Runs of characters of one kind, each with all that is before it and all that is after it.
fn runs(source: &str, kind: fn(char) -> bool) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + source[at..].find(kind)?;
        let end = source[start..].find(|c| !kind(c)).map_or(source.len(), |length| start + length);
        at = end;
        Some((&source[..start], &source[start..end], &source[end..]))
    })
}

fn page(table: &Table, sources: &[Source]) -> Vec<String> {
    let keys: BTreeSet<_> = table.on(Platform::Page).map(|text| text.key.as_str()).collect();
    let mut wrong = Vec::new();
    // Keys as a whole; the beginnings of those that are built; words that may be the rest of one.
    let (mut whole, mut begun, mut words) = (BTreeSet::from(IN_PAGE), BTreeSet::new(), BTreeSet::new());
    for (path, source) in sources {
        for (before, run, after) in runs(source, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c)) {
            let built = before.ends_with('`') && run.ends_with('.') && after.starts_with("${");
            let is_quoted = ['\'', '"', '`'].iter().any(|quote| before.ends_with(*quote) && after.starts_with(*quote));
            let is_asked = is_asked(before);
            let is_of_table = run.split_once('.').is_some_and(|(first, _)| is_beginning(&keys, first));
            if built && (is_asked || is_of_table) {
                if keys.iter().any(|key| key.starts_with(run)) {
                    begun.insert(run);
                } else {
                    wrong.push(format!("{path} builds keys with '{run}', and {TABLE} has none for the page"));
                }
            }
            if is_quoted || after.starts_with(':') {
                words.insert(run);
            }
            if is_quoted && keys.contains(run) {
                whole.insert(run);
            } else if is_quoted && (is_asked || is_of_table) {
                wrong.push(format!("{path} has the key '{run}', which {TABLE} does not have for the page"));
            }
        }
    }
    let is_built =
        |key: &str| begun.iter().any(|begun| key.strip_prefix(begun).is_some_and(|rest| words.contains(rest)));
    // Which ends there are is checked for itself.
    let is_used =
        |key: &str| whole.contains(key) || is_built(key) || (key.starts_with("end.") && begun.contains("end."));
    wrong.extend(unused(keys.iter().filter(|key| !is_used(key)).copied(), "the page"));
    wrong
}

fn is_beginning(keys: &BTreeSet<&str>, first: &str) -> bool {
    keys.iter().any(|key| key.split('.').next() == Some(first))
}

/// Whether what follows is a key for certain: `t('` and the attributes that `translate` in dom.js knows.
fn is_asked(before: &str) -> bool {
    let attributes = ["data-t=\"", "data-t-label=\"", "data-t-placeholder=\""];
    let call = before.strip_suffix(['\'', '"', '`']).and_then(|before| before.strip_suffix("t("));
    let is_name = |c: char| c.is_alphanumeric() || "_$.".contains(c);
    attributes.iter().any(|attribute| before.ends_with(attribute))
        || call.is_some_and(|before| !before.ends_with(is_name))
}

fn android(table: &Table, sources: &[Source], core: &BTreeSet<&str>) -> Vec<String> {
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    let texts: Vec<_> = table.on(Platform::Android).map(|text| (text.identifier(), text.key.as_str())).collect();
    for (path, source) in sources {
        if source.contains("<string ") || source.contains("<plurals ") {
            wrong.push(format!("{path} has texts of its own: they belong in {TABLE}"));
        }
        for (before, run, _) in runs(source, |c| c.is_ascii_alphanumeric() || c == '_') {
            let is_ours = before.ends_with("R.string.") && !before.ends_with("android.R.string.");
            if is_ours || before.ends_with("@string/") {
                used.insert(run);
                if !texts.iter().any(|(identifier, _)| identifier == run) {
                    wrong.push(format!("{path} has the text '{run}', which {TABLE} does not have for Android"));
                }
            }
        }
    }
    let unused_keys = texts.iter().filter(|(identifier, _)| !used.contains(identifier.as_str())).map(|(_, key)| *key);
    wrong.extend(unused(unused_keys.filter(|key| !core.contains(key)), "Android"));
    wrong
}

/// A key is what `localized` is given, or whatever in quotes begins as one does.
fn ios(table: &Table, sources: &[Source], core: &BTreeSet<&str>) -> Vec<String> {
    let keys: BTreeSet<_> = table.on(Platform::Ios).map(|text| text.key.as_str()).collect();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for (path, source) in sources {
        for (before, run, after) in runs(source, |c| c.is_ascii_lowercase() || "-.".contains(c)) {
            let Some(before) = before.strip_suffix('"').filter(|_| after.starts_with('"')) else { continue };
            let is_of_table = run.split_once('.').is_some_and(|(first, _)| is_beginning(&keys, first));
            used.insert(run);
            if !keys.contains(run) && (is_of_table || before.ends_with("localized(")) {
                wrong.push(format!("{path} has the key '{run}', which {TABLE} does not have for iOS"));
            }
        }
    }
    wrong.extend(unused(keys.iter().filter(|key| !used.contains(*key) && !core.contains(*key)).copied(), "iOS"));
    wrong
}

/// The core's names of the reasons for a call's end.
fn reasons(core: &str) -> Result<BTreeSet<&str>> {
    let names = core.split_once("impl EndReason").with_context(|| format!("{REASONS} has no reasons"))?.1;
    let names = names.split("Self::").skip(1).filter_map(|part| part.split_once("=> \"")?.1.split_once('"'));
    let names: BTreeSet<_> = names.map(|(name, _)| name).collect();
    if names.is_empty() {
        bail!("{REASONS} names no reason");
    }
    Ok(names)
}

/// Page and command have a text for every reason, and nobody for another.
fn ends(table: &Table, reasons: &BTreeSet<&str>) -> Vec<String> {
    let mut wrong = Vec::new();
    for platform in [Platform::Page, Platform::Cli] {
        let there: BTreeSet<_> = table.on(platform).filter_map(|text| text.reason()).collect();
        let missing = reasons.difference(&there);
        wrong.extend(missing.map(|reason| format!("'end.{reason}' has no text for {platform:?} in {TABLE}")));
    }
    let unknown = table.ends().filter(|text| text.reason().is_some_and(|reason| !reasons.contains(reason)));
    wrong.extend(unknown.map(|text| format!("'{}' of {TABLE} is no reason of {REASONS}", text.key)));
    wrong
}

/// Some texts have to stand in files of other things too, where no script or bundle can put them.
fn copies(table: &Table, page: &str, info: &str) -> Vec<String> {
    let said = |key: &str, language: Language| {
        let text = table.on(Platform::Page).find(|text| text.key == key);
        text.map_or_else(|| format!("'{key}' of {TABLE}"), |text| xml(text.said(language)))
    };
    let [title, tagline, no_script] = IN_PAGE.map(|key| said(key, Language::English));
    let mut copies = vec![
        (PAGE, page, format!("<title>{title}</title>")),
        (PAGE, page, format!("<meta name=\"description\" content=\"{tagline}\">")),
        (PAGE, page, format!("<noscript>{no_script} · {}</noscript>", said(IN_PAGE[2], Language::Portuguese))),
    ];
    for (key, text) in table.plist() {
        copies.push((INFO, info, format!("<key>{key}</key>\n\t<string>{}</string>", xml(&text.en))));
    }
    let missing = copies.into_iter().filter(|(_, content, copy)| !content.contains(copy.as_str()));
    missing.map(|(path, _, copy)| format!("{path} does not have, as {TABLE} wants it: {copy}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> Table {
        Table::parse(&format!("[{rows}]")).unwrap()
    }

    /// A table with these keys, and the texts to go with them.
    fn keys(keys: &[&str], on: &str) -> Table {
        let row = |key: &&str| format!(r#"{{"key": "{key}", "on": ["{on}"], "en": "{key}", "pt-BR": "{key} é"}}"#);
        table(&keys.iter().map(row).collect::<Vec<_>>().join(","))
    }

    fn source(text: &str) -> Vec<Source> {
        vec![("a.js".to_owned(), text.to_owned())]
    }

    #[test]
    fn a_key_that_the_page_uses_in_any_way_counts_and_no_other() {
        let table =
            keys(&["leave", "login.enter", "login.full", "login.bad", "media.hot", "people", "end.busy"], "page");
        let used = "<p data-t=\"people\"></p> x.ask(busy ? 'login.enter' : y); t(`login.${why}`); close('full'); t(`end.${why}`)";
        let wrong = page(&table, &source(used));
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        for (key, told) in ["leave", "login.bad", "media.hot"].iter().zip(&wrong) {
            assert!(told.contains(&format!("'{key}'")), "{wrong:?}");
        }
        assert_eq!(
            page(&table, &source(&format!("{used} t('leave'); {{ bad: 1, 'media.hot': 2 }}"))),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_key_that_the_page_does_not_have_is_found_and_what_is_no_key_is_none() {
        let table = keys(&["login.enter"], "page");
        let enter = "t('login.enter');";
        for missing in
            ["t('login.entre')", "this.#t('gone')", "a ? 'login.a' : b", "<b data-t-label=\"x\">", "t(`media.${x}`)"]
        {
            let wrong = page(&table, &source(&format!("{enter} {missing}")));
            assert_eq!(wrong.len(), 1, "{missing}: {wrong:?}");
        }
        let fine = "import './login.js'; set('gone'); 'a.b'; get(`chamada.${key}`); url.set('x'); alert('login')";
        assert_eq!(page(&table, &source(&format!("{enter} {fine}"))), Vec::<String>::new());
    }

    #[test]
    fn androids_identifiers_are_those_of_its_own_resources_and_whole() {
        let table = keys(&["call.photo", "call", "leave"], "android");
        let kotlin = "R.string.call_photo; android.R.string.ok; \"@string/leave\"";
        let wrong = android(&table, &source(kotlin), &BTreeSet::new());
        assert!(wrong.len() == 1 && wrong[0].contains("'call'"), "{wrong:?}");
        let wrong = android(&table, &source(&format!("{kotlin} R.string.call R.string.gone")), &BTreeSet::new());
        assert!(wrong.len() == 1 && wrong[0].contains("'gone'"), "{wrong:?}");
        let wrong = android(&table, &source(&format!("{kotlin} R.string.call <string name=\"x\">")), &BTreeSet::new());
        assert!(wrong.len() == 1 && wrong[0].contains("its own"), "{wrong:?}");
    }

    #[test]
    fn swifts_keys_are_what_is_localized_and_what_looks_like_one() {
        let table = keys(&["call.photo", "call", "leave"], "ios");
        let used = "localized(\"call.photo\"), localized(\"call\")";
        let wrong = |more: &str| ios(&table, &source(&format!("{used} {more}")), &BTreeSet::new());
        let told = wrong("leave \"leaves\"");
        assert!(told.len() == 1 && told[0].contains("'leave'"), "{told:?}");
        assert_eq!(wrong("on ? \"leave\" : \"mic.fill\""), Vec::<String>::new());
        for missing in ["localized(\"gone\")", "action(\"call.gone\")"] {
            let told = wrong(&format!("\"leave\" {missing}"));
            assert!(told.len() == 1 && told[0].contains("gone"), "{missing}: {told:?}");
        }
    }

    #[test]
    fn what_the_core_tells_the_phones_to_say_is_used_by_both() {
        let table = keys(&["call.photo", "leave"], "android");
        let core = quoted("CallPhoto \"call.photo\" []; // leave");
        let wrong = android(&table, &source(""), &core);
        assert!(wrong.len() == 1 && wrong[0].contains("'leave'"), "{wrong:?}");
        let wrong = ios(&keys(&["call.photo", "leave"], "ios"), &source(""), &core);
        assert!(wrong.len() == 1 && wrong[0].contains("'leave'"), "{wrong:?}");
    }

    #[test]
    fn every_reason_has_a_text_for_page_and_command_and_no_other_has_one() {
        let core = "impl EndReason { fn as_str() { Self::Busy => \"busy\", Self::HungUpLocally => \"hung-up-here\" } }";
        let reasons = reasons(core).unwrap();
        assert_eq!(reasons, BTreeSet::from(["busy", "hung-up-here"]));
        let rows = r#"{"key": "end.busy", "on": ["page", "cli"], "en": "b", "pt-BR": "o"},
            {"key": "end.hung-up-here", "on": ["page", "cli"], "en": "h", "pt-BR": "d"}"#;
        assert_eq!(ends(&table(rows), &reasons), Vec::<String>::new());
        let wrong = ends(&table(&rows.replace("hung-up-here", "hung-up")), &reasons);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert!(super::reasons("impl EndReason {}").is_err());
    }

    #[test]
    fn what_other_files_repeat_is_compared() {
        let table = table(
            r#"{"key": "title", "on": ["page"], "all": "C & d"}, {"key": "tagline", "on": ["page"], "en": "t", "pt-BR": "l"},
            {"key": "no-script", "on": ["page"], "en": "n", "pt-BR": "s"},
            {"key": "p", "on": ["ios"], "en": "why", "pt-BR": "por quê", "plist": "Why"}"#,
        );
        let page = "<title>C &amp; d</title><meta name=\"description\" content=\"t\"><noscript>n · s</noscript>";
        let info = "<key>Why</key>\n\t<string>why</string>";
        assert_eq!(copies(&table, page, info), Vec::<String>::new());
        assert_eq!(copies(&table, &page.replace("n · s", "n"), &info.replace("why", "because")).len(), 2);
    }
}
