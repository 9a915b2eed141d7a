//! `cargo xtask texts`: from the one table of what people read, docs/texts.json, the files that each platform wants.
//!
//! The page keeps its texts in a module of its own, which has more of them; where both have a key, both must say the same.

use crate::run::root;
use crate::steps::{Outcome, Steps};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

const TABLE: &str = "docs/texts.json";
const PAGE: &str = "server/web/texts.js";
/// Where the reasons for a call's end have their names.
const REASONS: &str = "core/src/call/types.rs";

/// One row of the table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// As the page has it: words with hyphens, joined by dots. `end.` is followed by the core's name of the reason.
    key: String,
    /// English, with `{name}` where a value goes.
    en: String,
    /// Brazilian Portuguese, with the same values.
    #[serde(rename = "pt-BR")]
    pt_br: String,
    /// For what Apple systems ask in the app's name: the key in its Info.plist.
    plist: Option<String>,
}

/// A language: its folder for Apple, for Android, and the row's text.
type Language = (&'static str, &'static str, fn(&Text) -> &str);

const LANGUAGES: [Language; 2] =
    [("en", "values", |text: &Text| &text.en), ("pt-BR", "values-pt-rBR", |text: &Text| &text.pt_br)];

/// Writes everything.
pub(crate) fn write() -> Result<()> {
    let table = read()?;
    for (path, content) in generated(&table) {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, content).with_context(|| path.display().to_string())?;
        println!("texts: {}", path.display());
    }
    check_page(&table)?;
    check_reasons(&table)
}

pub(crate) fn steps(steps: &mut Steps) {
    steps.step("texts in step", || {
        let table = read()?;
        for (path, content) in generated(&table) {
            let found = fs::read_to_string(&path).unwrap_or_default();
            if found != content {
                bail!("{} is not what {TABLE} says: run cargo xtask texts", path.display());
            }
        }
        check_page(&table)?;
        check_reasons(&table)?;
        Ok(Outcome::Passed)
    });
}

fn read() -> Result<Vec<Text>> {
    let table: Vec<Text> = serde_json::from_str(&fs::read_to_string(root().join(TABLE))?).context(TABLE)?;
    check(&table)?;
    Ok(table)
}

/// What no row may do wrong.
fn check(table: &[Text]) -> Result<()> {
    let mut keys = BTreeSet::new();
    for text in table {
        let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
        if text.key.is_empty() || !text.key.chars().all(is_key) {
            bail!("'{}' is no key", text.key);
        }
        if !keys.insert(identifier(&text.key, "_")) {
            bail!("'{}' is there twice", text.key);
        }
        if values(&text.en).collect::<BTreeSet<_>>() != values(&text.pt_br).collect() {
            bail!("'{}' has other values in Portuguese", text.key);
        }
        if text.en.trim().is_empty() || text.pt_br.trim().is_empty() {
            bail!("'{}' says nothing in one language", text.key);
        }
    }
    Ok(())
}

/// The names of the values in a text, in the order in which they come.
fn values(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn generated(table: &[Text]) -> Vec<(PathBuf, String)> {
    let mut files = vec![
        (root().join("ios/ChamadaKit/Sources/ChamadaCore/TextKey.swift"), swift_keys(table)),
        (root().join("cli/src/texts.rs"), rust_ends(table)),
    ];
    for (apple, android, of) in LANGUAGES {
        let folder = root().join(format!("ios/App/Resources/{apple}.lproj"));
        files.push((folder.join("Localizable.strings"), apple_strings(table, of)));
        files.push((folder.join("InfoPlist.strings"), plist_strings(table, of)));
        let resources = root().join("android/app/src/main/res");
        if resources.exists() {
            files.push((resources.join(android).join("strings_shared.xml"), android_strings(table, of)));
        }
    }
    files
}

fn note(open: &str, close: &str) -> String {
    format!("{open} Written by `cargo xtask texts` from {TABLE}: change it there.{close}\n")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn apple_strings(table: &[Text], of: fn(&Text) -> &str) -> String {
    let rows = table.iter().filter(|text| text.plist.is_none());
    let rows = rows.map(|text| format!("{} = {};\n", quoted(&text.key), quoted(of(text))));
    note("/*", " */") + &rows.collect::<String>()
}

fn plist_strings(table: &[Text], of: fn(&Text) -> &str) -> String {
    let row = |text: &Text| text.plist.as_ref().map(|key| format!("{} = {};\n", quoted(key), quoted(of(text))));
    note("/*", " */") + &table.iter().filter_map(row).collect::<String>()
}

/// Values become `%1$s`, …, numbered as they come in English.
fn android_strings(table: &[Text], of: fn(&Text) -> &str) -> String {
    let row = |text: &Text| {
        let mut said = of(text).replace('&', "&amp;").replace('<', "&lt;");
        if values(&text.en).next().is_some() {
            said = said.replace('%', "%%");
        }
        for character in ['\'', '"'] {
            said = said.replace(character, &format!("\\{character}"));
        }
        if said.starts_with(['@', '?']) {
            said.insert(0, '\\');
        }
        for (index, value) in values(&text.en).enumerate() {
            said = said.replace(&format!("{{{value}}}"), &format!("%{}$s", index + 1));
        }
        format!("    <string name=\"{}\">{said}</string>\n", identifier(&text.key, "_"))
    };
    let rows = table.iter().filter(|text| text.plist.is_none()).map(row);
    let head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned() + &note("<!--", " -->");
    head + "<resources>\n" + &rows.collect::<String>() + "</resources>\n"
}

fn swift_keys(table: &[Text]) -> String {
    let row = |text: &Text| format!("    case {} = {}\n", camel(&text.key), quoted(&text.key));
    let rows = table.iter().filter(|text| text.plist.is_none()).map(row);
    note("//", "")
        + "\n/// What the app can say; each key has its text in `Localizable.strings`.\n"
        + "public enum TextKey: String, CaseIterable, Sendable {\n"
        + &rows.collect::<String>()
        + "}\n"
}

/// Why a call ended, in the command's one language.
fn rust_ends(table: &[Text]) -> String {
    let row = |text: &Text| {
        let reason = text.key.strip_prefix("end.")?;
        let name = camel(reason);
        let (first, rest) = name.split_at_checked(1)?;
        Some(format!("        EndReason::{}{rest} => {},\n", first.to_uppercase(), quoted(&text.en)))
    };
    note("//!", "")
        + "\nuse chamada::call::EndReason;\n\n"
        + "/// Why a call ended, with `{name}` for the person at the other end.\n"
        + "pub(crate) fn end(reason: EndReason) -> &'static str {\n    match reason {\n"
        + &table.iter().filter_map(row).collect::<String>()
        + "    }\n}\n"
}

fn identifier(key: &str, between: &str) -> String {
    key.replace(['.', '-'], between)
}

fn camel(key: &str) -> String {
    let mut words = key.split(['.', '-']);
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        name + &initial.to_uppercase() + rest
    })
}

/// Where the page and the table have the same key they say the same, and they have all ends of calls in common.
fn check_page(table: &[Text]) -> Result<()> {
    let page = fs::read_to_string(root().join(PAGE))?;
    for (name, of) in [("EN", LANGUAGES[0].2), ("PT_BR", LANGUAGES[1].2)] {
        let page = page_texts(&page, name)?;
        let ours: BTreeMap<_, _> = table.iter().map(|text| (text.key.as_str(), of(text))).collect();
        for (key, text) in &page {
            match ours.get(key.as_str()) {
                Some(ours) if ours != text => bail!("'{key}' is '{ours}' in {TABLE} but '{text}' in {PAGE}"),
                None if key.starts_with("end.") => bail!("'{key}' of {PAGE} is missing in {TABLE}"),
                _ => {}
            }
        }
        if let Some(key) = ours.keys().find(|key| key.starts_with("end.") && !page.contains_key(**key)) {
            bail!("'{key}' of {TABLE} is missing in {PAGE}");
        }
    }
    Ok(())
}

/// The rows between `const NAME = {` and `};`, each a line of its own.
fn page_texts(page: &str, name: &str) -> Result<BTreeMap<String, String>> {
    let start = page.split_once(&format!("const {name} = {{\n")).with_context(|| format!("{PAGE} has no {name}"))?.1;
    let rows = start.split_once("\n};").with_context(|| format!("{name} of {PAGE} does not end"))?.0;
    rows.lines()
        .map(|line| page_row(line).with_context(|| format!("{PAGE} has a line of its own kind: {line}")))
        .collect()
}

fn page_row(line: &str) -> Option<(String, String)> {
    let (key, text) = line.trim().strip_prefix('\'')?.strip_suffix("',")?.split_once("': '")?;
    Some((key.to_owned(), text.replace("\\'", "'")))
}

/// Each reason that the core knows has its text.
fn check_reasons(table: &[Text]) -> Result<()> {
    let core = fs::read_to_string(root().join(REASONS))?;
    let names = core.split_once("impl EndReason").with_context(|| format!("{REASONS} has no reasons"))?.1;
    let names = names.split("Self::").skip(1).filter_map(|part| part.split_once("=> \"")?.1.split_once('"'));
    let names: Vec<_> = names.map(|(name, _)| format!("end.{name}")).collect();
    if names.is_empty() {
        bail!("{REASONS} names no reason");
    }
    match names.iter().find(|name| !table.iter().any(|text| text.key == **name)) {
        Some(missing) => bail!("'{missing}' has no text in {TABLE}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(key: &str, en: &str, pt_br: &str) -> Text {
        Text { key: key.into(), en: en.into(), pt_br: pt_br.into(), plist: None }
    }

    #[test]
    fn values_are_numbered_for_android_as_they_come_in_english_and_quotes_are_escaped() {
        let table = [text("a.b-c", "{x}'s {y} & <z>", "{y} de \"{x}\"")];
        assert!(android_strings(&table, LANGUAGES[0].2).contains(r#"name="a_b_c">%1$s\'s %2$s &amp; &lt;z><"#));
        assert!(android_strings(&table, LANGUAGES[1].2).contains(r#">%2$s de \"%1$s\"<"#));
    }

    #[test]
    fn a_table_is_refused_that_has_a_key_twice_other_values_in_one_language_or_no_words() {
        assert!(check(&[text("a", "one {x}", "um {x}")]).is_ok());
        assert!(check(&[text("a-b", "one", "um"), text("a.b", "two", "dois")]).is_err());
        assert!(check(&[text("a", "one {x}", "um {y}")]).is_err());
        assert!(check(&[text("a", "one", " ")]).is_err());
        assert!(check(&[text("A b", "one", "um")]).is_err());
    }

    #[test]
    fn a_reason_becomes_the_variant_of_its_name() {
        let table = [text("end.hung-up-here", "{name} \"x\"", "{name}"), text("other", "a", "b")];
        let rust = rust_ends(&table);
        assert!(rust.contains(r#"EndReason::HungUpHere => "{name} \"x\"","#), "{rust}");
        assert!(!rust.contains("=> \"a\""), "{rust}");
    }

    #[test]
    fn the_pages_rows_are_read_with_their_quotes() {
        let page = "const EN = {\n  'a.b': 'It\\'s: {x}',\n  'c': 'd',\n};\n";
        let texts = page_texts(page, "EN").unwrap();
        assert_eq!(texts.get("a.b").map(String::as_str), Some("It's: {x}"));
        assert!(page_texts("const EN = {\n  odd,\n};\n", "EN").is_err());
    }
}
