//! Which addresses the server sends to on a device's word: none that only the server can reach, or anybody could make it knock at doors inside
//! its network (server-side request forgery).

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlFault {
    #[error("it is no URL")]
    NoUrl,
    #[error("it is too long")]
    TooLong,
    #[error("it does not begin with https:")]
    NoTls,
    #[error("it has a user name or password")]
    Credentials,
    #[error("it leads to a private address")]
    Private,
}

/// Whether requests may go there, as far as the URL itself says it; what a name stands for is seen by [`PublicResolver`].
pub(crate) fn check_url(url: &Url, allow_private: bool) -> Result<(), UrlFault> {
    match url.scheme() {
        "https" => {}
        "http" if allow_private => {}
        _ => return Err(UrlFault::NoTls),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlFault::Credentials);
    }
    let is_public = match url.host() {
        None => return Err(UrlFault::NoUrl),
        Some(Host::Ipv4(address)) => is_public_v4(address),
        Some(Host::Ipv6(address)) => is_public_v6(address),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name != "localhost" && !name.ends_with(".localhost")
        }
    };
    if is_public || allow_private { Ok(()) } else { Err(UrlFault::Private) }
}

/// Whether an address is one that anybody can reach: none of those of the IANA special-purpose registries (RFC 6890), and none that stands for
/// one of them.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(address) = address.to_ipv4_mapped() {
        return is_public_v4(address);
    }
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // NAT64 (RFC 6052) and 6to4 (RFC 3056) lead to an address of IPv4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo and other protocols' own, documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Global unicast (RFC 4291 section 2.4), as far as it is given out.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

/// Resolves names by the system, and leaves out addresses that are not public. As the connection goes to what this gives, a name cannot stand
/// for something else a moment later (DNS rebinding).
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = all.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Box::from(UrlFault::Private));
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str) -> Result<(), UrlFault> {
        check_url(&Url::parse(url).unwrap(), false)
    }

    #[test]
    fn only_tls_to_what_anybody_can_reach() {
        assert_eq!(check("https://updates.push.services.mozilla.com/wpush/v2/abc"), Ok(()));
        assert_eq!(check("https://8.8.8.8:8443/x"), Ok(()));
        assert_eq!(check("https://[2606:4700::1]/x"), Ok(()));
        assert_eq!(check("http://push.example/"), Err(UrlFault::NoTls));
        assert_eq!(check("file:///etc/passwd"), Err(UrlFault::NoTls));
        assert_eq!(check("https://me:secret@push.example/"), Err(UrlFault::Credentials));
        let private = [
            "127.0.0.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "0",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
            "[fd00::1]",
            "[ff02::1]",
            "[64:ff9b::10.0.0.1]",
            "[2002:a00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "localhost",
            "localhost.",
            "a.localhost",
        ];
        for host in private {
            assert_eq!(check(&format!("https://{host}/")), Err(UrlFault::Private), "{host}");
        }
    }

    #[test]
    fn the_operator_may_allow_private_addresses_but_no_other_schemes() {
        assert_eq!(check_url(&Url::parse("http://127.0.0.1:9/x").unwrap(), true), Ok(()));
        assert_eq!(check_url(&Url::parse("ftp://push.example/x").unwrap(), true), Err(UrlFault::NoTls));
    }

    #[tokio::test]
    async fn a_name_of_this_machine_leads_nowhere() {
        let resolved = PublicResolver.resolve("localhost".parse().unwrap()).await;
        assert!(resolved.is_err());
    }
}
