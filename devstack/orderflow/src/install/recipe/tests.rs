use std::cell::Cell;

use futures::FutureExt as _;

use super::*;

const SHELL: Program = Program::for_test("sh");

/// One step, which is a file of its own.
const RECIPE: Recipe = Recipe {
    name: "thing",
    files: &[("in/input", "one"), ("step", "cp in/input output")],
    made_with: &[SHELL],
    run_with: &[],
    takes: "a moment",
    make: |workshop| {
        async move {
            let mut command = workshop.command(SHELL);
            workshop.run(command.arg("step")).await
        }
        .boxed()
    },
};

async fn install(recipe: Recipe, cache: &Path) -> (Result<PathBuf, Missing>, bool) {
    let made = Cell::new(false);
    let folder = recipe.install(cache, cache.join("log"), || made.set(true));
    (folder.await, made.get())
}

#[tokio::test]
async fn a_version_is_made_once() {
    let cache = tempfile::tempdir().unwrap();
    let (first, made) = install(RECIPE, cache.path()).await;
    let first = first.unwrap();
    assert!(made);
    assert_eq!(fs::read_to_string(first.join("output")).unwrap(), "one");

    let (second, made) = install(RECIPE, cache.path()).await;
    assert_eq!((second.unwrap(), made), (first, false));
}

#[tokio::test]
async fn a_changed_file_makes_another_version() {
    let cache = tempfile::tempdir().unwrap();
    let (first, _) = install(RECIPE, cache.path()).await;
    let changed = Recipe {
        files: &[("in/input", "two"), ("step", "cp in/input output")],
        ..RECIPE
    };
    let (second, made) = install(changed, cache.path()).await;
    assert!(made);
    assert_ne!(first.unwrap(), second.unwrap());
}

#[tokio::test]
async fn a_failure_is_told_with_its_last_words_and_leaves_nothing_that_looks_whole() {
    let cache = tempfile::tempdir().unwrap();
    let ingredient = cache.path().join("ingredient");
    let recipe = Recipe {
        files: &[(
            "step",
            "cat ../ingredient >output || { echo no luck; exit 3; }",
        )],
        ..RECIPE
    };
    let (result, _) = install(recipe, cache.path()).await;
    let message = result.unwrap_err().to_string();
    let log = cache.path().join("log");
    let expected = format!("(exit status: 3), more in {}\n  no luck", log.display());
    assert!(message.ends_with(&expected), "{message}");

    fs::write(ingredient, "").unwrap();
    let (again, made) = install(recipe, cache.path()).await;
    assert!(again.is_ok() && made);
}

#[tokio::test]
async fn a_step_that_explains_itself_before_it_gives_advice_is_told_by_its_explanation() {
    const STEP: &str =
        r"echo fetching; printf '\033[31mERROR\033[0m no such host\n'; echo see the manual; exit 1";
    let cache = tempfile::tempdir().unwrap();
    let recipe = Recipe {
        files: &[("step", STEP)],
        ..RECIPE
    };
    let (result, _) = install(recipe, cache.path()).await;
    let message = result.unwrap_err().to_string();
    assert!(message.ends_with("log\n  ERROR no such host"), "{message}");
}

#[tokio::test]
async fn every_program_that_is_missing_is_named_with_its_source_before_anything_is_made() {
    let cache = tempfile::tempdir().unwrap();
    let recipe = Recipe {
        run_with: &const { [Program::for_test("no-such-a")] },
        made_with: &const { [SHELL, Program::for_test("no-such-b")] },
        ..RECIPE
    };
    let (result, made) = install(recipe, cache.path()).await;
    assert!(!made);
    assert_eq!(
        result.unwrap_err().to_string(),
        "it needs no-such-a, from somewhere; and no-such-b, from somewhere"
    );
}
