//! Requests of the query protocol: a form whose dotted names spell a tree.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::collections::BTreeMap;

use axum::http::Uri;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{
    Request,
    query_members::{self, Shape},
};
use crate::error::Error;

/// Deeper than any name that the service model has, and shallow enough for recursion.
const MAX_DEPTH: usize = 8;

/// The form, by the parts of its dotted names.
#[derive(Debug, Default)]
struct Node {
    value: Option<String>,
    children: BTreeMap<String, Node>,
}

/// Reads the form in the body, or in the URI as older scripts send it.
pub(super) fn decode(uri: &Uri, body: &[u8]) -> Result<Request, Error> {
    let form = if body.is_empty() {
        uri.query().unwrap_or_default().as_bytes()
    } else {
        body
    };
    let mut root = Node::default();
    for (name, value) in form_urlencoded::parse(form) {
        // Clients write an empty list as one empty parameter with the list's name.
        if !value.is_empty() || name.contains('.') {
            root.insert(&name, value.into_owned())?;
        }
    }
    let action = root.children.remove("Action").and_then(|node| node.value);
    let mut input = object(root.children);
    if !input.contains_key("QueueUrl") && uri.path() != "/" {
        // The oldest clients name the queue by the path they post to.
        input.insert("QueueUrl".to_owned(), uri.path().into());
    }
    Ok(Request {
        operation: action.ok_or(Error::MissingParameter("Action"))?,
        input: Value::Object(input),
    })
}

impl Node {
    fn insert(&mut self, name: &str, value: String) -> Result<(), Error> {
        let parts: Vec<&str> = name.splitn(MAX_DEPTH + 1, '.').collect();
        if parts.len() > MAX_DEPTH {
            return Err(Error::Serialization("a name has too many parts".to_owned()));
        }
        let mut node = self;
        for part in parts {
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.value = Some(value);
        Ok(())
    }

    /// The items of a list or map, in the order of their numbers.
    fn items(self) -> Vec<Node> {
        let mut numbered: Vec<(u32, Node)> = self
            .children
            .into_iter()
            .filter_map(|(number, node)| Some((number.parse().ok()?, node)))
            .collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, node)| node).collect()
    }

    fn into_value(self, name: &str) -> Value {
        match self.value {
            Some(text) if query_members::is_number(name) => number(text),
            Some(text) => Value::String(text),
            None => Value::Object(object(self.children)),
        }
    }
}

fn object(children: BTreeMap<String, Node>) -> Map<String, Value> {
    children.into_iter().map(member).collect()
}

fn member((name, node): (String, Node)) -> (String, Value) {
    if let Some((json, shape)) = query_members::of_request(&name) {
        return (json.to_owned(), collection(node, shape));
    }
    let value = node.into_value(&name);
    (name, value)
}

fn collection(node: Node, shape: Shape) -> Value {
    let items = node.items().into_iter();
    match shape {
        Shape::List => items.map(|item| item.into_value("")).collect(),
        Shape::Map { key, value } => items.filter_map(|item| pair(item, key, value)).collect(),
    }
}

fn pair(mut item: Node, key: &str, value: &str) -> Option<(String, Value)> {
    let key = item.children.remove(key)?.value?;
    let value = item.children.remove(value)?.into_value("");
    Some((key, value))
}

/// A text that is no number stays one, for the operation to refuse by its own name.
fn number(text: String) -> Value {
    text.parse::<i64>().map_or(Value::String(text), Value::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(form: &str) -> Request {
        super::decode(&Uri::from_static("/"), form.as_bytes()).unwrap()
    }

    #[test]
    fn reads_numbers_lists_and_maps() {
        let request = decode(
            "Action=ReceiveMessage&WaitTimeSeconds=5&AttributeName.2=B&AttributeName.1=A\
             &Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=7",
        );
        assert_eq!(request.operation, "ReceiveMessage");
        let expected = json!({
            "WaitTimeSeconds": 5,
            "AttributeNames": ["A", "B"],
            "Attributes": { "VisibilityTimeout": "7" },
        });
        assert_eq!(request.input, expected);
    }

    #[test]
    fn reads_message_attributes_of_batch_entries() {
        let request = decode(
            "Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=a\
             &SendMessageBatchRequestEntry.1.DelaySeconds=3\
             &SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n\
             &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=String\
             &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue=a%20b",
        );
        let attribute = json!({ "DataType": "String", "StringValue": "a b" });
        let entry =
            json!({ "Id": "a", "DelaySeconds": 3, "MessageAttributes": { "n": attribute } });
        assert_eq!(request.input, json!({ "Entries": [entry] }));
    }

    #[test]
    fn reads_an_empty_list_as_none_and_an_empty_value_as_empty() {
        let request = decode("Action=X&Entries=&Attribute.1.Name=Policy&Attribute.1.Value=");
        assert_eq!(request.input, json!({ "Attributes": { "Policy": "" } }));
    }

    #[test]
    fn reads_the_action_from_the_uri_and_the_queue_from_its_path() {
        let uri = Uri::from_static("/000000000000/jobs?Action=PurgeQueue");
        let request = super::decode(&uri, b"").unwrap();
        assert_eq!(request.operation, "PurgeQueue");
        assert_eq!(request.input["QueueUrl"], "/000000000000/jobs");
    }

    #[test]
    fn refuses_a_form_without_action_and_one_without_end() {
        let root = Uri::from_static("/");
        assert!(super::decode(&root, b"").is_err());
        let deep = format!("Action=X&{}=1", ["a"; 9].join("."));
        assert!(super::decode(&root, deep.as_bytes()).is_err());
    }
}
