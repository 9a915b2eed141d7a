//! The web page, embedded in the binary.

/// One file of the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    /// The value for the `Content-Type` header.
    pub(crate) content_type: &'static str,
    /// The file.
    pub(crate) body: &'static [u8],
}

/// The file at this path of the page's URL (`/`, `/app.js`, …), if there is one.
pub(crate) fn asset(path: &str) -> Option<Asset> {
    match path {
        "/" | "/index.html" => Some(Asset {
            content_type: "text/html; charset=utf-8",
            body: b"<!doctype html><title>Chamada</title><h1>Chamada</h1>",
        }),
        _ => None,
    }
}
