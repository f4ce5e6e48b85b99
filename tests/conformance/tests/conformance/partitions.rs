//! What only Kafka has: partitions, which must not hold up each other.

use std::rc::Rc;

use tokio::task::LocalSet;

use crate::kafka::Kafka;
use crate::run::Run;

/// More than waits for the record in hand before a partition is no longer fetched from.
const RECORDS: usize = 400;

pub(crate) async fn a_stuck_partition_holds_up_no_other_and_loses_nothing(broker: Rc<Kafka>) {
    let ids = |kind: &str| -> Vec<String> { (0..RECORDS).map(|n| format!("{kind}-{n}")).collect() };
    let (stuck, others) = (ids("slow"), ids("good"));
    broker.send_to_partition(0, &stuck);
    broker.send_to_partition(1, &others);
    LocalSet::new()
        .run_until(async {
            let mut run = Run::start(broker);
            let mut received = Vec::new();
            while received.len() < RECORDS {
                let call = run.next().await;
                if call.id != stuck[0] {
                    received.push(call.id);
                }
            }
            assert_eq!(received, others);
            run.let_go.add_permits(RECORDS);
            for expected in &stuck[1..] {
                assert_eq!(run.next().await.id, *expected);
            }
            run.stop().await;
        })
        .await;
}
