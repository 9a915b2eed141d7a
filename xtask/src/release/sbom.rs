//! What is in it: a bill of materials for the crates in CycloneDX 1.6, by what cargo says of the lock file, and one for the Kotlin package by
//! CycloneDX's own plugin for Maven. (`cargo-cyclonedx` takes minutes to build and writes a file beside each manifest.)

use super::VERSION;
use crate::android_check::missing_maven;
use crate::bindings::maven;
use crate::run::{cargo, say};
use crate::steps::Outcome;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const PLUGIN: &str = "org.cyclonedx:cyclonedx-maven-plugin:2.9.3:makeBom";
/// What is released, of the workspace.
const RELEASED: [&str; 4] = ["chamada", "chamada-server", "chamada-cli", "chamada-ffi"];

pub(super) fn write(out: &Path) -> Result<Outcome> {
    let folder = out.join("sbom");
    fs::create_dir_all(&folder)?;
    let printed = cargo(&["metadata", "--format-version", "1", "--locked"]).printed()?;
    let bill = bill(&serde_json::from_str(&printed)?)?;
    let count = bill["components"].as_array().map_or(0, Vec::len);
    fs::write(folder.join("rust.cdx.json"), serde_json::to_string_pretty(&bill)? + "\n")?;
    say(&format!("{count} crates"));
    if let Some(missing) = missing_maven() {
        return Ok(Outcome::Skipped(format!("{missing}: the bill of the Kotlin package is left out")));
    }
    maven(&[PLUGIN, "-DoutputFormat=json", "-DoutputName=kotlin.cdx"])
        .args([format!("-DoutputDirectory={}", folder.display())])
        .quietly()?;
    Ok(Outcome::Passed)
}

/// Everything that what is released is built from: dependencies of dependencies too, those of tests not.
fn bill(metadata: &Value) -> Result<Value> {
    let packages: BTreeMap<&str, &Value> =
        list(&metadata["packages"]).filter_map(|it| Some((it["id"].as_str()?, it))).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).filter_map(|it| Some((it["id"].as_str()?, it))).collect();
    let members: BTreeSet<&str> = list(&metadata["workspace_members"]).filter_map(Value::as_str).collect();
    let is_released =
        |id: &&str| packages.get(id).and_then(|it| it["name"].as_str()).is_some_and(|it| RELEASED.contains(&it));
    let mut waiting: Vec<&str> = members.iter().copied().filter(is_released).collect();
    if waiting.len() != RELEASED.len() {
        bail!("the workspace does not have all of {}", RELEASED.join(", "));
    }
    let roots = waiting.clone();
    let (mut seen, mut dependencies) = (BTreeSet::new(), Vec::new());
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = nodes.get(id).context("a package that was not resolved")?;
        let used: BTreeSet<&str> =
            list(&node["deps"]).filter(|it| is_built(it)).filter_map(|it| it["pkg"].as_str()).collect();
        waiting.extend(&used);
        dependencies.push(json!({ "ref": purl(packages[id]), "dependsOn": used.iter().map(|it| purl(packages[it])).collect::<Vec<_>>() }));
    }
    dependencies.sort_by_key(|it| it["ref"].to_string());
    let top = format!("pkg:generic/chamada@{VERSION}");
    dependencies
        .push(json!({ "ref": top, "dependsOn": roots.iter().map(|it| purl(packages[it])).collect::<Vec<_>>() }));
    let components: Vec<Value> = seen.iter().map(|id| component(packages[id])).collect();
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": "chamada", "version": VERSION, "bom-ref": top } },
        "components": components,
        "dependencies": dependencies,
    }))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A dependency that is not of tests alone.
fn is_built(dependency: &Value) -> bool {
    list(&dependency["dep_kinds"]).any(|kind| kind["kind"] != "dev")
}

fn component(package: &Value) -> Value {
    let purl = purl(package);
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": package["name"],
        "version": package["version"],
        "purl": purl,
        "scope": "required",
    });
    if let Some(licence) = package["license"].as_str() {
        // Old manifests part alternatives by a stroke.
        component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    if let Some(description) = package["description"].as_str() {
        component["description"] = json!(description.trim());
    }
    component
}

/// Its name for every tool that reads such bills (package URL).
fn purl(package: &Value) -> String {
    let text = |name: &str| package[name].as_str().unwrap_or_default().replace('+', "%2B");
    format!("pkg:cargo/{}@{}", text("name"), text("version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Value {
        json!({ "id": name, "name": name, "version": "1.0.0+a", "license": "MIT/Apache-2.0" })
    }

    fn node(name: &str, deps: &[(&str, Value)]) -> Value {
        let deps: Vec<_> =
            deps.iter().map(|(pkg, kind)| json!({ "pkg": pkg, "dep_kinds": [{ "kind": kind }] })).collect();
        json!({ "id": name, "deps": deps })
    }

    #[test]
    fn the_bill_has_what_is_built_in_and_not_what_tests_need() {
        let names = ["chamada", "chamada-server", "chamada-cli", "chamada-ffi", "used", "deeper", "tests-only"];
        let nodes = [
            node("chamada", &[("used", Value::Null), ("tests-only", json!("dev"))]),
            node("used", &[("deeper", json!("build"))]),
        ];
        let rest = names.iter().filter(|name| !["chamada", "used"].contains(name)).map(|name| node(name, &[]));
        let metadata = json!({
            "packages": names.map(package),
            "resolve": { "nodes": nodes.into_iter().chain(rest).collect::<Vec<_>>() },
            "workspace_members": RELEASED,
        });
        let bill = bill(&metadata).unwrap();
        let found: Vec<_> = list(&bill["components"]).filter_map(|it| it["name"].as_str()).collect();
        assert_eq!(found, ["chamada", "chamada-cli", "chamada-ffi", "chamada-server", "deeper", "used"]);
        assert_eq!(bill["components"][0]["purl"], "pkg:cargo/chamada@1.0.0%2Ba");
        assert_eq!(bill["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    }
}
