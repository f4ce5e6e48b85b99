//! The servers that a stack may need, by name.

use crate::ports::Port;

/// One server. Its name is its log file and its label on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Postgres,
    Kafka,
    Sqs,
    PubSub,
    Embeddings,
    Mail,
    Traces,
}

impl Part {
    pub(crate) const ALL: [Self; 7] = [
        Self::Postgres,
        Self::Kafka,
        Self::Sqs,
        Self::PubSub,
        Self::Embeddings,
        Self::Mail,
        Self::Traces,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Kafka => "kafka",
            Self::Sqs => "sqs",
            Self::PubSub => "pubsub",
            Self::Embeddings => "embeddings",
            Self::Mail => "mail",
            Self::Traces => "traces",
        }
    }

    /// The ports that it listens on. Kafka's are the real one's: the mock cluster picks its own.
    pub(crate) fn ports(self) -> &'static [Port] {
        match self {
            Self::Postgres => &[Port::Postgres],
            Self::Kafka => &[Port::Kafka, Port::KafkaController],
            Self::Sqs => &[Port::Sqs],
            Self::PubSub => &[Port::PubSub],
            Self::Embeddings => &[Port::Embeddings],
            Self::Mail => &[Port::Smtp, Port::Mail],
            Self::Traces => &[Port::OtlpGrpc, Port::OtlpHttp, Port::Traces],
        }
    }
}
