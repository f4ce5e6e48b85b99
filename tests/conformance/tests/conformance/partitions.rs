//! What only Kafka has: partitions, which must not hold up each other, and go from member to member.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use otel_messaging::Settings;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::broker::{Work, settings};
use crate::cases::A_MOMENT;
use crate::kafka::{Kafka, PARTITIONS};
use crate::run::Run;

/// More records than may be ahead of the one that holds the commit back.
const RECORDS: usize = 400;
/// In this time a member joins, and the others have to let go of partitions; the mock cluster takes
/// nine seconds for each of two rounds.
const REBALANCE: Duration = Duration::from_secs(22);

fn ids(kind: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{kind}-{n}")).collect()
}

/// Little may run ahead, so that a partition is soon full.
fn narrow() -> Settings {
    let mut settings = settings();
    settings.run_ahead = 20;
    settings
}

pub(crate) async fn a_stuck_partition_holds_up_no_other_and_loses_nothing(broker: Rc<Kafka>) {
    let (stuck, others) = (ids("slow", RECORDS), ids("good", RECORDS));
    broker.send_to_partition(0, &stuck).await;
    broker.send_to_partition(1, &others).await;
    LocalSet::new()
        .run_until(async {
            let mut run = Run::start_with(broker, narrow(), Work::OneByOne);
            let (mut waiting, mut received) = (Vec::new(), Vec::new());
            while received.len() < RECORDS {
                let call = run.next().await;
                if call.id.starts_with("slow") {
                    waiting.push(call.id);
                } else {
                    received.push(call.id);
                }
            }
            assert_eq!(received, others);
            run.let_go.add_permits(RECORDS);
            while waiting.len() < RECORDS {
                waiting.push(run.next().await.id);
            }
            assert_eq!(waiting, stuck);
            run.stop().await;
        })
        .await;
}

pub(crate) async fn a_full_partition_goes_on_after_a_rebalance(broker: Rc<Kafka>) {
    let ids: Vec<_> = (0..PARTITIONS)
        .map(|partition| ids(&format!("slow-{partition}"), RECORDS))
        .collect();
    for (partition, ids) in (0..).zip(&ids) {
        broker.send_to_partition(partition, ids).await;
    }
    let all: BTreeSet<_> = ids.into_iter().flatten().collect();
    LocalSet::new()
        .run_until(async {
            let mut run = Run::start_with(broker.clone(), narrow(), Work::OneByOne);
            let mut seen = BTreeSet::from([run.next().await.id]);
            // It comes while the partitions are full, takes one of them, works on some, and goes.
            let mut other = Run::start_with(broker.clone(), narrow(), Work::OneByOne);
            seen.insert(other.next().await.id);
            other.let_go.add_permits(all.len());
            seen.extend(other.stop_and_drain().await.into_iter().map(|call| call.id));
            run.let_go.add_permits(2 * all.len());
            while seen != all {
                seen.insert(run.next().await.id);
            }
            run.stop().await;
        })
        .await;
}

pub(crate) async fn a_record_in_hand_is_finished_before_its_partition_goes(broker: Rc<Kafka>) {
    for partition in 0..PARTITIONS {
        let id = format!("slow-{partition}");
        broker.send_to_partition(partition, &[id]).await;
    }
    let mut patient = settings();
    patient.drain_timeout = Duration::from_mins(1);
    LocalSet::new()
        .run_until(async {
            let mut first = Run::start_with(broker.clone(), patient.clone(), Work::OneByOne);
            for _ in 0..PARTITIONS {
                first.next().await;
            }
            let mut second = Run::start_with(broker.clone(), patient, Work::OneByOne);
            let early = timeout(REBALANCE, second.next()).await;
            early.expect_err("the records are in hand elsewhere");
            first.let_go.add_permits(10);
            // One of the partitions becomes the second member's, and what it gets is new.
            let call = loop {
                for partition in 0..PARTITIONS {
                    let id = format!("new-{partition}");
                    broker.send_to_partition(partition, &[id]).await;
                }
                if let Ok(call) = timeout(A_MOMENT, second.next()).await {
                    break call;
                }
            };
            // The mock cluster refuses commits while a group rebalances.
            if broker.is_real() {
                assert!(call.id.starts_with("new"), "{} came twice", call.id);
            }
            first.stop().await;
            second.stop().await;
        })
        .await;
}
