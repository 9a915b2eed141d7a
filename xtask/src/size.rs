//! What the library adds to an app, by what it is built with, and how much that may be: `cargo xtask size` for this machine,
//! `cargo xtask android` for each architecture of Android's.

use crate::phones::{FEATURES, FEATURES_WITH_DEMO, PACKED};
use crate::run::{cargo, program, target};
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

const MIB: f64 = (1 << 20) as f64;

/// In MiB: stripped, as an app store does it, and what a download of that takes.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    stripped: f64,
    compressed: f64,
}

/// What is built in, with which features of `chamada-ffi`, what it should weigh, and what it must not outweigh.
struct Set {
    name: &'static str,
    features: &'static str,
    aim: Size,
    bound: Size,
}

const SETS: [Set; 3] = [
    Set {
        name: "the system's codecs only",
        features: FEATURES,
        aim: Size { stripped: 6.0, compressed: 3.0 },
        bound: FOR_PHONES,
    },
    Set {
        name: "the same and the demo",
        features: FEATURES_WITH_DEMO,
        aim: Size { stripped: 6.6, compressed: 3.3 },
        bound: Size { stripped: 7.8, compressed: 3.9 },
    },
    Set {
        name: "all software codecs",
        features: "vp8,h264,system-codecs",
        aim: Size { stripped: 8.0, compressed: 4.0 },
        bound: Size { stripped: 8.5, compressed: 4.3 },
    },
];
/// What a library that goes into apps must not outweigh.
pub(crate) const FOR_PHONES: Size = Size { stripped: 7.0, compressed: 3.5 };

/// The library for this machine. A phone's is as large to within its instructions. On x86-64 Linux it is also linked as Android's is:
/// this machine could not load it, and need not. With `all` also what is built with more than phones take, which is built anew each.
pub(crate) fn run(all: bool) -> Result<()> {
    println!("\n{:<28} {:>9} {:>9} {:>11} {:>9}", "built with", "MiB", "aim", "compressed", "aim");
    let mut outweighed = Vec::new();
    for Set { name, features, aim, bound } in &SETS[..if all { SETS.len() } else { 1 }] {
        let build = cargo(&["rustc", "--locked", "--profile", "phone", "--package", "chamada-ffi", "--lib"]).args([
            "--no-default-features",
            "--features",
            features,
            "--crate-type",
            "cdylib",
        ]);
        let packed: &[&str] =
            if cfg!(all(target_os = "linux", target_arch = "x86_64")) { &["--", PACKED] } else { &[] };
        build.args(packed).done()?;
        let library = if cfg!(target_os = "macos") { "libchamada_ffi.dylib" } else { "libchamada_ffi.so" };
        let size = weighed(&target().join("phone").join(library), "strip")?;
        println!(
            "{name:<28} {:>9.2} {:>9.1} {:>11.2} {:>9.1}{}",
            size.stripped,
            aim.stripped,
            size.compressed,
            aim.compressed,
            if size.outweighs(*aim) { "  MISSED" } else { "" }
        );
        outweighed.extend(size.outweighs(*bound).then_some(*name));
    }
    if !outweighed.is_empty() {
        bail!("larger than a library may be, see xtask/src/size.rs: {}", outweighed.join(", "));
    }
    Ok(())
}

impl Size {
    pub(crate) fn outweighs(self, bound: Self) -> bool {
        self.stripped > bound.stripped || self.compressed > bound.compressed
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{:.2} MiB, compressed {:.2}", self.stripped, self.compressed)
    }
}

/// Compressed as the archives of apps are, APK and IPA: by deflate.
pub(crate) fn weighed(library: &Path, strip: impl AsRef<OsStr>) -> Result<Size> {
    let stripped = library.with_extension("stripped");
    let is_apples = library.extension().is_some_and(|kind| kind == "dylib");
    let options: &[&str] = if is_apples { &["-x"] } else { &["--strip-unneeded"] };
    program(strip).args(options).args(["-o"]).args([&stripped, library]).done()?;
    program("gzip").args(["-9", "-k", "-f"]).args([&stripped]).done()?;
    let mib = |path: &Path| -> Result<f64> {
        Ok(fs::metadata(path).with_context(|| format!("{} was not written", path.display()))?.len() as f64 / MIB)
    };
    let size = Size { stripped: mib(&stripped)?, compressed: mib(&stripped.with_extension("stripped.gz"))? };
    for made in [&stripped, &stripped.with_extension("stripped.gz")] {
        fs::remove_file(made)?;
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_size_is_too_much_on_its_own() {
        let bound = Size { stripped: 6.0, compressed: 3.0 };
        assert!(!bound.outweighs(bound));
        assert!(Size { stripped: 6.1, ..bound }.outweighs(bound));
        assert!(Size { compressed: 3.1, ..bound }.outweighs(bound));
        assert!(SETS.iter().all(|set| !set.aim.outweighs(set.bound)), "an aim lies within its bound");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_weighs_less_stripped_and_less_again_compressed() {
        let copy = std::env::temp_dir().join(format!("chamada-size-{}", std::process::id()));
        fs::copy("/proc/self/exe", &copy).unwrap();
        let size = weighed(&copy, "strip").unwrap();
        let whole = fs::metadata(&copy).unwrap().len() as f64 / MIB;
        fs::remove_file(&copy).unwrap();
        assert!(size.stripped < whole && size.compressed < size.stripped && size.compressed > 0.1, "{size} of {whole}");
    }
}
