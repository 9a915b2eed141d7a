//! The network of the call: caller and callee have two links each, to a router, and the server is on the router. At each end one
//! of the two links has an address.

use crate::network::namespaces::{Namespaces, Side, bring_up, ip};
use anyhow::Result;
use std::path::Path;
use std::process::Command;

/// Port of the signaling server.
pub(crate) const PORT: u16 = 6503;
/// Address of the server and of the relay, by whatever link.
const SERVER: &str = "10.79.9.1";
const RELAY_PORT: u16 = 3478;

pub(crate) fn server_url() -> String {
    format!("ws://{SERVER}:{PORT}")
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
}

impl Links {
    /// Makes them, with this delay in milliseconds in each direction.
    pub(crate) fn create(delay: u32) -> Result<Self> {
        let namespaces = Namespaces::create()?;
        let router = namespaces.name(Side::Server);
        ip(&["-n", &router, "addr", "add", &format!("{SERVER}/32"), "dev", "lo"])?;
        ip(&["netns", "exec", &router, "sysctl", "-qw", "net.ipv4.ip_forward=1"])?;
        let links = Self { namespaces, changes: [0, 0] };
        for side in [Side::Caller, Side::Callee] {
            let (name, letter) = (links.namespaces.name(side), side.letter());
            let far = format!("mobile-{letter}");
            ip(&["link", "add", &far, "netns", &router, "type", "veth", "peer", "name", DEVICES[1], "netns", &name])?;
            bring_up(&router, &far, &format!("10.79.{}.1/24", network(side, 1)))?;
            ip(&["-n", &name, "link", "set", DEVICES[1], "up"])?;
            links.add_route(side)?;
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
        format!("10.79.{}.{}/24", network(side, changes % 2), 3 + u32::from(changes / 2))
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
