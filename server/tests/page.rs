//! The web page as browsers get it.

mod support;

use support::{config, http, start};

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
