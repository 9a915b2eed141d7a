//! The Swift modules, by the interfaces that the compiler writes for them. They differ from version to version of the compiler, so that
//! they are compared only where it is the one that wrote what is kept: Debian's, on Linux.

use super::{Mode, path, settle};
use crate::ios_check::{DECLARATIONS, KIT, Place, swift_files};
use crate::ios_types::{MODULES, resources};
use crate::run::say;
use crate::steps::{Outcome, Steps};
use crate::swift::{Toolchain, toolchain_here};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// What needs nothing of Apple's.
const PLAIN: [(&str, &str); 2] =
    [("Chamada", "bindings/swift/Sources/Chamada"), ("ChamadaCore", "ios/ChamadaKit/Sources/ChamadaCore")];
/// The compiler's line that says which one it is.
const VERSION: &str = "// swift-compiler-version: ";
/// What UniFFI generates for itself and must make public.
const OWN: [&str; 2] = ["@_documentation(visibility: private)", "public func uniffi"];

/// After `swift::generate`.
pub(crate) fn swift(steps: &mut Steps, mode: Mode) {
    steps.step("public interface: Swift", || {
        let place = match toolchain_here()? {
            Toolchain::Missing(why) => return Ok(Outcome::Skipped(why)),
            found => Place::of(&found),
        };
        if cfg!(target_os = "macos") {
            return Ok(Outcome::Skipped("it is compared on Linux".to_owned()));
        }
        let mut all = Outcome::Passed;
        for (module, written) in written(&place)? {
            let text = fs::read_to_string(&written).with_context(|| written.display().to_string())?;
            let now = listing(&text)?;
            let name = format!("swift-{module}.swiftinterface");
            let version = now.lines().next().unwrap_or_default();
            if let (Mode::Check, Ok(kept)) = (mode, fs::read_to_string(path(&name)))
                && !kept.starts_with(version)
            {
                say(&format!("{name} was written by another compiler than {version}"));
                all = Outcome::Skipped("the compiler is not the one that wrote what is kept".to_owned());
                continue;
            }
            settle(&name, &now, mode)?;
        }
        Ok(all)
    });
}

/// Has the compiler write them, one after the other: those of the kit's other modules against declarations of Apple's frameworks.
fn written(place: &Place) -> Result<Vec<(&'static str, PathBuf)>> {
    let here = place.bring()?;
    let scratch = place.scratch();
    let (out, modules) = (scratch.join("interfaces"), scratch.join("interfaces/modules"));
    fs::create_dir_all(&modules)?;
    let seen = |path: &Path| place.seen(path);
    let mut all = Vec::new();
    for (module, folder) in PLAIN.iter().chain(MODULES.iter().filter(|(_, folder)| folder.starts_with(KIT))) {
        let mut sources = Vec::new();
        swift_files(&here.join(folder), &mut sources)?;
        sources.extend(resources(module, &scratch)?);
        sources.sort();
        let interface = out.join(module).with_extension("swiftinterface");
        let cache = seen(&scratch.join("cache"))?;
        let mut searched = vec![here.join("bindings/swift/Sources/ChamadaFFI"), modules.clone()];
        let mut options: Vec<PathBuf> = ["-parse-as-library", "-swift-version", "6", "-module-name", module]
            .into_iter()
            .chain(["-suppress-warnings", "-module-cache-path"])
            .map(PathBuf::from)
            .chain([cache])
            .collect();
        if !PLAIN.iter().any(|(plain, _)| plain == module) {
            searched.push(here.join(DECLARATIONS));
            options.extend(["-import-module".into(), "AppleFoundation".into()]);
        }
        for folder in searched {
            options.extend(["-I".into(), seen(&folder)?]);
        }
        options.extend(place.all_seen(&sources)?);
        let compiler = || place.swiftc().args(["-frontend"]);
        // Twice: only with library evolution the interface leaves out what is private, and then whoever imports the module has to
        // expect unknown cases of each enum.
        let made = modules.join(module).with_extension("swiftmodule");
        compiler().args(["-emit-module", "-o"]).args([seen(&made)?]).args(&options).quietly()?;
        let evolution = ["-typecheck", "-enable-library-evolution", "-emit-module-interface-path"];
        compiler().args(evolution).args([seen(&interface)?]).args(&options).quietly()?;
        all.push((*module, interface));
    }
    Ok(all)
}

/// The compiler's version, and what is declared: without flags and imports, and without what is public for UniFFI alone.
fn listing(interface: &str) -> Result<String> {
    let Some(version) = interface.lines().find(|line| line.starts_with(VERSION)) else {
        bail!("the interface does not say who wrote it");
    };
    let mut kept = vec![version];
    let mut end_of_own = None;
    for line in interface.lines().filter(|line| !line.starts_with("//") && !line.starts_with("import ")) {
        if end_of_own.is_some() {
            end_of_own = end_of_own.filter(|end| line != end);
            continue;
        }
        let declared = line.trim_start();
        if OWN.iter().any(|own| declared.starts_with(own)) {
            let indent = &line[..line.len() - declared.len()];
            end_of_own = line.ends_with('{').then(|| format!("{indent}}}"));
            continue;
        }
        kept.push(line);
    }
    Ok(kept.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_public_for_the_generator_alone_is_left_out() {
        let written = "// swift-interface-format-version: 1.0\n// swift-compiler-version: Swift 6\nimport Swift\n@_documentation(visibility: private) public struct FfiConverterA {\n  public func a()\n}\n@_documentation(visibility: private) public func b()\npublic func uniffiC()\npublic struct C {\n  @_documentation(visibility: private) public struct No {\n    public init()\n  }\n  public var d: Swift.Int\n}\n";
        let expected = "// swift-compiler-version: Swift 6\npublic struct C {\n  public var d: Swift.Int\n}\n";
        assert_eq!(listing(written).unwrap(), expected);
        assert!(listing("import Swift\n").is_err());
    }
}
