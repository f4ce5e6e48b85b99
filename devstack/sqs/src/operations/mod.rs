//! What a client can ask for: [`run`] is the list of everything this server can do.

mod batch;
mod call;
mod queues;
mod receive;
mod send;
mod settle;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use self::batch::{Batch, One};
pub(crate) use self::call::Call;
use crate::error::Error;

/// Runs one operation, whose input and answer have the shape of AWS JSON.
pub(crate) async fn run(call: &Call, operation: &str, input: Value) -> Result<Value, Error> {
    match operation {
        "CreateQueue" => output(queues::create(call, parse(input)?)),
        "DeleteQueue" => output(queues::delete(call, parse(input)?)),
        "GetQueueUrl" => output(queues::get_url(call, parse(input)?)),
        "GetQueueAttributes" => output(queues::get_attributes(call, parse(input)?)),
        "PurgeQueue" => output(queues::purge(call, parse(input)?)),
        "SendMessage" => output(one(call, input, send::send)),
        "SendMessageBatch" => output(send::send_batch(call, parse(input)?)),
        "ReceiveMessage" => output(receive::receive(call, parse(input)?).await),
        "DeleteMessage" => output(one(call, input, settle::delete)),
        "DeleteMessageBatch" => output(batch(call, input, settle::delete)),
        "ChangeMessageVisibility" => output(one(call, input, settle::change_visibility)),
        "ChangeMessageVisibilityBatch" => output(batch(call, input, settle::change_visibility)),
        _ => Err(Error::UnknownOperation(operation.to_owned())),
    }
}

/// Does something to one message of a queue.
type Operation<E, T> = fn(&Call, &str, E) -> Result<T, Error>;

fn one<E: DeserializeOwned, T>(
    call: &Call,
    input: Value,
    operation: Operation<E, T>,
) -> Result<T, Error> {
    let (queue, entry) = parse::<One<E>>(input)?.check()?;
    operation(call, &queue, entry)
}

fn batch<E: DeserializeOwned, T: Serialize>(
    call: &Call,
    input: Value,
    operation: Operation<E, T>,
) -> Result<impl Serialize + use<E, T>, Error> {
    let (queue, entries) = parse::<Batch<E>>(input)?.check(call)?;
    Ok(batch::run(entries, |entry| operation(call, &queue, entry)))
}

fn parse<I: DeserializeOwned>(input: Value) -> Result<I, Error> {
    serde_json::from_value(input).map_err(|error| Error::Serialization(error.to_string()))
}

fn output(result: Result<impl Serialize, Error>) -> Result<Value, Error> {
    serde_json::to_value(result?).map_err(|error| Error::Serialization(error.to_string()))
}
