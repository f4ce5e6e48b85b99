//! Links of the texts: within their folder, so that they lead somewhere in the book, too.

use std::path::Path;

use anyhow::Context;

use crate::render::TEXTS;

/// Each link to a file that is not in the folder of the texts.
pub(crate) fn faults(root: &Path) -> anyhow::Result<Vec<String>> {
    let folder = root.join(TEXTS);
    let mut faults = Vec::new();
    for entry in std::fs::read_dir(&folder).context(TEXTS)? {
        let path = entry?.path();
        if path.extension().is_none_or(|end| end != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let leave = targets(&text).filter(|to| to.contains('/') || !folder.join(to).exists());
        faults.extend(leave.map(|to| format!("{TEXTS}/{file}: {to} is not in the book")));
    }
    faults.sort_unstable();
    Ok(faults)
}

/// What the text links to, other sites and its own sections apart.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    // Every second part is a block of code, in which brackets mean something else.
    let prose = text.split("\n```").step_by(2);
    let links = prose.flat_map(|prose| prose.split("](").skip(1));
    let targets = links.filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|to| !to.is_empty() && !to.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_are_found_and_code_is_none() {
        let text = "[a](one.md), [b](https://example.com) and [c](two.md#part)\n\n```rust\nx[1](three)\n```\n[d](../four.md)\n";
        assert_eq!(
            targets(text).collect::<Vec<_>>(),
            ["one.md", "two.md", "../four.md"]
        );
    }
}
