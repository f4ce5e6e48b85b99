use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::transport::smtp;
use lettre::transport::smtp::client::AsyncSmtpConnection;

use super::server::Server;

/// How long a connection that was kept may take to say that it is still there.
const ALIVE_WITHIN: Duration = Duration::from_secs(3);

/// Connections are kept between mails, because a new one costs some round trips, and with some servers a pause.
///
/// One that is dropped on the way, because its future was, is closed and not kept.
pub(super) struct Connections {
    server: Server,
    kept: Mutex<Vec<AsyncSmtpConnection>>,
}

impl Connections {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            kept: Mutex::default(),
        }
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// One that is ready for a mail, and was answered just now.
    pub(super) async fn get(&self) -> Result<AsyncSmtpConnection, smtp::Error> {
        let kept = self.kept().pop();
        if let Some(mut kept) = kept {
            // It also ends what was begun before, and refused.
            let answer = tokio::time::timeout(ALIVE_WITHIN, kept.command("RSET\r\n")).await;
            if matches!(answer, Ok(Ok(_))) {
                return Ok(kept);
            }
            // The others went with it, as a rule: the server was restarted, or does not like them idle.
            self.kept().clear();
        }
        self.server.connect().await
    }

    /// For the next mail.
    pub(super) fn keep(&self, connection: AsyncSmtpConnection) {
        self.kept().push(connection);
    }

    fn kept(&self) -> MutexGuard<'_, Vec<AsyncSmtpConnection>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
