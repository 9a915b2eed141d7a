//! The table: its rows, and what no row may do wrong.

use anyhow::{Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Who gets a text.
#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Platform {
    Page,
    Android,
    Ios,
    /// Speaks English alone, and has texts for the ends of calls alone.
    Cli,
}

/// Where a row goes that does not say it: wherever there is a screen.
const SCREENS: [Platform; 3] = [Platform::Page, Platform::Android, Platform::Ios];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Portuguese,
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::English, Self::Portuguese];

    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt-BR",
        }
    }
}

/// A row as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    key: String,
    on: Option<Vec<Platform>>,
    /// Instead of the two: what is the same in every language, such as a name.
    all: Option<String>,
    en: Option<String>,
    #[serde(rename = "pt-BR")]
    pt_br: Option<String>,
    plist: Option<String>,
}

/// One row of the table.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Row")]
pub(super) struct Text {
    /// Words with hyphens, joined by dots. `end.` is followed by the core's name of the reason. Several rows may have the same key,
    /// for different platforms.
    pub(super) key: String,
    on: Vec<Platform>,
    /// With `{name}` where a value goes.
    pub(super) en: String,
    /// With the same values; none where every language says the same.
    pt_br: Option<String>,
    /// For what Apple systems ask in the app's name: the key in its Info.plist.
    pub(super) plist: Option<String>,
}

impl TryFrom<Row> for Text {
    type Error = String;

    fn try_from(row: Row) -> Result<Self, String> {
        let (en, pt_br) = match (row.all, row.en, row.pt_br) {
            (Some(all), None, None) => (all, None),
            (None, Some(en), Some(pt_br)) => (en, Some(pt_br)),
            _ => return Err(format!("'{}' wants either 'en' and 'pt-BR' or 'all'", row.key)),
        };
        if row.on.as_deref() == Some(&SCREENS) {
            return Err(format!("'{}' goes where rows go that do not say it: leave out 'on'", row.key));
        }
        Ok(Self { key: row.key, on: row.on.unwrap_or_else(|| SCREENS.to_vec()), en, pt_br, plist: row.plist })
    }
}

impl Text {
    pub(super) fn is_on(&self, platform: Platform) -> bool {
        self.on.contains(&platform)
    }

    pub(super) fn is_translated(&self) -> bool {
        self.pt_br.is_some()
    }

    pub(super) fn said(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Portuguese => self.pt_br.as_ref().unwrap_or(&self.en),
        }
    }

    /// The names of the values, each once, in the order in which English has them.
    pub(super) fn values(&self) -> Vec<&str> {
        let mut once = Vec::new();
        for value in values(&self.en) {
            if !once.contains(&value) {
                once.push(value);
            }
        }
        once
    }

    /// The key as Android's resources have it.
    pub(super) fn identifier(&self) -> String {
        self.key.replace(['.', '-'], "_")
    }

    /// The core's name of the reason, if this is the end of a call.
    pub(super) fn reason(&self) -> Option<&str> {
        self.key.strip_prefix("end.")
    }

    fn check(&self) -> Result<()> {
        let key = &self.key;
        let is_key = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
        if !key.starts_with(|c: char| c.is_ascii_lowercase()) || !key.chars().all(is_key) {
            bail!("'{key}' is no key");
        }
        if self.on.is_empty() || self.on.iter().collect::<BTreeSet<_>>().len() < self.on.len() {
            bail!("'{key}' goes nowhere, or twice to the same platform");
        }
        self.check_words()
    }

    fn check_words(&self) -> Result<()> {
        let key = &self.key;
        for said in Language::ALL.map(|language| self.said(language)) {
            if said.is_empty() || said.trim() != said || said.contains("  ") || said.contains(char::is_control) {
                bail!("'{key}' says nothing in one language, or has blanks that not every platform keeps");
            }
            let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
            let braces = said.matches(['{', '}']).count();
            if braces != 2 * values(said).filter(|name| is_name(name)).count() {
                bail!("'{key}' has braces that hold no value's name");
            }
        }
        let of = |language| values(self.said(language)).collect::<BTreeSet<_>>();
        if of(Language::English) != of(Language::Portuguese) {
            bail!("'{key}' has other values in Portuguese");
        }
        if self.pt_br.as_ref() == Some(&self.en) {
            bail!("'{key}' says the same in both languages: that is 'all', if it is meant");
        }
        if self.plist.is_some() && self.on != [Platform::Ios] {
            bail!("'{key}' is for an Info.plist, which only iOS has");
        }
        if self.is_on(Platform::Cli) && self.reason().is_none() {
            bail!("'{key}' goes to the command, which has texts for the ends of calls alone");
        }
        Ok(())
    }
}

fn values(said: &str) -> impl Iterator<Item = &str> {
    said.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// All rows, in the order of the file, which is that of all that is generated.
pub(super) struct Table(Vec<Text>);

impl Table {
    pub(super) fn parse(json: &str) -> Result<Self> {
        let table = Self(serde_json::from_str(json)?);
        let mut keys = BTreeSet::new();
        let mut words = BTreeMap::new();
        for text in &table.0 {
            text.check()?;
            // Two keys may not become one identifier either.
            if let Some(platform) = text.on.iter().find(|platform| !keys.insert((**platform, text.identifier()))) {
                bail!("'{}' is there twice for {platform:?}", text.key);
            }
            if let Some(other) = words.insert(Language::ALL.map(|language| text.said(language)), &text.key) {
                bail!("'{other}' and '{}' say the same: one row does", text.key);
            }
        }
        Ok(table)
    }

    /// What this platform's sources can say.
    pub(super) fn on(&self, platform: Platform) -> impl Iterator<Item = &Text> {
        self.0.iter().filter(move |text| text.is_on(platform) && text.plist.is_none())
    }

    /// What Apple systems say, each with its key in Info.plist.
    pub(super) fn plist(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.0.iter().filter_map(|text| Some((text.plist.as_deref()?, text)))
    }

    /// Every end of a call that has a text, on whatever platform.
    pub(super) fn ends(&self) -> impl Iterator<Item = &Text> {
        self.0.iter().filter(|text| text.reason().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(table: &Table, platform: Platform) -> Vec<&str> {
        table.on(platform).map(|text| text.key.as_str()).collect()
    }

    #[test]
    fn a_row_goes_where_it_says_or_else_wherever_there_is_a_screen_in_the_order_of_the_file() {
        let table = r#"[{"key": "b", "en": "b", "pt-BR": "bê"}, {"key": "a.a", "on": ["ios"], "all": "a"},
            {"key": "end.x", "on": ["cli", "page"], "en": "x", "pt-BR": "xis"},
            {"key": "p", "on": ["ios"], "en": "p", "pt-BR": "pê", "plist": "Why"}]"#;
        let table = Table::parse(table).unwrap();
        assert_eq!(keys(&table, Platform::Page), ["b", "end.x"]);
        assert_eq!(keys(&table, Platform::Android), ["b"]);
        assert_eq!(keys(&table, Platform::Ios), ["b", "a.a"]);
        assert_eq!(keys(&table, Platform::Cli), ["end.x"]);
        assert_eq!(table.plist().map(|(key, text)| (key, text.key.as_str())).collect::<Vec<_>>(), [("Why", "p")]);
    }

    #[test]
    fn one_key_may_say_different_things_on_different_platforms() {
        let table = r#"[{"key": "a", "on": ["ios"], "en": "1", "pt-BR": "um"}, {"key": "a", "on": ["page"], "en": "2", "pt-BR": "dois"}]"#;
        let table = Table::parse(table).unwrap();
        assert_eq!(table.on(Platform::Page).map(|text| text.en.as_str()).collect::<Vec<_>>(), ["2"]);
    }

    #[test]
    fn values_come_each_once_as_they_come_in_english() {
        let table = r#"[{"key": "a", "en": "{b} {a} {b}", "pt-BR": "{a}, {b}"}]"#;
        assert_eq!(Table::parse(table).unwrap().0[0].values(), ["b", "a"]);
    }

    #[test]
    fn what_no_row_may_do_is_refused_and_the_reason_told() {
        for (rows, why) in [
            (r#"{"key": "A b", "en": "one", "pt-BR": "um"}"#, "no key"),
            (r#"{"key": "a", "en": "one"}"#, "either"),
            (r#"{"key": "a", "all": "one", "en": "one", "pt-BR": "um"}"#, "either"),
            (r#"{"key": "a", "en": "one", "pt-BR": "um", "fr": "un"}"#, "unknown field"),
            (r#"{"key": "a", "en": "one", "pt-BR": "um", "on": ["web"]}"#, "unknown variant"),
            (r#"{"key": "a", "en": "one", "pt-BR": "um", "on": []}"#, "nowhere"),
            (r#"{"key": "a", "en": "one", "pt-BR": "um", "on": ["ios", "ios"]}"#, "twice"),
            (r#"{"key": "a", "en": "one", "pt-BR": "um", "on": ["page", "android", "ios"]}"#, "leave out"),
            (r#"{"key": "a", "en": "one", "pt-BR": "um", "on": ["cli"]}"#, "ends of calls alone"),
            (r#"{"key": "a", "en": "one", "pt-BR": "um", "plist": "Why"}"#, "only iOS"),
            (r#"{"key": "a", "en": "one", "pt-BR": " "}"#, "says nothing"),
            (r#"{"key": "a", "en": "one\ntwo", "pt-BR": "um"}"#, "blanks"),
            (r#"{"key": "a", "en": "one", "pt-BR": "one"}"#, "same in both languages"),
            (r#"{"key": "a", "en": "one {x}", "pt-BR": "um {y}"}"#, "other values"),
            (r#"{"key": "a", "en": "one {x", "pt-BR": "um {x"}"#, "braces"),
            (r#"{"key": "a", "en": "one {2}", "pt-BR": "um {2}"}"#, "braces"),
            (r#"{"key": "a-b", "en": "one", "pt-BR": "um"}, {"key": "a.b", "en": "two", "pt-BR": "dois"}"#, "twice"),
            (
                r#"{"key": "a", "en": "one", "pt-BR": "um"}, {"key": "b", "on": ["ios"], "en": "one", "pt-BR": "um"}"#,
                "say the same",
            ),
        ] {
            let told = Table::parse(&format!("[{rows}]")).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(why), "{rows}: '{told}'");
        }
    }
}
