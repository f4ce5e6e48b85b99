//! The table of services: a row for each of the five, and what it is told.

use crate::ports::Port;

/// One of the five services.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its binary, its log file and its label on the screen.
    pub(crate) name: &'static str,
    /// What it listens on.
    pub(crate) port: Port,
    /// The variable that names its address to others, if anybody asks it for something.
    pub(crate) url: Option<&'static str>,
    /// How the variables begin that it is told, besides those of telemetry and of its own database.
    reads: &'static [&'static str],
}

#[rustfmt::skip]
pub(crate) static SERVICES: [Service; 5] = [
    Service {
        name: "gateway",
        port: Port::new("gateway-port", "GATEWAY_PORT", "8080", "the gateway"),
        url: Some("GATEWAY_URL"),
        reads: &["ORDERS_URL", "INVENTORY_URL"],
    },
    Service {
        name: "orders",
        port: Port::new("orders-port", "ORDERS_PORT", "8081", "the orders service"),
        url: Some("ORDERS_URL"),
        reads: &["KAFKA_", "PUBSUB_"],
    },
    Service {
        name: "inventory",
        port: Port::new("inventory-port", "INVENTORY_PORT", "8082", "the inventory service"),
        url: Some("INVENTORY_URL"),
        reads: &["KAFKA_"],
    },
    Service {
        name: "classifier",
        port: Port::new("classifier-port", "CLASSIFIER_PORT", "8083", "the classifier"),
        url: None,
        reads: &["KAFKA_", "INVENTORY_URL", "AWS_", "PUBSUB_", "OPENAI_"],
    },
    Service {
        name: "email",
        port: Port::new("email-port", "EMAIL_PORT", "8084", "the email service"),
        url: None,
        reads: &["KAFKA_", "SMTP_"],
    },
];

impl Service {
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        SERVICES.iter().find(|service| service.name == name)
    }

    /// `host:port`, for [`crate::ports::Ports::fill`].
    pub(crate) fn host(&self) -> String {
        format!("{{{}}}", self.name.to_uppercase())
    }

    /// Whether messages are brought to it.
    pub(crate) fn has_messages(&self) -> bool {
        self.reads.contains(&"KAFKA_")
    }

    /// The name under which it is told the variable `name` of the stack, if it is.
    pub(crate) fn reads<'a>(&self, name: &'a str) -> Option<&'a str> {
        if name == format!("{}_DATABASE_URL", self.name.to_uppercase()) {
            return Some("DATABASE_URL");
        }
        let mut begins = self.reads.iter().chain(&["OTEL_"]);
        begins.any(|begin| name.starts_with(begin)).then_some(name)
    }
}
