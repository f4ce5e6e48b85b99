//! What a client can ask for: [`run`] is the list of everything this server can do.

mod call;
mod queues;
mod receive;
mod send;

use serde::de::DeserializeOwned;
use serde_json::Value;

use self::call::{Batch, answers, parse, queue_name};
use crate::error::Error;

pub(crate) use self::call::{Call, read};

/// Runs one operation, whose input and answer have the shape of AWS JSON.
pub(crate) async fn run(call: &Call, operation: &str, input: Value) -> Result<Value, Error> {
    match operation {
        "CreateQueue" => queues::create(call, parse(input)?),
        "DeleteQueue" => queues::delete(call, &queue_name(&input)?),
        "GetQueueUrl" => queues::get_url(call, parse(input)?),
        "GetQueueAttributes" => one(call, input, queues::get_attributes),
        "PurgeQueue" => queues::purge(call, &queue_name(&input)?),
        "SendMessage" => one(call, input, send::send),
        "SendMessageBatch" => send::send_batch(call, input),
        "ReceiveMessage" => receive::receive(call, &queue_name(&input)?, parse(input)?).await,
        "DeleteMessage" => one(call, input, receive::delete),
        "DeleteMessageBatch" => batch(call, input, receive::delete),
        "ChangeMessageVisibility" => one(call, input, receive::change_visibility),
        "ChangeMessageVisibilityBatch" => batch(call, input, receive::change_visibility),
        _ => Err(Error::UnknownOperation(operation.to_owned())),
    }
}

/// What an operation does on one queue, to one message if it has a batch form.
type Operation<E> = fn(&Call, &str, E) -> Result<Value, Error>;

fn one<E: DeserializeOwned>(
    call: &Call,
    input: Value,
    operation: Operation<E>,
) -> Result<Value, Error> {
    operation(call, &queue_name(&input)?, parse(input)?)
}

fn batch<E: DeserializeOwned>(
    call: &Call,
    input: Value,
    operation: Operation<E>,
) -> Result<Value, Error> {
    let batch = Batch::read(call, input)?;
    let run = |entry| operation(call, &batch.queue, entry);
    let entries = batch.entries.into_iter();
    Ok(answers(entries.map(|(id, entry)| (id, run(entry)))))
}
