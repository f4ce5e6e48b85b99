//! One SMTP conversation (RFC 5321) as a state machine without IO: bytes in, [`Step`]s out.
//!
//! The grammar of the commands and the dot-unstuffing are `smtp-proto`'s; the order of commands, the limits and the replies are ours.

use std::mem;
use std::sync::Arc;

use smtp_proto::request::receiver::DataReceiver;
use smtp_proto::{MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom, RcptTo, Request};
use standin::faults::Faults;

use super::line::{Line, TooLong};
use super::reply::{self, MAX_MESSAGE_BYTES, MAX_RECIPIENTS, Reply};
use crate::email::{Envelope, Recipient};
use crate::faults::{self, Fault};

/// A client that is refused this often is not a mail client.
const MAX_REFUSALS: u32 = 20;

/// What the connection has to do next.
#[derive(Debug)]
pub(super) enum Step {
    Reply(Reply),
    /// Keep the message and tell the client so.
    Keep(Envelope, Vec<u8>),
    /// Send the reply and close the connection.
    Close(Reply),
}

pub(super) struct Session {
    /// The name given with EHLO or HELO; nothing is accepted before it.
    host: Option<String>,
    remote_address: String,
    transaction: Option<Transaction>,
    input: Input,
    refusals: u32,
    authenticated: bool,
    faults: Arc<Faults<Fault>>,
}

/// What MAIL and RCPT have said so far.
struct Transaction {
    envelope: Envelope,
    /// Whether the client asked for addresses beyond ASCII (RFC 6531).
    utf8: bool,
}

/// How the next bytes are to be read.
enum Input {
    Command(Line),
    Message(Message),
}

/// As much of a message as has arrived.
struct Message {
    receiver: DataReceiver,
    source: Vec<u8>,
    /// The rest of a message that has grown over the limit is read, so that the end is found, but not kept.
    too_large: bool,
}

impl Session {
    pub(super) fn new(remote_address: String, faults: Arc<Faults<Fault>>) -> Self {
        Self {
            host: None,
            remote_address,
            transaction: None,
            input: Input::Command(Line::default()),
            refusals: 0,
            authenticated: false,
            faults,
        }
    }

    /// Takes the bytes of one command or message from the front of `bytes`; `None` when its end is yet to come.
    ///
    /// Called again until `None`, this is all that PIPELINING (RFC 2920) asks for.
    pub(super) fn step(&mut self, bytes: &mut &[u8]) -> Option<Step> {
        match &mut self.input {
            Input::Command(line) => {
                let line = line.take_from(bytes)?;
                Some(self.command(&line))
            }
            Input::Message(message) => {
                let source = message.take_from(bytes)?;
                Some(self.message(source))
            }
        }
    }

    fn command(&mut self, line: &Result<Vec<u8>, TooLong>) -> Step {
        let request = line.as_ref().map(|line| Request::parse(&mut line.iter()));
        let answer = match request {
            Err(TooLong) => Err(reply::LINE_TOO_LONG.into()),
            Ok(Err(error)) => Err(reply::syntax_error(&error)),
            Ok(Ok(Request::Quit)) => return Step::Close(reply::BYE.into()),
            Ok(Ok(request)) => self.answer(request),
        };
        answer.map_or_else(|refusal| self.refuse(refusal), Step::Reply)
    }

    fn refuse(&mut self, refusal: Reply) -> Step {
        self.refusals += 1;
        if self.refusals > MAX_REFUSALS {
            Step::Close(reply::TOO_MANY_ERRORS.into())
        } else {
            Step::Reply(refusal)
        }
    }

    fn answer<T: AsRef<str>>(&mut self, request: Request<T>) -> Result<Reply, Reply> {
        match request {
            Request::Ehlo { host } => {
                let extensions = reply::extensions(faults::offers_auth(&self.faults));
                Ok(self.greet(host.as_ref(), extensions))
            }
            Request::Helo { host } => Ok(self.greet(host.as_ref(), reply::HELLO.into())),
            Request::Auth {
                initial_response, ..
            } => self.authenticate(initial_response.as_ref()),
            Request::Mail { from } => self.mail(&from),
            Request::Rcpt { to } => self.recipient(&to),
            Request::Data => self.data(),
            Request::Rset => {
                self.transaction = None;
                Ok(reply::OK.into())
            }
            Request::Noop { .. } => Ok(reply::OK.into()),
            Request::Vrfy { .. } => Ok(reply::CANNOT_VERIFY.into()),
            Request::Help { .. } => Ok(reply::HELP.into()),
            _ => Err(reply::NOT_IMPLEMENTED.into()),
        }
    }

    /// A greeting also ends whatever was begun before it (RFC 5321 §4.1.4).
    fn greet(&mut self, host: &str, reply: Reply) -> Reply {
        self.host = Some(host.to_owned());
        self.transaction = None;
        reply
    }

    /// Faults are answers and no refusals of ours: however many there are, the connection stays open.
    fn authenticate(&mut self, credentials: &str) -> Result<Reply, Reply> {
        if !faults::offers_auth(&self.faults) || credentials.is_empty() {
            return Err(reply::NOT_IMPLEMENTED.into());
        }
        if faults::refuses_auth(&self.faults) {
            return Ok(reply::BAD_CREDENTIALS.into());
        }
        self.authenticated = true;
        Ok(reply::AUTHENTICATED.into())
    }

    fn mail<T: AsRef<str>>(&mut self, from: &MailFrom<T>) -> Result<Reply, Reply> {
        const UNDERSTOOD: u64 = MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8;
        let utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        let Some(host) = self.host.clone().filter(|_| self.transaction.is_none()) else {
            return Err(reply::BAD_SEQUENCE.into());
        };
        if from.size > MAX_MESSAGE_BYTES {
            return Err(reply::MESSAGE_TOO_LARGE.into());
        }
        if from.flags & !UNDERSTOOD != 0 {
            return Err(reply::UNKNOWN_PARAMETER.into());
        }
        let from = address(&from.address, utf8)?;
        if !self.authenticated && faults::refuses_auth(&self.faults) {
            return Ok(reply::BAD_CREDENTIALS.into());
        }
        if faults::refuses_sender(&self.faults) {
            return Ok(reply::SENDER_REFUSED.into());
        }
        let envelope = Envelope {
            from: Recipient { address: from },
            to: Vec::new(),
            host,
            remote_address: self.remote_address.clone(),
        };
        self.transaction = Some(Transaction { envelope, utf8 });
        Ok(reply::OK.into())
    }

    fn recipient<T: AsRef<str>>(&mut self, to: &RcptTo<T>) -> Result<Reply, Reply> {
        let Some(transaction) = &mut self.transaction else {
            return Err(reply::BAD_SEQUENCE.into());
        };
        if to.address.as_ref().is_empty() {
            return Err(reply::BAD_RECIPIENT.into());
        }
        if transaction.envelope.to.len() >= MAX_RECIPIENTS {
            return Err(reply::TOO_MANY_RECIPIENTS.into());
        }
        let address = address(&to.address, transaction.utf8)?;
        Ok(match faults::refuses_recipient(&self.faults, &address) {
            Some(Fault::Greylist(_)) => reply::GREYLISTED.into(),
            Some(_) => reply::UNKNOWN_RECIPIENT.into(),
            None => {
                transaction.envelope.to.push(Recipient { address });
                reply::OK.into()
            }
        })
    }

    fn data(&mut self) -> Result<Reply, Reply> {
        match &self.transaction {
            None => Err(reply::BAD_SEQUENCE.into()),
            Some(it) if it.envelope.to.is_empty() => Err(reply::NO_RECIPIENTS.into()),
            Some(_) => {
                self.input = Input::Message(Message::begin());
                Ok(reply::START_MAIL.into())
            }
        }
    }

    /// The message has ended: the conversation goes back to commands, without a transaction.
    fn message(&mut self, source: Result<Vec<u8>, TooLong>) -> Step {
        self.input = Input::Command(Line::default());
        let envelope = self.transaction.take().map(|it| it.envelope);
        match source {
            Ok(source) => Step::Keep(envelope.unwrap_or_default(), source),
            Err(TooLong) => self.refuse(reply::MESSAGE_TOO_LARGE.into()),
        }
    }
}

impl Message {
    /// Its receiver has just seen a line end.
    ///
    /// A fresh one has not, and would miss the end of an empty message, which is a lone dot right after DATA.
    fn begin() -> Self {
        let mut receiver = DataReceiver::new();
        receiver.ingest(&mut b"\r\n".iter(), &mut Vec::new());
        Self {
            receiver,
            source: Vec::new(),
            too_large: false,
        }
    }

    /// Takes what belongs to the message from the front of `bytes`.
    ///
    /// `None` while its end is missing, else the message.
    fn take_from(&mut self, bytes: &mut &[u8]) -> Option<Result<Vec<u8>, TooLong>> {
        let mut rest = bytes.iter();
        let ended = self.receiver.ingest(&mut rest, &mut self.source);
        *bytes = rest.as_slice();
        self.too_large |= self.source.len() > MAX_MESSAGE_BYTES;
        if self.too_large {
            self.source = Vec::new();
        }
        ended.then(|| {
            if self.too_large {
                Err(TooLong)
            } else {
                Ok(mem::take(&mut self.source))
            }
        })
    }
}

/// An address beyond ASCII is only allowed in a transaction that asked for it (RFC 6531 §3.4).
fn address(address: &impl AsRef<str>, utf8: bool) -> Result<String, Reply> {
    let address = address.as_ref();
    if address.is_ascii() || utf8 {
        Ok(address.to_owned())
    } else {
        Err(reply::NEEDS_SMTPUTF8.into())
    }
}
