//! What each service is told: the one table of environment variables, used to start the services and printed by `env`.

use std::fmt;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::ports::{Port, Ports};
use crate::service::Service;

/// The project name that the Pub/Sub emulator and its clients agree on.
pub(crate) const PUBSUB_PROJECT: &str = "orderflow";

/// Settings of our own environment that win over what the stack would tell its services.
/// Everything else that a service reads (`OTEL_*`, `RUST_LOG`, `MESSAGING_*`, `FAULT_*` …) it inherits from us.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Servers of your own")]
pub(crate) struct Overrides {
    /// Send telemetry here instead of to the trace store of the stack.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// Use this OpenAI-compatible server, for example a local model server, instead of the built-in embeddings.
    #[arg(long, env = "OPENAI_BASE_URL", value_name = "URL")]
    openai_base_url: Option<String>,
    /// The key for it. Without `OPENAI_BASE_URL` no real key leaves this process.
    #[arg(
        long,
        env = "OPENAI_API_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    openai_api_key: Option<String>,
    /// The model to ask it for.
    #[arg(long, env = "OPENAI_EMBEDDINGS_MODEL", value_name = "MODEL")]
    openai_embeddings_model: Option<String>,
}

/// Where everything of one stack listens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Addresses {
    pub(crate) ports: Ports,
    pub(crate) kafka_brokers: String,
    pub(crate) overrides: Overrides,
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
        http(self.ports.of(Port::Traces))
    }

    pub(crate) fn mail_url(&self) -> String {
        http(self.ports.of(Port::Mail))
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
            Service::Inventory => vec![self.database("DATABASE_URL", "inventory")],
            Service::Classifier => [
                vec![self.kafka(), self.inventory_url()],
                self.sqs(),
                self.pubsub(),
                self.embeddings(),
            ]
            .concat(),
            Service::Email => [
                vec![self.database("DATABASE_URL", "email"), self.smtp()],
                self.pubsub(),
            ]
            .concat(),
        });
        settings.push(self.telemetry());
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
        let databases = ["orders", "inventory", "email"]
            .map(|name| self.database(&format!("{}_DATABASE_URL", name.to_uppercase()), name));
        let rest = vec![self.smtp(), self.telemetry()];
        [
            command,
            databases.into(),
            vec![self.kafka()],
            self.sqs(),
            self.pubsub(),
            self.embeddings(),
            rest,
        ]
        .concat()
    }

    fn orders_url(&self) -> Setting {
        Setting::new("ORDERS_URL", self.service_url(Service::Orders))
    }

    fn inventory_url(&self) -> Setting {
        Setting::new("INVENTORY_URL", self.service_url(Service::Inventory))
    }

    fn database(&self, setting: &str, database: &str) -> Setting {
        let port = self.ports.of(Port::Postgres);
        Setting::new(
            setting,
            format!("postgres://postgres@127.0.0.1:{port}/{database}"),
        )
    }

    fn kafka(&self) -> Setting {
        Setting::new("KAFKA_BROKERS", &self.kafka_brokers)
    }

    /// The emulator takes any key; the SDK insists on having one.
    fn sqs(&self) -> Vec<Setting> {
        vec![
            Setting::new("AWS_ENDPOINT_URL_SQS", http(self.ports.of(Port::Sqs))),
            Setting::new("AWS_REGION", "us-east-1"),
            Setting::new("AWS_ACCESS_KEY_ID", "orderflow"),
            Setting::new("AWS_SECRET_ACCESS_KEY", "orderflow"),
        ]
    }

    fn pubsub(&self) -> Vec<Setting> {
        vec![
            Setting::new("PUBSUB_EMULATOR_HOST", host(self.ports.of(Port::PubSub))),
            Setting::new("PUBSUB_PROJECT_ID", PUBSUB_PROJECT),
        ]
    }

    fn embeddings(&self) -> Vec<Setting> {
        let Some(url) = &self.overrides.openai_base_url else {
            return vec![
                Setting::new(
                    "OPENAI_BASE_URL",
                    format!("{}/v1", http(self.ports.of(Port::Embeddings))),
                ),
                Setting::new("OPENAI_API_KEY", "orderflow"),
                Setting::new("OPENAI_EMBEDDINGS_MODEL", embeddings::model::NAME),
            ];
        };
        let key = self
            .overrides
            .openai_api_key
            .iter()
            .map(|key| Setting::new("OPENAI_API_KEY", key));
        let model = self.overrides.openai_embeddings_model.iter();
        let model = model.map(|model| Setting::new("OPENAI_EMBEDDINGS_MODEL", model));
        [Setting::new("OPENAI_BASE_URL", url)]
            .into_iter()
            .chain(key)
            .chain(model)
            .collect()
    }

    fn smtp(&self) -> Setting {
        Setting::new(
            "SMTP_URL",
            format!("smtp://{}", host(self.ports.of(Port::Smtp))),
        )
    }

    fn telemetry(&self) -> Setting {
        let ours = || http(self.ports.of(Port::OtlpGrpc));
        let endpoint = self.overrides.otlp_endpoint.clone().unwrap_or_else(ours);
        Setting::new("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    }
}

fn host(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn http(port: u16) -> String {
    format!("http://{}", host(port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::tests::default_ports;

    fn addresses() -> Addresses {
        Addresses {
            ports: default_ports(),
            kafka_brokers: "127.0.0.1:40001".into(),
            overrides: Overrides::default(),
        }
    }

    fn lines(settings: &[Setting]) -> Vec<String> {
        settings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_service_is_told_where_it_listens_and_whom_it_talks_to_and_nothing_else() {
        assert_eq!(
            lines(&addresses().of_service(Service::Orders)),
            [
                "LISTEN_ADDR=127.0.0.1:8081",
                "DATABASE_URL=postgres://postgres@127.0.0.1:54320/orders",
                "KAFKA_BROKERS=127.0.0.1:40001",
                "PUBSUB_EMULATOR_HOST=127.0.0.1:8085",
                "PUBSUB_PROJECT_ID=orderflow",
                "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317",
            ]
        );
    }

    #[test]
    fn the_shared_settings_name_each_database_apart() {
        let shared = lines(&addresses().shared());
        assert!(
            shared.contains(
                &"EMAIL_DATABASE_URL=postgres://postgres@127.0.0.1:54320/email".to_owned()
            ),
            "{shared:?}"
        );
        assert!(
            shared.contains(&"GATEWAY_URL=http://127.0.0.1:8080".to_owned()),
            "{shared:?}"
        );
        assert!(
            shared.contains(&"OPENAI_BASE_URL=http://127.0.0.1:8090/v1".to_owned()),
            "{shared:?}"
        );
    }

    #[test]
    fn no_setting_appears_twice() {
        let everything = Service::ALL
            .map(|service| addresses().of_service(service))
            .into_iter();
        for settings in everything.chain([addresses().shared()]) {
            let names: std::collections::HashSet<_> =
                settings.iter().map(|setting| &setting.name).collect();
            assert_eq!(names.len(), settings.len(), "{settings:?}");
        }
    }

    #[test]
    fn a_real_key_reaches_the_classifier_only_with_a_server_of_its_own() {
        let key = Overrides {
            openai_api_key: Some("real".into()),
            ..Overrides::default()
        };
        let built_in = Addresses {
            overrides: key.clone(),
            ..addresses()
        };
        assert!(
            !lines(&built_in.of_service(Service::Classifier))
                .contains(&"OPENAI_API_KEY=real".to_owned())
        );

        let overrides = Overrides {
            openai_base_url: Some("https://models.example/v1".into()),
            ..key
        };
        let hosted = lines(
            &Addresses {
                overrides,
                ..addresses()
            }
            .of_service(Service::Classifier),
        );
        assert!(
            hosted.contains(&"OPENAI_API_KEY=real".to_owned()),
            "{hosted:?}"
        );
        assert!(
            hosted.contains(&"OPENAI_BASE_URL=https://models.example/v1".to_owned()),
            "{hosted:?}"
        );
    }

    #[test]
    fn telemetry_goes_where_the_user_said() {
        let overrides = Overrides {
            otlp_endpoint: Some("http://collector:4317".into()),
            ..Overrides::default()
        };
        let settings = Addresses {
            overrides,
            ..addresses()
        }
        .of_service(Service::Email);
        assert!(
            lines(&settings)
                .contains(&"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317".to_owned())
        );
    }

    #[test]
    fn values_that_a_shell_would_read_otherwise_are_quoted() {
        assert_eq!(
            Setting::new("A", "http://h/?a=1&b=2").to_string(),
            "A='http://h/?a=1&b=2'"
        );
        assert_eq!(Setting::new("A", "it's").to_string(), r"A='it'\''s'");
        assert_eq!(Setting::new("A", "").to_string(), "A=''");
    }
}
