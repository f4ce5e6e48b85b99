//! Ports: which setting moves each, the claim on all of them before anything starts, and the addresses that they make.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::{Context as _, ensure};
use clap::{Arg, value_parser};
use serde::{Deserialize, Serialize};

/// One port that we choose, as a row of its service or part names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Port {
    pub(crate) flag: &'static str,
    /// Its name in [`Ports`] too; it ends with `_PORT`.
    pub(crate) variable: &'static str,
    /// The number that it has unless its setting moves it.
    pub(crate) usual: &'static str,
    /// Who listens there, in a message and in `--help`.
    owner: &'static str,
}

impl Port {
    pub(crate) const fn new(
        flag: &'static str,
        variable: &'static str,
        usual: &'static str,
        owner: &'static str,
    ) -> Self {
        Self {
            flag,
            variable,
            usual,
            owner,
        }
    }

    pub(crate) fn arg(&self) -> Arg {
        Arg::new(self.flag)
            .long(self.flag)
            .env(self.variable)
            .default_value(self.usual)
            .value_name("PORT")
            .value_parser(value_parser!(u16))
            .help(format!("Port of {}; 0 takes a free one", self.owner))
            .help_heading("Ports")
    }
}

/// A number for every [`Port`], on 127.0.0.1. Port 0 takes a free one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ports(BTreeMap<String, u16>);

impl Ports {
    pub(crate) fn of(&self, port: &Port) -> u16 {
        self.0[port.variable]
    }

    pub(crate) fn set(&mut self, port: &Port, number: u16) {
        self.0.insert(port.variable.to_owned(), number);
    }

    /// `template` with the number in place of each `{SQS_PORT}`, and `127.0.0.1:` with the number in place of each `{SQS}`.
    pub(crate) fn fill(&self, template: &str) -> String {
        let replace = |text: String, (variable, number): (&String, &u16)| {
            let name = variable.trim_end_matches("_PORT");
            text.replace(&format!("{{{variable}}}"), &number.to_string())
                .replace(&format!("{{{name}}}"), &format!("127.0.0.1:{number}"))
        };
        self.0.iter().fold(template.to_owned(), replace)
    }

    /// Binds the ports that are `wanted` at once, so that a port in use is known before anything has started; on any number
    /// if they are to be `free`. From then on they are the numbers really bound; fails with one line per port that is taken.
    pub(crate) fn claim(&mut self, wanted: &[&Port], free: bool) -> anyhow::Result<Claims> {
        let mut claims = Claims::default();
        let mut refusals = Vec::new();
        for port in wanted {
            let number = if free { 0 } else { self.of(port) };
            match bind(number) {
                Ok((listener, number)) => {
                    self.set(port, number);
                    claims.0.insert(port.variable, listener);
                }
                Err(error) => refusals.push(refusal(port, number, &error)),
            }
        }
        ensure!(refusals.is_empty(), "{}", refusals.join("\n       "));
        Ok(claims)
    }
}

/// The bound sockets, each taken out once by the part that it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Claims(HashMap<&'static str, TcpListener>);

impl Claims {
    /// The bound listeners themselves, for a server that runs inside this process: nobody can take the ports in between.
    pub(crate) fn listeners(
        &mut self,
        ports: &[Port],
    ) -> anyhow::Result<Vec<tokio::net::TcpListener>> {
        let listeners = ports.iter().map(|port| {
            let listener = self.0.remove(port.variable);
            let listener = listener
                .with_context(|| format!("the port of {} was given away before", port.owner))?;
            Ok(tokio::net::TcpListener::from_std(listener)?)
        });
        listeners.collect()
    }

    /// Lets the ports go, at the last moment, for a child process that binds them by number.
    pub(crate) fn release(&mut self, ports: &[Port]) {
        for port in ports {
            self.0.remove(port.variable);
        }
    }
}

/// Where free ports are looked for: below the range from which systems take a port for an outgoing connection, or for
/// whoever asks for port 0. Otherwise one of those might take the port between our letting go of it and a child's bind.
const FREE_PORTS: Range<u16> = 20_000..32_768;

/// Enough to find a free port in that range on a busy machine.
const TRIES: usize = 100;

fn bind(number: u16) -> io::Result<(TcpListener, u16)> {
    let listener = if number == 0 {
        listen_on_free_port()?
    } else {
        bind_to(number)?
    };
    listener.set_nonblocking(true)?;
    let number = listener.local_addr()?.port();
    Ok((listener, number))
}

/// Listens on a port of 127.0.0.1 that nobody is likely to take between our letting go of it and a child's bind.
pub fn listen_on_free_port() -> io::Result<TcpListener> {
    let candidates = iter::repeat_with(|| fastrand::u16(FREE_PORTS)).take(TRIES);
    // Port 0 is the last resort, for a machine that uses the whole range.
    candidates
        .chain([0])
        .find_map(|number| bind_to(number).ok())
        .ok_or(io::ErrorKind::AddrNotAvailable.into())
}

fn bind_to(number: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, number))
}

fn refusal(port: &Port, number: u16, error: &io::Error) -> String {
    let Port {
        variable, owner, ..
    } = port;
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = holder_of(number);
            format!(
                "port {number} is taken{holder}: {owner} needs it; set {variable} to another, or stop what is using it"
            )
        }
        _ => format!("port {number} cannot be used by {owner}: {error}; set {variable} to another"),
    }
}

/// ` by nginx (pid 12)`, where the system lets us see it; another user's process stays unnamed.
fn holder_of(number: u16) -> String {
    listeners::get_process_by_port(number, listeners::Protocol::TCP)
        .map(|process| format!(" by {} (pid {})", process.name, process.pid))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
