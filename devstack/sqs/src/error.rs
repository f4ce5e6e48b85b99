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
    BatchRequestTooLong(u64),
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

/// How an error is named on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code {
    /// `__type` of the JSON protocol, without its namespace.
    pub(crate) shape: &'static str,
    /// `Code` of the query protocol.
    pub(crate) query: &'static str,
    pub(crate) status: u16,
}

impl Code {
    const fn new(shape: &'static str, query: &'static str, status: u16) -> Self {
        Self {
            shape,
            query,
            status,
        }
    }

    /// The namespace of `shape`: errors of the service model, or of the framework beneath it.
    pub(crate) fn namespace(self) -> &'static str {
        if self.shape.ends_with("Exception") {
            "com.amazon.coral.service"
        } else {
            "com.amazonaws.sqs"
        }
    }
}

impl Error {
    #[rustfmt::skip] // A table reads better with one row per error.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::QueueDoesNotExist => Code::new("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", 400),
            Self::ReceiptHandleIsInvalid => Code::new("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", 404),
            Self::MessageNotInflight => Code::new("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", 400),
            Self::EmptyBatchRequest => Code::new("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", 400),
            Self::TooManyEntriesInBatchRequest(_) => Code::new("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400),
            Self::BatchEntryIdsNotDistinct(_) => Code::new("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", 400),
            Self::InvalidBatchEntryId => Code::new("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", 400),
            Self::BatchRequestTooLong(_) => Code::new("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", 400),
            Self::InvalidMessageContents => Code::new("InvalidMessageContents", "InvalidMessageContents", 400),
            Self::OverLimit => Code::new("OverLimit", "OverLimit", 403),
            Self::InvalidAttributeName(_) => Code::new("InvalidAttributeName", "InvalidAttributeName", 400),
            Self::InvalidAddress(_) => Code::new("InvalidAddress", "InvalidAddress", 404),
            Self::InvalidParameterValue(_) => Code::new("InvalidParameterValueException", "InvalidParameterValue", 400),
            Self::MissingParameter(_) => Code::new("MissingRequiredParameterException", "MissingParameter", 400),
            Self::UnknownOperation(_) => Code::new("UnknownOperationException", "InvalidAction", 400),
            Self::Serialization(_) => Code::new("SerializationException", "MalformedInput", 400),
        }
    }
}
