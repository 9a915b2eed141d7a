//! An HTTP proxy that makes connections by the method CONNECT (RFC 9110 section 9.3.6), as networks have that let nothing else out.

use super::ConnectError;
use std::fmt;
use std::str::FromStr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::{Host, Url};

/// Longest header of an answer, in bytes.
const MAX_ANSWER: usize = 8 * 1024;
const DEFAULT_PORT: u16 = 8080;

/// An HTTP proxy: `http://[user:password@]host[:port]`, port 8080 where none is given.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    /// Value of the header `Proxy-Authorization`.
    authorization: Option<String>,
}

/// What is no address of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a proxy is http://[USER:PASSWORD@]HOST[:PORT]")]
pub struct BadProxy;

impl FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        let text = text.trim();
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        // `Url` leaves out a port that is the scheme's own.
        let authority =
            text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
        let default_port = if authority.ends_with(":80") { 80 } else { DEFAULT_PORT };
        let url = Url::parse(&text).map_err(|_| BadProxy)?;
        if url.scheme() != "http" || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(BadProxy);
        }
        let host = match url.host().ok_or(BadProxy)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        let credentials = match (decoded(url.username())?, decoded(url.password().unwrap_or_default())?) {
            (user, password) if user.is_empty() && password.is_empty() => None,
            (user, password) => Some(format!("{user}:{password}")),
        };
        let authorization = credentials.map(|credentials| format!("Basic {}", base64(credentials.as_bytes())));
        Ok(Self { host, port: url.port().unwrap_or(default_port), authorization })
    }
}

/// Without the credentials.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Proxy {
    /// A connection to a host by way of the proxy.
    pub(super) async fn tunnel(&self, host: &str, port: u16) -> Result<TcpStream, ConnectError> {
        let unreachable = |error| ConnectError::Proxy(format!("the proxy cannot be reached: {error}"));
        let mut stream = super::tcp(&self.host, self.port).await.map_err(unreachable)?;
        let request = self.request(host, port);
        let answer = async {
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            // Nothing follows the header before we have sent something: both TLS and WebSocket, as TURN, let the client begin.
            while !answer.ends_with(b"\r\n\r\n") && answer.len() < MAX_ANSWER {
                answer.push(stream.read_u8().await?);
            }
            Ok::<_, std::io::Error>(answer)
        };
        let answer = answer.await.map_err(|error| ConnectError::Proxy(format!("the proxy hung up: {error}")))?;
        match status(&answer) {
            Some(200..=299) => Ok(stream),
            Some(407) if self.authorization.is_some() => {
                Err(ConnectError::Proxy("the proxy does not accept the name and the password".into()))
            }
            Some(407) => Err(ConnectError::Proxy("the proxy wants a name and a password".into())),
            Some(status) => Err(ConnectError::Proxy(format!("the proxy does not connect: HTTP status {status}"))),
            None => Err(ConnectError::Proxy("this is no HTTP proxy".into())),
        }
    }

    fn request(&self, host: &str, port: u16) -> String {
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let authorization =
            self.authorization.as_ref().map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
        format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n")
    }
}

/// The status of an answer (RFC 9112 section 4).
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&byte| byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

/// Undoes percent-encoding (RFC 3986 section 2.1). What would be a header of its own is refused.
fn decoded(text: &str) -> Result<String, BadProxy> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            let digits = [bytes.next().ok_or(BadProxy)?, bytes.next().ok_or(BadProxy)?];
            let digits = std::str::from_utf8(&digits).map_err(|_| BadProxy)?;
            u8::from_str_radix(digits, 16).map_err(|_| BadProxy)?
        } else {
            byte
        };
        decoded.push(byte);
    }
    let decoded = String::from_utf8(decoded).map_err(|_| BadProxy)?;
    if decoded.chars().any(char::is_control) { Err(BadProxy) } else { Ok(decoded) }
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for n in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * n) & 63) as usize];
            text.push(if n <= chunk.len() { digit.into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    fn proxy(text: &str) -> Proxy {
        text.parse().unwrap()
    }

    #[test]
    fn the_address_of_a_proxy_is_read_and_its_credentials_are_not_shown() {
        let with = proxy("http://ana:p%40ss%3a@proxy.example:3128");
        assert_eq!((with.host.as_str(), with.port), ("proxy.example", 3128));
        assert_eq!(with.authorization.as_deref(), Some("Basic YW5hOnBAc3M6"));
        assert!(!format!("{with:?}").contains("YW5h"));
        assert_eq!(proxy("proxy.example"), Proxy { host: "proxy.example".into(), port: 8080, authorization: None });
        assert_eq!(proxy("http://[::1]:80").port, 80);
        for wrong in
            ["", "https://proxy.example", "http://proxy.example/path", "socks5://x", "http://a%0d%0a:b@x", "x:99999"]
        {
            assert_eq!(wrong.parse::<Proxy>(), Err(BadProxy), "{wrong}");
        }
    }

    #[test]
    fn the_request_names_the_target_and_brackets_what_has_colons() {
        assert_eq!(
            proxy("u:p@x").request("call.example", 443),
            "CONNECT call.example:443 HTTP/1.1\r\nHost: call.example:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
        );
        assert!(proxy("x").request("::1", 443).starts_with("CONNECT [::1]:443 HTTP/1.1\r\n"));
    }

    #[test]
    fn base64_fills_up() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    async fn answered(answer: &'static [u8]) -> Result<TcpStream, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = proxy(&listener.local_addr().unwrap().to_string());
        let serve = async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(answer).await.unwrap();
        };
        let (tunnel, ()) = tokio::join!(proxy.tunnel("call.example", 443), serve);
        tunnel.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn each_answer_is_told_in_its_own_words() {
        assert!(answered(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_ok());
        for (answer, words) in [
            (&b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n"[..], "the proxy wants a name and a password"),
            (b"HTTP/1.0 403 Forbidden\r\n\r\n", "the proxy does not connect: HTTP status 403"),
            (b"SSH-2.0-x\r\n\r\n", "this is no HTTP proxy"),
        ] {
            assert_eq!(answered(answer).await.unwrap_err(), words);
        }
        assert!(answered(b"HTTP/1.1 200").await.unwrap_err().starts_with("the proxy hung up"));
    }
}
