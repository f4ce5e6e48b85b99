//! The files of this repository.

use std::fs;
use std::path::{Path, PathBuf};

/// The text of the file at `path`, which begins at the root of the repository.
pub(crate) fn read(path: &str) -> String {
    let path = self::path(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The file at `path`, which begins at the root of the repository.
pub(crate) fn path(path: &str) -> PathBuf {
    root().join(path)
}

/// All files but for what is built, run or kept by git.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                found.push(path);
            } else if is_source(&path) {
                folders.push(path);
            }
        }
    }
    found
}

fn is_source(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let of_ci = [".ci", ".github"].contains(&&*name);
    of_ci || !(name.starts_with('.') || name == "target" || name == "node_modules")
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
