//! Who may depend on whom among the packages: the invariants of docs/architecture.md.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::repository;

/// Stand-ins that tests of services and shared crates start, since traits exist only for what a test cannot run.
const STARTED_BY_TESTS: [&str; 5] = ["embeddings", "mail", "postgres_server", "pubsub", "sqs"];

/// The crates that make spans and carry their context.
const TELEMETRY: [&str; 3] = ["otel-carriers", "otel-messaging", "telemetry"];

/// What a trace looks like on the wire; nothing that makes spans.
const WIRE_FORMAT: &str = "opentelemetry-proto";

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

impl Dependency {
    fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

impl Package {
    /// `services/orders` is `services`.
    fn floor(&self) -> &str {
        let above = self.folder().parent().and_then(Path::file_name);
        above.and_then(|name| name.to_str()).expect("a folder")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().expect("a folder")
    }
}

/// All packages of the repository, as cargo understands them.
pub(crate) fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(repository::path("."))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{output:?}");
    let metadata: Metadata = serde_json::from_slice(&output.stdout).expect("metadata");
    metadata.packages
}

/// Every dependency of a package on `from` that `is_wrong`, as a line: `orders -> email`.
fn wrong(from: &[&str], is_wrong: impl Fn(&Dependency, Option<&str>) -> bool) -> Vec<String> {
    let packages = packages();
    let floor_of = |name: &str| {
        let package = packages.iter().find(|package| package.name == name);
        package.map(Package::floor)
    };
    let mut found = Vec::new();
    for package in packages.iter().filter(|one| from.contains(&one.floor())) {
        let name = &package.name;
        let others = package.dependencies.iter().filter(|one| one.name != *name);
        let wrong = others.filter(|one| is_wrong(one, floor_of(&one.name)));
        found.extend(wrong.map(|one| format!("{name} -> {}", one.name)));
    }
    found
}

#[test]
fn services_and_what_starts_them_depend_on_no_service() {
    let below_tests = ["services", "shared", "devstack"];
    let on_a_service = wrong(&below_tests, |_, floor| floor == Some("services"));
    assert_eq!(on_a_service, [""; 0]);
}

#[test]
fn shared_crates_depend_on_shared_crates() {
    let above = wrong(&["shared"], |one, floor| {
        !one.is_for_tests() && floor.is_some_and(|floor| floor != "shared")
    });
    assert_eq!(above, [""; 0]);
}

#[test]
fn services_and_shared_crates_meet_the_stand_ins_in_tests_alone() {
    let on_devstack = wrong(&["services", "shared"], |one, floor| {
        let allowed = one.is_for_tests() && STARTED_BY_TESTS.contains(&&*one.name);
        floor == Some("devstack") && !allowed
    });
    assert_eq!(on_devstack, [""; 0]);
}

#[test]
fn nothing_that_is_shipped_depends_on_tests() {
    let below_tests = ["services", "shared", "devstack"];
    let on_tests = wrong(&below_tests, |_, floor| floor == Some("tests"));
    assert_eq!(on_tests, [""; 0]);
}

#[test]
fn three_shared_crates_alone_depend_on_opentelemetry() {
    let mut found = Vec::new();
    for package in packages() {
        let name = &*package.name;
        let dependencies = package.dependencies.iter();
        let shipped = dependencies.filter(|one| !one.is_for_tests());
        let of_telemetry =
            shipped.filter(|one| one.name.contains("opentelemetry") && one.name != WIRE_FORMAT);
        found.extend(
            of_telemetry
                .filter(|_| !TELEMETRY.contains(&name))
                .map(|one| format!("{name} -> {}", one.name)),
        );
    }
    assert_eq!(found, [""; 0]);
}
