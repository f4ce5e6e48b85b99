//! Moving dead letters back, a task that AWS runs in the background.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>

use uuid::Uuid;

use crate::{clock::Timestamp, error::Error, queue_set::QueueSet};

#[derive(Debug, Clone)]
pub(crate) struct MoveTask {
    pub(crate) id: Uuid,
    /// The dead-letter queue that is being emptied.
    pub(crate) source: String,
    /// `None` sends every message back to the queue it came from.
    pub(crate) destination: Option<String>,
    /// Messages per second; `None` is as fast as it goes.
    pub(crate) rate: Option<u64>,
    pub(crate) started_at: Timestamp,
    pub(crate) to_move: u64,
    pub(crate) moved: u64,
    pub(crate) status: Status,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    Completed,
    Cancelled,
    Failed(&'static str),
}

impl Status {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Failed(_) => "FAILED",
        }
    }
}

/// Finished tasks that are remembered; AWS lists at most as many for a queue.
const REMEMBERED: usize = 10;

impl QueueSet {
    /// Starts a task and moves its first messages.
    pub(crate) fn start_move(
        &mut self,
        source: &str,
        destination: Option<&str>,
        rate: Option<u64>,
        now: Timestamp,
    ) -> Result<Uuid, Error> {
        self.check_move(source, destination)?;
        let to_move = self.get_mut(source)?.counts(now).ready;
        let task = MoveTask {
            id: Uuid::new_v4(),
            source: source.to_owned(),
            destination: destination.map(str::to_owned),
            rate,
            started_at: now,
            to_move: to_move as u64,
            moved: 0,
            status: Status::Running,
        };
        let id = task.id;
        self.move_tasks.push(task);
        self.advance_move(id, now);
        self.forget_old_moves(source);
        Ok(id)
    }

    fn check_move(&self, source: &str, destination: Option<&str>) -> Result<(), Error> {
        if !self.exists(source) {
            return Err(Error::ResourceNotFound(
                "The resource that you specified for the SourceArn parameter doesn't exist.",
            ));
        }
        if destination.is_some_and(|name| !self.exists(name)) {
            return Err(Error::ResourceNotFound(
                "The resource that you specified for the DestinationArn parameter doesn't exist.",
            ));
        }
        if self.dead_letter_sources(source).next().is_none() {
            return Err(Error::InvalidParameterValue(
                "Source queue must be configured as a Dead Letter Queue.".to_owned(),
            ));
        }
        if let Some(destination) = destination
            && self.get(source)?.is_fifo() != self.get(destination)?.is_fifo()
        {
            return Err(Error::InvalidParameterValue(
                "Source and destination must be queues of the same type.".to_owned(),
            ));
        }
        let mut tasks = self.move_tasks.iter();
        if tasks.any(|task| task.source == source && task.status == Status::Running) {
            return Err(Error::InvalidParameterValue(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Moves what one second allows; `true` if the task goes on after that.
    pub(crate) fn advance_move(&mut self, id: Uuid, now: Timestamp) -> bool {
        let Some(index) = self.move_tasks.iter().position(|task| task.id == id) else {
            return false;
        };
        let mut task = self.move_tasks[index].clone();
        for _ in 0..task.rate.unwrap_or(u64::MAX) {
            if task.status != Status::Running {
                break;
            }
            self.move_one(&mut task, now);
        }
        let goes_on = task.status == Status::Running;
        self.move_tasks[index] = task;
        goes_on
    }

    fn move_one(&mut self, task: &mut MoveTask, now: Timestamp) {
        if task.moved >= task.to_move {
            task.status = Status::Completed;
            return;
        }
        let Ok(source) = self.get_mut(&task.source) else {
            task.status = Status::Failed("AWS.SimpleQueueService.NonExistentQueue");
            return;
        };
        let Some(message) = source.peek_ready(now) else {
            task.status = Status::Completed;
            return;
        };
        let moved = message.renewed(now);
        let destination = task.destination.as_ref();
        let destination = destination.or(message.dead_letter_source.as_ref()).cloned();
        let is_known = |name: &String| *name != task.source && self.exists(name);
        let Some(queue) = destination.filter(is_known) else {
            // A letter that was sent here directly, or whose queue is gone, has no way back: it stays.
            task.status = Status::Failed("CouldNotDetermineMessageSource");
            return;
        };
        task.moved += 1;
        // Both queues were just seen to exist, under the same lock.
        let taken = self
            .get_mut(&task.source)
            .map(|source| source.take_ready(now));
        if let Err(error) = taken.and_then(|_| self.add(&queue, moved, now)) {
            tracing::error!(%error, queue, "a moved message was lost");
        }
    }

    /// Stops a task and tells how many messages it moved.
    pub(crate) fn cancel_move(&mut self, id: Uuid) -> Result<u64, Error> {
        let missing = "The task does not exist, or is not running.";
        let mut tasks = self.move_tasks.iter_mut();
        let task = tasks
            .find(|task| task.id == id && task.status == Status::Running)
            .ok_or(Error::ResourceNotFound(missing))?;
        task.status = Status::Cancelled;
        Ok(task.moved)
    }

    fn forget_old_moves(&mut self, source: &str) {
        let of_source = |task: &MoveTask| task.source == source;
        let count = self
            .move_tasks
            .iter()
            .filter(|task| of_source(task))
            .count();
        if count > REMEMBERED
            && let Some(oldest) = self.move_tasks.iter().position(of_source)
        {
            self.move_tasks.remove(oldest);
        }
    }
}
