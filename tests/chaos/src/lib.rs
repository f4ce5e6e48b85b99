//! Disturbs every part of the system in turn while customers order, and counts whether the books balance afterwards.
//!
//! `part` is the table of what is disturbed and how, `fault` does it, `load` are the customers.
//! `books` is what everybody has written down, with the rules that it must keep; `brokers`, `mailbox` and `traces` are
//! what is asked beside the databases.

mod args;
mod books;
mod brokers;
mod fault;
mod ground;
mod load;
mod mailbox;
mod part;
mod processes;
mod proxy;
mod report;
mod run;
mod services;
mod site;
mod traces;
mod undertaker;
mod upgrade;

pub use crate::args::Args;
pub use crate::part::{Cell, Fault, Part};
pub use crate::run::{Report, run};
pub use crate::upgrade::upgrade;
