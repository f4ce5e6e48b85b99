//! Where a reader looks for what a service asks its database.

use std::fs;

use crate::repository;

/// Also the tests' own statements would be found, but they stand beside `src`.
#[test]
fn every_statement_of_a_service_stands_in_its_repository_or_its_outbox() {
    let services = repository::path("services");
    let mut found = Vec::new();
    for file in repository::files() {
        let below = file.strip_prefix(&services).ok();
        let source = below.filter(|path| path.extension().is_some_and(|end| end == "rs"));
        let path = source.and_then(|path| path.to_str()).unwrap_or_default();
        if !path.contains("/src/") {
            continue;
        }
        let is_home = path.contains("/src/repository") || path.contains("/src/outbox/");
        if !is_home
            && fs::read_to_string(&file)
                .expect("a file")
                .contains("sqlx::query")
        {
            found.push(path.to_owned());
        }
    }
    assert!(found.is_empty(), "SQL in {found:?}");
}
