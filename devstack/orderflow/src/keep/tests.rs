use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt as _;
use tempfile::TempDir;

use super::*;
use crate::rundir::RunDir;
use crate::screen::{Screen, Show};

/// As the real ones, a thousand times faster.
const FAST: BackOff = BackOff {
    first: Duration::from_millis(1),
    longest: Duration::from_millis(30),
    good_life: Duration::from_secs(10),
    short_lives: 3,
};

type Ready = oneshot::Receiver<Option<u16>>;

/// With a folder, and without anything that runs.
pub(crate) async fn context(folder: &std::path::Path) -> Context {
    let screen = Screen::new(Show::Problems);
    let folder = RunDir::open(folder, None, &screen).await.unwrap();
    Context {
        screen,
        lifeline: folder.lifeline(false).unwrap(),
        folder: Arc::new(folder),
        addresses: Arc::default(),
        register: Arc::default(),
    }
}

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
            context: context(folder.path()).await,
            stop: CancellationToken::new(),
            lives: Arc::default(),
            _folder: folder,
        }
    }

    fn keep(&self, script: &'static str) -> (impl Future<Output = Exit>, Ready) {
        let (context, lives) = (self.context.clone(), Arc::clone(&self.lives));
        let begin: Begin = Box::new(move |life| {
            let number = lives.fetch_add(1, Ordering::Relaxed) + 1;
            let script = script.replace("$LIFE", &number.to_string());
            live(context.clone(), script, life).boxed()
        });
        self.keep_as(Kind::Process, begin)
    }

    fn keep_as(&self, kind: Kind, begin: Begin) -> (impl Future<Output = Exit> + use<>, Ready) {
        let (mut keeper, ready) =
            Keeper::new(&self.context, "part", kind, self.stop.clone(), begin);
        keeper.back_off = FAST;
        (keeper.keep(), ready)
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

async fn live(context: Context, script: String, mut life: Life) -> anyhow::Result<Exit> {
    let log = context.quiet_log("part", life.is_again)?;
    let mut command = tokio::process::Command::new("sh");
    let patience = Duration::from_mins(1);
    let process = context.spawn("part", command.args(["-c", &script]), patience, log)?;
    life.tell_ready(None);
    Ok(process.watch(life.stop).await)
}

#[tokio::test]
async fn a_part_that_dies_once_is_started_again_and_what_it_said_is_kept() {
    let kept = Kept::new().await;
    let script = "echo life $LIFE; if [ $LIFE = 1 ]; then sleep 0.1; kill -9 $$; fi; exec sleep 60";
    let (keeping, is_ready) = kept.keep(script);
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
    let (_, ()) = tokio::join!(keeping, watching);
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
    let script = "if [ $LIFE -le 4 ]; then sleep 0.05; exit 3; fi; exec sleep 60";
    let (keeping, _is_ready) = kept.keep(script);
    let watching = async {
        kept.wait_until(|part| part.state == State::GivenUp).await;
        assert_eq!(kept.lives(), 4);
        let started = kept.ask(Wish::Start).await;
        assert_eq!(started.unwrap(), "part runs, and is ready");
        kept.stop.cancel();
    };
    tokio::join!(keeping, watching);
    assert_eq!(kept.lives(), 5);
}

#[tokio::test]
async fn a_stopped_part_stays_stopped_until_it_is_started() {
    let kept = Kept::new().await;
    let (keeping, is_ready) = kept.keep("exec sleep 60");
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
    tokio::join!(keeping, watching);
    assert_eq!((kept.lives(), kept.status().restarts), (2, 0));
}

#[tokio::test]
async fn a_paused_part_is_resumed_and_one_that_is_paused_ends_with_the_stack() {
    let kept = Kept::new().await;
    let (keeping, is_ready) = kept.keep("exec sleep 60");
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
    let (exit, ()) = tokio::join!(keeping, watching);
    assert_eq!(exit.how, "signal: 15 (SIGTERM)");
}

#[tokio::test]
async fn a_part_that_was_never_ready_ends_the_start() {
    let kept = Kept::new().await;
    let begin: Begin = Box::new(|_| async { Err(anyhow::anyhow!("no database")) }.boxed());
    let (keeping, is_ready) = kept.keep_as(Kind::Process, begin);
    assert_eq!(keeping.await.how, "no database");
    assert!(is_ready.await.is_err());
}

#[tokio::test]
async fn a_part_that_cannot_live_twice_ends_the_stack_and_says_why() {
    let kept = Kept::new().await;
    let killed = || Exit::new("part", "signal: 9 (SIGKILL)".to_owned(), Vec::new());
    let begin: Begin = Box::new(move |mut life| {
        life.tell_ready(None);
        async move { Ok(killed()) }.boxed()
    });
    let (keeping, _is_ready) = kept.keep_as(Kind::Once("its port is gone"), begin);
    assert_eq!(keeping.await.how, "signal: 9 (SIGKILL); its port is gone");
}

const SECOND: Duration = Duration::from_secs(1);

fn pauses(rules: &BackOff, lives: &[Duration]) -> Vec<Option<u64>> {
    let mut short = 0;
    let pauses = lives.iter().map(|life| rules.next_start(*life, &mut short));
    pauses.map(|pause| Some(pause?.as_secs())).collect()
}

#[test]
fn a_part_that_dies_at_once_waits_twice_as_long_each_time_and_is_then_given_up() {
    let expected = [Some(1), Some(2), Some(4), Some(8), Some(16), None];
    assert_eq!(pauses(&BACK_OFF, &[SECOND; 6]), expected);
}

#[test]
fn a_good_life_makes_the_next_death_the_first() {
    let lives = [SECOND, SECOND, 60 * SECOND, SECOND];
    assert_eq!(pauses(&BACK_OFF, &lives), [1, 2, 1, 2].map(Some));
}

#[test]
fn no_pause_is_longer_than_the_longest() {
    let patient = BackOff {
        short_lives: 9,
        ..BACK_OFF
    };
    assert_eq!(pauses(&patient, &[SECOND; 9]).last(), Some(&Some(30)));
}
