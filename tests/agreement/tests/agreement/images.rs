//! Images and versions, each of which is written down once.

use std::collections::BTreeSet;

use crate::compose::{Compose, FILE};
use crate::repository;

const RECIPE: &str = "services/Dockerfile";

fn recipe_line(beginning: &str) -> String {
    let recipe = repository::read(RECIPE);
    let line = recipe.lines().find_map(|line| line.strip_prefix(beginning));
    line.unwrap_or_else(|| panic!("{RECIPE} has no line that begins with {beginning}"))
        .to_owned()
}

#[test]
fn every_image_has_a_version() {
    for image in Compose::read().images() {
        let tag = image.rsplit_once(':').map(|(_, tag)| tag);
        let versioned = tag.is_some_and(|tag| tag.starts_with(|c: char| c.is_ascii_digit()));
        assert!(versioned, "{image}");
    }
}

#[test]
fn no_image_is_named_in_two_places() {
    let compose = Compose::read();
    let images: BTreeSet<&str> = compose.images().collect();
    let repositories: BTreeSet<&str> = images
        .iter()
        .filter_map(|image| image.split(':').next())
        .collect();
    assert_eq!(
        repositories.len(),
        images.len(),
        "one image in two versions: {images:?}"
    );
    for path in repository::files() {
        let bytes = std::fs::read(&path).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        let allowed = usize::from(path.ends_with(FILE));
        for image in &images {
            let found = text.matches(image).count();
            assert!(found <= allowed, "{image} is in {}", path.display());
        }
    }
}

#[test]
fn the_images_are_built_by_the_compiler_of_the_repository() {
    let toolchain = repository::read("rust-toolchain.toml");
    let version = recipe_line("FROM rust:");
    let (version, _) = version.split_once('-').expect("a tag like 1.0-debian");
    assert!(
        toolchain.contains(&format!("channel = \"{version}.")),
        "rust:{version} is not the version in {toolchain}"
    );
}

#[test]
fn the_recipe_compiles_what_compose_asks_for() {
    let programs = recipe_line("ARG PROGRAMS=");
    let listed: BTreeSet<&str> = programs.trim_matches('"').split_whitespace().collect();
    let compose = Compose::read();
    let asked: BTreeSet<&str> = compose.built().map(|(package, _)| package).collect();
    assert_eq!(listed, asked);
}
