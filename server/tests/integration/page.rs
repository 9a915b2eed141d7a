//! The web page as browsers get it.

use crate::support::{config, http, start};

#[tokio::test]
async fn every_part_of_the_page_comes_with_its_type_and_a_strict_policy() {
    let server = start(config()).await;
    for (path, content_type, begins) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/index.html", "text/html; charset=utf-8", "<!doctype html>"),
        ("/?lang=pt-BR", "text/html; charset=utf-8", "<!doctype html>"),
        ("/style.css", "text/css; charset=utf-8", ":root"),
        ("/app.js", "text/javascript; charset=utf-8", "//"),
        ("/view/stage.js", "text/javascript; charset=utf-8", "//"),
        ("/icons.svg", "image/svg+xml", "<svg"),
    ] {
        let answer = http(server.address, &format!("GET {path} HTTP/1.1")).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(head.contains(&format!("content-type: {content_type}\r\n")), "{path}: {head}");
        assert!(
            head.contains("content-security-policy: default-src 'self';") && !head.contains("unsafe"),
            "{path}: {head}"
        );
        assert!(head.contains("x-content-type-options: nosniff"), "{path}: {head}");
        assert!(body.starts_with(begins), "{path}: {}", &body[..40]);
    }
}

#[tokio::test]
async fn whatever_the_page_names_is_there() {
    let server = start(config()).await;
    let page = http(server.address, "GET / HTTP/1.1").await;
    let app = http(server.address, "GET /app.js HTTP/1.1").await;
    let named = |text: &str, before: &str, after: char| {
        text.split(before).skip(1).filter_map(|rest| Some(rest.split_once(after)?.0.to_owned())).collect::<Vec<_>>()
    };
    let mut paths = named(&page, "href=\"", '"');
    paths.extend(named(&page, "src=\"", '"'));
    paths.extend(named(&app, " from './", '\''));
    assert!(paths.len() > 15, "{paths:?}");
    for path in paths {
        let path = path.split('#').next().unwrap();
        let answer = http(server.address, &format!("GET /{path} HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "/{path}: {answer}");
    }
}

#[tokio::test]
async fn what_is_no_part_of_the_page_is_not_found() {
    let server = start(config()).await;
    for path in ["/nothing.js", "/view/", "/view", "//app.js", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "/App.js"] {
        let answer = http(server.address, &format!("GET {path} HTTP/1.1")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn what_a_browser_has_already_is_not_sent_again() {
    let server = start(config()).await;
    let first = http(server.address, "GET /app.js HTTP/1.1").await;
    let etag = first.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    for known in [etag.to_owned(), format!("W/\"other\", {etag}")] {
        let again = http(server.address, &format!("GET /app.js HTTP/1.1\r\nIf-None-Match: {known}")).await;
        let (head, body) = again.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 304") && head.contains("content-security-policy") && body.is_empty(),
            "{again}"
        );
    }
    let other = http(server.address, "GET /app.js HTTP/1.1\r\nIf-None-Match: \"other\"").await;
    assert!(other.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn who_takes_gzip_gets_less() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = start(config()).await;
    let get = async |encoding: &str| {
        let mut socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let request =
            format!("GET /app.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: {encoding}\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
    };
    let (_, plain) = get("identity").await;
    let (head, packed) = get("br, gzip;q=0.8").await;
    assert!(head.contains("content-encoding: gzip") && packed.len() * 2 < plain.len(), "{head}");
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    assert!(!get("gzip;q=0").await.0.contains("content-encoding"));
}

#[tokio::test]
async fn refusals_have_the_headers_too() {
    let server = start(config()).await;
    let upgrade = "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://evil.example";
    for (request, status) in [("POST / HTTP/1.1", "405"), ("GET /nothing HTTP/1.1", "404"), (upgrade, "403")] {
        let answer = http(server.address, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.contains("content-security-policy") && answer.contains("nosniff"), "{answer}");
    }
}
