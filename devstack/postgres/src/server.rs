//! Starting the server, asking whether it is ready, stopping it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context, anyhow, ensure};
use lifeline::{Child, Ending, Lifeline};
use nix::sys::signal::Signal;
use sqlx::migrate::MigrateDatabase;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, Postgres};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, sleep};

use crate::account::{Account, private_dir};
use crate::programs::find_or_download;

/// Long enough to recover what a killed server left behind.
const READY_WITHIN: Duration = Duration::from_mins(1);
const ASK_EVERY: Duration = Duration::from_millis(20);
/// The services' pools together stay well below.
const MAX_CONNECTIONS: u16 = 200;
/// How long it may take to write its buffers.
const PATIENCE: Duration = Duration::from_secs(20);

/// SIGINT is "fast shutdown": clients are disconnected, data is safe.
/// After "immediate shutdown", SIGQUIT, it recovers at the next start; its processes are gone, as after no SIGKILL.
const ENDING: Ending = Ending {
    polite: Signal::SIGINT,
    patience: PATIENCE,
    last: Signal::SIGQUIT,
};

/// What kind of server is wanted.
#[derive(Debug, Clone)]
pub struct Options {
    /// A folder for this server alone, created when missing; the data and the log are kept in it.
    pub dir: PathBuf,
    /// The port on 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// Whether a commit survives a power cut. Only tests can do without.
    pub fsync: bool,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something else listens on the port.
    #[error("port {0} is in use")]
    PortInUse(u16),
    /// Anything that its reader can only look at.
    #[error(transparent)]
    Unexpected(#[from] anyhow::Error),
}

/// A running server; dropping it stops it soon after, [`Server::stop`] waits until it has stopped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    dir: PathBuf,
    port: u16,
}

impl Server {
    /// Launches the server, and returns once it answers.
    pub async fn start(options: Options, lifeline: &Lifeline) -> Result<Self, Error> {
        let mut server = Self::launch(options, lifeline).await?;
        server.ready().await?;
        Ok(server)
    }

    /// Finds or downloads the programs, creates the data folder if it is missing, and starts the server.
    ///
    /// Whoever may lose patience with [`Server::ready`] begins here: a server that is there already can be stopped and
    /// waited for, and holds its folder until it has ended.
    /// Cancel safe: what was begun ends soon after, and is begun anew the next time.
    pub async fn launch(options: Options, lifeline: &Lifeline) -> Result<Self, Error> {
        let port = claim(options.port)?;
        let account = Account::needed()?;
        let dir = private_dir(&options.dir, account)
            .with_context(|| format!("creating {}", options.dir.display()))?;
        let programs = find_or_download(account).await?;
        let launch = Launch {
            programs,
            account,
            dir,
            options,
        };
        launch.initialise(lifeline).await?;
        Ok(launch.spawn(port, lifeline)?)
    }

    /// Waits until the server answers. Cancel safe.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let url = self.url("postgres");
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Err(anyhow!(
                    "PostgreSQL ended with {status}: {}",
                    self.last_words()
                ));
            }
            match PgConnection::connect(&url).await {
                Ok(connection) => return Ok(connection.close().await?),
                Err(error) if Instant::now() > deadline => {
                    return Err(error).context("waiting for PostgreSQL to answer");
                }
                Err(_not_yet) => sleep(ASK_EVERY).await,
            }
        }
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of `database`, for a client's `DATABASE_URL`.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The file that the server's own log goes to.
    pub fn log(&self) -> PathBuf {
        log_file(&self.dir)
    }

    /// The process of the server itself.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Creates `database` unless it exists.
    pub async fn create_database(&self, database: &str) -> anyhow::Result<()> {
        create_database(&self.url("postgres"), database).await
    }

    /// Waits until the server has ended, by itself or because it was stopped. Cancel safe.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Disconnects the clients, ends the server and waits for it.
    pub async fn stop(mut self) -> io::Result<ExitStatus> {
        self.process.stop().await
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let mut lines: Vec<_> = log.lines().rev().take(3).collect();
        lines.reverse();
        lines.join(" | ")
    }
}

/// Creates `database` on the server that `url` points at, unless it exists.
pub async fn create_database(url: &str, database: &str) -> anyhow::Result<()> {
    let server: PgConnectOptions = url.parse()?;
    let database = server.database(database).to_url_lossy();
    if !Postgres::database_exists(database.as_str()).await? {
        Postgres::create_database(database.as_str()).await?;
    }
    Ok(())
}

/// Everything that the two programs are started with.
struct Launch {
    /// The folder of the two.
    programs: PathBuf,
    account: Option<Account>,
    dir: PathBuf,
    options: Options,
}

impl Launch {
    /// Runs `initdb` in a folder beside, so that one that was killed half-way is begun anew.
    async fn initialise(&self, lifeline: &Lifeline) -> anyhow::Result<()> {
        let data = data_dir(&self.dir);
        if data.exists() {
            return Ok(());
        }
        let unfinished = self.dir.join("data.unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        let mut command = self.command("initdb");
        command
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&unfinished);
        let initdb = lifeline.spawn(&command, Ending::after(PATIENCE), |command| {
            self.become_account(command);
            command.stdout(Stdio::null()).stderr(Stdio::piped());
        });
        let mut initdb = initdb.context("running initdb")?;
        let mut words = String::new();
        if let Some(mut stderr) = initdb.stderr() {
            stderr.read_to_string(&mut words).await?;
        }
        let status = initdb.wait().await?;
        ensure!(
            status.success(),
            "initdb ended with {status}: {}",
            words.trim()
        );
        Ok(fs::rename(unfinished, data)?)
    }

    fn spawn(self, port: u16, lifeline: &Lifeline) -> anyhow::Result<Server> {
        let log = fs::File::create(log_file(&self.dir))?;
        let errors = log.try_clone()?;
        let mut command = self.command("postgres");
        command.args(self.settings(port));
        let process = lifeline.spawn(&command, ENDING, |command| {
            self.become_account(command);
            command.stdout(log).stderr(errors);
        });
        Ok(Server {
            process: process.context("starting PostgreSQL")?,
            dir: self.dir,
            port,
        })
    }

    fn settings(&self, port: u16) -> Vec<String> {
        let durable = if self.options.fsync { "on" } else { "off" };
        [
            format!("-D{}", data_dir(&self.dir).display()),
            format!("-cport={port}"),
            "-clisten_addresses=127.0.0.1".to_owned(),
            // Nobody needs the socket file, and its path may be at most 107 bytes long.
            "-cunix_socket_directories=".to_owned(),
            format!("-cmax_connections={MAX_CONNECTIONS}"),
            // A demo's data is small, and every backend that touches a buffer is counted with it.
            "-cshared_buffers=16MB".to_owned(),
            format!("-cfsync={durable}"),
            format!("-csynchronous_commit={durable}"),
            format!("-cfull_page_writes={durable}"),
        ]
        .to_vec()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // A folder that the account cannot enter would be complained about.
        command.current_dir(&self.dir).env("LC_ALL", "C");
        command
    }

    fn become_account(&self, command: &mut Command) {
        if let Some(account) = self.account {
            account.run(command);
        }
    }
}

fn data_dir(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn log_file(dir: &Path) -> PathBuf {
    dir.join("postgres.log")
}

/// The port to use: a free one for 0, else the one asked for, provided that nobody listens there.
fn claim(port: u16) -> Result<u16, Error> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(listener) => Ok(listener.local_addr().context("asking for the port")?.port()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(Error::PortInUse(port)),
        Err(error) => Err(Error::Unexpected(
            anyhow!(error).context(format!("listening on port {port}")),
        )),
    }
}
