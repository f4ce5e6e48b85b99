use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::*;

/// As the real ones, a thousand times faster.
const FAST: BackOff = BackOff {
    first: Duration::from_millis(1),
    longest: Duration::from_millis(30),
    good_life: Duration::from_secs(10),
    short_lives: 3,
};

/// A kept part, each life of which runs `script` with its number; it is ready at once.
struct Kept {
    context: Context,
    stop: CancellationToken,
    lives: Arc<AtomicU32>,
    _folder: TempDir,
}

impl Kept {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            context: Context::for_test(folder.path()).await,
            stop: CancellationToken::new(),
            lives: Arc::default(),
            _folder: folder,
        }
    }

    async fn keep(&self, script: &str, ready: oneshot::Sender<()>) -> Exit {
        let restart = Restart::Always(FAST);
        let keeper = Keeper::new(self.context.clone(), "part", restart, self.stop.clone());
        let life = |life: Life| {
            let number = self.lives.fetch_add(1, Ordering::Relaxed) + 1;
            let script = script.replace("$LIFE", &number.to_string());
            live(self.context.clone(), script, life)
        };
        keeper.keep(ready, life).await.unwrap()
    }

    fn lives(&self) -> u32 {
        self.lives.load(Ordering::Relaxed)
    }

    fn status(&self) -> PartStatus {
        self.context.register.all().remove(0)
    }

    async fn ask(&self, wish: Wish) -> Outcome {
        self.context.register.ask("part", wish).await
    }

    async fn wait_until(&self, condition: impl Fn(&PartStatus) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition(&self.status()) {
            assert!(Instant::now() < deadline, "{:?}", self.status());
            tokio::task::yield_now().await;
        }
    }
}

async fn live(context: Context, script: String, life: Life) -> anyhow::Result<Exit> {
    let log = if life.is_again {
        context.folder.reopen_log("part")?
    } else {
        context.folder.create_log("part")?
    };
    let log = Arc::new(crate::part_log::PartLog::quiet("part", log));
    let mut command = tokio::process::Command::new("sh");
    let patience = Duration::from_mins(1);
    let process = context.spawn("part", command.args(["-c", &script]), patience, log)?;
    let _ = life.ready.send(());
    Ok(process.watch(life.stop).await)
}

#[tokio::test]
async fn a_part_that_dies_once_is_started_again_and_what_it_said_is_kept() {
    let kept = Kept::new().await;
    let (ready, is_ready) = oneshot::channel();
    let script = "echo life $LIFE; if [ $LIFE = 1 ]; then sleep 0.1; kill -9 $$; fi; exec sleep 60";
    let watching = async {
        is_ready.await.unwrap();
        kept.wait_until(|part| part.restarts == 1 && part.state == State::Running)
            .await;
        assert_eq!(
            kept.status().last_end.as_deref(),
            Some("signal: 9 (SIGKILL)")
        );
        kept.stop.cancel();
    };
    let (_, ()) = tokio::join!(kept.keep(script, ready), watching);
    assert_eq!(kept.lives(), 2);
    let log = kept.context.folder.logs().join("part.log");
    assert!(
        std::fs::read_to_string(log)
            .unwrap()
            .starts_with("life 1\n")
    );
}

#[tokio::test]
async fn a_part_that_dies_again_and_again_is_given_up_until_somebody_starts_it() {
    let kept = Kept::new().await;
    let (ready, _) = oneshot::channel();
    let script = "if [ $LIFE -le 4 ]; then sleep 0.05; exit 3; fi; exec sleep 60";
    let watching = async {
        kept.wait_until(|part| part.state == State::GivenUp).await;
        assert_eq!(kept.lives(), 4);
        let started = kept.ask(Wish::Start).await;
        assert_eq!(started.unwrap(), "part runs, and is ready");
        kept.stop.cancel();
    };
    tokio::join!(kept.keep(script, ready), watching);
    assert_eq!(kept.lives(), 5);
}

#[tokio::test]
async fn a_stopped_part_stays_stopped_until_it_is_started() {
    let kept = Kept::new().await;
    let (ready, is_ready) = oneshot::channel();
    let watching = async {
        is_ready.await.unwrap();
        kept.ask(Wish::Stop).await.unwrap();
        assert_eq!(kept.status().state, State::Stopped);
        assert_eq!(kept.status().pid, None);
        assert!(
            kept.ask(Wish::Stop)
                .await
                .unwrap_err()
                .contains("stopped already")
        );
        assert!(
            kept.ask(Wish::Pause)
                .await
                .unwrap_err()
                .contains("does not run")
        );
        assert_eq!(kept.lives(), 1);
        kept.ask(Wish::Start).await.unwrap();
        assert!(
            kept.ask(Wish::Start)
                .await
                .unwrap_err()
                .contains("runs already")
        );
        kept.stop.cancel();
    };
    tokio::join!(kept.keep("exec sleep 60", ready), watching);
    assert_eq!((kept.lives(), kept.status().restarts), (2, 0));
}

#[tokio::test]
async fn a_paused_part_is_resumed_and_one_that_is_paused_ends_with_the_stack() {
    let kept = Kept::new().await;
    let (ready, is_ready) = oneshot::channel();
    let watching = async {
        is_ready.await.unwrap();
        kept.ask(Wish::Pause).await.unwrap();
        assert!(
            kept.ask(Wish::Pause)
                .await
                .unwrap_err()
                .contains("paused already")
        );
        kept.ask(Wish::Resume).await.unwrap();
        assert_eq!(kept.status().state, State::Running);
        kept.ask(Wish::Pause).await.unwrap();
        kept.stop.cancel();
    };
    let (exit, ()) = tokio::join!(kept.keep("exec sleep 60", ready), watching);
    assert_eq!(exit.how, "signal: 15 (SIGTERM)");
}

#[tokio::test]
async fn a_part_that_was_never_ready_ends_the_start() {
    let kept = Kept::new().await;
    let (ready, is_ready) = oneshot::channel();
    let keeper = Keeper::new(
        kept.context.clone(),
        "part",
        Restart::Always(FAST),
        kept.stop.clone(),
    );
    let exit = keeper
        .keep(ready, async |_life: Life| {
            Err(anyhow::anyhow!("no database"))
        })
        .await;
    assert_eq!(exit.unwrap().how, "no database");
    assert!(is_ready.await.is_err());
}

#[tokio::test]
async fn a_part_that_cannot_live_twice_ends_the_stack_and_says_why() {
    let kept = Kept::new().await;
    let (ready, _is_ready) = oneshot::channel();
    let once = Restart::Never("its port is gone");
    let keeper = Keeper::new(kept.context.clone(), "part", once, kept.stop.clone());
    let exit = keeper
        .keep(ready, async |life: Life| {
            life.ready.send(()).unwrap();
            tokio::task::yield_now().await;
            Ok(Exit::new(
                "part",
                "signal: 9 (SIGKILL)".to_owned(),
                Vec::new(),
            ))
        })
        .await;
    assert_eq!(exit.unwrap().how, "signal: 9 (SIGKILL); its port is gone");
}
