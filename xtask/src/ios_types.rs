//! What imports Apple's frameworks, compiled against declarations of them written by hand (`ios/stubs`), up to and with the
//! checks of isolation and data races; no code comes of it. It sees wrong names, labels, types and isolation as far as the
//! declarations are right, which only Xcode can say.

use crate::ios_check::{DECLARATIONS, KIT, Place, swift_files};
use crate::run::{Run, say};
use crate::steps::Outcome;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// In the order in which they import each other.
pub(crate) const MODULES: [(&str, &str); 4] = [
    ("ChamadaMedia", "ios/ChamadaKit/Sources/ChamadaMedia"),
    ("ChamadaCallKit", "ios/ChamadaKit/Sources/ChamadaCallKit"),
    (WITH_RESOURCES, "ios/ChamadaKit/Sources/ChamadaUI"),
    ("ChamadaSample", "ios/App/Sources"),
];
/// The module that has resources, for which the package manager writes a file that says where they are; this stands for it.
const WITH_RESOURCES: &str = "ChamadaUI";
const RESOURCES: &str = "import Foundation\nextension Foundation.Bundle { static let module = Bundle.main }\n";
/// What is newer than the oldest system that the app runs on.
const NEWER: &str = "(iOS 17, *)";

/// What is right, and a mistake in it that has to be seen: a label, an isolation, a value sent away and used on, an API of a newer
/// system.
const PLANTED: [[&str; 2]; 4] = [
    [
        "import CallKit\nfunc planted(_ p: CXProvider) { p.reportCall(with: .init(), endedAt: nil, reason: .failed) }",
        "import CallKit\nfunc planted(_ p: CXProvider) { p.reportCall(with: .init(), endedAt: nil, cause: .failed) }",
    ],
    [
        "import UIKit\n@MainActor func planted() { UIApplication.shared.isIdleTimerDisabled = true }",
        "import UIKit\nfunc planted() { UIApplication.shared.isIdleTimerDisabled = true }",
    ],
    [
        "import AVFAudio\nfunc planted() { let e = AVAudioEngine(); Task { e.stop() } }",
        "import AVFAudio\nfunc planted() { let e = AVAudioEngine(); Task { e.stop() }; e.stop() }",
    ],
    [
        "import AVFoundation\nfunc planted(_ l: AVSampleBufferDisplayLayer) { l.flush() }",
        "import AVFoundation\nfunc planted(_ l: AVSampleBufferDisplayLayer) { l.sampleBufferRenderer.flush() }",
    ],
];

pub(crate) fn check(place: &Place) -> Result<Outcome> {
    if cfg!(target_os = "macos") {
        return Ok(Outcome::Skipped("on a Mac, Xcode has the frameworks themselves".into()));
    }
    let here = place.bring()?;
    let scratch = place.scratch();
    let newest = Tree { place, here: &here, declarations: here.join(DECLARATIONS), out: scratch.join("newest") };
    for (module, folder) in MODULES {
        let mut sources = Vec::new();
        swift_files(&here.join(folder), &mut sources)?;
        sources.extend(resources(module, &scratch)?);
        say(&format!("{module}: {} files", sources.len()));
        newest.compile(module, &sources)?;
    }
    let oldest = Tree { place, here: &here, declarations: scratch.join("declared"), out: scratch.join("oldest") };
    oldest.declare_without_newer(&newest.declarations)?;
    for (module, folder) in MODULES {
        say(&format!("{module}: without what is newer than the oldest system"));
        let mut sources = without_newer(&here.join(folder), &scratch.join("sources").join(module))?;
        sources.extend(resources(module, &scratch)?);
        oldest.compile(module, &sources)?;
    }
    let planted = [scratch.join("planted.swift")];
    for [right, wrong] in PLANTED {
        fs::write(&planted[0], right)?;
        oldest.compile("Planted", &planted)?;
        fs::write(&planted[0], wrong)?;
        if oldest.compiles("Planted", &planted)? {
            bail!("a mistake is not seen: {wrong}");
        }
    }
    Ok(Outcome::Passed)
}

pub(crate) fn resources(module: &str, scratch: &Path) -> Result<Option<PathBuf>> {
    let path = scratch.join("resource_bundle_accessor.swift");
    if module != WITH_RESOURCES {
        return Ok(None);
    }
    fs::create_dir_all(scratch)?;
    fs::write(&path, RESOURCES)?;
    Ok(Some(path))
}

/// One set of declarations, and what is compiled against it.
struct Tree<'a> {
    place: &'a Place,
    here: &'a Path,
    declarations: PathBuf,
    out: PathBuf,
}

impl Tree<'_> {
    fn command(&self, module: &str, sources: &[PathBuf]) -> Result<Run> {
        fs::create_dir_all(&self.out)?;
        let seen = |path: &Path| self.place.seen(path);
        let kit = self.here.join(KIT).join(".build/debug/Modules");
        let native = self.here.join("bindings/swift/Sources/ChamadaFFI");
        let mut command = self.place.swiftc().args(["-frontend", "-emit-sil", "-o", "/dev/null", "-parse-as-library"]);
        command = command.args(["-swift-version", "6", "-warnings-as-errors", "-import-module", "AppleFoundation"]);
        command = command.args(["-module-name", module, "-emit-module-path"]);
        command = command.args([seen(&self.out.join(format!("{module}.swiftmodule")))?, "-module-cache-path".into()]);
        command = command.args([seen(&self.out.join("cache"))?]);
        for folder in [&self.out, &self.declarations, &kit, &native] {
            command = command.args([Path::new("-I"), &seen(folder)?]);
        }
        Ok(command.args(self.place.all_seen(sources)?))
    }

    fn compile(&self, module: &str, sources: &[PathBuf]) -> Result<()> {
        self.command(module, sources)?.quietly()
    }

    fn compiles(&self, module: &str, sources: &[PathBuf]) -> Result<bool> {
        Ok(self.command(module, sources)?.succeeds())
    }

    /// Apple's systems are not this one, whose compiler takes their versions for granted: what is newer is declared as not
    /// there at all.
    fn declare_without_newer(&self, from: &Path) -> Result<()> {
        fs::create_dir_all(&self.declarations)?;
        for entry in fs::read_dir(from)? {
            let path = entry?.path();
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let older = text.replace(&format!("@available{NEWER}"), "@available(*, unavailable)");
            fs::write(self.declarations.join(path.file_name().unwrap_or_default()), older)?;
        }
        Ok(())
    }
}

/// The sources again, with nothing in those of their blocks that only newer systems get to.
fn without_newer(from: &Path, to: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(to)?;
    let mut sources = Vec::new();
    swift_files(from, &mut sources)?;
    let mut written = Vec::new();
    for source in sources {
        let name = source.file_name().context("a source without a name")?;
        let text = blanked(&fs::read_to_string(&source)?).with_context(|| source.display().to_string())?;
        fs::write(to.join(name), text)?;
        written.push(to.join(name));
    }
    Ok(written)
}

fn blanked(source: &str) -> Result<String> {
    let opening = format!("if #available{NEWER} {{");
    let mut rest = source;
    let mut kept = String::new();
    while let Some(at) = rest.find("#available") {
        let start = at.checked_sub(3).filter(|start| rest[*start..].starts_with(&opening));
        let Some(start) = start else { bail!("only blocks of the form `{opening} …` can be checked") };
        let inside = start + opening.len();
        kept += &rest[..inside];
        let mut depth = 1;
        let end = rest[inside..].find(|letter| {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            depth == 0
        });
        rest = &rest[inside + end.context("a block without an end")?..];
    }
    Ok(kept + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::root;

    #[test]
    fn what_only_newer_systems_get_to_is_left_out_and_the_rest_stays() {
        let source = "a\nif #available(iOS 17, *) {\n b { c }\n} else { d }\ne";
        assert_eq!(blanked(source).unwrap(), "a\nif #available(iOS 17, *) {} else { d }\ne");
        assert!(blanked("guard #available(iOS 17, *) else { return }").is_err());
    }

    #[test]
    fn every_declaration_says_whose_it_is() {
        for entry in fs::read_dir(root().join(DECLARATIONS)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            if text.contains("public ") {
                assert!(text.contains("https://developer.apple.com/documentation/"), "{}", path.display());
            }
        }
    }
}
