//! Names of files, made safe for every system.

/// Longest name, in bytes: what file systems take, with room for a number and `.part`.
const MAX_BYTES: usize = 200;
/// Longest extension that is kept, in bytes.
const MAX_EXTENSION: usize = 20;
/// What a name is that nothing is left of.
const NAMELESS: &str = "file";
/// Names of devices on Windows, whatever follows the first dot.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// A name for a file that a stranger called `name`: its last part without the path, without controls, without what turns the reading
/// direction and what Windows does not take, without dots and spaces around it, no name of a device, and at most 200 bytes of UTF-8.
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !is_refused(*c)).collect();
    let mut safe = shortened(trimmed(&kept));
    if safe.is_empty() {
        NAMELESS.clone_into(&mut safe);
    }
    if is_device(&safe) {
        safe.insert(0, '_');
    }
    safe
}

fn trimmed(name: &str) -> &str {
    name.trim_matches(|c: char| c == '.' || c.is_whitespace())
}

fn is_refused(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        || c.is_control()
}

/// Cut in front of the extension.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let (stem, extension) = parts(name);
    let extension = if extension.len() <= MAX_EXTENSION { extension } else { "" };
    let end = (0..=MAX_BYTES - extension.len()).rev().find(|end| stem.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{extension}", trimmed(stem.get(..end).unwrap_or_default()))
}

/// The name before its extension, and the extension with its dot.
pub(super) fn parts(name: &str) -> (&str, &str) {
    name.rfind('.').filter(|dot| *dot > 0).map_or((name, ""), |dot| name.split_at(dot))
}

/// The media type of the most usual files, by their extension.
pub(super) fn media_type(name: &str) -> Option<&'static str> {
    let (_, extension) = parts(name);
    Some(match extension.to_ascii_lowercase().as_str() {
        ".png" => "image/png",
        ".jpg" | ".jpeg" => "image/jpeg",
        ".gif" => "image/gif",
        ".webp" => "image/webp",
        ".avif" => "image/avif",
        ".heic" => "image/heic",
        ".pdf" => "application/pdf",
        ".txt" => "text/plain",
        ".zip" => "application/zip",
        ".mp3" => "audio/mpeg",
        ".mp4" => "video/mp4",
        _ => return None,
    })
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = |prefix: &str| {
        let mut rest = stem.strip_prefix(prefix).unwrap_or_default().chars();
        matches!((rest.next(), rest.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    };
    DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_lead_nowhere_and_look_like_what_they_are() {
        for (name, safe) in [
            ("photo.png", "photo.png"),
            ("ata da reunião (2).pdf", "ata da reunião (2).pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\system32\\evil.dll", "evil.dll"),
            ("/", "file"),
            ("..", "file"),
            ("", "file"),
            (".bashrc", "bashrc"),
            ("a\0b\n.txt", "ab.txt"),
            ("cod\u{202E}gpj.exe", "codgpj.exe"),
            ("what?<is>:this|*\"", "whatisthis"),
            ("trailing. . ", "trailing"),
            ("con", "_con"),
            ("NUL.txt", "_NUL.txt"),
            ("com1.tar.gz", "_com1.tar.gz"),
            ("LPT²", "_LPT²"),
            ("com10", "com10"),
            ("console.log", "console.log"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension_and_whole_characters() {
        let long = safe_name(&format!("{}.png", "é".repeat(300)));
        assert!(long.len() <= MAX_BYTES && long.ends_with("é.png"), "{long}");
        let odd = safe_name(&format!("a.{}", "x".repeat(500)));
        assert!(odd.len() <= MAX_BYTES, "{odd}");
    }
}
