use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::keep::{Keeper, Life, Restart, State};
use crate::parts::Context;
use crate::process::Exit;
use crate::rundir::{Run, RunDir};
use crate::screen::{Screen, Show};

fn context(folder: &std::path::Path) -> Context {
    let folder = RunDir::open(folder).unwrap();
    Context {
        screen: Screen::new(Show::Problems),
        run: Arc::new(Mutex::new(Run::begin(&folder).unwrap())),
        register: Arc::default(),
        folder: Arc::new(folder),
        kill: CancellationToken::new(),
    }
}

#[tokio::test]
async fn a_second_terminal_learns_how_the_parts_do_and_why_a_wish_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path());
    let _control = serve(&context);
    let stop = CancellationToken::new();
    let once = Restart::Never("it is the only one");
    let keeper = Keeper::new(context, "kafka", once, stop.clone());
    let (ready, is_ready) = oneshot::channel();
    let kept = keeper.keep(ready, async |life: Life| {
        life.ready.send(()).unwrap();
        life.stop.cancelled().await;
        Ok(Exit::new("kafka", "stopped".to_owned(), Vec::new()))
    });
    let asking = async {
        is_ready.await.unwrap();
        let parts = status(folder.path()).await.unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(
            (parts[0].name.as_str(), parts[0].state),
            ("kafka", State::Running)
        );
        let refused = ask(folder.path(), "kafka", Wish::Stop).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "kafka cannot be stopped alone, and can be paused: it is the only one"
        );
        let unknown = ask(folder.path(), "kafak", Wish::Stop).await.unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "kafak is no part of this stack; it has kafka"
        );
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(kept, asking);
    assert_eq!(ended.unwrap().how, "stopped");
}

#[tokio::test]
async fn where_nothing_runs_the_command_that_starts_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = status(folder.path()).await.unwrap_err().to_string();
    assert!(nobody.ends_with("start it with `orderflow up`"), "{nobody}");
}
