//! What customers ask for, how, and what they are told.

use uuid::Uuid;

/// How a customer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Waits for the answer, and takes it as it is.
    Patient,
    /// Sends some of the request or all of it, and closes the connection without an answer.
    HangsUp,
    /// Sends the order twice side by side with one `Idempotency-Key`, and again until it is accepted.
    Insists,
}

/// What a customer asked for and was told. Each has a name of its own, so at most one order.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) customer: String,
    pub(crate) manner: Manner,
    pub(crate) answers: Vec<Answer>,
}

/// What was seen of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 201, with this id.
    Accepted(Uuid),
    /// Another status: the order may be there or not, unless it is the request's fault.
    Refused(u16, String),
    /// None, for this reason.
    Nothing(String),
}

impl Asked {
    /// The ids that this customer was told.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.answers.iter().filter_map(|answer| match answer {
            Answer::Accepted(id) => Some(*id),
            Answer::Refused(..) | Answer::Nothing(_) => None,
        })
    }
}
