//! What can be disturbed, and how: the rows and the columns of the table.

use std::fmt;

/// One part of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Part {
    Gateway,
    Orders,
    Inventory,
    Classifier,
    Email,
    Postgres,
    Kafka,
    Sqs,
    Pubsub,
    Smtp,
    Embeddings,
    Traces,
}

/// What is done to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Fault {
    /// SIGKILL, and a start after a moment.
    Kill,
    /// It stays connected and does nothing: SIGSTOP, or bytes that are not passed on.
    Freeze,
    /// Its connections are closed and new ones refused.
    Cut,
    /// SIGTERM, and a start once it has ended.
    Restart,
    /// A broker loses the messages that it has, as one does that keeps them in memory and dies; so does who has them in
    /// hand.
    Forget,
}

/// A part and what is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub part: Part,
    pub fault: Fault,
}

impl Part {
    pub const ALL: [Self; 12] = [
        Self::Gateway,
        Self::Orders,
        Self::Inventory,
        Self::Classifier,
        Self::Email,
        Self::Postgres,
        Self::Kafka,
        Self::Sqs,
        Self::Pubsub,
        Self::Smtp,
        Self::Embeddings,
        Self::Traces,
    ];

    pub const SERVICES: [Self; 5] = [
        Self::Gateway,
        Self::Orders,
        Self::Inventory,
        Self::Classifier,
        Self::Email,
    ];

    /// A service's is the name of its program too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Orders => "orders",
            Self::Inventory => "inventory",
            Self::Classifier => "classifier",
            Self::Email => "email",
            Self::Postgres => "postgres",
            Self::Kafka => "kafka",
            Self::Sqs => "sqs",
            Self::Pubsub => "pubsub",
            Self::Smtp => "smtp",
            Self::Embeddings => "embeddings",
            Self::Traces => "traces",
        }
    }

    pub(crate) fn is_service(self) -> bool {
        Self::SERVICES.contains(&self)
    }
}

impl Fault {
    pub const ALL: [Self; 5] = [
        Self::Kill,
        Self::Freeze,
        Self::Cut,
        Self::Restart,
        Self::Forget,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::Cut => "cut",
            Self::Restart => "restart",
            Self::Forget => "forget",
        }
    }
}

impl Cell {
    pub const fn new(part: Part, fault: Fault) -> Self {
        Self { part, fault }
    }

    /// Every cell that there is in some mode, row by row.
    pub fn all() -> Vec<Self> {
        let cells = Part::ALL
            .into_iter()
            .flat_map(|part| Fault::ALL.map(|fault| Self::new(part, fault)));
        cells.filter(|cell| cell.exists()).collect()
    }

    /// A service is not cut off, since whom it talks to is; a server is not restarted gently, since that is less than a
    /// kill; Kafka's clients go to the address that it tells them, past every proxy; and our embeddings have no process.
    fn exists(self) -> bool {
        match self.fault {
            Fault::Kill => self.part != Part::Embeddings,
            Fault::Freeze => true,
            Fault::Cut => !self.part.is_service() && self.part != Part::Kafka,
            Fault::Restart => self.part.is_service(),
            Fault::Forget => matches!(self.part, Part::Sqs | Part::Pubsub),
        }
    }

    /// Whether spans may be missing for good: of a process that was killed or stood still, or when nobody took them.
    pub(crate) fn may_lose_spans(self) -> bool {
        let service = self.part.is_service();
        match self.fault {
            Fault::Forget => true,
            Fault::Kill | Fault::Freeze => service || self.part == Part::Traces,
            Fault::Cut | Fault::Restart => self.part == Part::Traces,
        }
    }

    /// Whether a mail may come twice: who sent it died, or lost sight of one of the two that have to know of it.
    pub(crate) fn may_mail_twice(self) -> bool {
        matches!(self.part, Part::Email | Part::Postgres | Part::Smtp)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.part.name(), self.fault.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_disturbed_in_at_least_two_ways() {
        let cells = Cell::all();
        for part in Part::ALL {
            let ways = cells.iter().filter(|cell| cell.part == part).count();
            assert!(ways >= 2, "{}: {ways}", part.name());
        }
    }
}
