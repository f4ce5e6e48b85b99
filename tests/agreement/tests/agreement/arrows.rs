//! Within a crate arrows point downwards: no file imports one that imports it, however long the way.

use std::fs;
use std::path::Path;

use crate::imports::Imports;
use crate::packages::packages;
use crate::repository;

/// The subcommands of `orderflow`; what they share does not know them.
const SUBCOMMANDS: [&str; 8] = [
    "up", "down", "env", "status", "traffic", "trace", "dlq", "demo",
];
/// The command line itself, which runs them.
const DOORS: [&str; 2] = ["", "cli"];

#[test]
fn no_files_import_in_a_circle() {
    let mut found = Vec::new();
    for package in packages() {
        let (name, source) = (&package.name, package.folder().join("src"));
        let circles = Imports::read(&source).circles().into_iter();
        found.extend(circles.map(|circle| format!("{name}: {circle}")));
    }
    assert!(found.is_empty(), "circles:\n{}", found.join("\n"));
}

#[test]
fn what_the_subcommands_share_knows_none_of_them() {
    let source = repository::path("devstack/orderflow/src");
    for subcommand in SUBCOMMANDS {
        let is_there = |end: &str| source.join(format!("{subcommand}{end}")).exists();
        assert!(
            is_there(".rs") || is_there("/mod.rs"),
            "{subcommand} is gone"
        );
    }
    let upwards = Imports::read(&source).upwards(&SUBCOMMANDS, &DOORS);
    assert!(upwards.is_empty(), "upwards:\n{}", upwards.join("\n"));
}

/// Writes a crate of these files.
fn crate_of(folder: &Path, files: &[(&str, &str)]) -> Imports {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a new folder");
        fs::write(path, text).expect("a new file");
    }
    Imports::read(folder)
}

#[test]
fn a_circle_is_found_through_doors_inner_modules_and_paths() {
    let folder = tempfile::tempdir().unwrap();
    let imports = crate_of(
        folder.path(),
        &[
            (
                "lib.rs",
                "mod core; mod rows; mod outbox; pub use core::Core;",
            ),
            (
                "core.rs",
                "use crate::outbox::{Event, other as _}; pub struct Core;",
            ),
            (
                "outbox/mod.rs",
                "mod event; pub(crate) use self::event::Event;",
            ),
            (
                "outbox/event.rs",
                "mod inner { fn f() { super::super::super::rows::read(); } }",
            ),
            (
                "rows.rs",
                "use crate::Core; #[cfg(test)] mod tests { use crate::nothing; }",
            ),
        ],
    );
    assert_eq!(imports.circles(), ["core -> outbox/event -> rows -> core"]);
    assert_eq!(imports.upwards(&["core"], &[]), ["rows -> core"]);
}

#[test]
fn doors_and_tests_make_no_circle() {
    let folder = tempfile::tempdir().unwrap();
    let imports = crate_of(
        folder.path(),
        &[
            ("lib.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            (
                "b.rs",
                "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }",
            ),
            ("b/tests.rs", "use crate::a::A;"),
        ],
    );
    assert_eq!(imports.circles(), [""; 0]);
}
