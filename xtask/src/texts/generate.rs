//! What is written from the table: for each platform a file, or one for each language, in its own syntax.

use super::table::{Language, Platform, Table, Text};
use super::{TABLE, VERIFICATION_WORDS};

/// Each file's path from the root of the repository, and what is in it.
pub(super) fn files(table: &Table) -> Vec<(String, String)> {
    let mut files = vec![
        ("server/web/words.js".to_owned(), page(table)),
        ("android/ui/src/main/kotlin/chamada/ui/Texts.kt".to_owned(), kotlin(table)),
        ("cli/src/texts.rs".to_owned(), rust(table)),
    ];
    for language in Language::ALL {
        let folder = format!("{}.lproj", language.tag());
        let ui = "ios/ChamadaKit/Sources/ChamadaUI/Resources";
        files.push((format!("{ui}/{folder}/Localizable.strings"), apple(table, language)));
        files.push((format!("ios/App/Resources/{folder}/InfoPlist.strings"), apple_plist(table, language)));
        files.push((android_path(language), android(table, language)));
    }
    files
}

pub(super) fn android_path(language: Language) -> String {
    let qualifier = match language {
        Language::English => "",
        Language::Portuguese => "-pt-rBR",
    };
    format!("android/ui/src/main/res/values{qualifier}/strings.xml")
}

fn note(open: &str, close: &str) -> String {
    written(open, TABLE, close)
}

fn written(open: &str, from: &str, close: &str) -> String {
    format!("{open} Written by `cargo xtask texts` from {from}: change it there.{close}\n")
}

/// The words of the check of the other end for the page, from the core's source: its emoji and names have no quotes.
pub(super) fn verification_words(source: &str) -> (String, String) {
    let mut module = written("//", VERIFICATION_WORDS, "") + "\n// Emoji, in English, in Brazilian Portuguese.\n";
    module += "export const VERIFICATION_WORDS = [\n";
    for line in source.lines() {
        if let Some(word) = line.trim().strip_prefix("word(").and_then(|rest| rest.strip_suffix("),")) {
            module += &format!("  [{}],\n", word.replace('"', "'"));
        }
    }
    ("server/web/verification-words.js".to_owned(), module + "];\n")
}

/// Between two of these, of which the text has none left. Rows have no control characters.
fn quoted(quote: char, text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"));
    format!("{quote}{text}{quote}")
}

fn page(table: &Table) -> String {
    let mut module = note("//", "") + "\nexport const WORDS = {\n";
    for language in Language::ALL {
        module += &format!("  {}: {{\n", quoted('\'', language.tag()));
        for text in table.on(Platform::Page) {
            module += &format!("    {}: {},\n", quoted('\'', &text.key), quoted('\'', text.said(language)));
        }
        module += "  },\n";
    }
    module + "};\n"
}

fn apple(table: &Table, language: Language) -> String {
    let row = |text: &Text| format!("{} = {};\n", quoted('"', &text.key), quoted('"', text.said(language)));
    note("/*", " */") + &table.on(Platform::Ios).map(row).collect::<String>()
}

fn apple_plist(table: &Table, language: Language) -> String {
    let row = |(key, text): (&str, &Text)| format!("{} = {};\n", quoted('"', key), quoted('"', text.said(language)));
    note("/*", " */") + &table.plist().map(row).collect::<String>()
}

/// What every language says alike is only in the folder without a language, and marked.
fn android(table: &Table, language: Language) -> String {
    let row = |text: &Text| {
        let mark = if text.is_translated() { "" } else { " translatable=\"false\"" };
        let said = android_text(text, language);
        format!("    <string name=\"{}\"{mark}>{said}</string>\n", text.identifier())
    };
    let rows =
        table.on(Platform::Android).filter(|text| text.is_translated() || language == Language::English).map(row);
    let head = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".to_owned() + &note("<!--", " -->");
    head + "<resources>\n" + &rows.collect::<String>() + "</resources>\n"
}

/// Values become `%1$s`, …, numbered as they come in English; a text without values is not formatted, so that its `%` stays as it is.
fn android_text(text: &Text, language: Language) -> String {
    let mut said = xml(text.said(language)).replace('\\', "\\\\");
    for quote in ['\'', '"'] {
        said = said.replace(quote, &format!("\\{quote}"));
    }
    if said.starts_with(['@', '?']) {
        said.insert(0, '\\');
    }
    let values = text.values();
    if !values.is_empty() {
        said = said.replace('%', "%%");
    }
    for (index, value) in values.iter().enumerate() {
        said = said.replace(&format!("{{{value}}}"), &format!("%{}$s", index + 1));
    }
    said
}

/// What the core names by its key, with values in the order of their numbers.
fn kotlin(table: &Table) -> String {
    let row = |text: &Text| {
        let values: String = text.values().iter().map(|value| format!(", values[{}]", quoted('"', value))).collect();
        format!("    {} -> getString(R.string.{}{values})\n", quoted('"', &text.key), text.identifier())
    };
    note("//", "")
        + "\npackage chamada.ui\n\nimport android.content.Context\n\n"
        + "/** The text of a key that the core names, with its values. */\n"
        + "public fun Context.text(key: String, values: Map<String, String> = emptyMap()): String = when (key) {\n"
        + &table.on(Platform::Android).map(row).collect::<String>()
        + "    else -> key\n}\n"
}

/// As XML and HTML have it between tags.
pub(super) fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Why a call ended, in the command's one language.
fn rust(table: &Table) -> String {
    let row = |text: &Text| {
        let name = camel(text.reason()?);
        // The keys say `here` and `there`, as on the wire; the variants say `Locally` and `Remotely`.
        let stem = |suffix: &str, adverb: &str| name.strip_suffix(suffix).map(|stem| stem.to_owned() + adverb);
        let name = stem("Here", "Locally").or_else(|| stem("There", "Remotely")).unwrap_or_else(|| name.clone());
        let (first, rest) = name.split_at_checked(1)?;
        Some(format!("        EndReason::{}{rest} => {},\n", first.to_uppercase(), quoted('"', &text.en)))
    };
    note("//!", "")
        + "\nuse chamada::call::EndReason;\n\n"
        + "/// Why a call ended, with `{name}` for the person at the other end.\n"
        + "pub(crate) fn end(reason: EndReason) -> &'static str {\n    match reason {\n"
        + &table.on(Platform::Cli).filter_map(row).collect::<String>()
        + "    }\n}\n"
}

/// The key as one word.
fn camel(key: &str) -> String {
    let mut words = key.split(['.', '-']);
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        name + &initial.to_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{English, Portuguese};

    const ROWS: &str = r#"[
        {"key": "b.c-d", "en": "{x}'s {y} & <z> 5 %", "pt-BR": "{y} de \"{x}\", 5 %"},
        {"key": "a", "on": ["page"], "en": "It's {who}", "pt-BR": "É {who}"},
        {"key": "slash", "en": "\\n is no line, 100 % sure", "pt-BR": "\\n não é linha"},
        {"key": "name", "on": ["android", "ios"], "all": "@name"},
        {"key": "end.hung-up-here", "on": ["cli"], "en": "{name} \"x\"", "pt-BR": "{name}"},
        {"key": "camera", "on": ["ios"], "en": "To \"see\"", "pt-BR": "Para ver", "plist": "NSCamera"}
    ]"#;

    fn table() -> Table {
        Table::parse(ROWS).unwrap()
    }

    #[test]
    fn the_page_gets_one_module_with_both_languages() {
        let expected = r#"
export const WORDS = {
  'en': {
    'b.c-d': '{x}\'s {y} & <z> 5 %',
    'a': 'It\'s {who}',
    'slash': '\\n is no line, 100 % sure',
  },
  'pt-BR': {
    'b.c-d': '{y} de "{x}", 5 %',
    'a': 'É {who}',
    'slash': '\\n não é linha',
  },
};
"#;
        assert_eq!(page(&table()).split_once('\n').unwrap().1, expected);
    }

    #[test]
    fn android_numbers_values_as_they_come_in_english_and_escapes_what_is_xmls_and_what_is_its_own() {
        let english = android(&table(), English);
        let rows = english.split_once("<resources>\n").unwrap().1;
        let expected = r#"    <string name="b_c_d">%1$s\'s %2$s &amp; &lt;z&gt; 5 %%</string>
    <string name="slash">\\n is no line, 100 % sure</string>
    <string name="name" translatable="false">\@name</string>
</resources>
"#;
        assert_eq!(rows, expected);
        let portuguese = android(&table(), Portuguese);
        assert!(portuguese.contains(r#">%2$s de \"%1$s\", 5 %%<"#), "{portuguese}");
        assert!(!portuguese.contains("\"name\""), "{portuguese}");
    }

    #[test]
    fn kotlin_fills_the_values_of_a_key_in_the_order_of_their_numbers() {
        let kotlin = kotlin(&table());
        assert!(
            kotlin.contains("    \"b.c-d\" -> getString(R.string.b_c_d, values[\"x\"], values[\"y\"])\n"),
            "{kotlin}"
        );
        assert!(kotlin.ends_with("    \"name\" -> getString(R.string.name)\n    else -> key\n}\n"), "{kotlin}");
    }

    #[test]
    fn ios_gets_its_texts_and_apart_from_them_those_for_the_system() {
        let expected =
            "\"b.c-d\" = \"{y} de \\\"{x}\\\", 5 %\";\n\"slash\" = \"\\\\n não é linha\";\n\"name\" = \"@name\";\n";
        assert_eq!(apple(&table(), Portuguese).split_once('\n').unwrap().1, expected);
        assert_eq!(apple_plist(&table(), English).split_once('\n').unwrap().1, "\"NSCamera\" = \"To \\\"see\\\"\";\n");
    }

    #[test]
    fn the_page_gets_the_cores_words_for_the_check() {
        let (_, module) =
            verification_words("const fn word(emoji: &'static str) {}\n    word(\"🐶\", \"dog\", \"cão\"),\n];\n");
        assert!(module.ends_with("= [\n  ['🐶', 'dog', 'cão'],\n];\n"), "{module}");
    }

    #[test]
    fn the_command_gets_the_reasons_as_variants() {
        let rust = rust(&table());
        assert!(
            rust.contains("match reason {\n        EndReason::HungUpLocally => \"{name} \\\"x\\\"\",\n    }\n"),
            "{rust}"
        );
    }
}
