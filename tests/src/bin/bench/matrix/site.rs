//! What lies between two phones: their networks, the internet between these, and the servers in it.
//!
//! ```text
//!  a ── p ──┐         ┌── q ── b        a caller, b callee, p and q their routers
//!           └── s ────┘                 s the internet, with signaling, TURN, names and the proxy
//! ```

use crate::network::namespaces::{Namespaces, ip};
use crate::network::process::Processes;
use anyhow::{Context, Result, bail};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// How long a service may take to start.
const START: Duration = Duration::from_secs(20);
/// Name of the signaling server, and of the TURN server.
pub(super) const SIGNALING: &str = "signal.test";
pub(super) const TURN: &str = "turn.test";
/// User and password of the TURN server.
const ACCOUNT: &str = "chamada:matrix-only";

/// Which families a phone's network has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Families {
    V4,
    V6,
}

/// How a router treats what goes out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Nat {
    /// Routed as it is.
    None,
    /// The same port for every destination, where it is free; in comes what answers.
    Cone,
    /// Another port for each destination.
    Symmetric,
}

/// The namespaces of one cell and what runs in them.
pub(super) struct Site<'a> {
    namespaces: Namespaces,
    processes: Processes<'a, char>,
    folder: PathBuf,
    label: String,
}

impl<'a> Site<'a> {
    /// Two phones on networks of these families, whose routers do this; without services yet.
    pub(super) fn new(
        label: &str,
        folder: &Path,
        caller: (Families, Nat),
        callee: (Families, Nat),
        stop: &'a AtomicBool,
    ) -> Result<Self> {
        let namespaces = Namespaces::apart(&['a', 'b', 'p', 'q', 's'])?;
        let (folder, label) = (folder.to_owned(), label.to_owned());
        let site = Self { namespaces, processes: Processes::new(stop), folder, label };
        for (router, n) in [('p', 1), ('q', 2)] {
            site.join('s', router, &format!("198.51.100.{}/30", 4 * n + 1), &format!("198.51.100.{}/30", 4 * n + 2))?;
            site.join_v6('s', router, &format!("2001:db8:{n}::1/64"), &format!("2001:db8:{n}::2/64"))?;
            site.ip(router, &format!("route add default via 198.51.100.{}", 4 * n + 1))?;
            site.ip(router, &format!("-6 route add default via 2001:db8:{n}::1"))?;
            site.ip('s', &format!("route add 192.168.{n}.0/24 via 198.51.100.{}", 4 * n + 2))?;
            site.ip('s', &format!("-6 route add 2001:db8:{n}0::/64 via 2001:db8:{n}::2"))?;
        }
        for (phone, router, n, (families, nat)) in [('a', 'p', 1, caller), ('b', 'q', 2, callee)] {
            site.join(router, phone, &format!("192.168.{n}.1/24"), &format!("192.168.{n}.2/24"))?;
            site.join_v6(router, phone, &format!("2001:db8:{n}0::1/64"), &format!("2001:db8:{n}0::2/64"))?;
            match families {
                Families::V4 => {
                    site.ip(phone, &format!("route add default via 192.168.{n}.1"))?;
                    site.ip(phone, &format!("-6 addr del 2001:db8:{n}0::2/64 dev to-{router}"))?;
                }
                Families::V6 => {
                    site.ip(phone, &format!("-6 route add default via 2001:db8:{n}0::1"))?;
                    site.ip(phone, &format!("addr del 192.168.{n}.2/24 dev to-{router}"))?;
                }
            }
            site.translate(router, "to-s", nat)?;
        }
        for address in ["203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32", "203.0.113.4/32"] {
            site.ip('s', &format!("addr add {address} dev lo"))?;
        }
        for address in ["2001:db8:53::1/128", "2001:db8:53::2/128"] {
            site.ip('s', &format!("-6 addr add {address} dev lo"))?;
        }
        for router in ['p', 'q', 's'] {
            for key in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
                site.run(router, "sysctl", &["-q", "-w", key])?;
            }
        }
        for phone in ['a', 'b'] {
            site.file(phone, "hosts", &format!("127.0.0.1 localhost\n203.0.113.1 {SIGNALING}\n2001:db8:53::1 {SIGNALING}\n203.0.113.2 {TURN}\n2001:db8:53::2 {TURN}\n"))?;
        }
        Ok(site)
    }

    fn join(&self, one: char, other: char, address: &str, other_address: &str) -> Result<()> {
        let (name, other_name) = (self.namespaces.named(one), self.namespaces.named(other));
        let (device, other_device) = (format!("to-{other}"), format!("to-{one}"));
        ip(&[
            "link",
            "add",
            &device,
            "netns",
            &name,
            "type",
            "veth",
            "peer",
            "name",
            &other_device,
            "netns",
            &other_name,
        ])?;
        for (letter, device, address) in [(one, &device, address), (other, &other_device, other_address)] {
            self.ip(letter, &format!("addr add {address} dev {device}"))?;
            self.ip(letter, &format!("link set {device} up"))?;
        }
        Ok(())
    }

    fn join_v6(&self, one: char, other: char, address: &str, other_address: &str) -> Result<()> {
        // Without duplicate address detection, which takes a second.
        self.ip(one, &format!("-6 addr add {address} dev to-{other} nodad"))?;
        self.ip(other, &format!("-6 addr add {other_address} dev to-{one} nodad"))
    }

    /// Has a router translate addresses of IPv4 on what leaves by a device.
    pub(super) fn translate(&self, router: char, device: &str, nat: Nat) -> Result<()> {
        let masquerade = match nat {
            Nat::None => return Ok(()),
            Nat::Cone => "masquerade",
            Nat::Symmetric => "masquerade fully-random",
        };
        self.nft(router, &format!(
            "table ip nat {{ chain out {{ type nat hook postrouting priority 100; oifname \"{device}\" {masquerade} }} }}
             table ip inward {{
                 chain in {{ type filter hook forward priority 0; iifname \"{device}\" ct state new drop }}
                 chain own {{ type filter hook input priority 0; iifname \"{device}\" ct state new drop }}
             }}"
        ))
    }

    /// Lets a router pass on only what these rules of nftables accept, and what answers it.
    pub(super) fn pass_only(&self, router: char, rules: &str) -> Result<()> {
        self.nft(router, &format!(
            "table inet only {{ chain pass {{ type filter hook forward priority 10; policy drop; ct state established accept; {rules} }} }}"
        ))
    }

    /// Feeds rules to nftables.
    pub(super) fn nft(&self, letter: char, rules: &str) -> Result<()> {
        let mut child = self.command(letter, "nft", &["-f", "-"]).stdin(Stdio::piped()).spawn()?;
        // A statement that a brace follows has to be ended.
        child.stdin.take().context("no standard input")?.write_all(rules.replace(" }", "; }").as_bytes())?;
        if !child.wait()?.success() {
            bail!("nft does not take {rules}");
        }
        Ok(())
    }

    /// Runs `ip` in a namespace; the arguments are words with a space between.
    pub(super) fn ip(&self, letter: char, args: &str) -> Result<()> {
        let name = self.namespaces.named(letter);
        let args: Vec<_> = ["-n", &name].into_iter().chain(args.split(' ')).collect();
        ip(&args)
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, letter: char, program: &str, args: &[&str]) -> Result<()> {
        let output = self.command(letter, program, args).output().with_context(|| program.to_owned())?;
        if !output.status.success() {
            bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    fn command(&self, letter: char, program: &str, args: &[&str]) -> Command {
        let mut command = self.namespaces.command_in(letter, Path::new(program));
        command.args(args);
        command
    }

    /// A file in `/etc` that a namespace has for itself.
    pub(super) fn file(&self, letter: char, name: &str, text: &str) -> Result<()> {
        let folder = Path::new("/etc/netns").join(self.namespaces.named(letter));
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), text).with_context(|| folder.display().to_string())
    }

    /// Where files of this cell go.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{}-{name}", self.label))
    }

    /// Starts what runs until the site is gone.
    pub(super) fn start(&mut self, letter: char, who: &str, program: &Path, args: &[&str]) -> Result<()> {
        let mut command = self.namespaces.command_in(letter, program);
        command.args(args);
        let errors = self.path(&format!("{who}.log"));
        self.processes.start(letter, &mut command, &errors)
    }

    /// What the programs say.
    pub(super) fn processes(&mut self) -> &mut Processes<'a, char> {
        &mut self.processes
    }

    /// Starts the signaling server, at this address.
    pub(super) fn serve(&mut self, program: &Path, listen: &str) -> Result<()> {
        self.start('s', "server", program, &["serve", "--listen", listen])?;
        self.processes.wait_for("Signaling on", Instant::now() + START).context("the signaling server")
    }

    /// Starts coturn, for UDP and TCP on port 3478 and for TLS on port 443. Its certificate is in the file that is returned.
    pub(super) fn turn(&mut self) -> Result<PathBuf> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([TURN.to_owned()])?;
        let (certificate, key) = (self.path("turn.pem"), self.path("turn.key"));
        std::fs::write(&certificate, cert.pem())?;
        std::fs::write(&key, signing_key.serialize_pem())?;
        let account = format!("--user={ACCOUNT}");
        let (cert, pkey) = (format!("--cert={}", certificate.display()), format!("--pkey={}", key.display()));
        let pid = format!("--pidfile={}", self.path("turn.pid").display());
        let db = format!("--userdb={}", self.path("turn.db").display());
        let mut args =
            vec!["-n", "--listening-ip=203.0.113.2", "--listening-ip=2001:db8:53::2", "--relay-ip=203.0.113.2"];
        args.extend(["--relay-ip=2001:db8:53::2", "--listening-port=3478", "--tls-listening-port=443", "--no-dtls"]);
        args.extend(["--lt-cred-mech", "--realm=test", "--no-cli", "--no-tcp-relay", "--relay-threads=1"]);
        args.extend(["--log-file=stdout", "--simple-log"]);
        args.extend([account.as_str(), &cert, &pkey, &pid, &db]);
        self.start('s', "turn", Path::new("turnserver"), &args)?;
        self.listens('s', "203.0.113.2:443").context("coturn")?;
        Ok(certificate)
    }

    /// Waits until somebody listens on a port of TCP, as `ss` shows it.
    pub(super) fn listens(&self, letter: char, address: &str) -> Result<()> {
        let end = Instant::now() + START;
        while Instant::now() < end {
            let shown = self.command(letter, "ss", &["-Hltn"]).output()?;
            if String::from_utf8_lossy(&shown.stdout).contains(address) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("nobody listens on {address}")
    }

    /// DNS64 and NAT64 on the caller's router, for a network without IPv4.
    pub(super) fn nat64(&mut self) -> Result<()> {
        let (names, dns64, tayga) = (self.path("names.conf"), self.path("dns64.conf"), self.path("tayga.conf"));
        let common = "do-daemonize: no\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n use-syslog: no\n access-control: ::/0 allow\n access-control: 0.0.0.0/0 allow\n";
        std::fs::write(
            &names,
            format!(
                "server:\n {common} interface: 203.0.113.4\n local-zone: \"test.\" static\n local-data: \"{SIGNALING}. A 203.0.113.1\"\n \
             local-data: \"{TURN}. A 203.0.113.2\"\n local-zone: \"ipv4only.arpa.\" static\n local-data: \"ipv4only.arpa. A 192.0.0.170\"\n \
             local-data: \"ipv4only.arpa. A 192.0.0.171\"\nremote-control:\n control-enable: no\n"
            ),
        )?;
        std::fs::write(
            &dns64,
            format!(
                "server:\n {common} interface: 2001:db8:10::1\n module-config: \"dns64 iterator\"\n dns64-prefix: 2001:db8:64::/96\n \
             local-zone: \"test.\" transparent\n do-not-query-localhost: no\nforward-zone:\n name: \".\"\n forward-addr: 203.0.113.4\n\
             remote-control:\n control-enable: no\n"
            ),
        )?;
        let data = self.path("tayga");
        std::fs::create_dir_all(&data)?;
        std::fs::write(
            &tayga,
            format!(
                "tun-device nat64\nipv4-addr 192.168.255.1\nipv6-addr 2001:db8:1:64::1\nprefix 2001:db8:64::/96\n\
             dynamic-pool 192.168.255.0/24\ndata-dir {}\n",
                data.display()
            ),
        )?;
        let config = tayga.display().to_string();
        self.run('p', "tayga", &["--mktun", "-c", &config])?;
        self.ip('p', "link set nat64 up")?;
        self.ip('p', "route add 192.168.255.0/24 dev nat64")?;
        self.ip('p', "-6 route add 2001:db8:64::/96 dev nat64")?;
        self.start('p', "tayga", Path::new("tayga"), &["-d", "-c", &config])?;
        for (letter, who, file, at) in
            [('s', "names", &names, "203.0.113.4:53"), ('p', "dns64", &dns64, "[2001:db8:10::1]:53")]
        {
            self.start(letter, who, Path::new("unbound"), &["-d", "-c", &file.display().to_string()])?;
            self.listens(letter, at).context("unbound")?;
        }
        self.file('a', "hosts", "127.0.0.1 localhost\n")?;
        self.file('a', "resolv.conf", "nameserver 2001:db8:10::1\n")
    }
}

/// A server as the command's `--ice-server` takes it.
pub(super) fn ice_server(url: &str) -> String {
    format!("{url},{}", ACCOUNT.replace(':', ","))
}
