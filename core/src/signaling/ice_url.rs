//! Addresses of STUN and TURN servers: `stun:host[:port]` (RFC 7064) and `turn[s]:host[:port][?transport=udp|tcp]` (RFC 7065).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// The address of a STUN or TURN server that a call can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceUrl {
    /// Which server it is and what it is reached over.
    pub kind: IceUrlKind,
    /// A name or an address, without brackets.
    pub host: String,
    /// 3478 where none is given, 5349 for TLS.
    pub port: u16,
}

/// What a server is and what it is reached over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceUrlKind {
    /// STUN over UDP.
    Stun,
    /// TURN over UDP.
    TurnUdp,
    /// TURN over TCP.
    TurnTcp,
    /// TURN over TLS.
    TurnTls,
}

impl IceUrlKind {
    /// Whether it relays, and so needs a name and a password.
    pub fn is_turn(self) -> bool {
        self != Self::Stun
    }
}

/// Why an address of a STUN or TURN server is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadIceUrl {
    /// It begins otherwise.
    #[error("the URL must begin with stun:, turn: or turns:")]
    Scheme,
    /// `stun://host`, as other URLs are written.
    #[error("no // follows the scheme: write turn:HOST or stun:HOST")]
    Slashes,
    /// There is no host, or one that cannot be.
    #[error("the URL has no host")]
    Host,
    /// Not from 1 to 65535.
    #[error("the port is no number from 1 to 65535")]
    Port,
    /// Something that is not `transport=udp` or `transport=tcp` follows the question mark.
    #[error("the transport is neither udp nor tcp")]
    Transport,
    /// RFC 7064 has it, this does not.
    #[error("STUN over TCP or TLS is not supported")]
    StunOverTcp,
    /// RFC 7350.
    #[error("TURN over DTLS is not supported: turns: goes over TCP")]
    TurnOverDtls,
}

impl FromStr for IceUrl {
    type Err = BadIceUrl;

    fn from_str(url: &str) -> Result<Self, BadIceUrl> {
        let (scheme, rest) = url.split_once(':').ok_or(BadIceUrl::Scheme)?;
        let (turn, secure) = match scheme.to_ascii_lowercase().as_str() {
            "stun" => (false, false),
            "stuns" => (false, true),
            "turn" => (true, false),
            "turns" => (true, true),
            _ => return Err(BadIceUrl::Scheme),
        };
        let (authority, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        if authority.starts_with('/') {
            return Err(BadIceUrl::Slashes);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (host, port) = bracketed.split_once(']').ok_or(BadIceUrl::Host)?;
                host.parse::<Ipv6Addr>().map_err(|_| BadIceUrl::Host)?;
                let port = port.strip_prefix(':').or(port.is_empty().then_some(""));
                (host, port.ok_or(BadIceUrl::Port)?)
            }
            None => authority.rsplit_once(':').unwrap_or((authority, "")),
        };
        let named = host.chars().all(|c| c.is_alphanumeric() || "-._".contains(c)) || authority.starts_with('[');
        if host.is_empty() || !named {
            return Err(BadIceUrl::Host);
        }
        let default_port = if secure { 5349 } else { 3478 };
        let port = match port {
            "" if authority.ends_with(':') => return Err(BadIceUrl::Port),
            "" => default_port,
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().map_err(|_| BadIceUrl::Port)?,
            _ => return Err(BadIceUrl::Port),
        };
        if port == 0 {
            return Err(BadIceUrl::Port);
        }
        let tcp = match query.map(str::to_ascii_lowercase).as_deref() {
            None => secure,
            Some("transport=udp") => false,
            Some("transport=tcp") => true,
            Some(_) => return Err(BadIceUrl::Transport),
        };
        // A query after `stun:` is no part of RFC 7064, but is often met.
        let kind = match (turn, secure, tcp) {
            (false, false, false) => IceUrlKind::Stun,
            (false, ..) => return Err(BadIceUrl::StunOverTcp),
            (true, true, false) => return Err(BadIceUrl::TurnOverDtls),
            (true, true, true) => IceUrlKind::TurnTls,
            (true, false, true) => IceUrlKind::TurnTcp,
            (true, false, false) => IceUrlKind::TurnUdp,
        };
        Ok(Self { kind, host: host.to_owned(), port })
    }
}

/// Without a query for STUN, and with one for TURN.
impl fmt::Display for IceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, query) = match self.kind {
            IceUrlKind::Stun => ("stun", ""),
            IceUrlKind::TurnUdp => ("turn", "?transport=udp"),
            IceUrlKind::TurnTcp => ("turn", "?transport=tcp"),
            IceUrlKind::TurnTls => ("turns", "?transport=tcp"),
        };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}:{open}{}{close}:{}{query}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<String, BadIceUrl> {
        url.parse::<IceUrl>().map(|url| url.to_string())
    }

    #[test]
    fn every_form_is_taken_for_what_it_is() {
        for (url, meant) in [
            ("stun:a.example", "stun:a.example:3478"),
            ("STUN:a.example:19302", "stun:a.example:19302"),
            ("stun:a.example?transport=udp", "stun:a.example:3478"),
            ("turn:a.example", "turn:a.example:3478?transport=udp"),
            ("turn:10.0.0.1:443?transport=TCP", "turn:10.0.0.1:443?transport=tcp"),
            ("turns:a.example", "turns:a.example:5349?transport=tcp"),
            ("turns:a_b.example:443?transport=tcp", "turns:a_b.example:443?transport=tcp"),
            ("turn:[2001:db8::1]", "turn:[2001:db8::1]:3478?transport=udp"),
            ("turn:[::1]:3479?transport=udp", "turn:[::1]:3479?transport=udp"),
        ] {
            assert_eq!(read(url).as_deref(), Ok(meant), "{url}");
        }
    }

    #[test]
    fn each_wrong_one_is_told_why() {
        for (url, why) in [
            ("", BadIceUrl::Scheme),
            ("a.example", BadIceUrl::Scheme),
            ("http://a.example", BadIceUrl::Scheme),
            ("stun://a.example", BadIceUrl::Slashes),
            ("turn:", BadIceUrl::Host),
            ("turn::3478", BadIceUrl::Host),
            ("turn:a b", BadIceUrl::Host),
            ("turn:user@a.example", BadIceUrl::Host),
            ("turn:[::1", BadIceUrl::Host),
            ("turn:[a.example]", BadIceUrl::Host),
            ("turn:2001:db8::1", BadIceUrl::Host),
            ("turn:a.example:", BadIceUrl::Port),
            ("turn:a.example:0", BadIceUrl::Port),
            ("turn:a.example:99999", BadIceUrl::Port),
            ("turn:a.example:+1", BadIceUrl::Port),
            ("turn:[::1]3478", BadIceUrl::Port),
            ("turn:a.example?transport=pigeon", BadIceUrl::Transport),
            ("turn:a.example?", BadIceUrl::Transport),
            ("stun:a.example?transport=tcp", BadIceUrl::StunOverTcp),
            ("stuns:a.example", BadIceUrl::StunOverTcp),
            ("turns:a.example?transport=udp", BadIceUrl::TurnOverDtls),
        ] {
            assert_eq!(read(url), Err(why), "{url}");
        }
    }
}
