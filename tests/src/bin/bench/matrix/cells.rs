//! The networks, and by which path a call on each has to go.

use super::site::{Families, Nat, SIGNALING, Site, TURN, ice_server};
use anyhow::Result;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// One kind of network between two phones.
pub(super) struct Cell {
    pub(super) name: &'static str,
    /// In words.
    pub(super) networks: &'static str,
    caller: (Families, Nat),
    callee: (Families, Nat),
    build: fn(&mut Build<'_, '_>) -> Result<()>,
    pub(super) expected: Expected,
}

/// How the caller's call has to go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Expected {
    /// Not by a relay.
    Direct,
    /// By the caller's relay, which it reaches by this protocol; where none is named, by the relay of either.
    Relayed(Option<&'static str>),
    /// Either, as it happens.
    Any,
    /// It fails: the caller says why no path was found yet, and how the call ended.
    Fails { why: &'static str, end: &'static str },
}

/// What is done to a site, and what the commands at both ends are given.
pub(super) struct Build<'a, 's> {
    pub(super) site: &'a mut Site<'s>,
    chamada: &'a Path,
    bench: &'a Path,
    pub(super) caller: Vec<String>,
    pub(super) callee: Vec<String>,
}

impl Build<'_, '_> {
    fn both(&mut self, args: &[&str]) {
        self.caller.extend(args.iter().map(ToString::to_string));
        self.callee.extend(args.iter().map(ToString::to_string));
    }

    /// Signaling, and a TURN server of which both phones are told these addresses.
    fn servers(&mut self, urls: &[&str]) -> Result<()> {
        self.site.serve(self.chamada, "[::]:6503")?;
        self.both(&["--server", &format!("ws://{SIGNALING}:6503")]);
        self.turn(urls)
    }

    fn turn(&mut self, urls: &[&str]) -> Result<()> {
        let certificate = self.site.turn()?;
        self.both(&["--ca", &certificate.display().to_string()]);
        for url in urls {
            self.both(&["--ice-server", &ice_server(&url.replace("TURN", TURN))]);
        }
        Ok(())
    }
}

const UDP: &[&str] = &["turn:TURN", "stun:TURN"];
const ALL: &[&str] = &["turn:TURN", "turn:TURN?transport=tcp", "turns:TURN:443", "stun:TURN"];
const OPEN: (Families, Nat) = (Families::V4, Nat::None);
const HOME: (Families, Nat) = (Families::V4, Nat::Cone);
const SYMMETRIC: (Families, Nat) = (Families::V4, Nat::Symmetric);
const V6: (Families, Nat) = (Families::V6, Nat::None);

pub(super) const CELLS: &[Cell] = &[
    Cell {
        name: "open",
        networks: "nothing between them",
        caller: OPEN,
        callee: OPEN,
        build: |b| b.servers(UDP),
        expected: Expected::Direct,
    },
    Cell {
        name: "home",
        networks: "both behind a NAT that keeps ports",
        caller: HOME,
        callee: HOME,
        build: |b| b.servers(UDP),
        expected: Expected::Direct,
    },
    Cell {
        name: "symmetric",
        networks: "the caller behind a symmetric NAT, the callee open",
        caller: SYMMETRIC,
        callee: OPEN,
        build: |b| b.servers(UDP),
        expected: Expected::Direct,
    },
    Cell {
        name: "both-symmetric",
        networks: "both behind symmetric NATs",
        caller: SYMMETRIC,
        callee: SYMMETRIC,
        build: |b| b.servers(UDP),
        expected: Expected::Relayed(None),
    },
    Cell {
        name: "udp-blocked",
        networks: "the caller's network lets no UDP out",
        caller: HOME,
        callee: HOME,
        build: |b| {
            b.servers(&["turn:TURN", "turn:TURN?transport=tcp", "stun:TURN"])?;
            b.site.pass_only('p', "meta l4proto tcp accept;")
        },
        expected: Expected::Relayed(Some("tcp")),
    },
    Cell {
        name: "tcp-443",
        networks: "the caller's network lets only TCP to port 443 out",
        caller: HOME,
        callee: HOME,
        build: |b| {
            b.site.serve(b.chamada, "203.0.113.1:443")?;
            b.both(&["--server", &format!("ws://{SIGNALING}:443")]);
            b.turn(ALL)?;
            b.site.pass_only('p', "tcp dport 443 accept;")
        },
        expected: Expected::Relayed(Some("tls")),
    },
    Cell {
        name: "ipv6-to-ipv4",
        networks: "the caller has IPv6 alone, the callee IPv4 alone",
        caller: V6,
        callee: HOME,
        build: |b| b.servers(UDP),
        expected: Expected::Relayed(None),
    },
    Cell {
        name: "nat64",
        networks: "the caller has IPv6 alone, with NAT64 and DNS64; the servers and the callee have IPv4 alone",
        caller: V6,
        callee: HOME,
        build: |b| {
            b.site.nat64()?;
            b.site.translate('p', "to-s", Nat::Cone)?;
            // One server by its name, which DNS64 translates, one by its address, which nobody does.
            b.servers(&["turn:203.0.113.2", "stun:TURN"])
        },
        expected: Expected::Any,
    },
    Cell {
        name: "ipv6",
        networks: "both have IPv6 alone",
        caller: V6,
        callee: V6,
        build: |b| b.servers(UDP),
        expected: Expected::Direct,
    },
    Cell {
        name: "mtu-1280",
        networks: "no packet of more than 1280 bytes gets through, and nobody says so",
        caller: HOME,
        callee: HOME,
        build: |b| {
            b.servers(UDP)?;
            b.site.nft(
                'p',
                "table inet narrow { chain pass { type filter hook forward priority 20; meta l4proto udp meta length > 1280 drop } }",
            )
        },
        expected: Expected::Direct,
    },
    Cell {
        name: "cgnat",
        networks: "the caller behind a NAT behind a symmetric NAT of its provider's, the callee behind a NAT",
        caller: HOME,
        callee: HOME,
        build: |b| {
            b.servers(UDP)?;
            // The provider's NAT is where the internet begins.
            b.site.nft('s', "table ip nat { chain out { type nat hook postrouting priority 100; ip saddr 198.51.100.6 oifname \"to-q\" masquerade fully-random } }")
        },
        expected: Expected::Any,
    },
    Cell {
        name: "hairpin",
        networks: "both behind one NAT that keeps them apart and does not turn packets around",
        caller: HOME,
        callee: HOME,
        build: |b| {
            // The callee's router hangs on the caller's.
            b.site.nft('s', "table ip apart { chain pass { type filter hook forward priority 0; iifname \"to-p\" oifname \"to-q\" drop; iifname \"to-q\" oifname \"to-p\" drop } }")?;
            b.servers(UDP)
        },
        expected: Expected::Relayed(None),
    },
    Cell {
        name: "proxy",
        networks: "the caller's network lets nothing out but to an HTTP proxy",
        caller: HOME,
        callee: HOME,
        build: |b| {
            // Before the proxy: a process has those files that are there when it starts.
            b.site.file('s', "hosts", &format!("203.0.113.1 {SIGNALING}\n203.0.113.2 {TURN}\n"))?;
            b.site.start('s', "proxy", b.bench, &["proxy", "--listen", "203.0.113.3:3128"])?;
            b.site.listens('s', "203.0.113.3:3128")?;
            b.site.pass_only('p', "ip daddr 203.0.113.3 tcp dport 3128 accept;")?;
            b.caller.extend(["--proxy".to_owned(), "http://ana:s3cret@203.0.113.3:3128".to_owned()]);
            b.servers(&["turns:TURN:443", "stun:TURN"])
        },
        expected: Expected::Relayed(Some("tls")),
    },
    Cell {
        name: "cut-off",
        networks: "the caller's network lets only TCP out, and there is no relay",
        caller: HOME,
        callee: HOME,
        build: |b| {
            b.servers(&["stun:TURN"])?;
            b.site.pass_only('p', "meta l4proto tcp accept;")
        },
        expected: Expected::Fails { why: "no-relay", end: "no-path" },
    },
];

impl Cell {
    /// Makes the site, with servers, and what the commands at both ends have to be given.
    pub(super) fn build<'s>(
        &self,
        folder: &Path,
        [chamada, bench]: [&Path; 2],
        stop: &'s AtomicBool,
    ) -> Result<(Site<'s>, Vec<String>, Vec<String>)> {
        let mut site = Site::new(self.name, folder, self.caller, self.callee, stop)?;
        let mut build = Build { site: &mut site, chamada, bench, caller: Vec::new(), callee: Vec::new() };
        (self.build)(&mut build)?;
        let Build { caller, callee, .. } = build;
        Ok((site, caller, callee))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = CELLS.iter().map(|cell| cell.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
