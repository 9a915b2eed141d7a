//! Which of Android's APIs the library and the app use: none that is not public, and none newer than minSdk but those that
//! `android/newer-apis.txt` lists, which stand behind a question for the system's version.
//!
//! The framework that everything is compiled against has hidden interfaces, too, and knows no versions. What is public in a version is
//! Animal Sniffer's business.

use crate::android_check::{MODULES, folder, maven};
use crate::run::{program, root};
use crate::steps::Outcome;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;

/// What may be used of what minSdk has not.
const NEWER: &str = "android/newer-apis.txt";
/// The oldest system, and the newest whose public interfaces are at hand. Anything newer has to be on the list, too, and is.
const OLDEST: &str = "26";
const NEWEST: &str = "34";

pub(crate) fn run() -> Result<Outcome> {
    let own = folder().join("api");
    let classes = MODULES.map(|module| folder().join(module).join("classes"));
    if !classes.iter().all(|folder| folder.exists()) {
        return Ok(Outcome::Skipped("library and app have to be compiled first".to_owned()));
    }
    if !own.join("asm.jar").exists()
        && maven("pom.xml", &["--quiet", "--non-recursive", "dependency:copy@api"]).done().is_err()
    {
        return Ok(Outcome::Skipped("no Maven repository in reach has Animal Sniffer and its signatures".to_owned()));
    }
    let list = fs::read_to_string(root().join(NEWER)).context(NEWER)?;
    let listed: BTreeSet<&str> = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let missing = |version: &str| -> Result<BTreeSet<String>> {
        let printed = program("java")
            .args(["-cp"])
            .args([std::env::join_paths([own.join("animal-sniffer.jar"), own.join("asm.jar")])?])
            .args([root().join("android/ApiCheck.java"), own.join(format!("api-{version}.signature"))])
            .args(&classes)
            .printed()?;
        Ok(references(&printed))
    };
    let hidden: Vec<_> = missing(NEWEST)?.into_iter().filter(|name| !listed.contains(name.as_str())).collect();
    if !hidden.is_empty() {
        bail!("hidden, or newer than {NEWEST} and not in {NEWER}:\n{}", hidden.join("\n"));
    }
    let used = missing(OLDEST)?;
    println!("{} interfaces are newer than API {OLDEST}, and none is hidden", used.len());
    compare(&used, &listed)?;
    Ok(Outcome::Passed)
}

fn compare(used: &BTreeSet<String>, listed: &BTreeSet<&str>) -> Result<()> {
    let unlisted: Vec<_> = used.iter().map(String::as_str).filter(|name| !listed.contains(name)).collect();
    let unused: Vec<_> = listed.iter().copied().filter(|name| !used.contains(*name)).collect();
    if !unlisted.is_empty() {
        bail!("newer than API {OLDEST}, and not in {NEWER}:\n{}", unlisted.join("\n"));
    }
    if !unused.is_empty() {
        bail!("in {NEWER}, and not used:\n{}", unused.join("\n"));
    }
    Ok(())
}

/// What is named in lines such as `[ERROR] …/A.class:7: Undefined reference: void android.b.C.d(int)`.
fn references(printed: &str) -> BTreeSet<String> {
    let names = printed.lines().filter_map(|line| line.split_once("Undefined reference: ")).map(|(_, name)| name);
    names.map(|name| name.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_once_each_and_the_list_has_to_fit_both_ways() {
        let printed = "[ERROR] /x/A.class:7: Undefined reference: void android.b.C.d(int)\n[ERROR] /x/B.class: Undefined reference: android.b.E\n[ERROR] /x/B.class:9: Undefined reference: android.b.E\n";
        let used = references(printed);
        assert_eq!(used.iter().collect::<Vec<_>>(), ["android.b.E", "void android.b.C.d(int)"]);
        assert!(compare(&used, &BTreeSet::from(["android.b.E", "void android.b.C.d(int)"])).is_ok());
        assert!(compare(&used, &BTreeSet::from(["android.b.E"])).is_err());
        assert!(compare(&used, &BTreeSet::from(["android.b.E", "void android.b.C.d(int)", "android.F"])).is_err());
    }

    #[test]
    fn the_list_says_from_which_version_on_there_is_each() {
        let list = fs::read_to_string(root().join(NEWER)).unwrap();
        let mut lines = list.lines().skip_while(|line| !line.starts_with("# API "));
        assert!(lines.next().is_some(), "no version");
        let names: Vec<_> = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "something is there twice");
    }
}
