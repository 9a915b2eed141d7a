//! What a text may consist of.

/// The text without controls (but for line breaks and tabs), without what turns the reading direction (UAX 9 section 2: embeddings, overrides and
/// isolates), so that nothing looks like what it is not, and without space around it.
pub fn clean(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !is_refused(*c)).collect();
    kept.trim().to_owned()
}

fn is_refused(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}
