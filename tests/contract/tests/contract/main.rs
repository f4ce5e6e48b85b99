//! The trace contract, held against a running stack.
//!
//! Without further settings it starts a stack of its own, on the servers that `STACK` names.
//! With `GATEWAY_URL`, `JAEGER_URL` and `MAIL_URL` it tests what runs there; then the runs are left out that need services
//! which are set up otherwise: to lose the context on purpose, or to link traces.

mod addresses;
mod customer;
mod disturbed;
mod leftovers;
mod linked;
mod negative;
mod positive;
mod site;
mod telemetry_page;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use stack::{Servers, Stack};

use crate::addresses::Addresses;
use crate::customer::Customer;
use crate::site::Site;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (outside, servers) = match what_to_test() {
        Ok(both) => both,
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    // Our own trace store does, and may not be passed over; others need not.
    let keeps_logs = outside.is_none() && servers == Servers::Embedded;
    let mut trials = negative::trials(servers, outside.is_some());
    trials.push(linked::trial(servers, outside.is_some()));
    trials.push(disturbed::trial(servers, outside.is_some()));
    trials.push(leftovers::trial(servers, outside.is_some()));
    let site = Arc::new(Site::new(outside, servers));
    trials.extend(positive_trials(&site, keeps_logs));
    let conclusion = libtest_mimic::run(&arguments, trials);
    // The last owner of the site: its stack is stopped here, whatever the tests did.
    drop(site);
    conclusion.exit_code()
}

fn what_to_test() -> anyhow::Result<(Option<Addresses>, Servers)> {
    Ok((Addresses::from_environment()?, Servers::of_this_run()?))
}

/// A stack of our own, on these servers, whose services get these settings as well.
async fn start(servers: Servers, settings: &[(&str, &str)]) -> anyhow::Result<Stack> {
    Stack::start(stack::Options {
        servers,
        services: true,
        settings,
        ..stack::Options::default()
    })
    .await
}

fn positive_trials(site: &Arc<Site>, keeps_logs: bool) -> Vec<Trial> {
    vec![
        trial(
            site,
            "a_confirmed_order_is_one_whole_trace",
            positive::a_confirmed_order,
        ),
        trial(
            site,
            "an_order_without_stock_is_one_whole_trace",
            positive::an_order_without_stock,
        ),
        trial(
            site,
            "a_suspicious_order_is_one_whole_trace",
            positive::a_suspicious_order,
        ),
        trial(
            site,
            "a_person_s_decision_is_a_trace_linked_to_the_order_s",
            positive::an_order_that_a_person_decides,
        ),
        trial(
            site,
            "the_logs_of_an_order_carry_its_trace_id",
            async move |customer| positive::the_logs_of_an_order(customer, keeps_logs).await,
        ),
        trial(
            site,
            "the_telemetry_page_has_every_span_and_attribute",
            telemetry_page::the_page,
        ),
    ]
}

/// A test against the shared stack, which the first of them starts.
fn trial<T>(site: &Arc<Site>, name: &str, test: T) -> Trial
where
    T: AsyncFnOnce(Customer) -> anyhow::Result<Completion> + Send + 'static,
{
    let site = Arc::clone(site);
    Trial::ignorable_test(name, move || {
        let customer = Customer::new(site.addresses()?);
        block_on(test(customer)).map_err(failed)
    })
}

/// A test that starts services which are set up in its own way; skipped where they are somebody else's.
fn on_a_stack_of_its_own<T>(name: String, outside: bool, test: T) -> Trial
where
    T: AsyncFnOnce() -> anyhow::Result<Completion> + Send + 'static,
{
    /// One more stack at a time is enough for the machine.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    Trial::ignorable_test(name, move || {
        if outside {
            return Ok(Completion::ignored_with(
                "the services at these addresses cannot be set up for it",
            ));
        }
        // A run that failed poisons the lock, but leaves no stack behind.
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        block_on(test()).map_err(failed)
    })
}

/// Each test runs on a thread of its own, and waits there.
fn block_on<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a thread can wait").block_on(test)
}

/// With its causes: a broken contract is the innermost, with its waterfall.
#[expect(clippy::needless_pass_by_value, reason = "it is passed to map_err")]
fn failed(error: anyhow::Error) -> Failed {
    Failed::from(format!("{error:#}"))
}
