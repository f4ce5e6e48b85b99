//! What keeps messages in order: keys, message groups, ordering keys.

use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::broker::Broker;
use crate::cases::A_MOMENT;
use crate::run::{Run, beside_a_consumer, send_in_order};

/// All of them can be in hand.
const OF_EACH_KEY: usize = 3;

pub(crate) async fn one_key_is_in_order_and_different_keys_are_side_by_side<B: Broker + 'static>(
    broker: Rc<B>,
) {
    let in_order = broker.in_order().await;
    let ids = |key: &str| -> Vec<String> {
        (0..OF_EACH_KEY)
            .map(|n| format!("slow-{key}-{n}"))
            .collect()
    };
    let keys = ["a", "b", "c"];
    for key in keys {
        send_in_order(&*in_order, key, &ids(key)).await;
    }
    beside_a_consumer(in_order, async |run| {
        let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let note = |id: String, seen: &mut BTreeMap<String, Vec<String>>| {
            let key = id.split('-').nth(1).unwrap().to_owned();
            seen.entry(key).or_default().push(id);
        };
        for _ in keys {
            note(run.next().await.id, &mut seen);
        }
        assert_eq!(seen.len(), keys.len(), "one of each key is under way");
        let early = timeout(A_MOMENT, run.next()).await;
        early.expect_err("the next of a key waits for the one before");
        run.let_go.add_permits(keys.len() * OF_EACH_KEY);
        for _ in keys.len()..keys.len() * OF_EACH_KEY {
            note(run.next().await.id, &mut seen);
        }
        for key in keys {
            assert_eq!(seen[key], ids(key));
        }
    })
    .await;
}

pub(crate) async fn what_comes_after_a_retry_of_its_key_waits_for_it<B: Broker + 'static>(
    broker: Rc<B>,
) {
    let in_order = broker.in_order().await;
    let ids = ["retry-first", "second", "third"].map(str::to_owned);
    send_in_order(&*in_order, "a", &ids).await;
    LocalSet::new()
        .run_until(async {
            let mut run = Run::start(in_order);
            let mut ended = Vec::new();
            while ended.len() < ids.len() {
                let call = run.next().await;
                // A subscription without a dead-letter policy does not count attempts: each looks like the first.
                let failed = call.id == ids[0] && call.attempt == 1;
                if !failed {
                    ended.push(call.id);
                } else if !ended.is_empty() {
                    panic!("{ended:?} overtook the first");
                } else if B::SYSTEM == "gcp_pubsub" {
                    break;
                }
            }
            if B::SYSTEM != "gcp_pubsub" {
                assert_eq!(ended, ids);
            }
            run.stop().await;
        })
        .await;
}
