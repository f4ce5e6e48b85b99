//! A mail server that answers as it is told, and keeps what it takes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the end of a message is called, and a new connection, which are no commands.
pub(crate) const END: &str = ".";
pub(crate) const GREETING: &str = "greeting";

pub(crate) struct Smtp {
    /// `host:port`.
    pub(crate) address: String,
    state: Arc<State>,
    /// Aborted when dropped.
    _server: JoinSet<()>,
}

#[derive(Default)]
struct State {
    rules: Mutex<Vec<Rule>>,
    commands: Mutex<Vec<String>>,
    mails: Mutex<Vec<Mail>>,
    /// While it is true, no message is answered.
    held: watch::Sender<bool>,
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// As RCPT names it.
    pub(crate) recipient: String,
    /// The line of the header.
    pub(crate) message_id: String,
}

/// What commands that begin in a certain way are answered with.
struct Rule {
    command: &'static str,
    /// Without one it hangs up.
    reply: Option<&'static str>,
    times: Times,
}

enum Times {
    Always,
    /// So often still.
    Still(usize),
    /// Once for each, as greylisting does.
    OncePerCommand(HashSet<String>),
}

impl Times {
    fn applies(&mut self, command: &str) -> bool {
        match self {
            Self::Always => true,
            Self::Still(times) => {
                let applies = *times > 0;
                *times = times.saturating_sub(1);
                applies
            }
            Self::OncePerCommand(seen) => seen.insert(command.to_owned()),
        }
    }
}

impl Smtp {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::<State>::default();
        let mut server = JoinSet::new();
        server.spawn(serve(listener, state.clone()));
        Self {
            address,
            state,
            _server: server,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Commands that begin with `command` are answered with `reply`.
    pub(crate) fn answer(&self, command: &'static str, reply: &'static str) {
        self.rule(command, Some(reply), Times::Always);
    }

    /// The first `times` commands that begin with `command` are answered with `reply`.
    pub(crate) fn answer_first(&self, times: usize, command: &'static str, reply: &'static str) {
        self.rule(command, Some(reply), Times::Still(times));
    }

    /// Each recipient is put off once.
    pub(crate) fn greylist(&self, reply: &'static str) {
        let times = Times::OncePerCommand(HashSet::new());
        self.rule("RCPT", Some(reply), times);
    }

    /// It hangs up after each of the first `times` commands that begin with `command`.
    pub(crate) fn hang_up_first(&self, times: usize, command: &'static str) {
        self.rule(command, None, Times::Still(times));
    }

    fn rule(&self, command: &'static str, reply: Option<&'static str>, times: Times) {
        let rule = Rule {
            command,
            reply,
            times,
        };
        self.state.rules.lock().unwrap().push(rule);
    }

    /// Whether messages are taken without a word for now.
    pub(crate) fn hold(&self, held: bool) {
        self.state.held.send_replace(held);
    }

    /// How many commands that begin with `command` there were.
    pub(crate) fn asked(&self, command: &str) -> usize {
        let commands = self.state.commands.lock().unwrap();
        commands.iter().filter(|c| c.starts_with(command)).count()
    }

    /// What was taken, whether or not that was said.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.state.mails.lock().unwrap().clone()
    }

    /// How many mails were taken for that recipient.
    pub(crate) fn mails_to(&self, recipient: &str) -> usize {
        let mails = self.mails().into_iter();
        mails.filter(|mail| mail.recipient == recipient).count()
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut sessions = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let session = Session {
            stream: BufReader::new(stream),
            state: state.clone(),
            recipient: None,
        };
        sessions.spawn(session.talk());
    }
}

struct Session {
    stream: BufReader<TcpStream>,
    state: Arc<State>,
    /// Empty between MAIL and RCPT.
    recipient: Option<String>,
}

impl Session {
    /// Ends when one of both hangs up.
    async fn talk(mut self) {
        let mut command = GREETING.to_owned();
        loop {
            let Some(reply) = self.answer(&command) else {
                return;
            };
            let line = format!("{reply}\r\n");
            if self.stream.write_all(line.as_bytes()).await.is_err() {
                return;
            }
            let next = if reply.starts_with("354") {
                self.message().await
            } else {
                self.line().await
            };
            match next {
                Some(next) => command = next,
                None => return,
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await {
            Ok(1..) => Some(line.trim_end().to_owned()),
            _ => None,
        }
    }

    /// Reads a message to its end.
    async fn message(&mut self) -> Option<String> {
        let mut message_id = String::new();
        loop {
            let line = self.line().await?;
            if line.starts_with("Message-ID") {
                message_id.clone_from(&line);
            }
            if line == END {
                break;
            }
        }
        if !self.is_refused(END) {
            let recipient = self.recipient.take().unwrap_or_default();
            let mail = Mail {
                recipient,
                message_id,
            };
            self.state.mails.lock().unwrap().push(mail);
        }
        let mut held = self.state.held.subscribe();
        held.wait_for(|held| !held).await.ok()?;
        Some(END.to_owned())
    }

    fn is_refused(&self, command: &str) -> bool {
        let rules = self.state.rules.lock().unwrap();
        let mut rules = rules.iter().filter(|rule| command == rule.command);
        rules.any(|rule| rule.reply.is_some())
    }

    /// `None` hangs up.
    fn answer(&mut self, command: &str) -> Option<String> {
        self.state.commands.lock().unwrap().push(command.to_owned());
        let reply = match self.ruled(command) {
            (true, reply) => reply?.to_owned(),
            (false, _) => self.usual(command).to_owned(),
        };
        if reply.starts_with("250")
            && let Some(recipient) = command.strip_prefix("RCPT TO:")
        {
            let recipient = recipient.trim_matches(['<', '>']);
            self.recipient = Some(recipient.to_owned());
        }
        Some(reply)
    }

    /// Whether there is a rule for it, and what it says.
    fn ruled(&self, command: &str) -> (bool, Option<&'static str>) {
        let mut rules = self.state.rules.lock().unwrap();
        let found = rules.iter_mut().find_map(|rule| {
            let applies = command.starts_with(rule.command) && rule.times.applies(command);
            applies.then_some(rule.reply)
        });
        (found.is_some(), found.flatten())
    }

    fn usual(&mut self, command: &str) -> &'static str {
        match command.split([' ', ':']).next().unwrap_or_default() {
            GREETING => "220 ready",
            "EHLO" => "250-test\r\n250 AUTH PLAIN",
            "AUTH" => "235 2.7.0 welcome",
            "RSET" => {
                self.recipient = None;
                "250 2.0.0 forgotten"
            }
            "MAIL" if self.recipient.is_some() => "503 5.5.1 there is one already",
            "MAIL" => {
                self.recipient = Some(String::new());
                "250 2.1.0 fine"
            }
            "DATA" => "354 go on",
            _ => "250 2.0.0 fine",
        }
    }
}
