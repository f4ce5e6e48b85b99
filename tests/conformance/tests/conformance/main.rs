//! What a producer, a broker and a consumer must do together, written once and run for each broker.
//!
//! Each case has a stand-in of its own, or a destination of its own on the real broker that `STACK` asks for.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broker;
mod cases;
mod faults;
mod handler;
mod in_front;
mod kafka;
mod order;
mod partitions;
mod pubsub;
mod python;
mod retention;
mod run;
mod site;
mod sqs;

use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::time::timeout;

use crate::broker::Broker;
use crate::in_front::WAYS;
use crate::kafka::Kafka;
use crate::pubsub::PubSub;
use crate::python::Moto;
use crate::site::{Place, Site};
use crate::sqs::Sqs;

/// When to give up waiting for what takes some seconds on an idle machine.
const PATIENCE: Duration = Duration::from_mins(3);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let site = match Site::of_this_run() {
        Ok(site) => Arc::new(site),
        Err(error) => {
            eprintln!("{error:#}");
            return ExitCode::FAILURE;
        }
    };
    let mut trials = on::<Kafka>(&site);
    trials.extend(on::<Sqs>(&site));
    trials.extend(on::<PubSub>(&site));
    trials.extend(of_one_broker(&site));
    let moto = Arc::new(Moto::default());
    trials.extend(WAYS.map(|(way, name)| in_front_of_sqs(&site, &moto, way, name)));
    let conclusion = libtest_mimic::run(&arguments, trials);
    // The last owners: their servers are stopped here, whatever the tests did.
    drop((site, moto));
    conclusion.exit_code()
}

/// One test per case, named for it: the runner then names the case and the broker that failed.
macro_rules! trials {
    ($site:ident: $($of:ident::$case:ident$(::<$broker:ident>)?)*) => {
        vec![$(trial($site, stringify!($case), $of::$case$(::<$broker>)?)),*]
    };
}

/// What every broker must do.
fn on<B: Broker + 'static>(site: &Arc<Site>) -> Vec<Trial> {
    trials! { site:
        cases::context_and_baggage_cross::<B>
        cases::a_message_without_context_begins_a_trace::<B>
        cases::retry_comes_again_with_the_next_attempt::<B>
        cases::reject_is_dead_lettered_and_the_next_message_is_processed::<B>
        cases::attempts_are_bounded::<B>
        cases::garbage_does_not_stop_the_loop::<B>
        cases::shutdown_finishes_what_is_in_hand::<B>
        cases::shutdown_has_a_deadline_and_what_it_cuts_off_comes_again::<B>
        cases::two_consumers_share_the_work::<B>
        cases::a_consumer_that_dies_loses_nothing::<B>
        cases::a_batch_has_one_receive_span_with_a_link_for_each_message::<B>
        order::one_key_is_in_order_and_different_keys_are_side_by_side::<B>
        order::what_comes_after_a_retry_of_its_key_waits_for_it::<B>
        faults::headers_cross_and_a_dead_letter_keeps_them_and_its_origin::<B>
        faults::a_batch_is_sent_with_a_span_for_each_message::<B>
        faults::a_batch_handler_loses_nothing_for_one_bad_message::<B>
        faults::a_panic_is_not_the_end::<B>
        faults::retries_are_in_nobodys_way::<B>
        faults::what_is_unavailable_costs_no_attempt::<B>
        faults::a_message_stays_ours_however_long_its_handler_takes::<B>
        faults::a_shutdown_leaves_nothing_behind::<B>
        faults::a_letter_that_is_too_large_goes_without_what_does_not_fit::<B>
        faults::a_handler_that_takes_too_long_is_tried_again::<B>
        faults::an_attempt_that_shutdown_cuts_off_says_so::<B>
        faults::a_consumer_ends_when_what_it_receives_from_is_gone::<B>
    }
}

/// What one broker has and the others have not.
fn of_one_broker(site: &Arc<Site>) -> Vec<Trial> {
    trials! { site:
        partitions::a_stuck_partition_holds_up_no_other_and_loses_nothing
        partitions::a_full_partition_goes_on_after_a_rebalance
        partitions::a_record_in_hand_is_finished_before_its_partition_goes
        retention::a_retaining_topic_hands_what_came_before_to_a_new_subscription
        retention::a_plain_topic_hands_only_what_comes_after_to_a_new_subscription
    }
}

/// What the real server is known not to do, and why.
fn exception(test: &str) -> Option<&'static str> {
    (test == "on_pubsub::a_shutdown_leaves_nothing_behind").then_some(
        "Google's emulator goes on feeding a stream that has ended, until the lease of what it fed is over",
    )
}

/// Each test runs on a thread of its own, and waits there.
fn trial<B: Broker, C>(site: &Arc<Site>, name: &str, case: C) -> Trial
where
    C: AsyncFnOnce(Rc<B>) + Send + 'static,
{
    let site = Arc::clone(site);
    let test = format!("on_{}::{name}", B::PART);
    Trial::ignorable_test(test.clone(), move || {
        let address = match site.find(B::PART, B::ADDRESS)? {
            Place::Here => None,
            Place::At(address) => match exception(&test) {
                Some(why) => return Ok(Completion::ignored_with(why)),
                None => Some(address),
            },
            Place::Nowhere(why) => return Ok(Completion::ignored_with(why)),
        };
        wait_for(async { case(Rc::new(B::start(address).await)).await })
    })
}

/// What comes to a queue by way of SNS or EventBridge, from a publisher in Python.
fn in_front_of_sqs(site: &Arc<Site>, moto: &Arc<Moto>, way: &'static str, name: &str) -> Trial {
    let (site, moto) = (Arc::clone(site), Arc::clone(moto));
    Trial::ignorable_test(format!("on_sqs::{name}"), move || {
        if !site.is_embedded() {
            let why = "it has a server of its own: run it without STACK";
            return Ok(Completion::ignored_with(why));
        }
        match moto.get() {
            Err(why) if stack::requires_python() => Err(Failed::from(why)),
            Err(why) => Ok(Completion::ignored_with(why)),
            Ok(moto) => wait_for(in_front::is_processed_in_its_trace(moto, way)),
        }
    })
}

fn wait_for(run: impl Future<Output = ()>) -> Result<Completion, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async { timeout(PATIENCE, run).await });
    ended.map_err(|_elapsed| Failed::from(format!("not done after {PATIENCE:?}")))?;
    Ok(Completion::Completed)
}
