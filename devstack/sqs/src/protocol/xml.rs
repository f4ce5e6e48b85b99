//! Answers of the query protocol.

use std::fmt::Write;

use axum::response::Response;
use serde_json::{Map, Value};

use super::{
    query_members::{self, Shape},
    respond,
};
use crate::error::Error;

const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";
const CONTENT_TYPE: &str = "text/xml";

pub(super) fn encode(operation: &str, output: &Value, request_id: &str) -> Response {
    let mut xml = Xml::new(operation);
    // An operation without an answer has no result element; one with an empty answer has an empty one.
    if let Value::Object(members) = output {
        xml.element(&format!("{operation}Result"), |xml| xml.members(members));
    }
    xml.element("ResponseMetadata", |xml| xml.text("RequestId", request_id));
    respond(
        200,
        CONTENT_TYPE,
        xml.finish(&format!("{operation}Response")),
    )
}

pub(super) fn encode_error(error: &Error, request_id: &str) -> Response {
    let code = error.code();
    let mut xml = Xml::new("");
    xml.element("Error", |xml| {
        xml.text("Type", "Sender");
        xml.text("Code", code.query);
        xml.text("Message", &error.to_string());
        xml.element("Detail", |_| {});
    });
    xml.text("RequestId", request_id);
    respond(code.status, CONTENT_TYPE, xml.finish("ErrorResponse"))
}

struct Xml<'a> {
    operation: &'a str,
    written: String,
}

impl<'a> Xml<'a> {
    fn new(operation: &'a str) -> Self {
        Self {
            operation,
            written: String::new(),
        }
    }

    /// The document, with `root` around everything written so far.
    fn finish(self, root: &str) -> String {
        let written = self.written;
        format!("<?xml version=\"1.0\"?><{root} xmlns=\"{NAMESPACE}\">{written}</{root}>")
    }

    fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.push(format_args!("<{name}>"));
        content(self);
        self.push(format_args!("</{name}>"));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.element(name, |xml| text.chars().for_each(|c| xml.escaped(c)));
    }

    fn escaped(&mut self, c: char) {
        match c {
            '&' => self.written.push_str("&amp;"),
            '<' => self.written.push_str("&lt;"),
            '>' => self.written.push_str("&gt;"),
            '"' => self.written.push_str("&quot;"),
            // A parser turns a bare carriage return into a line feed, and the body's digest would not fit.
            '\r' => self.written.push_str("&#xD;"),
            // Names that clients chose may hold characters that XML has no way to write.
            c if c.is_control() && !matches!(c, '\t' | '\n') => self.written.push('\u{FFFD}'),
            c => self.written.push(c),
        }
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        self.written
            .write_fmt(text)
            .expect("writing to a String cannot fail");
    }

    fn members(&mut self, members: &Map<String, Value>) {
        for (name, value) in members {
            match query_members::of_answer(self.operation, name) {
                Some((element, shape)) => self.collection(&element, shape, value),
                None => self.value(name, value),
            }
        }
    }

    fn collection(&mut self, element: &str, shape: Shape, value: &Value) {
        match (shape, value) {
            (Shape::List, Value::Array(items)) => {
                for item in items {
                    self.value(element, item);
                }
            }
            (Shape::Map { key, value }, Value::Object(members)) => {
                for (name, member) in members {
                    self.element(element, |xml| {
                        xml.text(key, name);
                        xml.value(value, member);
                    });
                }
            }
            _ => self.value(element, value),
        }
    }

    fn value(&mut self, name: &str, value: &Value) {
        match value {
            Value::Object(members) => self.element(name, |xml| xml.members(members)),
            Value::String(text) => self.text(name, text),
            other => self.text(name, &other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(operation: &str, output: &Value) -> String {
        let mut xml = Xml::new(operation);
        xml.members(output.as_object().unwrap());
        xml.written
    }

    #[test]
    fn repeats_the_elements_of_lists_and_maps() {
        let output = json!({ "Messages": [{ "Body": "a", "Attributes": { "SenderId": "0" } }] });
        assert_eq!(
            written("ReceiveMessage", &output),
            "<Message><Attribute><Name>SenderId</Name><Value>0</Value></Attribute><Body>a</Body></Message>"
        );
    }

    #[test]
    fn names_batch_results_after_the_operation() {
        let output = json!({ "Successful": [{ "Id": "a" }] });
        assert_eq!(
            written("DeleteMessageBatch", &output),
            "<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>"
        );
    }

    #[test]
    fn escapes_what_a_parser_would_change() {
        let output = json!({ "Body": "<a href=\"x\">&\r\n\t</a>" });
        assert_eq!(
            written("", &output),
            "<Body>&lt;a href=&quot;x&quot;&gt;&amp;&#xD;\n\t&lt;/a&gt;</Body>"
        );
    }
}
