use super::*;
use clap::{Args, Parser};

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    serve: ServeArgs,
}

fn config(file: &str, arguments: &[&str]) -> Result<ServerConfig, String> {
    let path = std::env::temp_dir().join(format!("chamada-settings-{}-{:x}", std::process::id(), hash(file)));
    std::fs::write(&path, file).unwrap();
    let with_file = ["serve", "--config", path.to_str().unwrap()].into_iter().chain(arguments.iter().copied());
    let config = Command::try_parse_from(with_file).unwrap().serve.server_config().map_err(|error| error.to_string());
    std::fs::remove_file(path).unwrap();
    config
}

fn hash(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (text, std::thread::current().id()).hash(&mut hasher);
    hasher.finish()
}

/// The sample with everything in it switched on.
fn sample() -> String {
    let text = include_str!("../../docs/chamada.toml");
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(option) if option.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => option,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_has_every_option_and_can_be_used() {
    let sample = sample();
    let settings: Settings = toml::from_str(&sample).unwrap_or_else(|error| panic!("{error}"));
    assert!(settings.limits.is_some());
    let command = Settings::augment_args(clap::Command::new("serve"));
    for argument in command.get_arguments() {
        let name = argument.get_long().unwrap();
        // Of two that exclude each other one stands behind "# ".
        let line = format!("{name} = ");
        let is_it = |one: &str| one.trim_start_matches("# ").starts_with(&line);
        assert!(sample.lines().any(is_it), "the sample lacks {name}");
        let variable = format!("CHAMADA_{}", name.to_uppercase().replace('-', "_"));
        assert_eq!(argument.get_env().and_then(|env| env.to_str()), Some(variable.as_str()));
    }
}

#[test]
fn arguments_go_before_the_file_and_the_file_before_what_is_usual() {
    let file =
        "listen = \"0.0.0.0:1\"\nallow-origin = [\"https://a\"]\ntrusted-proxy = [\"::1\"]\n[limits]\nconnections = 7";
    let config = config(file, &["--listen", "127.0.0.1:2", "--allow-origin", "https://b"]).unwrap();
    assert_eq!(config.listen, SocketAddr::from(([127, 0, 0, 1], 2)));
    assert_eq!(config.allowed_origins, ["https://b"]);
    assert_eq!(config.trusted_proxies, [IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])]);
    assert_eq!(config.limits, Limits { connections: 7, ..Limits::default() });
}

#[test]
fn a_port_alone_is_one_of_this_machine() {
    let of = |text: &str| config(&format!("listen = {text:?}"), &[]).map(|config| config.listen.to_string());
    for (text, address) in [
        ("7000", "127.0.0.1:7000"),
        ("localhost:7000", "127.0.0.1:7000"),
        ("0.0.0.0:7000", "0.0.0.0:7000"),
        ("[::1]:7000", "[::1]:7000"),
    ] {
        assert_eq!(of(text).unwrap(), address);
        let argument = config("", &["--listen", text]).unwrap();
        assert_eq!(argument.listen.to_string(), address);
    }
    for text in ["localhost", "70000", "-1", ":7000", "example.org:7000", "::1:7000x", ""] {
        assert!(of(text).unwrap_err().contains("localhost:PORT"), "{text}");
    }
}

#[test]
fn what_cannot_be_meant_is_said_with_its_place() {
    for (file, arguments, said) in [
        ("\nlisten = 7", &[][..], "line 2"),
        ("lisden = \"127.0.0.1:1\"", &[], "lisden"),
        ("[limits]\nconections = 1", &[], "conections"),
        ("ice-server = [\"turn:x\"]", &[], "USER,PASSWORD"),
        ("tls-cert = \"a.pem\"", &[], "tls-key"),
        ("auth-secret = \"a\"", &["--auth-jwks", "b"], "not with both"),
        ("auth-issuer = \"a\"", &[], "auth-secret"),
        ("turn-url = [\"turn:x\"]", &[], "turn-secret"),
        ("allow-origin = [\"call.example\"]", &[], "https://HOST"),
        ("", &["--allow-origin", "https://call.example/room/a"], "https://HOST"),
        ("not toml at all", &[], "line 1"),
    ] {
        let error = config(file, arguments).unwrap_err();
        assert!(error.contains(said), "{file}: {error}");
    }
    let missing = Command::try_parse_from(["serve", "--config", "/nowhere/chamada.toml"]).unwrap();
    assert!(missing.serve.server_config().unwrap_err().to_string().contains("/nowhere/chamada.toml"));
}
