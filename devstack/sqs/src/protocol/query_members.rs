//! How the query protocol calls the lists and maps of the JSON protocol.
//!
//! Both are flattened there: `AttributeName.1=All`, `Attribute.1.Name=…&Attribute.1.Value=…` in
//! requests, repeated elements in answers.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    List,
    Map {
        key: &'static str,
        value: &'static str,
    },
}

const NAMED: Shape = Shape::Map {
    key: "Name",
    value: "Value",
};
const TAGS: Shape = Shape::Map {
    key: "Key",
    value: "Value",
};

/// In requests: name in the form, name in JSON, shape.
const REQUEST: [(&str, &str, Shape); 13] = [
    ("Attribute", "Attributes", NAMED),
    ("AttributeName", "AttributeNames", Shape::List),
    ("BinaryListValue", "BinaryListValues", Shape::List),
    (
        "ChangeMessageVisibilityBatchRequestEntry",
        "Entries",
        Shape::List,
    ),
    ("DeleteMessageBatchRequestEntry", "Entries", Shape::List),
    ("MessageAttribute", "MessageAttributes", NAMED),
    ("MessageAttributeName", "MessageAttributeNames", Shape::List),
    ("MessageSystemAttribute", "MessageSystemAttributes", NAMED),
    (
        "MessageSystemAttributeName",
        "MessageSystemAttributeNames",
        Shape::List,
    ),
    ("SendMessageBatchRequestEntry", "Entries", Shape::List),
    ("StringListValue", "StringListValues", Shape::List),
    ("Tag", "Tags", TAGS),
    ("TagKey", "TagKeys", Shape::List),
];

/// Members that are numbers in JSON; the values of queue attributes are texts in both protocols.
const NUMBERS: [&str; 6] = [
    "DelaySeconds",
    "MaxNumberOfMessages",
    "MaxNumberOfMessagesPerSecond",
    "MaxResults",
    "VisibilityTimeout",
    "WaitTimeSeconds",
];

pub(super) fn of_request(name: &str) -> Option<(&'static str, Shape)> {
    let mut members = REQUEST.iter();
    let (_, json, shape) = members.find(|(form, _, _)| *form == name)?;
    Some((json, *shape))
}

pub(super) fn is_number(name: &str) -> bool {
    NUMBERS.contains(&name)
}

/// In answers: the element for each item of the JSON member `name`, and its shape.
pub(super) fn of_answer(operation: &str, name: &str) -> Option<(String, Shape)> {
    let (element, shape) = match name {
        "Attributes" => ("Attribute", NAMED),
        "MessageAttributes" => ("MessageAttribute", NAMED),
        "Tags" => ("Tag", TAGS),
        "Messages" => ("Message", Shape::List),
        "QueueUrls" | "queueUrls" => ("QueueUrl", Shape::List),
        "Results" => ("ListMessageMoveTasksResultEntry", Shape::List),
        "Failed" => ("BatchResultErrorEntry", Shape::List),
        "Successful" => return Some((format!("{operation}ResultEntry"), Shape::List)),
        _ => return None,
    };
    Some((element.to_owned(), shape))
}
