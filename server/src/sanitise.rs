//! Old pages write names and chat lines into `innerHTML`: nothing that passes here is markup any more.

use chamada::signaling::message::MAX_NAME_CHARS;

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

/// What is wrong with a wanted name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NameFault {
    Empty,
    TooLong,
    Characters,
}

/// The name that somebody who asks for `wanted` can have: without markup and outer white space.
pub(crate) fn name(wanted: &str) -> Result<String, NameFault> {
    let clean = without_markup(wanted);
    let clean = clean.trim();
    if clean.chars().any(unseen) {
        return Err(NameFault::Characters);
    }
    match clean.chars().count() {
        0 => Err(NameFault::Empty),
        n if n > MAX_NAME_CHARS => Err(NameFault::TooLong),
        _ => Ok(clean.to_owned()),
    }
}

/// Control characters, and those that turn the reading direction or cannot be seen: they let one name pass for another.
/// Joiners stay allowed, for emoji and for scripts that need them.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
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
        for bad in ["a\u{0}b", "a\nb", "a\u{202E}b", "a\u{200B}b"] {
            assert_eq!(name(bad), Err(NameFault::Characters));
        }
    }
}
