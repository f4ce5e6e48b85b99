//! The five services by name.

use crate::ports::Port;

/// One of the five services. Its name is its binary, its log file and its label on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(crate) enum Service {
    Gateway,
    Orders,
    Inventory,
    Classifier,
    Email,
}

/// One line of the table of services.
struct Row {
    name: &'static str,
    port: Port,
    /// The variable that names its address to others.
    url: Option<&'static str>,
    /// How the variables begin that it is told, besides those of telemetry and of its own database.
    reads: &'static [&'static str],
}

/// In the order of [`Service::ALL`].
static ROWS: [Row; 5] = [
    Row {
        name: "gateway",
        port: Port::new("gateway-port", "GATEWAY_PORT", "8080", "the gateway"),
        url: Some("GATEWAY_URL"),
        reads: &["ORDERS_URL", "INVENTORY_URL"],
    },
    Row {
        name: "orders",
        port: Port::new("orders-port", "ORDERS_PORT", "8081", "the orders service"),
        url: Some("ORDERS_URL"),
        reads: &["KAFKA_", "PUBSUB_"],
    },
    Row {
        name: "inventory",
        port: Port::new(
            "inventory-port",
            "INVENTORY_PORT",
            "8082",
            "the inventory service",
        ),
        url: Some("INVENTORY_URL"),
        reads: &["KAFKA_"],
    },
    Row {
        name: "classifier",
        port: Port::new(
            "classifier-port",
            "CLASSIFIER_PORT",
            "8083",
            "the classifier",
        ),
        url: None,
        reads: &["KAFKA_", "INVENTORY_URL", "AWS_", "PUBSUB_", "OPENAI_"],
    },
    Row {
        name: "email",
        port: Port::new("email-port", "EMAIL_PORT", "8084", "the email service"),
        url: None,
        reads: &["KAFKA_", "SMTP_"],
    },
];

impl Service {
    pub(crate) const ALL: [Self; 5] = [
        Self::Gateway,
        Self::Orders,
        Self::Inventory,
        Self::Classifier,
        Self::Email,
    ];

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().name
    }

    /// The port that it listens on.
    pub(crate) fn port(self) -> &'static Port {
        &self.row().port
    }

    /// `host:port`, for [`crate::ports::Ports::fill`].
    pub(crate) fn host(self) -> String {
        format!("{{{}}}", self.name().to_uppercase())
    }

    /// The variable that names its address to others, if anybody asks it for something.
    pub(crate) fn url_variable(self) -> Option<&'static str> {
        self.row().url
    }

    /// The name under which it is told the variable `name` of the stack, if it is.
    pub(crate) fn reads(self, name: &str) -> Option<&str> {
        if name == format!("{}_DATABASE_URL", self.name().to_uppercase()) {
            return Some("DATABASE_URL");
        }
        let mut begins = self.row().reads.iter().chain(&["OTEL_"]);
        begins.any(|begin| name.starts_with(begin)).then_some(name)
    }
}
