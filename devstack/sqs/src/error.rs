//! Every way a request can be refused, with the codes that AWS uses for it.
//!
//! Clients match on these codes, so each variant carries three: the JSON protocol's type, the older
//! query protocol's code (also sent in the `x-amzn-query-error` header) and the HTTP status.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>

/// A refused request, or a refused entry of a batch.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    #[error("The input receipt handle is invalid.")]
    ReceiptHandleIsInvalid,
    #[error("The message is not in flight, so its visibility timeout cannot be changed.")]
    MessageNotInflight,
    #[error("There should be at least one entry in the request.")]
    EmptyBatchRequest,
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidBatchEntryId,
    #[error("Batch requests cannot be longer than 1048576 bytes. You have sent {0} bytes.")]
    BatchRequestTooLong(usize),
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )]
    InvalidMessageContents,
    #[error("The queue has 120000 messages in flight, which is the most it may have.")]
    OverLimit,
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    #[error("The address {0} is not valid for this endpoint.")]
    InvalidAddress(String),
    #[error("{0}")]
    InvalidParameterValue(String),
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    #[error("The action {0} is not valid for this endpoint.")]
    UnknownOperation(String),
    #[error("The request could not be read: {0}")]
    Serialization(String),
}

impl Error {
    /// The three of them: `__type` of the JSON protocol without its namespace, `Code` of the query protocol, the status.
    #[rustfmt::skip] // A table reads better with one row per error.
    pub(crate) fn codes(&self) -> (&'static str, &'static str, u16) {
        match self {
            Self::QueueDoesNotExist => ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400),
            Self::ReceiptHandleIsInvalid => ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404),
            Self::MessageNotInflight => ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400),
            Self::EmptyBatchRequest => ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400),
            Self::TooManyEntriesInBatchRequest(_) => ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400),
            Self::BatchEntryIdsNotDistinct(_) => ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400),
            Self::InvalidBatchEntryId => ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400),
            Self::BatchRequestTooLong(_) => ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400),
            Self::InvalidMessageContents => ("InvalidMessageContents", "InvalidMessageContents", 400),
            Self::OverLimit => ("OverLimit", "OverLimit", 403),
            Self::InvalidAttributeName(_) => ("InvalidAttributeName", "InvalidAttributeName", 400),
            Self::InvalidAddress(_) => ("InvalidAddress", "InvalidAddress", 404),
            Self::InvalidParameterValue(_) => ("InvalidParameterValueException", "InvalidParameterValue", 400),
            Self::MissingParameter(_) => ("MissingRequiredParameterException", "MissingParameter", 400),
            Self::UnknownOperation(_) => ("UnknownOperationException", "InvalidAction", 400),
            Self::Serialization(_) => ("SerializationException", "MalformedInput", 400),
        }
    }
}
