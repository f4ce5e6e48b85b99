//! The ground that the demo stands on does not grow.

use std::process::Command;

use crate::repository;

/// As many lines as devstack may have, counted as `make sizes` does. Its bound is 16 000 and it is not there yet: whoever
/// makes it smaller takes this down with it.
const DEVSTACK: u64 = 19_050;

/// The lines of each package and floor, by what `make sizes` calls it.
fn sizes() -> Vec<(String, u64)> {
    let output = Command::new(repository::path("scripts/sizes.sh")).output();
    let output = output.expect("the script");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = text.lines().filter_map(|line| {
        let (lines, name) = line.trim().split_once("  ")?;
        Some((name.to_owned(), lines.parse().expect("a number")))
    });
    lines.collect()
}

fn of(sizes: &[(String, u64)], name: &str) -> u64 {
    let found = sizes.iter().find(|(known, _)| known == name);
    found
        .unwrap_or_else(|| panic!("{name} is not in {sizes:?}"))
        .1
}

#[test]
fn every_package_is_counted_and_the_sums_are_those_of_the_packages() {
    let sizes = sizes();
    for floor in ["devstack", "services", "shared"] {
        let packages = sizes
            .iter()
            .filter(|(name, _)| name.starts_with(&format!("{floor}/")));
        let sum: u64 = packages.map(|(_, lines)| lines).sum();
        assert_eq!(of(&sizes, &format!("{floor} in sum")), sum);
    }
    assert!(of(&sizes, "services/orders") > 0);
}

#[test]
fn devstack_does_not_grow_and_none_of_its_packages_is_larger_than_shared() {
    let sizes = sizes();
    let devstack = of(&sizes, "devstack in sum");
    assert!(devstack <= DEVSTACK, "{devstack} lines");
    let shared = of(&sizes, "shared in sum");
    for (name, lines) in &sizes {
        let is_package = name.starts_with("devstack/");
        assert!(!is_package || *lines < shared, "{name} has {lines} lines");
    }
}
