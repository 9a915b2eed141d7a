//! What names and chat lines may consist of. Old pages write both into `innerHTML`: nothing that passes here is markup any more.
//!
//! Names follow Unicode's properties: normalisation and spaces as in RFC 8266 (PRECIS nicknames), what looks alike as in UTS 39 section 4.

use chamada::signaling::message::MAX_NAME_CHARS;
use icu_normalizer::{ComposingNormalizerBorrowed, properties::CanonicalCombiningClassMapBorrowed};
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory, GeneralCategoryGroup},
};
use unicode_security::confusable_detection::skeleton;

/// How many combining marks may follow one another: more than any script needs, and less than what paints over the lines around.
const MAX_MARKS: usize = 3;
/// The virama's canonical combining class: a joiner behind it is orthography.
const VIRAMA: u8 = 9;
const ZWNJ: char = '\u{200C}';
const ZWJ: char = '\u{200D}';
const EMOJI_STYLE: char = '\u{FE0F}';

/// Removes complete tags (`<` to the next `>` with something in between), then writes any `<` that is left as `＜`.
pub(crate) fn without_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        match after.find('>') {
            Some(close) if close > 0 => rest = &after[close + 1..],
            Some(_) => {
                out.push('＜');
                rest = after;
            }
            // No tag can be closed any more; going on to search would take quadratic time.
            None => {
                out.push('＜');
                out.push_str(&after.replace('<', "＜"));
                return out;
            }
        }
    }
    out.push_str(rest);
    out
}

/// A chat line: without markup, controls and what turns the reading direction, so that nothing looks like what it is not.
pub(crate) fn line(text: &str) -> String {
    let kept: String =
        text.chars().filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || turns_direction(*c))).collect();
    without_markup(&kept)
}

/// Explicit embeddings, overrides and isolates (UAX 9 section 2). The marks that only hint at a direction stay in text.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What is wrong with a wanted name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NameFault {
    Empty,
    TooLong,
    Characters,
}

/// The name that somebody who asks for `wanted` can have: without markup, in NFC, with single spaces and none at the ends.
pub(crate) fn name(wanted: &str) -> Result<String, NameFault> {
    clean(wanted, MAX_NAME_CHARS)
}

/// The same with another longest length, in characters.
pub(crate) fn clean(wanted: &str, max_chars: usize) -> Result<String, NameFault> {
    // Longer than any name with markup around it: not worth the work.
    if wanted.len() > 64 * max_chars {
        return Err(NameFault::TooLong);
    }
    let plain = without_markup(wanted);
    let spaced: Vec<&str> =
        plain.split(|c: char| category(c) == GeneralCategory::SpaceSeparator).filter(|part| !part.is_empty()).collect();
    let clean = ComposingNormalizerBorrowed::new_nfc().normalize(&spaced.join(" ")).into_owned();
    if clean.is_empty() {
        return Err(NameFault::Empty);
    }
    check_characters(&clean)?;
    if clean.chars().count() > max_chars { Err(NameFault::TooLong) } else { Ok(clean) }
}

/// The name that a server like this one gives somebody who asks for `wanted`, where it is free; nothing if it would be refused.
pub fn clean_name(wanted: &str) -> Option<String> {
    name(wanted).ok()
}

/// What a name looks like: two with the same look are one name.
pub(crate) fn look(name: &str) -> String {
    let compatible = ComposingNormalizerBorrowed::new_nfkc().normalize(name);
    // Before and after letters lose their case: `I` looks like `l`, and `i` does not.
    let lower: String = skeleton(&compatible).flat_map(char::to_lowercase).collect();
    skeleton(&lower).filter(|c| category(*c) != GeneralCategory::SpaceSeparator).collect()
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_mark(c: char) -> bool {
    GeneralCategoryGroup::Mark.contains(category(c))
}

fn is_pictograph(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

/// Whether everything can be seen, nothing turns the direction, and something is there to see.
fn check_characters(name: &str) -> Result<(), NameFault> {
    let chars: Vec<char> = name.chars().collect();
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let (mut marks, mut seen) = (0, false);
    for (index, c) in chars.iter().copied().enumerate() {
        let before = index.checked_sub(1).and_then(|before| chars.get(before)).copied();
        let after = chars.get(index + 1).copied();
        let allowed = match c {
            ' ' => true,
            ZWNJ | ZWJ => may_join(c, before, after),
            EMOJI_STYLE => before.is_some_and(|c| is_pictograph(c) || matches!(c, '0'..='9' | '#' | '*')),
            // A Braille pattern without dots counts as a symbol and is blank.
            '\u{2800}' => false,
            _ if ignorable.contains(c) => false,
            _ => {
                let group = category(c);
                GeneralCategoryGroup::Letter.contains(group)
                    || GeneralCategoryGroup::Mark.contains(group)
                    || GeneralCategoryGroup::Number.contains(group)
                    || GeneralCategoryGroup::Punctuation.contains(group)
                    || GeneralCategoryGroup::Symbol.contains(group)
            }
        };
        if !allowed {
            return Err(NameFault::Characters);
        }
        if is_mark(c) && c != EMOJI_STYLE {
            marks += 1;
            // A mark needs something to stand on.
            if marks > MAX_MARKS || before.is_none_or(|c| c == ' ') {
                return Err(NameFault::Characters);
            }
        } else if !matches!(c, ZWNJ | ZWJ | EMOJI_STYLE) {
            marks = 0;
            seen |= c != ' ';
        }
    }
    if seen { Ok(()) } else { Err(NameFault::Empty) }
}

/// Joiners stay where they are orthography, as RFC 5892 appendix A has it, and in sequences of emoji.
fn may_join(joiner: char, before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return false };
    let after_virama = CanonicalCombiningClassMapBorrowed::new().get_u8(before) == VIRAMA;
    let joins = |c: char| {
        matches!(c, '\u{0600}'..='\u{08FF}' | '\u{1800}'..='\u{18AF}')
            && GeneralCategoryGroup::Letter.contains(category(c))
    };
    let emoji =
        joiner == ZWJ && is_pictograph(after) && (is_pictograph(before) || before == EMOJI_STYLE || is_tone(before));
    emoji || after_virama || (joiner == ZWNJ && joins(before) && joins(after))
}

/// Emoji modifiers, the tones of skin.
fn is_tone(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_tags_go_and_what_is_left_cannot_open_one() {
        for (input, output) in [
            ("plain > text & more", "plain > text & more"),
            ("a <b>bold</b> word", "a bold word"),
            ("<img src=x onerror=alert(1)", "＜img src=x onerror=alert(1)"),
            ("<<b>script>alert(1)<</b>/script>", "script>alert(1)/script>"),
            ("<>script>", "＜>script>"),
            ("1 < 2", "1 ＜ 2"),
            ("é<i>ç</i>ã<", "éçã＜"),
        ] {
            assert_eq!(without_markup(input), output);
        }
    }

    #[test]
    fn a_frame_full_of_open_tags_takes_linear_time() {
        assert_eq!(without_markup(&"<".repeat(64 * 1024)).chars().count(), 64 * 1024);
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(name("  Zoë <b>!</b> ").as_deref(), Ok("Zoë !"));
        assert_eq!(name("<b></b>  "), Err(NameFault::Empty));
        assert_eq!(name(&"ã".repeat(32)).map(|n| n.chars().count()), Ok(32));
        assert_eq!(name(&"ã".repeat(33)), Err(NameFault::TooLong));
        assert_eq!(name(&"x".repeat(60_000)), Err(NameFault::TooLong));
    }

    #[test]
    fn names_of_many_scripts_and_emoji_pass() {
        for good in [
            "Zoë",
            "José Ãlvarez",
            "王小明",
            "さくら",
            "김철수",
            "Дмитрий",
            "Ελένη",
            "שלום",
            "محمد",
            "प्रिया",
            "தமிழ்",
            "ไทยแลนด์",
            "Nguyễn",
            "👍",
            "👨‍👩‍👧",
            "❤️",
            "🇧🇷",
            "👩🏽‍💻",
            "O'Neil",
            "می‌خواهم",
            "क्‍ष",
            "1️⃣",
        ] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        assert_eq!(name("Zoe\u{308}").as_deref(), Ok("Zoë"), "NFC");
        assert_eq!(name("a\u{3000}\u{A0}b").as_deref(), Ok("a b"), "one kind of space");
    }

    #[test]
    fn what_cannot_be_seen_is_in_no_name() {
        for c in [
            '\0',
            '\n',
            '\u{7F}',
            '\u{85}',
            '\u{AD}',
            '\u{34F}',
            '\u{61C}',
            '\u{115F}',
            '\u{1160}',
            '\u{17B4}',
            '\u{180E}',
            '\u{200B}',
            '\u{200C}',
            '\u{200D}',
            '\u{200E}',
            '\u{202E}',
            '\u{2028}',
            '\u{2060}',
            '\u{2066}',
            '\u{2800}',
            '\u{3164}',
            '\u{FE0F}',
            '\u{FEFF}',
            '\u{FFA0}',
            '\u{FFF9}',
            '\u{E000}',
            '\u{E0041}',
            '\u{E0100}',
            '\u{1D173}',
            '\u{10FFFF}',
            '\u{378}',
        ] {
            for text in [format!("a{c}b"), format!("{c}a"), format!("a{c}"), c.to_string()] {
                assert!(name(&text).is_err(), "{:?} in {text:?}", c.escape_unicode().to_string());
            }
        }
        for blank in ["\u{A0}", "\u{3000}", " \u{2003} ", "\u{301}", " \u{301}"] {
            assert!(name(blank).is_err(), "{blank:?}");
        }
        assert_eq!(name(&format!("a{}", "\u{30D}".repeat(31))), Err(NameFault::Characters));
    }

    #[test]
    fn names_that_look_alike_are_one() {
        for (one, other) in [
            ("ana", "аnа"),
            ("ana", "Ana"),
            ("paypal", "paypaI"),
            ("bob", "b0b"),
            ("Zoë", "Zoe\u{308}"),
            ("admin", "ａｄｍｉｎ"),
            ("modern", "modem"),
            ("a b", "ab"),
            ("scope", "ѕсоре"),
            ("fi", "ﬁ"),
        ] {
            assert_eq!(look(one), look(other), "{one} {other}");
        }
        for (one, other) in [
            ("ana", "anna"),
            ("user 1", "user 2"),
            ("Zoë", "Zoe"),
            ("ana10", "ana11"),
            ("王", "玉"),
            ("user 5", "user S"),
        ] {
            assert_ne!(look(one), look(other), "{one} {other}");
        }
    }

    #[test]
    fn lines_lose_controls_and_overrides_and_keep_the_rest() {
        assert_eq!(line("a\u{202E}b\u{0}c\u{2066}d\u{200F}e\n\u{1B}[2J"), "abcd\u{200F}e\n[2J");
    }
}
