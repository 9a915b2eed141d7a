//! The web page in `server/web`, embedded in the binary.

/// One file of the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    /// The value for the `Content-Type` header.
    pub(crate) content_type: &'static str,
    /// The file.
    pub(crate) body: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Path in the URL, content type, and the file of the same path in `server/web`.
macro_rules! files {
    ($($path:literal $content_type:ident,)*) => {
        &[$(($path, Asset { content_type: $content_type, body: include_bytes!(concat!("../web/", $path)) }),)*]
    };
}

const FILES: &[(&str, Asset)] = files![
    "index.html" HTML,
    "style.css" CSS,
    "stage.css" CSS,
    "icon.svg" SVG,
    "icons.svg" SVG,
    "app.js" SCRIPT,
    "call.js" SCRIPT,
    "context.js" SCRIPT,
    "devices.js" SCRIPT,
    "dom.js" SCRIPT,
    "format.js" SCRIPT,
    "history.js" SCRIPT,
    "message.js" SCRIPT,
    "negotiator.js" SCRIPT,
    "offer-answer.js" SCRIPT,
    "peer.js" SCRIPT,
    "quality.js" SCRIPT,
    "ringtone.js" SCRIPT,
    "signaling.js" SCRIPT,
    "state.js" SCRIPT,
    "stats.js" SCRIPT,
    "texts.js" SCRIPT,
    "user-list.js" SCRIPT,
    "uuid.js" SCRIPT,
    "words.js" SCRIPT,
    "view/chat.js" SCRIPT,
    "view/incoming.js" SCRIPT,
    "view/login.js" SCRIPT,
    "view/notices.js" SCRIPT,
    "view/people.js" SCRIPT,
    "view/stage.js" SCRIPT,
];

/// The file at this path of the page's URL (`/`, `/app.js`, …), if there is one.
pub(crate) fn asset(path: &str) -> Option<Asset> {
    let wanted = match path.strip_prefix('/')? {
        "" => "index.html",
        path => path,
    };
    FILES.iter().find(|(path, _)| *path == wanted).map(|(_, asset)| *asset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn files_in(folder: &Path, found: &mut Vec<String>, below: &str) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{below}{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                files_in(&entry.path(), found, &format!("{name}/"));
            } else {
                found.push(name);
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_served_and_no_other() {
        let mut there = Vec::new();
        files_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("web"), &mut there, "");
        there.sort();
        let mut served: Vec<_> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        served.sort();
        assert_eq!(served, there);
    }
}
