//! Customers are told each thing once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{OrderId, Outcome};
use tokio::time::Instant;

use crate::email::Email;
use crate::mailer::{Mailer, SENT_WITHIN, SendMailError};
use crate::repository::{Claim, EmailRepository};

/// How long a mail is claimed: what sending takes at most, and some time for the statement after it.
pub(crate) const LEASE: Duration = SENT_WITHIN.saturating_add(Duration::from_secs(15));

/// What became of a request to send a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Now,
    Before,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("somebody else has claimed the mail, and may be sending it")]
    Claimed,
    #[error("the email database failed")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Mail(#[from] SendMailError),
}

/// Sends mails, each once.
#[derive(Debug, Clone)]
pub(crate) struct Emails {
    repository: EmailRepository,
    mailer: Mailer,
    /// Mails that were sent, but the database does not know it yet.
    unwritten: Arc<Mutex<HashSet<(OrderId, Outcome)>>>,
}

impl Emails {
    pub(crate) fn new(repository: EmailRepository, mailer: Mailer) -> Self {
        Self {
            repository,
            mailer,
            unwritten: Arc::default(),
        }
    }

    /// Sends `email`, unless that order's customer was told of that status before.
    ///
    /// Claimed, sent, written down: three steps, and nothing is held in between but the claim, which ends by itself. So
    /// whoever dies after the mail server took the mail, and before that is written down, sends it again, with the same
    /// `Message-ID`: SMTP has no better answer.
    ///
    /// What was begun is brought to its end though nobody waits for it any more: the server may have the mail already,
    /// and a consumer that was frozen for a while gives up its messages when it wakes.
    pub(crate) async fn send(&self, email: Email) -> Result<Sent, SendError> {
        let emails = self.clone();
        web::uncancelled(async move { emails.send_now(&email).await }).await
    }

    async fn send_now(&self, email: &Email) -> Result<Sent, SendError> {
        if self.unwritten().contains(&(email.order_id, email.status)) {
            return self.write_down(email).await;
        }
        let line = self.mailer.line().await;
        let claimed = Instant::now();
        let claimed_until = match self.repository.claim(email, LEASE).await? {
            Claim::Ours(until) => until,
            Claim::Another => return Err(SendError::Claimed),
            Claim::Sent => return Ok(Sent::Before),
        };
        if let Err(error) = line.send(email, claimed).await {
            // If this fails too, the claim ends by itself.
            if let Err(error) = self.repository.give_back(email, claimed_until).await {
                tracing::warn!(%error, "the claim of a mail was not given back");
            }
            return Err(error.into());
        }
        self.unwritten().insert((email.order_id, email.status));
        self.write_down(email).await
    }

    async fn write_down(&self, email: &Email) -> Result<Sent, SendError> {
        self.repository.sent(email.order_id, email.status).await?;
        self.unwritten().remove(&(email.order_id, email.status));
        Ok(Sent::Now)
    }

    fn unwritten(&self) -> MutexGuard<'_, HashSet<(OrderId, Outcome)>> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
