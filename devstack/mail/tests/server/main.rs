//! The server as its clients see it: mail sent with lettre, read over HTTP, and raw sockets for clients that misbehave.

mod api;
mod faults;
mod helpers;
mod other_pages;
mod page;
mod smtp;
