//! Installs what a machine lacks, and says what.

use crate::run::{program, root};
use anyhow::{Result, bail};

/// Something that must be there, how to see that it is, and the packages that bring it.
struct Need {
    what: &'static str,
    there: fn() -> bool,
    debian: &'static str,
    homebrew: &'static str,
}

fn has(name: &str) -> bool {
    program(name).args(["--version"]).succeeds()
}

fn has_header(module: &str) -> bool {
    program("pkg-config").args(["--exists", module]).succeeds()
}

fn has_libclang() -> bool {
    let folders = ["/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib/llvm-14/lib"];
    let named = |folder: &str| {
        std::fs::read_dir(folder)
            .is_ok_and(|files| files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libclang")))
    };
    cfg!(target_os = "macos") || std::env::var_os("LIBCLANG_PATH").is_some() || folders.into_iter().any(named)
}

fn is_installed(name: &str) -> bool {
    program("sh").args(["-c", &format!("command -v {name}")]).succeeds()
}

pub(crate) fn has_turn() -> bool {
    is_installed("turnserver")
}

fn has_node() -> bool {
    let is_new = "process.exit(process.versions.node.split('.')[0] >= 20 ? 0 : 1)";
    program("node").args(["--eval", is_new]).succeeds() && has("npm")
}

const BUILD: &[Need] = &[
    Need { what: "a C++ compiler (openh264, opus)", there: || has("c++"), debian: "g++", homebrew: "" },
    Need { what: "cmake (opus)", there: || has("cmake"), debian: "cmake", homebrew: "cmake" },
    Need { what: "nasm (openh264 on x86)", there: || has("nasm"), debian: "nasm", homebrew: "nasm" },
    Need { what: "pkg-config", there: || has("pkg-config"), debian: "pkg-config", homebrew: "pkg-config" },
    Need { what: "libvpx (VP8)", there: || has_header("vpx"), debian: "libvpx-dev", homebrew: "libvpx" },
    Need { what: "libclang (bindings of libvpx)", there: has_libclang, debian: "libclang-dev", homebrew: "" },
];

const TESTS: &[Need] = &[
    Need { what: "Chromium (page tests)", there: || has("chromium"), debian: "chromium", homebrew: "chromium" },
    Need { what: "a TURN server (tests of relayed calls)", there: has_turn, debian: "coturn", homebrew: "coturn" },
    Need { what: "Node.js 20 or later (page tests)", there: has_node, debian: "nodejs npm", homebrew: "node" },
    Need {
        what: "nats-server (servers of several nodes)",
        there: || is_installed("nats-server"),
        debian: "nats-server",
        homebrew: "nats-server",
    },
    Need {
        what: "ip (calls on shaped paths)",
        there: || cfg!(target_os = "macos") || program("ip").args(["-Version"]).succeeds(),
        debian: "iproute2",
        homebrew: "",
    },
    Need {
        what: "nftables, tayga and unbound (calls on networks of all kinds)",
        there: || cfg!(target_os = "macos") || ["nft", "tayga", "unbound"].into_iter().all(is_installed),
        debian: "nftables tayga unbound",
        homebrew: "",
    },
    Need {
        what: "Maven and Java (Kotlin tests)",
        there: || has("mvn"),
        debian: "maven default-jdk-headless",
        homebrew: "maven",
    },
    Need {
        // Not in Homebrew: there it comes with Android Studio, and without it the step is skipped.
        what: "aapt2 (resources of the Android app)",
        there: || cfg!(target_os = "macos") || program("aapt2").args(["version"]).succeeds(),
        debian: "aapt",
        homebrew: "",
    },
    Need {
        what: "unzip (libraries of the Android app)",
        there: || is_installed("unzip"),
        debian: "unzip",
        homebrew: "",
    },
    Need {
        what: "valgrind (memory tests of the bindings)",
        there: || cfg!(target_os = "macos") || has("valgrind"),
        debian: "valgrind",
        homebrew: "",
    },
    Need {
        what: "debootstrap (Swift tests where no Swift is installed)",
        there: || cfg!(target_os = "macos") || has("swift") || has("debootstrap"),
        debian: "debootstrap",
        homebrew: "",
    },
];

/// Installs what is missing for the build and, with `tests`, for the tests.
pub(crate) fn run(tests: bool) -> Result<()> {
    let needs = BUILD.iter().chain(if tests { TESTS } else { &[] });
    let missing: Vec<&Need> = needs.filter(|need| !(need.there)()).collect();
    if missing.is_empty() {
        println!("set-up: everything needed is here");
    } else {
        install(&missing)?;
    }
    if tests { npm_packages() } else { Ok(()) }
}

fn install(missing: &[&Need]) -> Result<()> {
    for need in missing {
        println!("set-up: missing {}", need.what);
    }
    let (manager, packages): (&str, Vec<&str>) = if has("apt-get") {
        ("apt-get", missing.iter().flat_map(|need| need.debian.split_whitespace()).collect())
    } else if has("brew") {
        ("brew", missing.iter().flat_map(|need| need.homebrew.split_whitespace()).collect())
    } else {
        let names: Vec<_> = missing.iter().map(|need| need.what).collect();
        bail!("neither apt-get nor brew is here; please install by hand: {}", names.join(", "));
    };
    println!("set-up: {manager} installs {}", packages.join(" "));
    if manager == "brew" {
        program("brew").args(["install"]).args(&packages).done()?;
    } else {
        debian(&packages)?;
    }
    match missing.iter().find(|need| !(need.there)()) {
        Some(need) => bail!("{} is still missing after installing", need.what),
        None => Ok(()),
    }
}

/// Installs packages of Debian's that only some tests need: these are skipped where that fails.
pub(crate) fn packages(packages: &[&str]) -> Result<()> {
    if !has("apt-get") {
        bail!("there is no apt-get");
    }
    println!("set-up: apt-get installs {}", packages.join(" "));
    debian(packages)
}

fn debian(packages: &[&str]) -> Result<()> {
    apt(&["update", "-qq"], &[])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends"], packages)
}

fn apt(options: &[&str], packages: &[&str]) -> Result<()> {
    let is_root = program("sh").args(["-c", "test \"$(id -u)\" = 0"]).succeeds();
    let words = options.iter().chain(packages);
    let run = if is_root { program("apt-get") } else { program("sudo").args(["apt-get"]) };
    run.env("DEBIAN_FRONTEND", "noninteractive").args(words).done()
}

/// The page's tests drive Chromium, check types, style and accessibility by npm packages, at the versions that the lock file names.
fn npm_packages() -> Result<()> {
    let folder = root().join("tests/browser");
    if program("npm").args(["ls"]).dir(&folder).succeeds() {
        return Ok(());
    }
    println!("set-up: npm installs what tests/browser/package-lock.json names");
    program("npm").args(["ci", "--no-audit", "--no-fund"]).dir(folder).done()
}
