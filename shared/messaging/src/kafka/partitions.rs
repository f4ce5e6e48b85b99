//! The partitions that a member has: each is worked on by a task, from the rebalance that gives it to the one that takes it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::Consumer as _;
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::consumer::{Group, at, error, note, receive_error};
use super::group::{Rebalance, answer, log};
use super::offsets::Offsets;
use super::partition::Partition;
use crate::consumer::Receive;
use crate::driver::Driver;
use crate::error::ReceiveError;
use crate::stack::Process;

/// How long to wait after the client failed to receive: it must go on to be polled for rebalances.
const PAUSE: Duration = Duration::from_millis(100);

/// A partition, by its topic and number.
type Name = (String, i32);
/// What a partition's task ends with.
type Ended = (Name, Result<(), ReceiveError>);

impl Receive for Group {
    async fn receive<P: Process>(
        mut self,
        driver: Arc<Driver<P>>,
        stop: CancellationToken,
    ) -> Result<(), ReceiveError> {
        let mut partitions = Partitions {
            driver,
            stop: stop.clone(),
            assigned: HashMap::new(),
            tasks: JoinSet::new(),
            revoking: None,
        };
        let received = partitions.receive(&mut self, &stop).await;
        partitions.end().await;
        drop(partitions);
        self.leave().await;
        received
    }
}

/// The partitions that are ours, each worked on by a task.
struct Partitions<P> {
    driver: Arc<Driver<P>>,
    stop: CancellationToken,
    assigned: HashMap<Name, Assigned>,
    tasks: JoinSet<Ended>,
    revoking: Option<Revoking>,
}

struct Assigned {
    stop: CancellationToken,
    task: AbortHandle,
    offsets: Offsets,
}

/// Partitions that go to another member as soon as what is in hand of them is finished.
struct Revoking {
    partitions: TopicPartitionList,
    unfinished: HashSet<Name>,
}

impl<P: Process> Partitions<P> {
    async fn receive(
        &mut self,
        group: &mut Group,
        stop: &CancellationToken,
    ) -> Result<(), ReceiveError> {
        let mut fatal_at = None;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                Some(rebalance) = group.rebalances.recv() => {
                    if rebalance.gives_partitions() {
                        fatal_at = None;
                    }
                    self.rebalance(group, rebalance);
                }
                Some(ended) = self.tasks.join_next() => self.partition_ended(group, ended)?,
                () = at(fatal_at.as_ref()) => return Err(receive_error(group, fatal_at)),
                polled = group.client.recv() => match polled {
                    // Partitions have queues of their own, so this one is here by mistake: fetch it again.
                    Ok(record) => {
                        let (topic, partition) = (record.topic(), record.partition());
                        let offset = Offset::Offset(record.offset());
                        log(group.client.seek(topic, partition, offset, Duration::ZERO));
                    }
                    Err(error) => {
                        note(group, &error, &mut fatal_at)?;
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
    }

    /// A rebalance while another one waits means that the group did not wait: what is in hand is not ours any more.
    fn rebalance(&mut self, group: &Group, rebalance: Rebalance) {
        if let Some(revoking) = self.revoking.take() {
            for name in &revoking.unfinished {
                self.abandon(name);
            }
            let_go(group, revoking.partitions);
        }
        match rebalance {
            Rebalance::Assign(partitions) => self.assign(group, partitions),
            Rebalance::Revoke { partitions, lost } => self.revoke(group, partitions, lost),
        }
    }

    /// The queues are split off before the partitions are fetched from, so that no record goes past them.
    fn assign(&mut self, group: &Group, partitions: TopicPartitionList) {
        let mut begun = Vec::new();
        for name in names(&partitions) {
            let destination = group.destinations.iter().find(|topic| topic.name == name.0);
            let queue = group.client.split_partition_queue(&name.0, name.1);
            let (Some(destination), Some(queue)) = (destination, queue) else {
                tracing::error!(
                    topic = name.0,
                    partition = name.1,
                    "there is no such partition"
                );
                continue;
            };
            let partition = Partition {
                client: group.client.clone(),
                queue,
                destination: destination.clone(),
                group: group.name.clone(),
                number: name.1,
                offsets: Offsets::default(),
                run_ahead: group.settings.run_ahead,
            };
            begun.push((name, partition));
        }
        log(answer(&*group.client, &Rebalance::Assign(partitions)));
        for (name, partition) in begun {
            self.begin(name, partition);
        }
    }

    fn begin(&mut self, name: Name, partition: Partition) {
        let (stop, offsets) = (self.stop.child_token(), partition.offsets.clone());
        let (driver, token, of) = (self.driver.clone(), stop.clone(), name.clone());
        let work = async move { (of, driver.drive(partition, token).await) };
        let task = self.tasks.spawn(work);
        let assigned = Assigned {
            stop,
            task,
            offsets,
        };
        self.assigned.insert(name, assigned);
    }

    fn revoke(&mut self, group: &Group, partitions: TopicPartitionList, lost: bool) {
        let mut unfinished = HashSet::new();
        for name in names(&partitions) {
            if lost {
                self.abandon(&name);
            } else if let Some(assigned) = self.assigned.get(&name) {
                assigned.stop.cancel();
                unfinished.insert(name);
            }
        }
        if unfinished.is_empty() {
            return let_go(group, partitions);
        }
        self.revoking = Some(Revoking {
            partitions,
            unfinished,
        });
    }

    fn partition_ended(
        &mut self,
        group: &Group,
        ended: Result<Ended, JoinError>,
    ) -> Result<(), ReceiveError> {
        let (name, result) = match ended {
            Ok(ended) => ended,
            Err(aborted) if aborted.is_cancelled() => return Ok(()),
            Err(panic) => return Err(error(group, &panic)),
        };
        self.assigned.remove(&name);
        if let Some(revoking) = &mut self.revoking {
            revoking.unfinished.remove(&name);
        }
        let finished = self
            .revoking
            .take_if(|revoking| revoking.unfinished.is_empty());
        if let Some(revoking) = finished {
            let_go(group, revoking.partitions);
        }
        result
    }

    /// Another member has the partition: what is settled here from now on must not move its offset.
    fn abandon(&mut self, name: &Name) {
        if let Some(assigned) = self.assigned.remove(name) {
            assigned.offsets.close();
            assigned.task.abort();
        }
    }

    /// Every task ends within the drain time-out.
    async fn end(&mut self) {
        for assigned in self.assigned.values() {
            assigned.stop.cancel();
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

fn let_go(group: &Group, partitions: TopicPartitionList) {
    let revoke = Rebalance::Revoke {
        partitions,
        lost: false,
    };
    log(answer(&*group.client, &revoke));
}

fn names(partitions: &TopicPartitionList) -> Vec<Name> {
    let elements = partitions.elements();
    let names = elements
        .iter()
        .map(|element| (element.topic().to_owned(), element.partition()));
    names.collect()
}
