//! The declarations of Apple's frameworks (`ios/stubs`) against what Apple's own headers say, as Kotlin/Native carries it for iOS: each class,
//! method, property, constant and value has to be there. Of what only Swift has (SwiftUI, Combine, overlays), and of isolation and `Sendable`,
//! it knows nothing.

mod apple;
mod declared;
mod rules;

use crate::android_check::{maven, missing_maven};
use crate::ios_check::DECLARATIONS;
use crate::run::{program, root, target};
use crate::steps::Outcome;
use anyhow::{Context, Result, bail};
use apple::Frameworks;
use declared::{Declaration, read};
use std::fs;
use std::path::{Path, PathBuf};

/// Frameworks whose interface is in headers.
const FRAMEWORKS: [&str; 17] = [
    "AVFAudio",
    "AVFoundation",
    "AVKit",
    "AudioToolbox",
    "CallKit",
    "CoreAudioTypes",
    "CoreFoundation",
    "CoreGraphics",
    "CoreMedia",
    "CoreVideo",
    "Foundation",
    "Photos",
    "PushKit",
    "QuartzCore",
    "Security",
    "UIKit",
    "UserNotifications",
];
/// What their headers include.
const BELOW: [&str; 3] = ["CFCGTypes", "CoreFoundationBase", "darwin"];
/// Those that Swift alone has.
const SWIFT_ALONE: [&str; 5] = ["Combine", "Darwin", "Network", "SwiftUI", "os"];

/// Mistakes that have to be seen, each in the declarations of a framework.
const PLANTED: [(&str, &str, &str); 6] = [
    ("CallKit", "endedAt dateEnded: Date?", "endedWhen dateEnded: Date?"),
    ("CallKit", "case filteredByBlockList = 4", "case filteredByBlockList = 5"),
    ("AVFoundation", "open var isRunning: Bool { get }", "open var isRunning: Bool { get set }"),
    ("AVFAudio", "open class func sharedInstance()", "open func sharedInstance()"),
    ("UIKit", "open class var current: UIDevice", "open class var newest: UIDevice"),
    ("Security", "kSecReturnData", "kSecGiveData"),
];

pub(crate) fn check() -> Result<Outcome> {
    if cfg!(target_os = "macos") {
        return Ok(Outcome::Skipped("on a Mac, Xcode has the headers themselves".into()));
    }
    let folder = target().join("ios-metadata");
    let printed = |name: &str| folder.join(name).with_extension("txt");
    if !FRAMEWORKS.iter().chain(&BELOW).all(|name| printed(name).exists()) {
        if let Some(missing) = missing_maven() {
            return Ok(Outcome::Skipped(missing));
        }
        if let Err(missing) = bring(&folder) {
            return Ok(Outcome::Skipped(format!("no metadata of Apple's frameworks: {missing:#}")));
        }
    }
    let mut kit = Frameworks::default();
    for name in FRAMEWORKS.iter().chain(&BELOW) {
        let path = printed(name);
        kit.read(&fs::read_to_string(&path).with_context(|| path.display().to_string())?);
    }
    let (mut same, mut own, mut faults) = (0, 0, Vec::new());
    for (module, stub) in stubs()? {
        let found = rules::compare(&kit, &read(&stub));
        (same, own) = (same + found.same, own + found.own);
        faults.extend(found.faults.into_iter().map(|fault| format!("{module}: {fault}")));
    }
    if !faults.is_empty() {
        bail!("not as in Apple's headers:\n{}", faults.join("\n"));
    }
    println!("{same} declarations are as in Apple's headers, {own} are Swift's own");
    planted(&kit)
}

fn planted(kit: &Frameworks) -> Result<Outcome> {
    for (module, right, wrong) in PLANTED {
        let (_, stub) = stubs()?.into_iter().find(|(name, _)| name == module).context(module)?;
        if !stub.contains(right) {
            bail!("{module} does not declare `{right}` any more");
        }
        let declarations: Vec<Declaration> = read(&stub.replacen(right, wrong, 1));
        if rules::compare(kit, &declarations).faults.len() != 1 {
            bail!("a mistake is not seen: {wrong}");
        }
    }
    Ok(Outcome::Passed)
}

/// The declarations by module; that of Foundation has another name here.
fn stubs() -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(DECLARATIONS))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_none_or(|it| it != "swiftinterface") || SWIFT_ALONE.contains(&name.as_str()) {
            continue;
        }
        if name != "AppleFoundation" && !FRAMEWORKS.contains(&name.as_str()) {
            bail!("{name} is not among the frameworks that are compared");
        }
        found.push((name, fs::read_to_string(&path)?));
    }
    found.sort();
    Ok(found)
}

/// Fetches the archive, keeps what its tool prints of the frameworks, and lets the rest go.
fn bring(folder: &Path) -> Result<()> {
    let archive = folder.join("kotlin-native.tar.gz");
    let whole = folder.join("kotlin-native");
    fs::create_dir_all(&whole)?;
    maven("pom.xml", &["--quiet", "--non-recursive", "dependency:copy@apple-metadata"]).done()?;
    let library = |name: &str| format!("klib/platform/ios_arm64/org.jetbrains.kotlin.native.platform.{name}");
    let tool = "konan/lib/kotlin-native-compiler-embeddable.jar";
    let wanted = FRAMEWORKS.iter().chain(&BELOW).map(|name| format!("*/{}/*", library(name)));
    program("tar")
        .args(["xz", "--strip-components=1", "--wildcards", "--file"])
        .args([&archive])
        .args(["--directory"])
        .args([&whole])
        .args([format!("*/{tool}")])
        .args(wanted)
        .quietly()?;
    let libraries: Vec<PathBuf> = FRAMEWORKS.iter().chain(&BELOW).map(|name| whole.join(library(name))).collect();
    // Seconds matter more than the best code here.
    program("java")
        .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp"])
        .args([whole.join(tool)])
        .args([root().join("ios/PrintMetadata.java"), folder.to_path_buf()])
        .args(libraries)
        .quietly()?;
    fs::remove_dir_all(&whole)?;
    fs::remove_file(&archive)?;
    Ok(())
}
