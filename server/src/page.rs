//! The web page in `server/web`, embedded in the binary.

use crate::rooms;
use axum::{
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use ring::digest;
use std::{collections::HashMap, io::Write, sync::LazyLock};

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
    "attention.js" SCRIPT,
    "call.js" SCRIPT,
    "call-frames.js" SCRIPT,
    "context.js" SCRIPT,
    "devices.js" SCRIPT,
    "dom.js" SCRIPT,
    "file-pace.js" SCRIPT,
    "file-receiver.js" SCRIPT,
    "file-sender.js" SCRIPT,
    "file-store.js" SCRIPT,
    "file-transfers.js" SCRIPT,
    "format.js" SCRIPT,
    "glare.js" SCRIPT,
    "history.js" SCRIPT,
    "message.js" SCRIPT,
    "negotiator.js" SCRIPT,
    "offer-answer.js" SCRIPT,
    "path-search.js" SCRIPT,
    "peer.js" SCRIPT,
    "presence.js" SCRIPT,
    "private-call.js" SCRIPT,
    "private-text.js" SCRIPT,
    "push-worker.js" SCRIPT,
    "push.js" SCRIPT,
    "quality.js" SCRIPT,
    "reload.js" SCRIPT,
    "ringtone.js" SCRIPT,
    "sha256.js" SCRIPT,
    "signaling.js" SCRIPT,
    "state.js" SCRIPT,
    "stats.js" SCRIPT,
    "texts.js" SCRIPT,
    "user-list.js" SCRIPT,
    "uuid.js" SCRIPT,
    "verification-channel.js" SCRIPT,
    "verification-words.js" SCRIPT,
    "verification.js" SCRIPT,
    "verified.js" SCRIPT,
    "words.js" SCRIPT,
    "zoom.js" SCRIPT,
    "view/chat.js" SCRIPT,
    "view/incoming.js" SCRIPT,
    "view/keypad.js" SCRIPT,
    "view/login.js" SCRIPT,
    "view/notices.js" SCRIPT,
    "view/people.js" SCRIPT,
    "view/private.js" SCRIPT,
    "view/settings.js" SCRIPT,
    "view/stage.js" SCRIPT,
    "view/verification.js" SCRIPT,
    "view/virtual-list.js" SCRIPT,
    "view/zoom.js" SCRIPT,
];

/// A file as it is sent: compressed once, and with what names its content (RFC 9110 section 8.8.3).
pub(crate) struct Prepared {
    asset: Asset,
    etag: String,
    /// None where that would not be smaller.
    gzip: Option<Vec<u8>>,
}

static PREPARED: LazyLock<HashMap<&str, Prepared>> =
    LazyLock::new(|| FILES.iter().map(|(path, asset)| (*path, Prepared::new(*asset))).collect());

impl Prepared {
    fn new(asset: Asset) -> Self {
        let digest = digest::digest(&digest::SHA256, asset.body);
        let hex: String = digest.as_ref().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let gzip = encoder.write_all(asset.body).and_then(|()| encoder.finish()).ok();
        // Weak: compressed or not, it is the same content in other bytes.
        Self { asset, etag: format!("W/\"{hex}\""), gzip: gzip.filter(|gzip| gzip.len() < asset.body.len()) }
    }

    pub(crate) fn respond(&'static self, request: &HeaderMap) -> Response {
        let validators = [(header::ETAG, self.etag.as_str()), (header::VARY, "accept-encoding")];
        let listed = |name: HeaderName, wanted: &dyn Fn(&str) -> bool| {
            let values = request.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|value| wanted(value.trim()))
        };
        if listed(header::IF_NONE_MATCH, &|tag: &str| tag == self.etag) {
            return (StatusCode::NOT_MODIFIED, validators).into_response();
        }
        let content_type = [(header::CONTENT_TYPE, self.asset.content_type)];
        match &self.gzip {
            // Whoever weighs it with 0 does not want it.
            Some(gzip) if listed(header::ACCEPT_ENCODING, &accepts_gzip) => {
                let encoding = [(header::CONTENT_ENCODING, "gzip")];
                (content_type, encoding, validators, gzip.as_slice()).into_response()
            }
            _ => (content_type, validators, self.asset.body).into_response(),
        }
    }
}

/// Whether one member of `Accept-Encoding` (RFC 9110 section 12.5.3) is gzip with a weight above 0.
fn accepts_gzip(member: &str) -> bool {
    let (coding, weight) = member.split_once(';').unwrap_or((member, ""));
    let refused = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0);
    coding.trim().eq_ignore_ascii_case("gzip") && !refused
}

/// The file at this path of the page's URL (`/`, `/app.js`, …), if there is one. The page of a room is the same one, and finds its files beside
/// it, so that it works below any path of a proxy: as `/room/NAME` and `/room/app.js`.
pub(crate) fn asset(path: &str) -> Option<&'static Prepared> {
    let in_room = path.strip_prefix("/room/");
    let wanted = match in_room.or_else(|| path.strip_prefix('/'))? {
        "" if in_room.is_none() => "index.html",
        path => path,
    };
    let page = || in_room.and(rooms::of_path(path)).and_then(|_| PREPARED.get("index.html"));
    PREPARED.get(wanted).or_else(page)
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
