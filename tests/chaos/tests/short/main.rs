//! The short form of `make chaos`, and its negative run.

use chaos::{Args, run, upgrade};
use clap::Parser;

/// The same orders each time, so that a failure is not a question of luck.
const SEED: &str = "11";

fn args(more: &[&str]) -> Args {
    let always = ["chaos", "--seed", SEED, "--orders", "24"];
    Args::parse_from(always.iter().chain(more))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_balance_after_the_faults_that_tell_most() {
    let report = run(&args(&["--short"])).await.unwrap();
    assert!(report.balances(), "see above");
}

/// Pub/Sub forgets what it had, and nobody sends it again.
#[tokio::test(flavor = "multi_thread")]
async fn without_one_of_the_mends_the_books_do_not_balance_and_an_order_is_named() {
    let without = ["--set", "ORDERS_RESEND_AFTER_SECONDS=86400"];
    let forgets = ["--part", "pubsub", "--fault", "forget", "--patience", "20"];
    let args = args(&[without.as_slice(), &forgets].concat());
    let report = run(&args).await.unwrap();
    assert!(
        !report.balances(),
        "orders that nobody looked after balance"
    );
    assert!(report.first_broken_order().is_some(), "no order is named");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_the_version_before_left_in_flight_end_as_if_nothing_had_happened() {
    let wrong = upgrade(&args(&["--patience", "60"])).await.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
