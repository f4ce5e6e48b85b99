//! A site together with everything that is asked about it.

use std::collections::BTreeMap;
use std::time::Duration;

use stack::{Servers, Stack};
use story::JaegerClient;
use tokio::time::{Instant, sleep};

use crate::args::Args;
use crate::books::{Books, Databases, Imbalance};
use crate::brokers::Brokers;
use crate::load::Asked;
use crate::mailbox::Mailbox;
use crate::site::Site;

/// On a machine that compiles at the same time; a warm start takes some seconds.
const READY_WITHIN: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(500);
/// How often it is said what is still waited for.
const SAY_EVERY: Duration = Duration::from_secs(10);

pub(crate) struct Ground {
    pub(crate) site: Site,
    pub(crate) jaeger: JaegerClient,
    pub(crate) brokers: Brokers,
    databases: Databases,
    mailbox: Mailbox,
    initial: BTreeMap<String, i64>,
}

/// How it went on after the fault.
pub(crate) struct Quiet {
    pub(crate) books: Books,
    pub(crate) imbalances: Vec<Imbalance>,
    pub(crate) after: Duration,
}

impl Ground {
    /// Starts servers and services, and waits until all services are ready.
    pub(crate) async fn prepare(servers: Servers, args: &Args) -> anyhow::Result<Self> {
        Self::prepare_after(servers, args, async |_| Ok(())).await
    }

    /// As [`Ground::prepare`]; `before` is called with the servers, before the services start.
    pub(crate) async fn prepare_after(
        servers: Servers,
        args: &Args,
        before: impl AsyncFnOnce(&Stack) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let site = Site::start(servers, &args.settings(), args.logs.clone(), before).await?;
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let missing = site.not_ready().await?;
            if missing.is_empty() {
                break;
            }
            let late = Instant::now() > deadline;
            anyhow::ensure!(!late, "not ready: {}", missing.join(", "));
            sleep(POLL).await;
        }
        let stack = &site.stack;
        let databases = Databases::new(
            stack.setting("ORDERS_DATABASE_URL")?,
            stack.setting("INVENTORY_DATABASE_URL")?,
            stack.setting("EMAIL_DATABASE_URL")?,
        )?;
        Ok(Self {
            jaeger: JaegerClient::new(stack.setting("JAEGER_URL")?),
            brokers: Brokers::of(stack)?,
            mailbox: Mailbox::at(stack.setting("MAIL_URL")?)?,
            initial: databases.pieces().await?,
            databases,
            site,
        })
    }

    /// Stops the services in order, and then the servers.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.site.services.stop_all().await
    }

    /// The mailbox is emptied before each cell, so that it stays small.
    pub(crate) async fn begin_cell(&self) -> anyhow::Result<()> {
        self.mailbox.clear().await
    }

    /// Waits until the books balance and stay so, for `patience` at most.
    pub(crate) async fn wait_until_quiet(
        &mut self,
        may_mail_twice: bool,
        prefix: &str,
        asked: Vec<Asked>,
        patience: Duration,
    ) -> anyhow::Result<Quiet> {
        let begin = Instant::now();
        let mut books = Books {
            asked,
            initial: self.initial.clone(),
            may_mail_twice,
            ..Books::default()
        };
        let mut ended = Vec::new();
        let mut balanced_since = None;
        let mut said = begin;
        loop {
            let dead = self.site.services.start_missing()?;
            ended.extend(dead.into_iter().map(Imbalance::general));
            let mut imbalances = self.read(prefix, &mut books).await;
            if !imbalances.is_empty() {
                balanced_since = None;
            } else if let Some(since) = balanced_since {
                let after = since - begin;
                let imbalances = ended;
                return Ok(Quiet {
                    books,
                    imbalances,
                    after,
                });
            } else {
                balanced_since = Some(Instant::now());
            }
            if begin.elapsed() > patience {
                imbalances.extend(ended);
                let after = begin.elapsed();
                return Ok(Quiet {
                    books,
                    imbalances,
                    after,
                });
            }
            if said.elapsed() > SAY_EVERY {
                said = Instant::now();
                if let Some(first) = imbalances.first() {
                    let (n, after) = (imbalances.len(), begin.elapsed().as_secs());
                    eprintln!("  {after:3} s: {n} things do not balance yet; {first}");
                }
            }
            sleep(POLL).await;
        }
    }

    /// What does not balance now; that something cannot be asked is one thing of these.
    async fn read(&self, prefix: &str, books: &mut Books) -> Vec<Imbalance> {
        match self.try_read(prefix, books).await {
            Ok(imbalances) => imbalances,
            Err(error) => vec![Imbalance::general(format!("{error:#}"))],
        }
    }

    async fn try_read(&self, prefix: &str, books: &mut Books) -> anyhow::Result<Vec<Imbalance>> {
        self.databases.read(prefix, books).await?;
        books.waiting = self.brokers.waiting().await?;
        books.ended = self.brokers.ended().await?;
        books.mails = self.mailbox.read().await?;
        let mut imbalances = books.imbalances();
        if imbalances.is_empty() {
            books
                .waiting
                .extend(self.brokers.waiting_in_pubsub().await?);
            imbalances = books.imbalances();
        }
        let not_ready = self.site.not_ready().await?;
        let words = not_ready
            .iter()
            .map(|name| format!("{name} is not ready again"));
        imbalances.extend(words.map(Imbalance::general));
        Ok(imbalances)
    }
}
