//! What a row of the table of parts says.

use std::time::Duration;

use clap::Args;
use futures::future::BoxFuture;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::install::Origin;
use crate::keep::Life;
use crate::ports::{Port, Ports};
use crate::process::Exit;
use crate::screen::PartLine;

/// One server that a stack may need. What is said in braces, [`Ports::fill`] knows.
#[derive(Debug)]
pub(crate) struct Part {
    /// Its log file and its label on the screen.
    pub(crate) name: &'static str,
    /// What it listens on, in the order in which its stand-in gets the listeners.
    pub(crate) ports: &'static [Port],
    /// Where it is, in the words of the screen.
    pub(crate) address: &'static str,
    /// What its clients are told.
    pub(crate) variables: &'static [Variable],
    /// What the embedded mode starts, and the native one where the real server cannot be had.
    pub(crate) embedded: Option<Start>,
    /// The real server that the native mode starts.
    pub(crate) native: Option<Server>,
    /// Whether it is started with `--servers outside` too, unless its address is given.
    pub(crate) is_ours_outside: bool,
    /// Whether the services and the stores report to it until they have stopped.
    pub(crate) stops_last: bool,
}

/// One environment variable of a part's clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    /// Its value where the part runs on this machine.
    pub(crate) here: &'static str,
    pub(crate) flag: Option<Flag>,
}

/// A flag for a variable. With `--servers outside`, one without a port in its value has that as its default, and every other
/// has to be set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    pub(crate) long: &'static str,
    pub(crate) placeholder: &'static str,
    pub(crate) help: &'static str,
    /// Whether its value may hold a password, which `--help` does not show.
    pub(crate) is_secret: bool,
    /// Whether it wins over what is here, in every mode.
    pub(crate) is_override: bool,
}

/// A flag that says nothing.
pub(crate) const FLAG: Flag = Flag {
    long: "",
    placeholder: "",
    help: "",
    is_secret: false,
    is_override: false,
};

impl Variable {
    pub(crate) const fn new(name: &'static str, here: &'static str) -> Self {
        let flag = None;
        Self { name, here, flag }
    }

    pub(crate) const fn with(self, flag: Flag) -> Self {
        let flag = Some(flag);
        Self { flag, ..self }
    }

    /// Whether its value is the same in every stack.
    pub(crate) fn is_fixed(&self) -> bool {
        !self.here.contains('{')
    }
}

/// How a part is started that is not the real server, or that is in every mode.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    /// Inside this process; `loses` says what is lost when it stops.
    Inside { serve: Serve, loses: &'static str },
    /// As a process of its own, on the ports of its row.
    Child(Live),
    /// As a process that chooses its port by itself, and so cannot be started again; the second says so.
    Once(Live, &'static str),
}

/// Serves on the listeners of [`Part::ports`] until the token is cancelled.
pub(crate) type Serve =
    fn(Vec<TcpListener>, Faults, CancellationToken) -> BoxFuture<'static, anyhow::Result<()>>;

/// Tells a server at these ports what services need of it.
pub(crate) type SetUp = fn(&Ports) -> BoxFuture<'static, anyhow::Result<()>>;

/// One life of a child.
pub(crate) type Live = fn(Site, Life) -> BoxFuture<'static, anyhow::Result<Exit>>;

/// A part in its stack: what each of its lives begins with.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) context: Context,
    pub(crate) part: &'static Part,
    pub(crate) ports: Ports,
}

impl Site {
    /// Says that it starts; the line is told when it is ready.
    pub(crate) fn starting(&self) -> PartLine {
        self.context.screen.starting(self.part.name)
    }

    /// Where it is, in the words of the screen.
    pub(crate) fn address(&self) -> String {
        self.ports.fill(self.part.address)
    }
}

/// What the stand-ins do wrong on purpose.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Servers of your own")]
pub(crate) struct Faults {
    /// What the built-in embeddings do wrong on purpose, several with commas (docs/faults.md).
    #[arg(
        long,
        env = "FAULT_EMBEDDINGS",
        value_delimiter = ',',
        value_name = "FAULTS"
    )]
    pub(super) fault_embeddings: Vec<embeddings::Fault>,
    /// What the built-in mail server does wrong on purpose, several with commas (docs/faults.md).
    #[arg(long, env = "FAULT_MAIL", value_delimiter = ',', value_name = "FAULTS")]
    pub(super) fault_mail: Vec<mail::Fault>,
}

/// A real server: how it is had, and how it is run. Besides the ports, its words in braces are `{installed}`, the folder
/// or the file that it was made or found as, `{data}`, its folder, and `{jars}`, the class path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server {
    /// Its name and version, as its makers write them.
    pub(crate) title: &'static str,
    pub(crate) origin: Origin,
    /// Files of its data folder that are written before each start, by name and text.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// What is run before the first start: a file of the data folder that is there afterwards, and the command.
    pub(crate) first: Option<(&'static str, &'static str)>,
    /// The program and its arguments, with blanks between them.
    pub(crate) command: &'static str,
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// An address: of HTTP, it is asked until it answers with success; another is connected to.
    pub(crate) ready: &'static str,
    /// What it has to be told before services can use it, if anything.
    pub(crate) set_up: Option<SetUp>,
    /// How long it may take to end once it is asked to.
    pub(crate) patience: Duration,
}

impl Part {
    /// Whether it is started inside this process, unless its real server is there.
    pub(crate) fn is_inside(&self) -> bool {
        matches!(self.embedded, Some(Start::Inside { .. }))
    }

    /// Whether what the embedded mode starts finds a port by itself.
    pub(crate) fn chooses_port(&self) -> bool {
        matches!(self.embedded, Some(Start::Once(..)))
    }
}
