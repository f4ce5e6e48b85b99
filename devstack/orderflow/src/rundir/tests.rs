use super::*;
use crate::screen::Show;

#[tokio::test]
async fn what_is_forgotten_was_renamed_first_and_a_removal_that_was_cut_short_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let screen = Screen::new(Show::Problems);
    let folder = RunDir::open(folder.path(), None, &screen).await.unwrap();
    let (data, half) = (
        folder.data_of("postgres"),
        folder.data_of("postgres.removed"),
    );
    for folder in [&data, &half] {
        fs::create_dir_all(folder.join("data")).unwrap();
    }
    folder.forget_data(&["postgres", "kafka"]).unwrap();
    assert!(!data.exists() && !half.exists());
}

#[tokio::test]
async fn the_second_to_come_learns_who_holds_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let _lock = try_lock(folder.path()).unwrap().unwrap();
    let screen = Screen::new(Show::Problems);
    let refusal = RunDir::open(folder.path(), None, &screen)
        .await
        .unwrap_err();
    let message = refusal.to_string();
    let pid = std::process::id();
    let holder = format!("orderflow (pid {pid}) is running there");
    assert!(message.contains(&holder), "{message}");
    assert!(message.contains(" down`"), "{message}");
}

#[test]
fn a_holder_that_has_gone_is_nobody_and_neither_is_rubbish() {
    let folder = tempfile::tempdir().unwrap();
    let mut lock = try_lock(folder.path()).unwrap().unwrap();
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    for text in [child.id().to_string(), "{}".to_owned(), String::new()] {
        lock.set_len(0).unwrap();
        lock.rewind().unwrap();
        lock.write_all(text.as_bytes()).unwrap();
        let held = try_lock(folder.path()).unwrap();
        assert!(matches!(held, Err(None)), "{held:?}");
    }
}

#[test]
fn a_dropped_lock_can_be_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(try_lock(folder.path()).unwrap());
    assert!(try_lock(folder.path()).unwrap().is_ok());
}
