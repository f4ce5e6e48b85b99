//! Dead letters are moved back, in the background.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Call, in_range, required};
use crate::{
    error::Error,
    limits,
    move_task::{MoveTask, Status},
    redrive,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartMessageMoveTask {
    source_arn: Option<String>,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartMessageMoveTaskResult {
    task_handle: String,
}

pub(super) fn start_message_move_task(
    call: &Call,
    input: StartMessageMoveTask,
) -> Result<StartMessageMoveTaskResult, Error> {
    let source = queue_of("SourceArn", &required("SourceArn", input.source_arn)?)?;
    let destination = input
        .destination_arn
        .map(|arn| queue_of("DestinationArn", &arn));
    let rate = in_range(
        "MaxNumberOfMessagesPerSecond",
        input.max_number_of_messages_per_second,
        &limits::MOVES_PER_SECOND,
    )?;
    let now = call.emulator.now();
    let destination = destination.transpose()?;
    let mut queues = call.emulator.queues();
    let task = queues.start_move(&source, destination.as_deref(), rate, now)?;
    drop(queues);
    call.emulator.carry_on_moving(task);
    let task_handle = BASE64.encode(task.to_string());
    Ok(StartMessageMoveTaskResult { task_handle })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMessageMoveTasks {
    source_arn: Option<String>,
    max_results: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMessageMoveTasksResult {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<TaskEntry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TaskEntry {
    /// Only while the task runs and can be cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_handle: Option<String>,
    status: &'static str,
    source_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_number_of_messages_per_second: Option<u64>,
    approximate_number_of_messages_moved: u64,
    approximate_number_of_messages_to_move: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    /// Milliseconds since 1970.
    started_timestamp: u64,
}

/// The newest first; one unless more are asked for.
pub(super) fn list_message_move_tasks(
    call: &Call,
    input: ListMessageMoveTasks,
) -> Result<ListMessageMoveTasksResult, Error> {
    let source = queue_of("SourceArn", &required("SourceArn", input.source_arn)?)?;
    let count = in_range("MaxResults", input.max_results, &(1..=10))?.unwrap_or(1);
    let queues = call.emulator.queues();
    if !queues.exists(&source) {
        return Err(Error::ResourceNotFound(
            "The resource that you specified for the SourceArn parameter doesn't exist.",
        ));
    }
    let tasks = queues.move_tasks.iter().rev();
    let tasks = tasks.filter(|task| task.source == source);
    let count = usize::try_from(count).unwrap_or(1);
    let results = tasks.take(count).map(entry).collect();
    Ok(ListMessageMoveTasksResult { results })
}

fn entry(task: &MoveTask) -> TaskEntry {
    let running = task.status == Status::Running;
    let failure_reason = match task.status {
        Status::Failed(reason) => Some(reason),
        Status::Running | Status::Completed | Status::Cancelled => None,
    };
    TaskEntry {
        task_handle: running.then(|| BASE64.encode(task.id.to_string())),
        status: task.status.name(),
        source_arn: redrive::arn(&task.source),
        destination_arn: task.destination.as_deref().map(redrive::arn),
        max_number_of_messages_per_second: task.rate,
        approximate_number_of_messages_moved: task.moved,
        approximate_number_of_messages_to_move: task.to_move,
        failure_reason,
        started_timestamp: task.started_at.millis(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CancelMessageMoveTask {
    task_handle: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CancelMessageMoveTaskResult {
    approximate_number_of_messages_moved: u64,
}

pub(super) fn cancel_message_move_task(
    call: &Call,
    input: CancelMessageMoveTask,
) -> Result<CancelMessageMoveTaskResult, Error> {
    let handle = required("TaskHandle", input.task_handle)?;
    let task = decode(&handle).ok_or_else(|| {
        Error::InvalidParameterValue("Value for parameter TaskHandle is invalid.".to_owned())
    })?;
    let approximate_number_of_messages_moved = call.emulator.queues().cancel_move(task)?;
    Ok(CancelMessageMoveTaskResult {
        approximate_number_of_messages_moved,
    })
}

fn decode(handle: &str) -> Option<Uuid> {
    let id = BASE64.decode(handle).ok()?;
    String::from_utf8(id).ok()?.parse().ok()
}

fn queue_of(parameter: &str, arn: &str) -> Result<String, Error> {
    redrive::queue_of_arn(arn).map(str::to_owned).ok_or_else(|| {
        Error::InvalidParameterValue(format!(
            "You must use this format to specify the {parameter}: arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
        ))
    })
}
