//! Network namespaces. Mostly three: the caller's, the callee's, and that of the signaling server, which both reach by links of
//! their own that nothing limits; [`relay`](super::relay) joins the first two. The [`matrix`](crate::matrix) makes others.
//!
//! All of it is done by the command `ip`: entering a namespace by system calls needs unsafe code, which this workspace keeps to
//! codecs and bindings, and a TUN device may be opened anywhere and given to a namespace afterwards.

use anyhow::{Context, Result, bail};
use std::fs::OpenOptions;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// First word of the namespaces' names; the process and a number follow.
const PREFIX: &str = "chamada";
/// Where the caller finds the signaling server, and where the callee does.
const SERVER_ADDRESSES: [&str; 2] = ["10.79.1.1", "10.79.2.1"];

/// Whose namespace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Side {
    Caller,
    Callee,
    Server,
}

impl Side {
    /// Address of the signaling server for this side.
    pub(crate) fn server_address(self) -> &'static str {
        match self {
            Self::Caller | Self::Server => SERVER_ADDRESSES[0],
            Self::Callee => SERVER_ADDRESSES[1],
        }
    }

    /// As in the names of namespaces and devices.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Caller => 'a',
            Self::Callee => 'b',
            Self::Server => 's',
        }
    }
}

/// Namespaces that are removed, with all that runs in them, when this is dropped.
pub(crate) struct Namespaces {
    /// Process and number: what makes names unique on this machine.
    id: String,
    letters: Vec<char>,
}

/// What this machine lacks for namespaces and TUN devices, each in words for people; nothing where a path can be made.
pub(crate) fn missing() -> Vec<String> {
    if !cfg!(target_os = "linux") {
        return vec!["network namespaces are Linux's".into()];
    }
    if Command::new("ip").arg("-Version").output().is_err() {
        return vec!["the command ip is not installed (Debian: iproute2)".into()];
    }
    let mut missing = Vec::new();
    if let Err(error) = OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        missing.push(format!(
            "/dev/net/tun cannot be opened ({error}): TUN devices need root and the kernel's module tun"
        ));
    }
    let name = format!("{PREFIX}-{}-try", std::process::id());
    match ip(&["netns", "add", &name]).and_then(|()| ip(&["netns", "exec", &name, "true"])) {
        Ok(()) => {}
        Err(error) => missing.push(format!("network namespaces cannot be made, which needs root: {error}")),
    }
    let _ = ip(&["netns", "del", &name]);
    missing
}

impl Namespaces {
    /// Makes namespaces that nothing joins, each with a letter. What a run left behind that was killed is removed first.
    pub(crate) fn apart(letters: &[char]) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        remove_leftovers();
        let id = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let made = Self { id, letters: letters.to_vec() };
        for letter in letters {
            ip(&["netns", "add", &made.named(*letter)])?;
            ip(&["-n", &made.named(*letter), "link", "set", "lo", "up"])?;
        }
        Ok(made)
    }

    /// Makes the three namespaces and the links to the server.
    pub(crate) fn create() -> Result<Self> {
        let made = Self::apart(&[Side::Caller, Side::Callee, Side::Server].map(Side::letter))?;
        let server = made.name(Side::Server);
        for (number, side) in [(1, Side::Caller), (2, Side::Callee)] {
            let (name, far) = (made.name(side), format!("to-{}", side.letter()));
            ip(&["link", "add", &far, "netns", &server, "type", "veth", "peer", "name", "signaling", "netns", &name])?;
            bring_up(&server, &far, &format!("10.79.{number}.1/24"))?;
            bring_up(&name, "signaling", &format!("10.79.{number}.2/24"))?;
        }
        Ok(made)
    }

    /// Gives a TUN device to the caller's or the callee's namespace, as its way to the other one and to everywhere else.
    pub(crate) fn take_device(&self, side: Side, device: &str) -> Result<()> {
        let name = self.name(side);
        let (own, other) = match side {
            Side::Caller => ("10.78.0.1", "10.78.0.2"),
            Side::Callee | Side::Server => ("10.78.0.2", "10.78.0.1"),
        };
        ip(&["link", "set", device, "netns", &name])?;
        // What Ethernet carries in a tunnel: no packet of a call is larger.
        ip(&["-n", &name, "link", "set", device, "mtu", "1400"])?;
        bring_up(&name, device, &format!("{own}/24"))?;
        ip(&["-n", &name, "route", "add", "default", "via", other, "dev", device])
    }

    /// A program that will run in a namespace.
    pub(crate) fn command(&self, side: Side, program: &Path) -> Command {
        self.command_in(side.letter(), program)
    }

    /// A program that will run in the namespace of this letter.
    pub(crate) fn command_in(&self, letter: char, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.named(letter)]).arg(program);
        command
    }

    /// The name by which `ip netns` knows it.
    pub(crate) fn name(&self, side: Side) -> String {
        self.named(side.letter())
    }

    /// The name by which `ip netns` knows that of this letter.
    pub(crate) fn named(&self, letter: char) -> String {
        format!("{PREFIX}-{}-{letter}", self.id)
    }

    /// For names of devices, of which Linux takes 15 characters.
    pub(crate) fn device_name(&self, side: Side) -> String {
        format!("ch{}{}", self.id, side.letter())
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for letter in &self.letters {
            remove(&self.named(*letter));
        }
    }
}

pub(crate) fn bring_up(namespace: &str, device: &str, address: &str) -> Result<()> {
    ip(&["-n", namespace, "addr", "add", address, "dev", device])?;
    // Without IPv6: its own packets would be counted on the path.
    ip(&["-n", namespace, "link", "set", device, "addrgenmode", "none"])?;
    ip(&["-n", namespace, "link", "set", device, "up"])
}

/// Ends what runs in a namespace, and removes it.
fn remove(name: &str) {
    if let Ok(output) = Command::new("ip").args(["netns", "pids", name]).output() {
        for process in String::from_utf8_lossy(&output.stdout).split_whitespace() {
            let _ = Command::new("kill").args(["-KILL", process]).output();
        }
    }
    let _ = ip(&["netns", "del", name]);
    // Its own files of names and resolvers, where it has any.
    let _ = std::fs::remove_dir_all(Path::new("/etc/netns").join(name));
}

fn remove_leftovers() {
    let Ok(output) = Command::new("ip").args(["netns", "list"]).output() else { return };
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Some(name) = line.split_whitespace().next() else { continue };
        if owner(name).is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            remove(name);
        }
    }
}

/// The process that made the namespace of this name, if it was a bench.
fn owner(name: &str) -> Option<u32> {
    let mut parts = name.split('-');
    if parts.next() != Some(PREFIX) {
        return None;
    }
    parts.next()?.parse().ok()
}

/// Runs the command `ip`.
pub(crate) fn ip(args: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(args).output().context("cannot run ip")?;
    if !output.status.success() {
        bail!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_namespaces_of_a_bench_have_an_owner() {
        assert_eq!(owner("chamada-123-0-a"), Some(123));
        for other in ["chamada", "chamada-x-a", "other-123-a", ""] {
            assert_eq!(owner(other), None, "{other}");
        }
    }

    #[test]
    fn device_names_are_short_enough_for_linux() {
        let longest = Namespaces { id: "4194304-999".into(), letters: Vec::new() };
        assert!(longest.device_name(Side::Caller).len() <= 15);
    }
}
