use std::time::{Duration, Instant};

use crate::helpers::{Installation, PATIENCE, Up};

/// How often a command is killed; `make kills` asks for fifty.
const USUALLY: u64 = 6;

/// About what the stand-ins of the services and PostgreSQL take.
const A_STOP: Duration = Duration::from_millis(500);

/// At moments drawn at random from the time that start, run and stop take: nothing is left after the deadline, and the
/// next start works, in the same folder.
#[test]
fn killed_at_any_moment_a_command_leaves_nothing_and_the_next_start_works() {
    let times = setting("ORDERFLOW_KILLS").unwrap_or(USUALLY);
    let seed = setting("ORDERFLOW_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("ORDERFLOW_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let installation = Installation::new();
    // The first start makes the databases: it is killed first, too.
    let mut a_start = Duration::from_secs(3);
    for round in 0..times {
        match round % 3 {
            0 => kill_after(
                installation.start(&["up", "--free-ports"]),
                a_start,
                &mut random,
            ),
            1 => {
                let began = Instant::now();
                let up = installation.up();
                a_start = began.elapsed();
                kill_after(up, Duration::from_millis(100), &mut random);
            }
            _ => {
                let up = installation.up();
                up.signal("-TERM");
                kill_after(up, A_STOP, &mut random);
            }
        }
        installation.wait_until_nothing_runs();
    }
    let mut up = installation.up();
    up.signal("-TERM");
    assert_eq!(up.wait_within(PATIENCE).unwrap().code(), Some(0));
    installation.wait_until_nothing_runs();
}

/// At a moment of the next `time`, unless it has ended by then.
fn kill_after(mut up: Up, time: Duration, random: &mut fastrand::Rng) {
    if up.wait_within(time.mul_f64(random.f64())).is_none() {
        up.signal("-KILL");
        up.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no main of ours to parse its settings in"
)]
fn setting(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().unwrap())
}
