use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::keep::tests::context;
use crate::keep::{Begin, Keeper, Kind};
use crate::process::Exit;
use crate::register::State;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_terminal_learns_how_the_parts_do_and_why_a_wish_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let context = context(folder.path()).await;
    let _control = serve(&context).unwrap();
    let stop = CancellationToken::new();
    let begin: Begin = Box::new(|mut life| {
        life.tell_ready(None);
        let stopped = async move { life.stop.cancelled().await };
        let exit = || Ok(Exit::new("kafka", "stopped".to_owned(), Vec::new()));
        stopped.map(move |()| exit()).boxed()
    });
    let once = Kind::Once("it is the only one");
    let (keeper, is_ready) = Keeper::new(&context, "kafka", once, stop.clone(), begin);
    let dir = folder.path().to_owned();
    let asking = async {
        is_ready.await.unwrap();
        let asked = tokio::task::spawn_blocking(move || {
            let Run { parts, .. } = Run::of(&dir).unwrap();
            let ask = |part| ask(&dir, part, Wish::Stop).unwrap_err().to_string();
            (parts, ask("kafka"), ask("kafak"))
        });
        let (parts, refused, unknown) = asked.await.unwrap();
        stop.cancel();
        let status = (parts[0].name.as_str(), parts[0].state);
        assert_eq!((parts.len(), status), (1, ("kafka", State::Running)));
        assert_eq!(
            refused,
            "kafka cannot be stopped alone, and can be paused: it is the only one"
        );
        assert_eq!(unknown, "kafak is no part of this stack; it has kafka");
    };
    let (ended, ()) = tokio::join!(keeper.keep(), asking);
    assert_eq!(ended.how, "stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_may_ask_and_what_an_earlier_version_left_there_is_no_obstacle() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("control");
    std::fs::write(&control, "").unwrap();
    let context = context(folder.path()).await;
    let _control = serve(&context).unwrap();
    let mode = control.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(Run::ready(folder.path()).unwrap().is_none());
}

#[test]
fn where_nothing_runs_the_command_that_starts_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let control = folder.path().join("control");
    for left in [None, Some(control.join("socket")), Some(control)] {
        if let Some(path) = &left {
            let _ = std::fs::remove_dir_all(folder.path().join("control"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        }
        let nobody = Run::of(folder.path()).unwrap_err().to_string();
        assert!(nobody.ends_with("start it with `orderflow up`"), "{nobody}");
    }
}
