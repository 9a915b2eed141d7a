//! The network of the call: caller and callee have two links each, to a router, and the server is on the router. At each end one
//! of the two links has an address.

use crate::network::namespaces::{Namespaces, Side, bring_up, ip};
use anyhow::{Context, Result, bail};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Port of the signaling server.
pub(crate) const PORT: u16 = 6503;
/// Address of the server and of the relay, by whatever link.
const SERVER: &str = "10.79.9.1";
const RELAY_PORT: u16 = 3478;

/// The same by IPv6, and the name of both.
const SERVER_V6: &str = "fd79:9::1";
const SERVER_NAME: &str = "signal.test";

pub(crate) fn server_url() -> String {
    format!("ws://{SERVER_NAME}:{PORT}")
}

pub(crate) fn relay_url() -> String {
    format!("turn:{SERVER}:{RELAY_PORT}?transport=udp")
}

/// Name and password at the relay.
pub(crate) const RELAY_LOGIN: [&str; 2] = ["chamada", "namespaces-only"];

/// Names of the two links' devices at an end.
const DEVICES: [&str; 2] = ["signaling", "mobile"];

/// Removed when dropped.
pub(crate) struct Links {
    namespaces: Namespaces,
    /// How often the caller's and the callee's link were changed: the newest one is that of the remainder by two.
    changes: [u8; 2],
    /// How often a NAT on the way gave an end another address, or it got one of IPv6.
    mappings: [u8; 2],
}

impl Links {
    /// Makes them, with this delay in milliseconds in each direction.
    pub(crate) fn create(delay: u32) -> Result<Self> {
        let namespaces = Namespaces::create()?;
        let router = namespaces.name(Side::Server);
        ip(&["-n", &router, "addr", "add", &format!("{SERVER}/32"), "dev", "lo"])?;
        ip(&["-n", &router, "-6", "addr", "add", &format!("{SERVER_V6}/128"), "dev", "lo"])?;
        for key in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
            ip(&["netns", "exec", &router, "sysctl", "-qw", key])?;
        }
        let links = Self { namespaces, changes: [0, 0], mappings: [0, 0] };
        for side in [Side::Caller, Side::Callee] {
            let (name, letter) = (links.namespaces.name(side), side.letter());
            let far = format!("mobile-{letter}");
            ip(&["link", "add", &far, "netns", &router, "type", "veth", "peer", "name", DEVICES[1], "netns", &name])?;
            bring_up(&router, &far, &format!("10.79.{}.1/24", network(side, 1)))?;
            ip(&["-n", &name, "link", "set", DEVICES[1], "up"])?;
            links.add_route(side)?;
            links.add_v6(side)?;
            if delay > 0 {
                for (namespace, device) in [(&router, far.as_str()), (&router, &format!("to-{letter}"))] {
                    delay_by(namespace, device, delay)?;
                }
                for device in DEVICES {
                    delay_by(&name, device, delay)?;
                }
            }
        }
        Ok(links)
    }

    /// A program that will run at one end or at the server.
    pub(crate) fn command(&self, side: Side, program: &Path) -> Command {
        self.namespaces.command(side, program)
    }

    /// A relay for both ends.
    pub(crate) fn relay(&self) -> Command {
        let mut command = self.command(Side::Server, Path::new("turnserver"));
        let [user, password] = RELAY_LOGIN;
        command
            .args(["-n", "--lt-cred-mech", "--realm=chamada.test", "--no-tls", "--no-dtls", "--no-tcp", "--no-cli"])
            .args([format!("--listening-ip={SERVER}"), format!("--relay-ip={SERVER}")])
            .args([format!("--listening-port={RELAY_PORT}"), format!("--user={user}:{password}")])
            .args(["--no-rfc5780", "--log-file=stdout", "--simple-log", "--relay-threads=1", "--pidfile=/dev/null"]);
        command
    }

    /// Gives the other link of an end an address that it never had, and makes it the way to everywhere.
    pub(crate) fn add_next(&mut self, side: Side) -> Result<()> {
        let changes = self.changes_mut(side);
        *changes = changes.wrapping_add(1);
        let (name, device) = (self.namespaces.name(side), self.device(side));
        ip(&["-n", &name, "addr", "add", &self.address(side), "dev", device])?;
        self.add_route(side)
    }

    /// Takes the address away from the link that is not the newest, or from the newest if the next one is to come.
    pub(crate) fn remove_old(&mut self, side: Side) -> Result<()> {
        let name = self.namespaces.name(side);
        let newest = self.device(side);
        let old = DEVICES.into_iter().find(|device| *device != newest).unwrap_or(newest);
        let has_old = self.has_address(side, old);
        ip(&["-n", &name, "addr", "flush", "dev", if has_old { old } else { newest }])
    }

    /// Whether the way to everywhere is there; the addresses stay.
    pub(crate) fn set_up(&self, side: Side, up: bool) -> Result<()> {
        // At the router's end, so that the device notices nothing.
        let router = self.namespaces.name(Side::Server);
        let letter = side.letter();
        let far = if self.device(side) == DEVICES[0] { format!("to-{letter}") } else { format!("mobile-{letter}") };
        let address = format!("10.79.{}.1/24", network(side, self.changes(side) % 2));
        let change = if up { "add" } else { "del" };
        ip(&["-n", &router, "addr", change, &address, "dev", &far])
    }

    /// IPv6 on the mobile link: the router's end of it, and the names of the server. Only who moves to the other family has an address.
    fn add_v6(&self, side: Side) -> Result<()> {
        let (name, router) = (self.namespaces.name(side), self.namespaces.name(Side::Server));
        let near = format!("fd79:{}::1/64", network(side, 1));
        // Without an address of the link itself (RFC 4291 section 2.8) the router could not ask for its neighbours.
        for address in [near.as_str(), "fe80::1/64"] {
            ip(&["-n", &router, "-6", "addr", "add", address, "dev", &format!("mobile-{}", side.letter()), "nodad"])?;
        }
        let folder = Path::new("/etc/netns").join(&name);
        std::fs::create_dir_all(&folder)?;
        let hosts = format!("127.0.0.1 localhost\n{SERVER} {SERVER_NAME}\n{SERVER_V6} {SERVER_NAME}\n");
        std::fs::write(folder.join("hosts"), hosts).with_context(|| folder.display().to_string())
    }

    /// Gives an end an address of IPv6 that it never had, beside what it has of IPv4.
    pub(crate) fn add_next_v6(&mut self, side: Side) -> Result<()> {
        let index = usize::from(side != Side::Caller);
        self.mappings[index] = self.mappings[index].wrapping_add(1);
        let (name, net) = (self.namespaces.name(side), network(side, 1));
        let address = format!("fd79:{net}::{}/64", 16 + u32::from(self.mappings[index]));
        ip(&["-n", &name, "-6", "addr", "add", &address, "dev", DEVICES[1], "nodad"])?;
        ip(&["-n", &name, "-6", "route", "replace", "default", "via", &format!("fd79:{net}::1"), "dev", DEVICES[1]])
    }

    /// Takes an end all its addresses of IPv6, or of IPv4.
    pub(crate) fn remove_family(&self, side: Side, v6: bool) -> Result<()> {
        let name = self.namespaces.name(side);
        for device in DEVICES {
            let family = if v6 { "-6" } else { "-4" };
            ip(&["-n", &name, family, "addr", "flush", "dev", device, "scope", "global"])?;
        }
        Ok(())
    }

    /// Has the router give all datagrams of an end another address than so far, as a NAT does that has lost its mappings: what is sent to
    /// the last one is lost. The router translates without connection tracking, so that there is nothing to be forgotten.
    pub(crate) fn rebind(&mut self, side: Side) -> Result<()> {
        let index = usize::from(side != Side::Caller);
        let mapping = self.mappings[index].wrapping_add(1);
        self.mappings[index] = mapping;
        let (router, letter) = (self.namespaces.name(Side::Server), side.letter());
        let own = self.address(side);
        let own = own.trim_end_matches("/24");
        let outside = format!("10.79.{}.{mapping}", 50 + index);
        let table = format!("mapping-{letter}");
        let rules = format!(
            "table ip {table} {{}}
             delete table ip {table}
             table ip {table} {{
                 chain inward {{
                     type filter hook prerouting priority raw;
                     ip daddr {own} meta l4proto udp drop
                     ip daddr {outside} meta l4proto udp ip daddr set {own}
                 }}
                 chain outward {{
                     type filter hook postrouting priority srcnat;
                     ip saddr {own} meta l4proto udp ip saddr set {outside}
                 }}
             }}\n"
        );
        let mut child = Command::new("ip")
            .args(["netns", "exec", &router, "nft", "-f", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .context("nft")?;
        child.stdin.take().context("no standard input")?.write_all(rules.as_bytes())?;
        if !child.wait()?.success() {
            bail!("nft does not take {rules}");
        }
        Ok(())
    }

    fn has_address(&self, side: Side, device: &str) -> bool {
        let name = self.namespaces.name(side);
        let shown = Command::new("ip").args(["-n", &name, "-4", "-o", "addr", "show", "dev", device]).output();
        shown.is_ok_and(|shown| !shown.stdout.is_empty())
    }

    fn add_route(&self, side: Side) -> Result<()> {
        let name = self.namespaces.name(side);
        let router = format!("10.79.{}.1", network(side, self.changes(side) % 2));
        ip(&["-n", &name, "route", "replace", "default", "via", &router, "dev", self.device(side)])
    }

    fn address(&self, side: Side) -> String {
        let changes = self.changes(side);
        // The first one is that which the namespaces came with.
        let host = if changes == 0 { 2 } else { 3 + u32::from(changes / 2) };
        format!("10.79.{}.{host}/24", network(side, changes % 2))
    }

    fn device(&self, side: Side) -> &'static str {
        DEVICES[usize::from(self.changes(side) % 2)]
    }

    fn changes(&self, side: Side) -> u8 {
        self.changes[usize::from(side != Side::Caller)]
    }

    fn changes_mut(&mut self, side: Side) -> &mut u8 {
        &mut self.changes[usize::from(side != Side::Caller)]
    }
}

/// The third number of the addresses of a link.
fn network(side: Side, link: u8) -> u8 {
    let first = if side == Side::Caller { 1 } else { 2 };
    first + 2 * link
}

fn delay_by(namespace: &str, device: &str, ms: u32) -> Result<()> {
    let delay = format!("{ms}ms");
    ip(&["netns", "exec", namespace, "tc", "qdisc", "add", "dev", device, "root", "netem", "delay", &delay])
}
