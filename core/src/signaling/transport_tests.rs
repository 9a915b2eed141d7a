//! Which address leads where.

use super::*;

fn resolved(address: &str) -> String {
    resolve(address, false).map(String::from).unwrap_or_else(|e| format!("{e:?}"))
}

#[test]
fn a_bare_host_means_our_port_unencrypted_here_and_encrypted_elsewhere() {
    for (address, url) in [
        ("localhost", "ws://localhost:6503/"),
        (" 127.0.0.1 ", "ws://127.0.0.1:6503/"),
        ("127.8.9.1:80", "ws://127.8.9.1/"),
        ("[::1]", "ws://[::1]:6503/"),
        ("[::1]:7000/a?b", "ws://[::1]:7000/a?b"),
        ("call.example", "wss://call.example:6503/"),
        ("call.example:443", "wss://call.example/"),
        ("call.example/path:1", "wss://call.example:6503/path:1"),
        ("dev.localhost:1", "ws://dev.localhost:1/"),
    ] {
        assert_eq!(resolved(address), url, "{address}");
    }
}

#[test]
fn near_is_what_no_router_passes_on() {
    let near = [
        "localhost",
        "ws://127.0.0.1:6503",
        "ws://[::1]:6503/",
        "ws://192.168.1.7:6503",
        "10.0.2.2",
        "http://172.16.0.1",
        "ws://169.254.7.7",
        "ws://[fe80::1]:1",
        "wss://[fd00::1]",
        "laptop.local",
        "LAPTOP.local.",
    ];
    for address in near {
        assert!(is_local_network(address), "{address}");
    }
    let far =
        ["ws://172.32.0.1", "ws://10.0.0.1.example.org", "wss://call.example", "ws://[2001:db8::1]", "local", "::"];
    for address in far {
        assert!(!is_local_network(address), "{address}");
    }
    assert!(is_loopback_address("ws://127.0.0.1:1") && !is_loopback_address("ws://192.168.1.7"));
}

#[test]
fn a_scheme_keeps_its_port_except_on_this_machine() {
    for (address, url) in [
        ("wss://call.example", "wss://call.example/"),
        ("HTTPS://call.example/x#y", "wss://call.example/x"),
        ("https://call.example:8443", "wss://call.example:8443/"),
        ("http://localhost", "ws://localhost:6503/"),
        ("ws://localhost:80", "ws://localhost/"),
        ("wss://localhost", "wss://localhost/"),
    ] {
        assert_eq!(resolved(address), url, "{address}");
    }
}

#[test]
fn unencrypted_to_another_machine_has_to_be_allowed() {
    for address in ["ws://call.example", "http://192.168.1.2:6503", "ws://[2001:db8::1]", "ws://localhost.example"] {
        assert!(matches!(resolve(address, false), Err(SignalingError::Insecure(_))), "{address}");
        assert_eq!(resolve(address, true).unwrap().scheme(), "ws");
    }
}

#[test]
fn what_is_no_address_is_refused_whatever_it_looks_like() {
    let long = format!("ftp://{}", "x".repeat(10_000));
    for address in [
        "",
        "  ",
        "://",
        "ws://",
        "ftp://localhost",
        "file:///etc/passwd",
        "ws://localhost:99999",
        "ws://localhost:-1",
        "ws://a b",
        "ws://[::1",
        "ws://user@localhost",
        "wss://user:secret@call.example",
        "ws://\u{0}",
        "user:secret@call.example",
        &long,
    ] {
        let Err(SignalingError::BadUrl(told)) = resolve(address, true) else { panic!("{address}") };
        assert!(told.chars().count() <= 200);
    }
}
