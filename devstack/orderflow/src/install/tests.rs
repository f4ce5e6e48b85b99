use std::cell::Cell;

use super::*;

const SHELL: Program = Program::for_test("sh");

/// One step, which is a file of its own.
const RECIPE: Recipe = Recipe {
    name: "thing",
    files: &[("in/input", "one"), ("step", "cp in/input output")],
    made_with: &[SHELL],
    run_with: &[],
    takes: "a moment",
    script: "sh step {version}",
};

async fn install(recipe: Recipe, cache: &Path) -> (anyhow::Result<PathBuf>, bool) {
    let made = Cell::new(false);
    let lifeline = Lifeline::start(None, None).unwrap();
    let (origin, making) = (Origin::Made(recipe), |_: &str| made.set(true));
    let folder = origin.install(cache, cache, "Some Thing 1.2", &lifeline, making);
    (folder.await, made.get())
}

#[test]
fn the_cache_is_where_the_user_says_or_where_the_system_keeps_caches() {
    let native = |folder: Option<&str>, caches: Option<&str>| {
        let cache = Cache {
            folder: folder.map(PathBuf::from),
            xdg_cache_home: caches.map(PathBuf::from),
        };
        cache.native().unwrap()
    };
    assert_eq!(native(Some("/a"), Some("/b")), PathBuf::from("/a/native"));
    let of_the_system = PathBuf::from("/b/orderflow/native");
    assert_eq!(native(None, Some("/b")), of_the_system);
    assert!(native(None, Some("relative")).ends_with(".cache/orderflow/native"));
}

#[tokio::test]
async fn what_is_not_there_is_told_with_the_reason() {
    let find = || anyhow::bail!("it is not there");
    let lifeline = Lifeline::start(None, None).unwrap();
    let missing = async |with| {
        let (origin, nowhere) = (Origin::Found { with, find }, Path::new(""));
        let found = origin.install(nowhere, nowhere, "", &lifeline, |_| ());
        found.await.unwrap_err().to_string()
    };
    let program = &const { [Program::for_test("no-such-a")] };
    assert_eq!(missing(program).await, "it needs no-such-a, from somewhere");
    assert_eq!(missing(&[]).await, "it is not there");
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
async fn a_script_is_told_the_version_of_the_title() {
    let cache = tempfile::tempdir().unwrap();
    let recipe = Recipe {
        files: &[("step", "echo $1 >output")],
        ..RECIPE
    };
    let (folder, _) = install(recipe, cache.path()).await;
    let output = fs::read_to_string(folder.unwrap().join("output")).unwrap();
    assert_eq!(output, "1.2\n");
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
    let log = cache.path().join("getting-thing.log");
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
