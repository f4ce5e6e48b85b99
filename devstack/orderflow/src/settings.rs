//! What each service is told: the one table of environment variables, used to start the services and printed by `env`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::parts::postgres::DATABASES;
use crate::ports::{Port, Ports};
use crate::service::Service;

mod outside;
mod servers;

pub(crate) use outside::Outside;
pub(crate) use servers::{Overrides, PUBSUB_PROJECT, Servers};

/// Where everything of one stack listens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) ports: Ports,
    pub(crate) servers: Servers,
}

/// One environment variable. Its `Display` is a line for `eval` and for `.env` files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Setting {
    fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=[]".contains(c);
        if !self.value.is_empty() && self.value.chars().all(plain) {
            return write!(f, "{}={}", self.name, self.value);
        }
        write!(f, "{}='{}'", self.name, self.value.replace('\'', r"'\''"))
    }
}

impl Addresses {
    pub(crate) fn gateway_url(&self) -> String {
        http(self.ports.of(Port::Gateway))
    }

    /// The base of Jaeger's query API and page.
    pub(crate) fn jaeger_url(&self) -> String {
        self.servers.jaeger.clone()
    }

    pub(crate) fn mail_url(&self) -> String {
        self.servers.mail.clone()
    }

    pub(crate) fn service_url(&self, service: Service) -> String {
        http(self.ports.of(service.port()))
    }

    /// Exactly what `service` is started with, on top of what it inherits.
    pub(crate) fn of_service(&self, service: Service) -> Vec<Setting> {
        let listen = self.service_url(service).replace("http://", "");
        let mut settings = vec![Setting::new("LISTEN_ADDR", listen)];
        settings.extend(match service {
            Service::Gateway => vec![self.orders_url(), self.inventory_url()],
            Service::Orders => [
                vec![self.database("DATABASE_URL", "orders"), self.kafka()],
                self.pubsub(),
            ]
            .concat(),
            Service::Inventory => vec![self.database("DATABASE_URL", "inventory"), self.kafka()],
            Service::Classifier => [
                vec![self.kafka(), self.inventory_url()],
                self.sqs(),
                self.pubsub(),
                self.embeddings(),
            ]
            .concat(),
            Service::Email => vec![
                self.database("DATABASE_URL", "email"),
                self.kafka(),
                self.smtp(),
            ],
        });
        settings.extend(self.telemetry());
        settings
    }

    /// Every address that a client of any part may want.
    pub(crate) fn shared(&self) -> Vec<Setting> {
        let command = vec![
            Setting::new("GATEWAY_URL", self.gateway_url()),
            Setting::new("JAEGER_URL", self.jaeger_url()),
            Setting::new("MAIL_URL", self.mail_url()),
            self.orders_url(),
            self.inventory_url(),
        ];
        let databases = DATABASES
            .map(|name| self.database(&format!("{}_DATABASE_URL", name.to_uppercase()), name));
        [
            command,
            databases.into(),
            vec![self.kafka()],
            self.sqs(),
            self.pubsub(),
            self.embeddings(),
            vec![self.smtp()],
            self.telemetry(),
            self.stand_ins(),
        ]
        .concat()
    }

    /// For tests of the real servers, which pass over what is none: `ORDERFLOW_STAND_IN_PUBSUB` and the reason, one line.
    fn stand_ins(&self) -> Vec<Setting> {
        let stand_ins = self.servers.stand_ins.iter();
        let settings = stand_ins.map(|(part, why)| {
            let why = why.lines().next().unwrap_or_default();
            Setting::new(format!("ORDERFLOW_STAND_IN_{}", part.to_uppercase()), why)
        });
        settings.collect()
    }

    fn orders_url(&self) -> Setting {
        Setting::new("ORDERS_URL", self.service_url(Service::Orders))
    }

    fn inventory_url(&self) -> Setting {
        Setting::new("INVENTORY_URL", self.service_url(Service::Inventory))
    }

    fn database(&self, setting: &str, database: &str) -> Setting {
        Setting::new(setting, self.servers.database(database))
    }

    fn kafka(&self) -> Setting {
        Setting::new("KAFKA_BROKERS", &self.servers.kafka_brokers)
    }

    fn sqs(&self) -> Vec<Setting> {
        let sqs = &self.servers.sqs;
        vec![
            Setting::new("AWS_ENDPOINT_URL_SQS", &sqs.endpoint),
            Setting::new("AWS_REGION", &sqs.region),
            Setting::new("AWS_ACCESS_KEY_ID", &sqs.access_key_id),
            Setting::new("AWS_SECRET_ACCESS_KEY", &sqs.secret_access_key),
        ]
    }

    fn pubsub(&self) -> Vec<Setting> {
        vec![
            Setting::new("PUBSUB_EMULATOR_HOST", &self.servers.pubsub_host),
            Setting::new("PUBSUB_PROJECT_ID", PUBSUB_PROJECT),
        ]
    }

    fn embeddings(&self) -> Vec<Setting> {
        let embeddings = &self.servers.embeddings;
        let key = embeddings.key.iter();
        let key = key.map(|key| Setting::new("OPENAI_API_KEY", key));
        let model = embeddings.model.iter();
        let model = model.map(|model| Setting::new("OPENAI_EMBEDDINGS_MODEL", model));
        [Setting::new("OPENAI_BASE_URL", &embeddings.base_url)]
            .into_iter()
            .chain(key)
            .chain(model)
            .collect()
    }

    fn smtp(&self) -> Setting {
        Setting::new("SMTP_URL", &self.servers.smtp)
    }

    fn telemetry(&self) -> Vec<Setting> {
        let delay = self.servers.span_delay_ms.to_string();
        vec![
            Setting::new("OTEL_EXPORTER_OTLP_ENDPOINT", &self.servers.otlp),
            Setting::new("OTEL_BSP_SCHEDULE_DELAY", delay),
        ]
    }
}

fn host(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn http(port: u16) -> String {
    format!("http://{}", host(port))
}

#[cfg(test)]
mod tests;
