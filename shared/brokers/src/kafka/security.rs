//! TLS and SASL, by librdkafka's names: <https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md>.

use std::fmt;
use std::path::PathBuf;

use clap::builder::{EnumValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use rdkafka::ClientConfig;

use super::oauth::OauthArgs;

/// Without OpenSSL librdkafka has no TLS, and of SASL only PLAIN.
const HAS_OPENSSL: bool = cfg!(feature = "kafka-tls");

/// How Kafka is spoken to, and as whom.
#[derive(Clone, Args)]
#[group(id = "kafka_security")]
pub struct KafkaSecurityArgs {
    /// How Kafka is spoken to; TLS needs a build with the feature kafka-tls, as the images are.
    #[arg(
        long,
        env = "KAFKA_SECURITY_PROTOCOL",
        default_value = "PLAINTEXT",
        ignore_case = true,
        value_parser = EnumValueParser::<SecurityProtocol>::new().try_map(SecurityProtocol::if_built_in)
    )]
    pub kafka_security_protocol: SecurityProtocol,

    /// How we say who we are, where the security protocol begins with SASL.
    #[arg(
        long,
        env = "KAFKA_SASL_MECHANISM",
        ignore_case = true,
        required_if_eq_any([
            ("kafka_security_protocol", "SASL_PLAINTEXT"),
            ("kafka_security_protocol", "SASL_SSL"),
        ]),
        value_parser = EnumValueParser::<SaslMechanism>::new().try_map(SaslMechanism::if_built_in)
    )]
    pub kafka_sasl_mechanism: Option<SaslMechanism>,

    /// User for PLAIN and SCRAM; with Confluent Cloud the API key.
    #[arg(long, env = "KAFKA_SASL_USERNAME", required_if_eq_any(WITH_PASSWORD))]
    pub kafka_sasl_username: Option<String>,

    /// Password for PLAIN and SCRAM; with Confluent Cloud the API secret.
    #[arg(
        long,
        env = "KAFKA_SASL_PASSWORD",
        hide_env_values = true,
        required_if_eq_any(WITH_PASSWORD)
    )]
    pub kafka_sasl_password: Option<String>,

    #[command(flatten)]
    pub oauth: OauthArgs,

    /// File of the certificate authorities that Kafka's certificate may be from, in PEM; the system's without it.
    #[arg(long, env = "KAFKA_SSL_CA_LOCATION", value_parser = file)]
    pub kafka_ssl_ca_location: Option<PathBuf>,

    /// File of our own certificate, in PEM, if Kafka asks for one.
    #[arg(long, env = "KAFKA_SSL_CERTIFICATE_LOCATION", requires = "kafka_ssl_key_location", value_parser = file)]
    pub kafka_ssl_certificate_location: Option<PathBuf>,

    /// File of its private key, in PEM.
    #[arg(long, env = "KAFKA_SSL_KEY_LOCATION", requires = "kafka_ssl_certificate_location", value_parser = file)]
    pub kafka_ssl_key_location: Option<PathBuf>,

    /// Password of the private key.
    #[arg(
        long,
        env = "KAFKA_SSL_KEY_PASSWORD",
        hide_env_values = true,
        requires = "kafka_ssl_key_location"
    )]
    pub kafka_ssl_key_password: Option<String>,
}

/// The mechanisms that ask for a name and a password.
const WITH_PASSWORD: [(&str, &str); 3] = [
    ("kafka_sasl_mechanism", "PLAIN"),
    ("kafka_sasl_mechanism", "SCRAM-SHA-256"),
    ("kafka_sasl_mechanism", "SCRAM-SHA-512"),
];

/// librdkafka's `security.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SecurityProtocol {
    #[value(name = "PLAINTEXT")]
    Plaintext,
    #[value(name = "SSL")]
    Ssl,
    #[value(name = "SASL_PLAINTEXT")]
    SaslPlaintext,
    #[value(name = "SASL_SSL")]
    SaslSsl,
}

impl SecurityProtocol {
    fn if_built_in(self) -> Result<Self, String> {
        match self {
            Self::Ssl | Self::SaslSsl => if_openssl(self, "TLS for Kafka"),
            Self::Plaintext | Self::SaslPlaintext => Ok(self),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    fn has_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

/// librdkafka's `sasl.mechanism`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SaslMechanism {
    #[value(name = "PLAIN")]
    Plain,
    #[value(name = "SCRAM-SHA-256")]
    ScramSha256,
    #[value(name = "SCRAM-SHA-512")]
    ScramSha512,
    #[value(name = "OAUTHBEARER")]
    Oauthbearer,
}

impl SaslMechanism {
    fn if_built_in(self) -> Result<Self, String> {
        match self {
            Self::Plain => Ok(self),
            Self::ScramSha256 | Self::ScramSha512 => if_openssl(self, "SCRAM"),
            Self::Oauthbearer => if_openssl(self, "OAUTHBEARER"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::Oauthbearer => "OAUTHBEARER",
        }
    }
}

fn if_openssl<T>(value: T, what: &str) -> Result<T, String> {
    if HAS_OPENSSL {
        Ok(value)
    } else {
        Err(format!(
            "this build has no {what}: build with --features kafka-tls, or take the image"
        ))
    }
}

/// librdkafka's `compression.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    pub(super) fn if_built_in(self) -> Result<Self, String> {
        match self {
            Self::Zstd => if_openssl(self, "zstd"),
            _ => Ok(self),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// librdkafka would only say that its client cannot be made.
fn file(path: &str) -> Result<PathBuf, String> {
    std::fs::File::open(path).map_err(|error| error.to_string())?;
    Ok(path.into())
}

impl KafkaSecurityArgs {
    pub(super) fn configure(&self, config: &mut ClientConfig) {
        let protocol = self.kafka_security_protocol;
        config.set("security.protocol", protocol.name());
        if HAS_OPENSSL {
            // Our OpenSSL is linked in, and would look where it was built and not where the system keeps them.
            let system = || "probe".to_owned();
            let authorities = self.kafka_ssl_ca_location.as_deref();
            let authorities = authorities.map_or_else(system, |path| path.display().to_string());
            config.set("ssl.ca.location", authorities);
        }
        if let Some(mechanism) = self.kafka_sasl_mechanism.filter(|_| protocol.has_sasl()) {
            config.set("sasl.mechanism", mechanism.name());
        }
        let certificate = self.kafka_ssl_certificate_location.as_deref();
        let key = self.kafka_ssl_key_location.as_deref();
        for (name, value) in [
            ("sasl.username", self.kafka_sasl_username.clone()),
            ("sasl.password", self.kafka_sasl_password.clone()),
            (
                "ssl.certificate.location",
                certificate.map(|path| path.display().to_string()),
            ),
            (
                "ssl.key.location",
                key.map(|path| path.display().to_string()),
            ),
            ("ssl.key.password", self.kafka_ssl_key_password.clone()),
        ] {
            if let Some(value) = value {
                config.set(name, value);
            }
        }
    }

    /// Whether tokens are what we say who we are with.
    pub(super) fn has_tokens(&self) -> bool {
        self.kafka_security_protocol.has_sasl()
            && self.kafka_sasl_mechanism == Some(SaslMechanism::Oauthbearer)
    }
}

/// Without the passwords.
impl fmt::Debug for KafkaSecurityArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSecurityArgs")
            .field("kafka_security_protocol", &self.kafka_security_protocol)
            .field("kafka_sasl_mechanism", &self.kafka_sasl_mechanism)
            .field("kafka_sasl_username", &self.kafka_sasl_username)
            .field("kafka_ssl_ca_location", &self.kafka_ssl_ca_location)
            .finish_non_exhaustive()
    }
}
